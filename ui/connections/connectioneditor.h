#pragma once
#include "core/engine/connection.h"
#include "core/engine/definition.h"
#include <QStringList>
#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QStackedWidget;
class QTabBar;

namespace millrace::ui {

class ConnectorForm;
class SecretPlace;
class Stripe;

//! A connection being edited: what it would be saved as, and the secrets typed for it.
struct ConnectionDraft { ConnectionDef def; std::map<std::string, Secret> typed; };

//! The form of one connection: name, environment, URL and the connector's fields in tabs. Knows nothing of the engine.
class ConnectionEditor : public QWidget {
    Q_OBJECT
public:
    enum Tab { General, Tls, Advanced, UsedBy };
    explicit ConnectionEditor(QWidget* parent = nullptr);
    void setConnectors(std::vector<ConnectorSpec> specs);
    //! `saved` is what Revert goes back to; `draft` what was edited before, or null.
    void load(const ConnectionDef& saved, bool isNew, const ConnectionDraft* draft = nullptr);
    void startNew(const QString& url);
    void setUsers(const QStringList& syncs);
    void setTakenNames(const QStringList& names) { m_taken = names; }

    ConnectionDraft draft() const;
    const ConnectionDef& saved() const { return m_saved; }
    bool isNew() const { return m_new; }
    bool dirty() const;
    QString problem() const;                                      //!< why it cannot be saved or tested; empty: it can
    bool source() const;
    void setTab(Tab tab);
    void focusFirst();
    ConnectorForm* form() const { return m_form; }
    SecretPlace* secretPlace() const { return m_place; }
    QLineEdit* name() const { return m_name; }
    QComboBox* environment() const { return m_environment; }
    QComboBox* type() const { return m_type; }
    QPushButton* deleteButton() const { return m_delete; }
signals:
    void edited();
    void deleteWanted();
    void syncWanted(const QString& name);
private:
    QWidget* makeHead();
    QWidget* makeGeneral();
    void touched();
    void connectorChanged();
    void guess();
    void showWords();
    void chooseFile();
    std::string secretKey() const;                                //!< of the first secret field; empty: none
    QString currentName() const;
    std::vector<ConnectorSpec> m_specs;
    ConnectionDef m_saved;
    QStringList m_taken, m_users;
    Stripe* m_stripe;
    ConnectorForm* m_form;
    SecretPlace* m_place;
    QLineEdit* m_name;
    QComboBox *m_environment, *m_type;
    QLabel *m_title, *m_pill, *m_readOnly, *m_hint, *m_unused, *m_usedNone;
    QPushButton *m_used, *m_delete, *m_file;
    QTabBar* m_tabs;
    QStackedWidget* m_pages;
    QWidget* m_usersPage;
    bool m_new = true, m_loading = false, m_nameGiven = false, m_environmentGiven = false;
};

} // namespace millrace::ui
