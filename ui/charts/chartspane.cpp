#include "ui/charts/chartspane.h"
#include "ui/charts/legend.h"
#include "ui/charts/plot.h"
#include "ui/syncs/synccells.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include <QGridLayout>
#include <algorithm>
#include <cmath>
#include <map>

namespace millrace::ui {
namespace {

constexpr std::int64_t kReloadMs = 10'000, kKeepLive = 900;
constexpr int kRoomForFour = 176;

QString thousands(double value)
{
    if (value >= 1'000'000)
        return QString::number(value / 1'000'000, 'f', value < 10'000'000 ? 1 : 0) + QStringLiteral(" M");
    if (value >= 1000) {
        const bool whole = std::fmod(value, 1000) < 0.5;
        return QString::number(value / 1000, 'f', whole || value >= 100'000 ? 0 : 1) + QStringLiteral(" k");
    }
    return QString::number(value, 'f', value < 3 && value != std::floor(value) ? 1 : 0);
}

QString lagWords(double ms) { return ms == 0 ? QStringLiteral("0 s") : duration(std::int64_t(ms)); }

// Many points on few pixels: the mean of each bucket for rates, the largest for lag, so that a peak is never averaged away
QVector<QPointF> thinned(const std::vector<MetricPoint>& points, double MetricPoint::*figure, std::int64_t from, std::int64_t span, bool largest)
{
    constexpr std::int64_t kBuckets = 400;
    const std::int64_t width = std::max<std::int64_t>(1000, span / kBuckets);
    QVector<QPointF> line;
    double sum = 0, most = 0;
    int n = 0;
    std::int64_t bucket = -1, last = 0;
    const auto flush = [&] {
        if (n > 0)
            line.append(QPointF(double(last), largest ? most : sum / n));
        sum = most = 0;
        n = 0;
    };
    for (const MetricPoint& point : points) {
        if (point.timeMs < from - span / 20)
            continue;
        if (point.timeMs / width != bucket) {
            flush();
            bucket = point.timeMs / width;
        }
        sum += point.*figure;
        most = std::max(most, point.*figure);
        last = point.timeMs;
        ++n;
    }
    flush();
    return line;
}

} // namespace

const QList<std::pair<QString, std::int64_t>>& ChartsPane::spans()
{
    static const QList<std::pair<QString, std::int64_t>> all{{tr("15 min"), 900'000}, {tr("1 h"), 3'600'000}, {tr("6 h"), 21'600'000}, {tr("24 h"), 86'400'000}, {tr("7 d"), 604'800'000}};
    return all;
}

ChartsPane::ChartsPane(EngineCalls& calls, QWidget* parent) : QWidget(parent), m_calls(calls)
{
    setProperty("surface", "base");
    setAttribute(Qt::WA_StyledBackground);
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(0);
    const auto cell = [&](int row, int column, const QString& title, Plot::Words words, Plot*& plot, Legend*& legend) {
        auto* box = new QWidget(this);
        auto* inner = new QVBoxLayout(box);
        inner->setContentsMargins(0, 0, 0, 0);
        inner->setSpacing(0);
        legend = new Legend(title, box);
        plot = new Plot(title, std::move(words), box);
        inner->addWidget(legend);
        inner->addWidget(plot, 1);
        grid->addWidget(box, row * 2, column * 2);
        if (row == 1)
            m_lower[column] = box;
        connect(plot, &Plot::hovered, this, &ChartsPane::cross);
        connect(plot, &Plot::wheeled, this, &ChartsPane::spanWheeled);
    };
    cell(0, 0, tr("Rows per second"), thousands, m_rows, m_rowsWords);
    cell(0, 1, tr("Lag"), lagWords, m_lag, m_lagWords);
    cell(1, 0, tr("Batch latency"), [](double ms) { return milliseconds(ms); }, m_latency, m_latencyWords);
    cell(1, 1, tr("Errors per minute"), thousands, m_errors, m_errorsWords);
    grid->addWidget(makeLine(Qt::Vertical, this), 0, 1, 3, 1);
    m_lower[2] = makeLine(Qt::Horizontal, this);
    grid->addWidget(m_lower[2], 1, 0, 1, 3);
    for (const int side : {0, 2}) {
        grid->setColumnStretch(side, 1);
        grid->setRowStretch(side, 1);
    }
    m_errors->setLeastTop(3);
    m_rows->setLeastTop(3);
    m_lag->setLeastTop(3000);
    m_latency->setLeastTop(30);
    m_second.setInterval(1000);
    connect(&m_second, &QTimer::timeout, this, [this] {
        if (!isVisible())
            return;
        if (m_nowMs - m_loadedMs >= kReloadMs)
            load();
        draw();
    });
    m_second.start();
}

void ChartsPane::setSubject(const std::string& sync, const std::string& table)
{
    if (sync == m_sync && table == m_table)
        return;
    m_sync = sync;
    m_table = table;
    m_stored.clear();
    m_live.clear();
    m_loadedMs = 0;
    m_lastRetried = 0;
    m_now = {};
    if (isVisible()) {
        load();
        draw();
    }
}

void ChartsPane::setSpan(std::int64_t ms)
{
    m_span = ms;
    m_loadedMs = 0;
    if (isVisible()) {
        load();
        draw();
    }
}

void ChartsPane::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    load();
    draw();
}

// In a low pane two charts that can be read are better than four that are cut off
void ChartsPane::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    for (QWidget* part : m_lower)
        part->setVisible(height() >= kRoomForFour);
}

void ChartsPane::load()
{
    if (m_sync.empty() || m_loading || m_nowMs == 0)
        return;
    m_loading = true;
    m_loadedMs = m_nowMs;
    const std::string sync = m_sync, table = m_table;
    m_call = m_calls.run(this, [sync, table, from = m_nowMs - m_span, to = m_nowMs](Engine& engine) { return engine.metrics(sync, table, from, to); },
        [this, sync, table](Result<std::vector<MetricPoint>> points) {
            m_loading = false;
            if (sync != m_sync || table != m_table)
                return load();
            if (points)
                m_stored = std::move(*points);
            draw();
        });
}

void ChartsPane::sample(const EngineSnapshot& snapshot)
{
    m_nowMs = snapshot.takenMs;
    for (const SyncView& sync : snapshot.syncs) {
        if (sync.name != m_sync)
            continue;
        TableView now;
        bool found = m_table.empty();
        if (m_table.empty())
            now = jobSum(sync);
        else
            for (const TableView& table : sync.tables)
                if (table.table == m_table) {
                    now = table;
                    found = true;
                }
        if (!found)
            continue;
        m_now = now;
        m_failed = now.failed;
        m_retried = now.retried;
        if (!m_live.empty() && m_nowMs - m_live.back().timeMs < 900)
            continue;
        // an idle table leaves a gap
        if (now.state != State::Running && now.state != State::Live && now.state != State::Lagging && now.writeRate <= 0)
            continue;
        m_live.push_back({m_nowMs, now.readRate, now.writeRate, 0, double(std::max<std::int64_t>(0, now.lagMs)), now.p50Ms, now.p95Ms, 1});
        if (m_live.size() > kKeepLive)
            m_live.erase(m_live.begin(), m_live.begin() + 300);
    }
}

void ChartsPane::draw()
{
    if (m_nowMs == 0)
        return;
    const std::int64_t from = m_nowMs - m_span;
    std::vector<MetricPoint> points = m_stored;
    for (const MetricPoint& live : m_live)
        if (points.empty() || live.timeMs > points.back().timeMs)
            points.push_back(live);
    std::uint32_t spanSeconds = 5;
    for (const MetricPoint& point : points)
        spanSeconds = std::max(spanSeconds, point.spanSeconds);
    const double gap = std::max(double(spanSeconds) * 3500, double(m_span) / 120);
    for (Plot* plot : {m_rows, m_lag, m_latency, m_errors})
        plot->setRange(from, m_nowMs, gap);
    m_rows->setLines({{tr("written"), Role::Series1, true, thinned(points, &MetricPoint::written, from, m_span, false)},
        {tr("read"), Role::Series2, false, thinned(points, &MetricPoint::read, from, m_span, false)}});
    m_lag->setThreshold(m_threshold);
    // what runs by hand has no lag: nothing, rather than a line at zero
    m_lag->setLines({{tr("lag"), Role::Series1, true, m_now.lagMs >= 0 ? thinned(points, &MetricPoint::lagMs, from, m_span, true) : QVector<QPointF>()}});
    m_latency->setLines({{tr("p50"), Role::Series1, false, thinned(points, &MetricPoint::p50Ms, from, m_span, true)},
        {tr("p95"), Role::Series3, false, thinned(points, &MetricPoint::p95Ms, from, m_span, true)}});
    const std::int64_t minute = std::max<std::int64_t>(60'000, m_span / 120);
    std::map<std::int64_t, double> rejected;
    for (const MetricPoint& point : m_stored)
        rejected[point.timeMs / minute * minute] += point.rejected * point.spanSeconds * 60'000.0 / double(minute);
    PlotBars bars{tr("rejected"), Role::Series4, double(minute), {}};
    double newest = 0;
    for (const auto& [at, value] : rejected) {
        bars.points.append(QPointF(double(at), value));
        newest = at >= m_nowMs - minute ? value : 0;
    }
    m_errors->setBars({bars});
    m_rowsWords->setItems({{Role::Series1, tr("written  %1/s").arg(rate(m_now.writeRate))}, {Role::Series2, tr("read  %1/s").arg(rate(m_now.readRate))}});
    const bool lost = m_now.state == State::Failed || m_now.state == State::NeedsResync || m_now.state == State::Unknown;
    QList<Legend::Item> lag{{Role::Series1, tr("now  %1").arg(m_now.lagKnown ? duration(m_now.lagMs) : lost ? tr("unknown") : dash())}};
    if (m_threshold)
        lag.append({Role::Lagging, tr("alert above %1").arg(duration(std::int64_t(*m_threshold))), true});
    m_lagWords->setItems(lag);
    m_latencyWords->setItems({{Role::Series1, tr("p50  %1").arg(milliseconds(m_now.p50Ms))}, {Role::Series3, tr("p95  %1").arg(milliseconds(m_now.p95Ms))}});
    m_errorsWords->setItems({{Role::Series4, tr("rejected rows  %1/min (%2 in all)").arg(rate(newest), count(m_failed))},
        {Role::Series3, tr("retried batches  %1").arg(count(m_retried)), false, false}});
}

void ChartsPane::cross(std::optional<double> ms)
{
    for (Plot* plot : {m_rows, m_lag, m_latency, m_errors})
        plot->setCrosshair(ms);
}

} // namespace millrace::ui
