#pragma once
#include "ui/shell/page.h"
#include <QFrame>

namespace millrace::ui {

//! While the demo is there: what can be tried with it, and its removal with one click.
class DemoBar : public QFrame {
    Q_OBJECT
public:
    explicit DemoBar(const Context& context, QWidget* parent = nullptr);
signals:
    void happened();                                              //!< a row was changed or broken: look again
    void failed(const millrace::Error& error);
protected:
    void resizeEvent(QResizeEvent* event) override;
private:
    void tell(const std::function<Result<std::string>()>& deed);
    const Context& m_context;
    QWidget *m_words, *m_yours;                                   //!< give way first when it is narrow
};

} // namespace millrace::ui
