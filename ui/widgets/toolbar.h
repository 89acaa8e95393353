#pragma once
#include <QFrame>
#include <vector>

class QHBoxLayout;
class QToolButton;

namespace millrace::ui {

//! The row of tools above a table, 44 px high. Its tools show words beside their icons as long as there is room for all of them, else
//! icons alone, with the words in their tooltips.
class ToolBar : public QFrame {
    Q_OBJECT
public:
    explicit ToolBar(QWidget* parent);
    QHBoxLayout* row() const { return m_row; }
    void addTool(QToolButton* tool);
    bool folded() const { return m_folded; }
    QSize minimumSizeHint() const override;
protected:
    bool event(QEvent* event) override;
private:
    void fold();
    void show(bool words);
    QHBoxLayout* m_row;
    std::vector<QToolButton*> m_tools;
    bool m_folded = false;
    int m_saved = 0;                                              // what folding gained
};

} // namespace millrace::ui
