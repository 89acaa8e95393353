#pragma once
#include "ui/widgets/theme.h"
#include <QSettings>
#include <QTreeView>

class QMenu;

namespace millrace::ui {

class CellDelegate;

//! The tree (or flat table) that every list of Millrace is: CellDelegate, 26 px headers that are never elided, branch chevrons and
//! environment stripes painted in drawBranches, column chooser, stored columns, Ctrl+C as TSV, copy as CSV and JSON, Space toggles
//! ticked rows. The order counts as frozen while the pointer is over the rows or a menu is open: re-sort only when !orderFrozen().
class DataTree : public QTreeView {
    Q_OBJECT
public:
    //! `stateKey` names the place in the settings; empty: nothing is stored. `flat`: no branches.
    DataTree(const QString& accessibleName, const QString& stateKey, QSettings* settings, bool flat, QWidget* parent = nullptr);
    ~DataTree() override;

    void setModel(QAbstractItemModel* model) override;
    CellDelegate* cells() const { return m_cells; }
    bool orderFrozen() const;
    void setBranchWidth(int pixels);                              //!< of one level; default 18
    void setGround(Role ground, bool lines);
    //! Default widths, in column order; 0 hides the column at first, < 0: sized to its content. Stored widths win.
    void setDefaultWidths(const QList<int>& widths);
    void fillColumnMenu(QMenu* menu);
    void fillCopyMenu(QMenu* menu);                               //!< Copy, Copy as CSV, Copy as JSON
    void saveState();
    //! Makes it the one selected row. setCurrentIndex() would look at the keys that are held and add to the selection.
    void goTo(const QModelIndex& index);

    void copySelection();                                         //!< TSV, visible columns, in the shown order
    QString selectionAs(const QString& format) const;             //!< "tsv" | "csv" | "json"
signals:
    void contextMenuWanted(const QPoint& globalPosition);
    void activatedByKey(const QModelIndex& index);                //!< Enter
    void columnsChanged();
protected:
    void drawBranches(QPainter* painter, const QRect& rect, const QModelIndex& index) const override;
    void drawRow(QPainter* painter, const QStyleOptionViewItem& options, const QModelIndex& index) const override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void changeEvent(QEvent* event) override;
private:
    void restoreState();
    void fitHeaders();
    QModelIndexList selectedRowsInOrder() const;
    CellDelegate* m_cells;
    QSettings* m_settings;
    QString m_stateKey;
    QList<int> m_widths;
    bool m_restored = false, m_flat = false, m_menuOpen = false;
};

} // namespace millrace::ui
