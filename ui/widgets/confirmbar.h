#pragma once
#include <QFrame>
#include <QPointer>
#include <functional>

class QLabel;
class QLineEdit;
class QPushButton;

namespace millrace::ui {

//! What a far-reaching command will do, above the page and never as a modal box. Production: its target's name must be typed; Enter
//! in that field does not submit, and the button says why it is off.
class ConfirmBar : public QFrame {
    Q_OBJECT
public:
    explicit ConfirmBar(QWidget* parent = nullptr);
    //! `typed`: the name to be typed; empty: no typing.
    void ask(const QString& sentence, const QString& verb, const QString& typed, std::function<void()> onYes);
    void cancel();
protected:
    void keyPressEvent(QKeyEvent* event) override;
private:
    void check();
    QLabel *m_text, *m_reason;
    QLineEdit* m_name;
    QPushButton *m_yes, *m_no;
    QString m_typed;
    std::function<void()> m_onYes;
    QPointer<QWidget> m_before;
};

} // namespace millrace::ui
