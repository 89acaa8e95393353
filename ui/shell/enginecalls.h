#pragma once
#include "core/engine/engine.h"
#include <QObject>
#include <QPointer>
#include <QThreadPool>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <type_traits>

namespace millrace::ui {

//! A call under way. Copyable; dropping it does not cancel.
class CallHandle {
public:
    CallHandle() = default;
    explicit CallHandle(std::shared_ptr<std::stop_source> stop) : m_stop(std::move(stop)) {}
    void cancel() { if (m_stop) m_stop->request_stop(); }         //!< the answer is then not delivered
private:
    std::shared_ptr<std::stop_source> m_stop;
};

//! Engine calls for widgets: the work runs on a background thread, the answer arrives on the window's thread, and never after the
//! receiver or the call is gone. The engine itself is not handed to any widget, so that nothing can block the window.
//!
//!     m_calls.run(this, [name](Engine& engine) { return engine.history(name, 50); }, [this](Result<std::vector<RunReport>> r) { show(r); });
//!
//! The work may take a std::stop_token as second parameter; it is stopped when the receiver dies or the handle is cancelled.
class EngineCalls : public QObject {
    Q_OBJECT
public:
    explicit EngineCalls(Engine& engine, QObject* parent = nullptr);
    ~EngineCalls() override;                                      //!< asks all calls to stop and waits for them

    template <class Work, class Deliver> CallHandle run(QObject* receiver, Work work, Deliver deliver)
    {
        auto stop = begin(receiver);
        QPointer<QObject> guard(receiver);
        start([this, stop, guard, work = std::move(work), deliver = std::move(deliver)]() mutable {
            auto answer = [&] {
                if constexpr (std::is_invocable_v<Work&, Engine&, std::stop_token>) return work(m_engine, stop->get_token());
                else return work(m_engine);
            }();
            // back on the window's thread; only there may the receiver be looked at
            post([this, stop, guard, answer = std::make_shared<decltype(answer)>(std::move(answer)), deliver = std::move(deliver)]() mutable {
                const bool wanted = guard && !stop->stop_requested();
                finish(stop);
                if (wanted)
                    deliver(std::move(*answer));
            });
        });
        return CallHandle(stop);
    }

    //! For work that tells its progress: call the returned function on any thread, what it is given runs on the window's thread as
    //! long as `receiver` lives.
    std::function<void(std::function<void()>)> poster(QObject* receiver);
    int running() const { return m_running; }
signals:
    void idle();                                                  //!< the last call came back
private:
    std::shared_ptr<std::stop_source> begin(QObject* receiver);
    void start(std::function<void()> job);
    void post(std::function<void()> job);
    void finish(const std::shared_ptr<std::stop_source>& stop);
    Engine& m_engine;
    QThreadPool m_pool;
    std::set<std::shared_ptr<std::stop_source>> m_open;           //!< window thread only
    int m_running = 0;
};

} // namespace millrace::ui
