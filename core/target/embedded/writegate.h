#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace millrace::embedded {

//! Writers of one file in this process take turns, first come first served. SQLite would let them in too, but by sleeping and trying
//! again: up to 100 ms a try, and in no order. Thread-safe.
class WriteGate {
public:
    //! The gate of a file. All targets in this process that write one file share it, as they share SQLite's lock on it.
    static std::shared_ptr<WriteGate> of(const std::string& path);
    bool enter(std::stop_token stop);              //!< false: stopped while waiting
    void leave();
private:
    std::mutex m_mutex;
    std::condition_variable_any m_turn;
    std::deque<std::uint64_t> m_waiting;           //!< tickets; the first one is inside
    std::uint64_t m_next = 0;
};

//! Inside the gate while it lives.
class WritePass {
public:
    WritePass(WriteGate& gate, std::stop_token stop) : m_gate(gate), m_inside(gate.enter(std::move(stop))) {}
    WritePass(const WritePass&) = delete;
    WritePass& operator=(const WritePass&) = delete;
    ~WritePass() { if (m_inside) m_gate.leave(); }
    explicit operator bool() const { return m_inside; }
private:
    WriteGate& m_gate;
    const bool m_inside;
};

} // namespace millrace::embedded
