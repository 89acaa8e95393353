#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace millrace {

//! A fixed number of threads on which the tables of several syncs run side by side. Groups (one per running sync) get fair shares:
//! a free thread takes the next task of the group that has waited longest, and no group runs more than its limit at once.
class WorkerPool {
public:
    class Group;
    explicit WorkerPool(unsigned threads);
    ~WorkerPool();                                       //!< tasks that run are waited for, waiting ones are dropped

    std::shared_ptr<Group> group(unsigned limit);
    void submit(const std::shared_ptr<Group>& group, std::function<void()> task);
    void wait(const std::shared_ptr<Group>& group);      //!< until all its tasks are done

private:
    void loop(std::stop_token stop);
    std::shared_ptr<Group> next() const;

    mutable std::mutex m_mutex;
    std::condition_variable_any m_ready, m_done;
    std::deque<std::weak_ptr<Group>> m_turns;            //!< front: whose turn it is
    std::vector<std::jthread> m_threads;
};

} // namespace millrace
