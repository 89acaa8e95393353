#include "ui/shell/enginemonitor.h"

namespace millrace::ui {

EngineMonitor::EngineMonitor(const Engine& engine, QObject* parent) : QObject(parent), m_engine(engine), m_latest(std::make_shared<EngineSnapshot>())
{
    if (auto first = m_engine.snapshot())
        m_latest = std::move(first);
    m_timer.setInterval(250);
    connect(&m_timer, &QTimer::timeout, this, &EngineMonitor::sampleNow);
    m_timer.start();
}

void EngineMonitor::sampleNow()
{
    auto next = m_engine.snapshot();
    if (!next || next == m_latest || next->revision == m_latest->revision)
        return;
    m_latest = std::move(next);
    emit changed(m_latest);
}

} // namespace millrace::ui
