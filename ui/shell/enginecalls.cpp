#include "ui/shell/enginecalls.h"
#include <QCoreApplication>
#include <QMetaObject>
#include <QThread>

namespace millrace::ui {

EngineCalls::EngineCalls(Engine& engine, QObject* parent) : QObject(parent), m_engine(engine)
{
    m_pool.setMaxThreadCount(8);                                  // a connection test that hangs must not hold up the others
    m_pool.setExpiryTimeout(10'000);
}

EngineCalls::~EngineCalls()
{
    for (const auto& stop : m_open)
        stop->request_stop();
    m_pool.waitForDone();
}

std::shared_ptr<std::stop_source> EngineCalls::begin(QObject* receiver)
{
    Q_ASSERT(QThread::currentThread() == thread());
    auto stop = std::make_shared<std::stop_source>();
    m_open.insert(stop);
    ++m_running;
    if (receiver)
        connect(receiver, &QObject::destroyed, this, [stop] { stop->request_stop(); });
    return stop;
}

void EngineCalls::start(std::function<void()> job)
{
    m_pool.start([job = std::move(job)] {
        Q_ASSERT(QThread::currentThread() != QCoreApplication::instance()->thread());
        job();
    });
}

void EngineCalls::post(std::function<void()> job) { QMetaObject::invokeMethod(this, std::move(job), Qt::QueuedConnection); }

void EngineCalls::finish(const std::shared_ptr<std::stop_source>& stop)
{
    m_open.erase(stop);
    if (--m_running == 0)
        emit idle();
}

std::function<void(std::function<void()>)> EngineCalls::poster(QObject* receiver)
{
    QPointer<QObject> guard(receiver);
    return [this, guard](std::function<void()> job) {
        post([guard, job = std::move(job)] {
            if (guard)
                job();
        });
    };
}

} // namespace millrace::ui
