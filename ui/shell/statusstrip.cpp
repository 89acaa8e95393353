#include "ui/shell/statusstrip.h"
#include "ui/widgets/format.h"
#include "ui/widgets/iconlabel.h"
#include "ui/widgets/look.h"
#include <QHBoxLayout>

namespace millrace::ui {

StatusStrip::StatusStrip(QWidget* parent) : QFrame(parent), m_left(new QHBoxLayout), m_right(new QHBoxLayout)
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("surface", "statusbar");
    setFixedHeight(26);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 1, 10, 0);
    for (QHBoxLayout* side : {m_left, m_right}) {
        side->setSpacing(12);
        row->addLayout(side);
        if (side == m_left)
            row->addStretch(1);
    }
    m_rate = add("speedometer", false);
    m_lag = add("chronometer", false);
    m_queue = add("view-process-tree", false);
    m_failed = add("data-warning", false);
    m_vault = add("object-locked", true);
    m_connections = add("server-database", true);
    m_failed.icon->set(QStringLiteral("data-warning"), Role::Lagging);
    m_vault.box->hide();
}

StatusStrip::Item StatusStrip::add(const char* iconName, bool right)
{
    Item item{new QWidget(this), new IconLabel(QString::fromLatin1(iconName), 14, Role::Secondary), makeLabel({}, "caption")};
    auto* row = new QHBoxLayout(item.box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(5);
    row->addWidget(item.icon);
    row->addWidget(item.words);
    QHBoxLayout* side = right ? m_right : m_left;
    if (side->count() > 0) {
        QFrame* line = makeLine(Qt::Vertical, item.box);
        line->setFixedHeight(12);
        row->insertSpacing(0, 8);
        row->insertWidget(0, line);
    }
    side->addWidget(item.box);
    return item;
}

void StatusStrip::say(const Item& item, const QString& words, const char* look)
{
    if (item.words->text() != words)
        item.words->setText(words);
    setLook(item.words, "look", look ? look : "caption");
}

void StatusStrip::apply(const EngineSnapshot& snapshot)
{
    say(m_rate, tr("%1 rows/s").arg(rate(snapshot.rowsPerSecond)));
    const TableView* worst = nullptr;
    for (const SyncView& sync : snapshot.syncs)
        for (const TableView& table : sync.tables)
            if (table.lagKnown && table.lagMs >= 0 && (!worst || table.lagMs > worst->lagMs))
                worst = &table;
    m_lag.box->setVisible(worst != nullptr || snapshot.syncs.empty());
    if (snapshot.syncs.empty())
        say(m_lag, tr("no syncs"));
    else if (worst)
        say(m_lag, tr("worst lag %1 (%2)").arg(duration(worst->lagMs), text(worst->table)));
    m_queue.box->setVisible(snapshot.budgetBytes > 0);
    say(m_queue, tr("queue %1 of %2").arg(bytes(snapshot.queuedBytes), bytes(snapshot.budgetBytes)));
    m_failed.box->setVisible(snapshot.failedRows > 0);
    say(m_failed, tr("%n row(s) failed", nullptr, int(snapshot.failedRows)), "warningCaption");
    if (snapshot.connections == 0)
        say(m_connections, tr("no connections"));
    else if (snapshot.healthyConnections == 0)
        say(m_connections, tr("%n connection(s)", nullptr, int(snapshot.connections)));
    else
        say(m_connections, tr("%1 of %n connection(s) healthy", nullptr, int(snapshot.connections)).arg(snapshot.healthyConnections));
}

void StatusStrip::setVault(const QString& words)
{
    m_vault.box->setVisible(!words.isEmpty());
    say(m_vault, words);
}

} // namespace millrace::ui
