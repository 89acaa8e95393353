#pragma once
#include "core/engine/connection.h"
#include <QMap>
#include <QWidget>
#include <map>

class QGridLayout;
class QLineEdit;

namespace millrace::ui {

//! The fields of one connector, built from its ConnectorSpec, and the URL that says the same: each follows the other per keystroke.
//! A password in a pasted URL moves into the secret field and leaves the URL. Knows no connector by name.
class ConnectorForm : public QWidget {
    Q_OBJECT
public:
    explicit ConnectorForm(QWidget* parent = nullptr);
    void setConnectors(std::vector<ConnectorSpec> specs) { m_specs = std::move(specs); }
    void setUrl(const QString& url);                              //!< rebuilds the fields when the connector changes
    QString url() const;                                          //!< never with a secret
    //! Another kind of store by hand: host, user and path stay where the new kind has them too.
    void setConnector(const QString& id);
    const ConnectorSpec* spec() const { return m_spec; }          //!< nullptr: no known scheme yet
    QString problem() const { return m_problem; }                 //!< why the URL cannot be used; empty: it can
    std::map<std::string, Secret> typedSecrets() const;           //!< non-empty ones only
    void setSecretHint(const QString& key, const QString& placeholder);    //!< "stored in the keyring"
    //! The page of a group ("general", "tls", "advanced"), to be placed in tabs; the URL field is a widget of its own.
    QWidget* group(const QString& name);
    QStringList groups() const;                                   //!< those that have fields
    QLineEdit* urlField() const { return m_url; }
signals:
    void edited();                                                //!< anything changed by hand
    void connectorChanged();                                      //!< the fields were rebuilt
private:
    struct Field { FieldSpec spec; QWidget* editor = nullptr; };
    void build(const ConnectorSpec* spec);
    void urlTyped();
    void fieldsTyped();
    void fillFields(const ConnectionUrl& url);
    void setProblem(const QString& words);
    QString value(const Field& field) const;
    void setValue(const Field& field, const QString& text);
    std::vector<ConnectorSpec> m_specs;
    const ConnectorSpec* m_spec = nullptr;
    std::vector<Field> m_fields;
    QMap<QString, QWidget*> m_groups;
    QLineEdit* m_url;
    QString m_problem;
    ConnectionUrl m_parts;
    bool m_filling = false;
};

} // namespace millrace::ui
