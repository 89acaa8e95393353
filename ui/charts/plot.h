#pragma once
#include "ui/widgets/theme.h"
#include <QChartView>
#include <QVector>
#include <functional>
#include <optional>

class QValueAxis;

namespace millrace::ui {

//! One line of a plot. Points are (ms since 1970, value), in time order; where two are further apart than `gapMs` the line is broken,
//! because no data is a gap and not a zero.
struct PlotLine {
    QString name;
    Role role = Role::Series1;
    bool filled = false;
    QVector<QPointF> points;
};
struct PlotBars { QString name; Role role = Role::Series4; double spanMs = 60'000; QVector<QPointF> points; };

//! Series by QtCharts in a fixed plot area; grid, labels and crosshair are painted by hand with the same rectangle, because the
//! axes of QtCharts put their labels beside the data. Zero is always on the y axis.
class Plot : public QChartView {
    Q_OBJECT
public:
    using Words = std::function<QString(double)>;
    explicit Plot(const QString& accessibleName, Words words, QWidget* parent = nullptr);
    ~Plot() override;
    void setRange(std::int64_t fromMs, std::int64_t toMs, double gapMs);
    void setLines(QVector<PlotLine> lines);
    void setBars(QVector<PlotBars> bars);
    void setThreshold(std::optional<double> value) { m_threshold = value; }
    void setLeastTop(double value) { m_least = value; }           //!< 3 for counts: no fractions on the axis
    void setCrosshair(std::optional<double> ms);
    double top() const { return m_top; }
    static double niceTop(double largest);                        //!< 1, 2, 4, 5 or 6 times a power of ten, so that quarters are round
signals:
    void hovered(std::optional<double> ms);
    void wheeled(int steps);
protected:
    void drawBackground(QPainter* painter, const QRectF& rect) override;
    void drawForeground(QPainter* painter, const QRectF& rect) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void changeEvent(QEvent* event) override;
private:
    void rebuild();
    void place();
    double x(double ms) const;
    double y(double value) const;
    std::optional<QPointF> nearestPoint(const QVector<QPointF>& points, double ms) const;
    void drawNote(QPainter* painter) const;
    struct Dot { QPointF at; Role role; };
    Words m_words;
    QVector<Dot> m_dots;
    QVector<PlotLine> m_lines;
    QVector<PlotBars> m_bars;
    std::optional<double> m_threshold, m_cross;
    QRectF m_area;
    double m_from = 0, m_to = 1, m_gap = 15'000, m_top = 1, m_least = 0;
    QValueAxis *m_xAxis, *m_yAxis;
};

} // namespace millrace::ui
