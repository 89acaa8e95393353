#include "ui/logs/logview.h"
#include "ui/logs/logmodel.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollBar>
#include <QVBoxLayout>

namespace millrace::ui {

LogView::LogView(const LogFeed& feed, QSettings& settings, const QString& stateKey, QWidget* parent)
    : QWidget(parent), m_model(new LogModel(feed, this)), m_proxy(new LogProxy(this))
{
    m_proxy->setSourceModel(m_model);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* bar = makeSurface("toolbar", this);
    bar->setFixedHeight(44);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(10, 0, 10, 0);
    row->setSpacing(0);
    const QString names[] = {tr("Debug"), tr("Info"), tr("Warnings"), tr("Errors")};
    const char* const places[] = {"first", "middle", "middle", "last"};
    for (std::size_t i = 0; i < m_chips.size(); ++i) {
        m_chips[i] = new QPushButton(names[i], bar);
        m_chips[i]->setCheckable(true);
        m_chips[i]->setChecked(i > 0);
        m_chips[i]->setProperty("segment", places[i]);
        m_chips[i]->setAutoDefault(false);
        setAccessible(m_chips[i], tr("Show %1").arg(names[i]));
        fitBold(m_chips[i]);
        connect(m_chips[i], &QPushButton::toggled, this, &LogView::applyLevels);
        row->addWidget(m_chips[i]);
    }
    row->addStretch(1);
    m_count = makeLabel({}, "caption", bar);
    row->addWidget(m_count);
    row->addSpacing(10);
    m_follow = makeButton(tr("Follow"), QStringLiteral("go-bottom"), "small", bar);
    m_follow->setCheckable(true);
    m_follow->setChecked(true);
    setAccessible(m_follow, tr("Follow the newest lines"));
    row->addWidget(m_follow);
    row->addSpacing(8);
    m_regex = makeButton(QStringLiteral(".*"), {}, "small", bar);
    m_regex->setCheckable(true);
    m_regex->setToolTip(tr("The filter is a regular expression"));
    setAccessible(m_regex, tr("The filter is a regular expression"));
    row->addWidget(m_regex);
    row->addSpacing(4);
    m_filter = new FilterBox(tr("Filter lines"), tr("Filter lines"), QStringLiteral("view-filter"), bar);
    m_filter->setMinimumWidth(110);
    m_filter->setMaximumWidth(260);
    row->addWidget(m_filter);
    column->addWidget(bar);

    m_table = new DataTree(tr("Log lines"), stateKey, &settings, true, this);
    m_table->setModel(m_proxy);
    m_table->setDefaultWidths({96, 90, 130, 400});
    m_filter->setTable(m_table);
    column->addWidget(m_table, 1);
    connect(m_table, &DataTree::contextMenuWanted, this, [this](const QPoint& at) {
        QMenu menu(this);
        m_table->fillCopyMenu(&menu);
        menu.addSeparator();
        menu.addAction(tr("Clear this view"), m_model, &LogModel::clear);
        menu.exec(at);
    });
    connect(m_filter, &FilterBox::filterChanged, this, &LogView::applyWords);
    connect(m_regex, &QPushButton::toggled, this, &LogView::applyWords);
    connect(m_follow, &QPushButton::toggled, this, [this](bool on) { if (on) m_table->scrollToBottom(); });
    connect(m_table->verticalScrollBar(), &QScrollBar::actionTriggered, this, [this] {
        // the position is set after this signal
        QTimer::singleShot(0, this, [this] { m_follow->setChecked(m_table->verticalScrollBar()->value() == m_table->verticalScrollBar()->maximum()); });
    });
    connect(&m_timer, &QTimer::timeout, this, [this] { if (isVisible()) poll(); });
    m_timer.start(400);
    applyLevels();
}

void LogView::setScope(const std::string& sync, const std::string& table)
{
    m_proxy->setScope(sync, table);
    showCount();
}

QWidget* LogView::filterField() const { return m_filter; }
void LogView::saveState() { m_table->saveState(); }

void LogView::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    poll();
}

void LogView::poll()
{
    if (!m_model->poll())
        return;
    const auto counts = m_model->levelCounts();
    m_chips[2]->setText(counts[2] ? tr("Warnings %1").arg(count(std::uint64_t(counts[2]))) : tr("Warnings"));
    m_chips[3]->setText(counts[3] ? tr("Errors %1").arg(count(std::uint64_t(counts[3]))) : tr("Errors"));
    for (QPushButton* chip : m_chips)
        fitBold(chip);
    if (m_follow->isChecked())
        m_table->scrollToBottom();
    showCount();
}

void LogView::applyLevels()
{
    std::array<bool, 4> shown{};
    for (std::size_t i = 0; i < m_chips.size(); ++i)
        shown[i] = m_chips[i]->isChecked();
    m_proxy->setLevels(shown);
    showCount();
}

void LogView::applyWords()
{
    const bool valid = m_proxy->setWords(m_filter->text(), m_regex->isChecked());
    setLook(m_filter, "state", valid ? "" : "error");
    m_filter->setToolTip(valid ? QString() : tr("This is not a valid regular expression; the former filter stays."));
    showCount();
}

void LogView::showCount() { m_count->setText(tr("%1 of %2 lines").arg(count(std::uint64_t(m_proxy->rowCount())), count(std::uint64_t(m_model->rowCount())))); }

} // namespace millrace::ui
