#pragma once
#include <QFrame>
#include <QLineEdit>
#include <functional>
#include <vector>

class QListWidget;

namespace millrace::ui {

//! "Go to table, action or setting" (Ctrl+P): a field with a list below it. What can be found is asked for when it opens.
class PaletteBox : public QLineEdit {
    Q_OBJECT
public:
    struct Entry { QString text, detail, icon; std::function<void()> run; };
    using Provider = std::function<std::vector<Entry>()>;
    PaletteBox(Provider provider, QWidget* window);
    void open();
    static int rank(const QString& entry, const QString& words);  //!< 0: no match; larger is better
protected:
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
private:
    void fill();
    void choose();
    void close();
    Provider m_provider;
    std::vector<Entry> m_entries;
    QWidget* m_window;
    QListWidget* m_list;
};

} // namespace millrace::ui
