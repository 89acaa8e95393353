#include "ui/charts/plot.h"
#include <QAreaSeries>
#include <QChart>
#include <QDateTime>
#include <QGraphicsLayout>
#include <QLineSeries>
#include <QMouseEvent>
#include <QPainter>
#include <QValueAxis>
#include <algorithm>
#include <array>
#include <cmath>

namespace millrace::ui {
namespace {

constexpr int kSteps = 3, kBottom = 20, kRight = 8, kTopGap = 8;

// Round times for the labels: the smallest step that leaves them 80 px of room
double timeStep(double span, double width)
{
    static constexpr std::array steps{1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0, 43200.0, 86400.0};
    for (const double step : steps)
        if (width / (span / (step * 1000)) >= 80)
            return step * 1000;
    return steps.back() * 1000;
}

} // namespace

Plot::Plot(const QString& accessibleName, Words words, QWidget* parent)
    : QChartView(new QChart, parent), m_words(std::move(words)), m_xAxis(new QValueAxis(this)), m_yAxis(new QValueAxis(this))
{
    setAccessibleName(accessibleName);
    setFocusPolicy(Qt::NoFocus);
    viewport()->setFocusPolicy(Qt::NoFocus);
    setFrameShape(QFrame::NoFrame);
    setRenderHint(QPainter::Antialiasing);
    setMouseTracking(true);
    setMinimumSize(200, 64);
    chart()->setBackgroundVisible(false);
    chart()->legend()->hide();
    chart()->setMargins(QMargins());
    chart()->layout()->setContentsMargins(0, 0, 0, 0);
    chart()->setAnimationOptions(QChart::NoAnimation);
    chart()->addAxis(m_xAxis, Qt::AlignBottom);
    chart()->addAxis(m_yAxis, Qt::AlignLeft);
    m_xAxis->setVisible(false);
    m_yAxis->setVisible(false);
}

Plot::~Plot() = default;

double Plot::niceTop(double largest)
{
    if (largest <= 0)
        return 1;
    const double power = std::pow(10.0, std::floor(std::log10(largest)));
    for (const double factor : {1.2, 1.5, 1.8, 2.4, 3.0, 4.5, 6.0, 9.0, 12.0})
        if (largest <= factor * power)
            return factor * power;
    return 12 * power;
}

void Plot::setRange(std::int64_t fromMs, std::int64_t toMs, double gapMs)
{
    m_from = double(fromMs);
    m_to = double(std::max(toMs, fromMs + 1000));
    m_gap = gapMs;
}

void Plot::setLines(QVector<PlotLine> lines) { m_lines = std::move(lines); rebuild(); }
void Plot::setBars(QVector<PlotBars> bars) { m_bars = std::move(bars); rebuild(); }

void Plot::rebuild()
{
    double largest = std::max(m_least, m_threshold.value_or(0) * 1.05);
    for (const PlotLine& line : std::as_const(m_lines))
        for (const QPointF& point : line.points)
            if (point.x() >= m_from && point.x() <= m_to)
                largest = std::max(largest, point.y());
    for (const PlotBars& bars : std::as_const(m_bars))
        for (const QPointF& point : bars.points)
            if (point.x() >= m_from && point.x() <= m_to)
                largest = std::max(largest, point.y());
    m_top = niceTop(largest);
    m_xAxis->setRange(m_from, m_to);
    m_yAxis->setRange(0, m_top);
    chart()->removeAllSeries();
    m_dots.clear();
    const auto put = [this](QAbstractSeries* series) {
        chart()->addSeries(series);
        series->attachAxis(m_xAxis);
        series->attachAxis(m_yAxis);
    };
    for (const PlotLine& line : std::as_const(m_lines)) {
        qsizetype start = 0;
        for (qsizetype i = 1; i <= line.points.size(); ++i) {
            if (i < line.points.size() && line.points[i].x() - line.points[i - 1].x() <= m_gap)
                continue;
            const QList<QPointF> part = line.points.mid(start, i - start);
            start = i;
            if (part.isEmpty() || part.last().x() < m_from)
                continue;
            if (part.size() == 1) {                               // a short run between two gaps: a dot, drawn by hand
                m_dots.append({part.first(), line.role});
                continue;
            }
            if (line.filled) {
                QColor fill = color(line.role);
                fill.setAlphaF(0.18F);
                auto* edge = new QLineSeries;
                edge->replace(part);
                auto* area = new QAreaSeries(edge);
                edge->setParent(area);
                area->setPen(Qt::NoPen);                          // its pen would also draw the sides
                area->setBrush(fill);
                put(area);
            }
            auto* upper = new QLineSeries;
            upper->replace(part);
            upper->setPen(QPen(color(line.role), 1.4));
            put(upper);
        }
    }
    place();
    viewport()->update();
}

void Plot::place()
{
    const QFontMetrics metrics(ui::font(FontRole::Tiny));
    int wide = 0;
    for (int i = 0; i <= kSteps; ++i)
        wide = std::max(wide, metrics.horizontalAdvance(m_words(m_top * i / kSteps)));
    m_area = QRectF(wide + 12, kTopGap, std::max(10, width() - wide - 12 - kRight), std::max(10, height() - kBottom - kTopGap));
    chart()->resize(size());
    chart()->setPlotArea(m_area);
    setSceneRect(0, 0, width(), height());
}

double Plot::x(double ms) const { return m_area.left() + (ms - m_from) / (m_to - m_from) * m_area.width(); }
double Plot::y(double value) const { return m_area.bottom() - value / m_top * m_area.height(); }

void Plot::drawBackground(QPainter* p, const QRectF&)
{
    p->fillRect(QRectF(0, 0, width(), height()), color(Role::Base));
    p->setFont(ui::font(FontRole::Tiny));
    p->setRenderHint(QPainter::Antialiasing, false);
    for (int i = 0; i <= kSteps; ++i) {
        const double value = m_top * i / kSteps;
        p->setPen(color(i == 0 ? Role::ControlBorder : Role::Grid));
        p->drawLine(QPointF(m_area.left(), std::round(y(value))), QPointF(m_area.right(), std::round(y(value))));
        p->setPen(color(Role::Tertiary));
        p->drawText(QRectF(0, y(value) - 8, m_area.left() - 6, 16), Qt::AlignRight | Qt::AlignVCenter, m_words(value));
    }
    const double step = timeStep(m_to - m_from, m_area.width());
    const QString format = step >= 86'400'000 ? QStringLiteral("d MMM") : step < 60'000 ? QStringLiteral("HH:mm:ss") : QStringLiteral("HH:mm");
    const int offset = QDateTime::fromMSecsSinceEpoch(qint64(m_from)).offsetFromUtc() * 1000;
    for (double at = std::ceil((m_from + offset) / step) * step - offset; at <= m_to; at += step) {
        p->setPen(color(Role::Grid));
        p->drawLine(QPointF(std::round(x(at)), m_area.top()), QPointF(std::round(x(at)), m_area.bottom()));
        p->setPen(color(Role::Tertiary));
        const double middle = std::clamp(x(at), m_area.left() + 22, m_area.right() - 18);
        p->drawText(QRectF(middle - 40, m_area.bottom() + 2, 80, 16), Qt::AlignCenter, QDateTime::fromMSecsSinceEpoch(qint64(at)).toString(format));
    }
    const int kinds = int(m_bars.size());
    for (int k = 0; k < kinds; ++k)
        for (const QPointF& point : m_bars[k].points) {
            if (point.y() <= 0 || point.x() + m_bars[k].spanMs < m_from || point.x() > m_to)
                continue;
            const double wide = std::clamp((x(point.x() + m_bars[k].spanMs) - x(point.x())) / kinds - 1, 2.0, 12.0);
            const double left = x(point.x()) + k * (wide + 1);
            p->fillRect(QRectF(left, y(point.y()), wide, m_area.bottom() - y(point.y())), color(m_bars[k].role));
        }
    p->setRenderHint(QPainter::Antialiasing);
    for (const Dot& dot : std::as_const(m_dots)) {
        p->setPen(QPen(color(dot.role), 1.2));
        p->drawLine(QPointF(x(dot.at.x()), m_area.bottom()), QPointF(x(dot.at.x()), y(dot.at.y())));
        p->setBrush(color(dot.role));
        p->drawEllipse(QPointF(x(dot.at.x()), y(dot.at.y())), 2, 2);
    }
    p->setRenderHint(QPainter::Antialiasing, false);
    if (m_threshold && *m_threshold <= m_top) {
        p->setPen(QPen(color(Role::Lagging), 1, Qt::DashLine));
        p->drawLine(QPointF(m_area.left(), y(*m_threshold)), QPointF(m_area.right(), y(*m_threshold)));
    }
    const bool none = std::all_of(m_lines.begin(), m_lines.end(), [&](const PlotLine& line) { return line.points.isEmpty() || line.points.last().x() < m_from; }) && m_bars.isEmpty();
    if (none) {
        p->setFont(ui::font(FontRole::Caption));
        p->setPen(color(Role::Tertiary));
        p->drawText(m_area, Qt::AlignCenter, tr("No data in this range"));
    }
}

std::optional<QPointF> Plot::nearestPoint(const QVector<QPointF>& points, double ms) const
{
    auto it = std::lower_bound(points.begin(), points.end(), ms, [](const QPointF& point, double at) { return point.x() < at; });
    if (it == points.end() || (it != points.begin() && ms - (it - 1)->x() < it->x() - ms)) {
        if (it == points.begin())
            return std::nullopt;
        --it;
    }
    return std::abs(it->x() - ms) <= m_gap ? std::optional(*it) : std::nullopt;
}

void Plot::drawForeground(QPainter* p, const QRectF&)
{
    if (!m_cross || *m_cross < m_from || *m_cross > m_to)
        return;
    p->setRenderHint(QPainter::Antialiasing, false);
    p->setPen(color(Role::Secondary));
    const double at = std::round(x(*m_cross));
    p->drawLine(QPointF(at, m_area.top()), QPointF(at, m_area.bottom()));
    drawNote(p);
}

void Plot::drawNote(QPainter* p) const
{
    struct Line { QString words; Role role; };
    QVector<Line> lines{{QDateTime::fromMSecsSinceEpoch(qint64(*m_cross)).toString(QStringLiteral("HH:mm:ss")), Role::Secondary}};
    p->setRenderHint(QPainter::Antialiasing);
    for (const PlotLine& line : m_lines)
        if (const auto point = nearestPoint(line.points, *m_cross)) {
            lines.append({line.name + QStringLiteral("  ") + m_words(point->y()), line.role});
            p->setPen(QPen(color(line.role), 1.6));
            p->setBrush(color(Role::Base));
            p->drawEllipse(QPointF(x(point->x()), y(point->y())), 3, 3);
        }
    for (const PlotBars& bars : m_bars)
        for (const QPointF& point : bars.points)
            if (point.y() > 0 && *m_cross >= point.x() && *m_cross < point.x() + bars.spanMs)
                lines.append({bars.name + QStringLiteral("  ") + m_words(point.y()), bars.role});
    p->setFont(ui::font(FontRole::Caption));
    const QFontMetrics metrics(ui::font(FontRole::Caption));
    int wide = 0;
    for (const Line& line : lines)
        wide = std::max(wide, metrics.horizontalAdvance(line.words));
    QRectF box(x(*m_cross) + 8, m_area.top() + 2, wide + 12, double(lines.size()) * 15 + 6);
    if (box.right() > m_area.right())
        box.moveRight(x(*m_cross) - 8);
    p->setPen(color(Role::ControlBorder));
    p->setBrush(color(Role::Base));
    p->drawRoundedRect(box, 3, 3);
    for (qsizetype i = 0; i < lines.size(); ++i) {
        const QRectF row(box.x() + 6, box.y() + 3 + double(i) * 15, box.width() - 10, 15);
        // series colours are for lines; words stay in the text colour with a swatch
        p->setPen(color(i == 0 ? Role::Secondary : Role::Text));
        if (i > 0)
            p->fillRect(QRectF(row.x() - 4, row.y() + 4, 2, 8), color(lines[i].role));
        p->drawText(row, Qt::AlignLeft | Qt::AlignVCenter, lines[i].words);
    }
}

void Plot::setCrosshair(std::optional<double> ms)
{
    if (ms == m_cross)
        return;
    m_cross = ms;
    viewport()->update();
}

void Plot::resizeEvent(QResizeEvent* event)
{
    QChartView::resizeEvent(event);
    place();
}

void Plot::mouseMoveEvent(QMouseEvent* event)
{
    const double at = m_from + (event->position().x() - m_area.left()) / m_area.width() * (m_to - m_from);
    emit hovered(m_area.adjusted(-1, -8, 1, 8).contains(event->position()) ? std::optional(at) : std::nullopt);
}

void Plot::leaveEvent(QEvent* event)
{
    QChartView::leaveEvent(event);
    emit hovered(std::nullopt);
}

void Plot::wheelEvent(QWheelEvent* event)
{
    emit wheeled(event->angleDelta().y() > 0 ? 1 : -1);
    event->accept();
}

void Plot::changeEvent(QEvent* event)
{
    QChartView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && chart())
        rebuild();
}

} // namespace millrace::ui
