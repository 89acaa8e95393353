#pragma once
#include "ui/widgets/cellinfo.h"
#include <QStyledItemDelegate>

namespace millrace::ui {

//! The one item delegate of all tables. Draws a CellInfo and the 1 px line of its row; cells without one are drawn as plain text.
class CellDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    explicit CellDelegate(QObject* parent = nullptr) : QStyledItemDelegate(parent) {}
    void setRowHeight(int pixels) { m_row = pixels; }             //!< 0: the theme's
    void setGround(Role ground, bool lines) { m_ground = ground; m_lines = lines; }    //!< behind the rows, and whether they have lines
    Role ground() const { return m_ground; }
    bool lines() const { return m_lines; }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    bool editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option, const QModelIndex& index) override;
    bool helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option, const QModelIndex& index) override;
    static CellInfo cell(const QModelIndex& index);
    static void paintCheck(QPainter& painter, const QRect& where, Qt::CheckState state, bool enabled);
    static void paintSpark(QPainter& painter, const QRect& where, const QVector<float>& series, Role role);
    static void paintPill(QPainter& painter, const QRect& where, const PillInfo& pill);
    static int pillWidth(const PillInfo& pill);
signals:
    void chevronClicked(const QModelIndex& index);
private:
    QRect checkRect(const QRect& cellRect) const;
    int m_row = 0;
    Role m_ground = Role::Base;
    bool m_lines = true;
};

} // namespace millrace::ui
