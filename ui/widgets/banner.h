#pragma once
#include "core/base/result.h"
#include <QFrame>
#include <functional>

class QLabel;
class QPushButton;

namespace millrace::ui {

class IconLabel;

//! An inline message: icon, sentence, one action. Errors are told this way and never by a modal box. Hidden until shown.
class Banner : public QFrame {
    Q_OBJECT
public:
    enum class Kind : quint8 { Info, Good, Warning, Error };
    explicit Banner(QWidget* parent = nullptr);
    void say(Kind kind, const QString& sentence, const QString& action = {}, std::function<void()> onAction = {});
    //! The error's own words, with its fix as the second sentence.
    void say(const Error& error, const QString& action = {}, std::function<void()> onAction = {});
    void setClosable(bool on);
    QString sentence() const;
    Kind kind() const { return m_kind; }
private:
    IconLabel* m_icon;
    QLabel *m_text, *m_fix;
    QPushButton *m_action, *m_close;
    std::function<void()> m_onAction;
    Kind m_kind = Kind::Info;
};

//! What an error says to people: detail, or the id when there is none.
QString sentence(const Error& error);

} // namespace millrace::ui
