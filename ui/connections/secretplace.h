#pragma once
#include "core/engine/definition.h"
#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;

namespace millrace::ui {

//! Where the secret of a connection is: kept by Millrace, in an environment variable, in a file or in the keychain. The secret itself
//! is typed in the form; here stands only the place.
class SecretPlace : public QWidget {
    Q_OBJECT
public:
    explicit SecretPlace(QWidget* parent = nullptr);
    void set(const SecretRef& ref);
    SecretRef ref() const;
    bool keptByMillrace() const;
    bool stored() const { return m_stored.kind != SecretRef::Kind::None; }
    void setKept();                                               //!< a secret was typed or pasted: keep it
    QString problem() const;                                      //!< the name is missing
    QString hint() const;                                         //!< for the secret's own field
    QComboBox* kind() const { return m_kind; }
    QLineEdit* name() const { return m_name; }
signals:
    void edited();
private:
    void show();
    QComboBox* m_kind;
    QLineEdit* m_name;
    QLabel *m_nameLabel, *m_words;
    SecretRef m_stored;                                           //!< what Millrace keeps now; None: nothing
};

} // namespace millrace::ui
