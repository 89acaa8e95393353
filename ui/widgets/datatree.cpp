#include "ui/widgets/datatree.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/icons.h"
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <algorithm>

namespace millrace::ui {

DataTree::DataTree(const QString& accessibleName, const QString& stateKey, QSettings* settings, bool flat, QWidget* parent)
    : QTreeView(parent), m_cells(new CellDelegate(this)), m_settings(settings), m_stateKey(stateKey), m_flat(flat)
{
    setAccessibleName(accessibleName);
    setItemDelegate(m_cells);
    setUniformRowHeights(true);
    setRootIsDecorated(!flat);
    setItemsExpandable(!flat);
    setIndentation(flat ? 0 : 18);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setExpandsOnDoubleClick(false);
    setTabKeyNavigation(false);
    setMouseTracking(true);
    header()->setFixedHeight(26);
    header()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    header()->setStretchLastSection(true);
    header()->setHighlightSections(false);
    header()->setSectionsMovable(true);
    header()->setFirstSectionMovable(false);
    header()->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(header(), &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
        QMenu menu(this);
        fillColumnMenu(&menu);
        m_menuOpen = true;
        menu.exec(header()->mapToGlobal(at));
        m_menuOpen = false;
    });
}

DataTree::~DataTree() { saveState(); }

void DataTree::setModel(QAbstractItemModel* newModel)
{
    QTreeView::setModel(newModel);
    m_restored = false;
    if (newModel && newModel->columnCount() > 0)
        restoreState();
}

bool DataTree::orderFrozen() const
{ return m_menuOpen || state() == DraggingState || QApplication::activePopupWidget() || (viewport()->underMouse() && viewport()->isVisible()); }

void DataTree::goTo(const QModelIndex& index)
{
    if (index.isValid())
        selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    else
        selectionModel()->clear();
}

void DataTree::setGround(Role ground, bool lines) { m_cells->setGround(ground, lines); }
void DataTree::setBranchWidth(int pixels) { setIndentation(pixels); }

void DataTree::setDefaultWidths(const QList<int>& widths)
{
    m_widths = widths;
    m_restored = false;
    if (model())
        restoreState();
}

void DataTree::restoreState()
{
    if (m_restored || !model())
        return;
    for (int column = 0; column < header()->count() && column < m_widths.size(); ++column) {
        if (m_widths[column] > 0)
            header()->resizeSection(column, m_widths[column]);
        else if (m_widths[column] < 0)
            resizeColumnToContents(column);
        header()->setSectionHidden(column, m_widths[column] == 0);
    }
    if (m_settings && !m_stateKey.isEmpty()) {
        const QByteArray stored = m_settings->value(QStringLiteral("tables/") + m_stateKey).toByteArray();
        // another number of columns: an older version's state would hide the new one
        if (!stored.isEmpty() && m_settings->value(QStringLiteral("tables/%1.columns").arg(m_stateKey)).toInt() == header()->count())
            header()->restoreState(stored);
    }
    header()->setFixedHeight(26);
    fitHeaders();
    m_restored = true;
}

void DataTree::saveState()
{
    if (!m_settings || m_stateKey.isEmpty() || !m_restored || header()->count() == 0)
        return;
    m_settings->setValue(QStringLiteral("tables/") + m_stateKey, header()->saveState());
    m_settings->setValue(QStringLiteral("tables/%1.columns").arg(m_stateKey), header()->count());
}

// Headers are never elided: the column is at least as wide as its word
void DataTree::fitHeaders()
{
    const QFontMetrics metrics(ui::font(FontRole::CaptionBold));
    for (int column = 0; column < header()->count(); ++column) {
        if (header()->isSectionHidden(column))
            continue;
        const QString word = model()->headerData(column, Qt::Horizontal).toString();
        const int wanted = metrics.horizontalAdvance(word) + 22 + (isSortingEnabled() && header()->sortIndicatorSection() == column ? 12 : 0);
        if (header()->sectionSize(column) < wanted)
            header()->resizeSection(column, wanted);
    }
    header()->setMinimumSectionSize(24);
}

void DataTree::fillColumnMenu(QMenu* menu)
{
    for (int visual = 0; visual < header()->count(); ++visual) {
        const int column = header()->logicalIndex(visual);
        QAction* action = menu->addAction(model()->headerData(column, Qt::Horizontal).toString());
        action->setCheckable(true);
        action->setChecked(!header()->isSectionHidden(column));
        action->setEnabled(column != 0);
        connect(action, &QAction::toggled, this, [this, column](bool on) {
            header()->setSectionHidden(column, !on);
            if (on && header()->sectionSize(column) < 40)
                resizeColumnToContents(column);
            fitHeaders();
            saveState();
            emit columnsChanged();
        });
    }
    menu->addSeparator();
    connect(menu->addAction(tr("Fit widths to content")), &QAction::triggered, this, [this] {
        for (int column = 0; column < header()->count(); ++column)
            if (!header()->isSectionHidden(column))
                resizeColumnToContents(column);
        fitHeaders();
    });
}

void DataTree::fillCopyMenu(QMenu* menu)
{
    QAction* copy = menu->addAction(icon(QStringLiteral("edit-copy")), tr("Copy rows"), this, &DataTree::copySelection);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    menu->addAction(tr("Copy as CSV"), this, [this] { QApplication::clipboard()->setText(selectionAs(QStringLiteral("csv"))); });
    menu->addAction(tr("Copy as JSON"), this, [this] { QApplication::clipboard()->setText(selectionAs(QStringLiteral("json"))); });
}

QModelIndexList DataTree::selectedRowsInOrder() const
{
    QModelIndexList rows = selectionModel() ? selectionModel()->selectedRows() : QModelIndexList();
    std::sort(rows.begin(), rows.end(), [this](const QModelIndex& a, const QModelIndex& b) { return visualRect(a).top() < visualRect(b).top(); });
    return rows;
}

QString DataTree::selectionAs(const QString& format) const
{
    QList<int> columns;
    for (int visual = 0; visual < header()->count(); ++visual)
        if (!header()->isSectionHidden(header()->logicalIndex(visual)))
            columns << header()->logicalIndex(visual);
    const auto value = [](const QModelIndex& index) {
        const QVariant plain = index.data(PlainRole);
        return plain.isValid() ? plain.toString() : CellDelegate::cell(index).text;
    };
    const auto head = [this](int column) { return model()->headerData(column, Qt::Horizontal).toString(); };
    if (format == QLatin1String("json")) {
        QJsonArray rows;
        for (const QModelIndex& row : selectedRowsInOrder()) {
            QJsonObject object;
            for (const int column : columns)
                object.insert(head(column), value(row.siblingAtColumn(column)));
            rows << object;
        }
        return QString::fromUtf8(QJsonDocument(rows).toJson());
    }
    const bool csv = format == QLatin1String("csv");
    const auto field = [csv](QString word) {
        if (!csv)
            return word.replace(QLatin1Char('\t'), QLatin1Char(' ')).replace(QLatin1Char('\n'), QLatin1Char(' '));
        if (word.contains(QLatin1Char('"')) || word.contains(QLatin1Char(',')) || word.contains(QLatin1Char('\n')))
            return QLatin1Char('"') + word.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
        return word;
    };
    QStringList lines, words;
    for (const int column : columns)
        words << field(head(column));
    const QChar separator = csv ? QLatin1Char(',') : QLatin1Char('\t');
    lines << words.join(separator);
    for (const QModelIndex& row : selectedRowsInOrder()) {
        words.clear();
        for (const int column : columns)
            words << field(value(row.siblingAtColumn(column)));
        lines << words.join(separator);
    }
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

void DataTree::copySelection() { QApplication::clipboard()->setText(selectionAs(QStringLiteral("tsv"))); }

void DataTree::drawRow(QPainter* painter, const QStyleOptionViewItem& options, const QModelIndex& index) const
{
    QTreeView::drawRow(painter, options, index);
    // where the keyboard is: a 2 px accent edge at the current row of the table that has the focus
    if (hasFocus() && index.row() == currentIndex().row() && index.parent() == currentIndex().parent())
        painter->fillRect(QRect(0, options.rect.y(), 2, options.rect.height() - 1), color(Role::Accent));
}

void DataTree::drawBranches(QPainter* painter, const QRect& rect, const QModelIndex& index) const
{
    const bool selected = selectionModel() && selectionModel()->isSelected(index);
    const QVariant tint = index.siblingAtColumn(0).data(RowTintRole);
    const CellInfo cell = CellDelegate::cell(index.siblingAtColumn(0));
    QColor ground = color(tint.isValid() ? static_cast<Role>(tint.toInt()) : m_cells->ground());
    if (cell.tint)
        ground = color(*cell.tint);
    else if (selected)
        ground = color(isActiveWindow() ? Role::Selection : Role::IdleSelection);
    painter->fillRect(rect, ground);
    if (m_cells->lines()) {
        painter->setPen(color(Role::Grid));
        painter->drawLine(rect.bottomLeft(), rect.bottomRight());
    }
    const QVariant stripe = index.siblingAtColumn(0).data(StripeRole);
    if (stripe.isValid())
        painter->fillRect(QRect(rect.x(), rect.y(), 4, rect.height()), color(static_cast<Role>(stripe.toInt())));
    if (m_flat || !model()->hasChildren(index))
        return;
    const int x = rect.right() - indentation() / 2 - 4;
    const int y = rect.center().y() - 1;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(color(Role::Text), 1.3, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    if (isExpanded(index))
        painter->drawPolyline(QPolygonF{QPointF(x, y - 1.5), QPointF(x + 4, y + 2.5), QPointF(x + 8, y - 1.5)});
    else
        painter->drawPolyline(QPolygonF{QPointF(x + 2, y - 3.5), QPointF(x + 6, y + 0.5), QPointF(x + 2, y + 4.5)});
    painter->restore();
}

void DataTree::keyPressEvent(QKeyEvent* event)
{
    const QModelIndex at = currentIndex();
    if (event->matches(QKeySequence::Copy))
        return copySelection();
    if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && at.isValid() && event->modifiers() == Qt::NoModifier)
        return emit activatedByKey(at);
    if (event->key() == Qt::Key_Menu || (event->key() == Qt::Key_F10 && event->modifiers() == Qt::ShiftModifier))
        return emit contextMenuWanted(viewport()->mapToGlobal(visualRect(at).bottomLeft()));
    if (event->key() == Qt::Key_Space && event->modifiers() == Qt::NoModifier && at.isValid() && CellDelegate::cell(at.siblingAtColumn(0)).check) {
        // Space sets all selected rows to what the current one becomes
        const bool on = *CellDelegate::cell(at.siblingAtColumn(0)).check != Qt::Checked;
        for (const QModelIndex& row : selectedRowsInOrder())
            model()->setData(row, on ? Qt::Checked : Qt::Unchecked, Qt::CheckStateRole);
        return;
    }
    QTreeView::keyPressEvent(event);
}

void DataTree::contextMenuEvent(QContextMenuEvent* event)
{
    m_menuOpen = true;
    emit contextMenuWanted(event->globalPos());
    m_menuOpen = false;
}

void DataTree::changeEvent(QEvent* event)
{
    QTreeView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        doItemsLayout();
        viewport()->update();
    }
}

} // namespace millrace::ui
