#pragma once
#include "core/engine/snapshot.h"
#include "ui/shell/enginecalls.h"
#include <QTimer>
#include <QWidget>
#include <optional>

namespace millrace::ui {

class Legend;
class Plot;

//! The tab Charts: rows/s, lag, batch latency, errors per minute of one table or of a whole job. One time range and one crosshair
//! for all four. Refreshed once a second and only while visible: stored metrics from the engine, the newest seconds from snapshots.
class ChartsPane : public QWidget {
    Q_OBJECT
public:
    explicit ChartsPane(EngineCalls& calls, QWidget* parent = nullptr);
    void setSubject(const std::string& sync, const std::string& table);
    void setSpan(std::int64_t ms);                                //!< 15 min to 7 d
    void sample(const EngineSnapshot& snapshot);                  //!< every snapshot; keeps the live seconds
    void setLagThreshold(std::optional<double> ms) { m_threshold = ms; }
    static const QList<std::pair<QString, std::int64_t>>& spans();
signals:
    void spanWheeled(int steps);
protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
private:
    void load();
    void draw();
    void cross(std::optional<double> ms);
    EngineCalls& m_calls;
    CallHandle m_call;
    Plot *m_rows, *m_lag, *m_latency, *m_errors;
    Legend *m_rowsWords, *m_lagWords, *m_latencyWords, *m_errorsWords;
    std::string m_sync, m_table;
    std::vector<MetricPoint> m_stored, m_live;
    std::optional<double> m_threshold;
    std::int64_t m_span = 3'600'000, m_nowMs = 0, m_loadedMs = 0;
    std::uint64_t m_failed = 0, m_retried = 0, m_lastRetried = 0;
    TableView m_now;
    QWidget* m_lower[3] = {};                                     //!< the second row of charts and the line above it
    QTimer m_second;
    bool m_loading = false;
};

} // namespace millrace::ui
