#pragma once
#include "core/store/prepare.h"
#include "core/store/sql.h"
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace millrace {

//! The store's one connection on its one thread. read() and write() may be called from any thread; they hand a function to that thread and
//! wait for its answer. Each call is one transaction; write() has it on disk when it returns.
class Database {
public:
    static Result<std::unique_ptr<Database>> open(const std::string& path, const std::vector<Migration>& steps, StoreAccess access, Log* log);
    ~Database();

    //! `f(QSqlDatabase&)` returns a Result. It sees one state of the store.
    template <class F> auto read(F f) { return run(Work::Read, f); }
    //! As read(), and saved as a whole or not at all.
    template <class F> auto write(F f) -> std::invoke_result_t<F, QSqlDatabase&>
    {
        if (m_access == StoreAccess::Read)
            return Error{Fault::Storage, "store.read_only", "Another process owns this home; it can only be read here", "Stop that process first."};
        return run(Work::Write, f);
    }
private:
    explicit Database(StoreAccess access) : m_access(access), m_thread([this](std::stop_token stop) { serve(stop); }) {}
    void serve(std::stop_token stop);
    void onThread(const std::function<void()>& job);
    enum class Work : std::uint8_t { Read, Write };
    Result<> begin(Work work);
    Result<> finish(Work work, bool good);

    template <class F> auto run(Work work, F& f) -> std::invoke_result_t<F, QSqlDatabase&>
    {
        using R = std::invoke_result_t<F, QSqlDatabase&>;
        std::optional<R> out;
        onThread([&] {
            try {
                if (auto begun = begin(work); !begun) {
                    out.emplace(std::move(begun).error());
                    return;
                }
                out.emplace(f(m_connection->db()));
            } catch (const std::exception& e) {
                out.emplace(Error{Fault::Internal, "store.exception", e.what(), {}});
            }
            if (auto done = finish(work, out->has_value()); !done && out->has_value())
                out.emplace(std::move(done).error());
        });
        return *std::move(out);
    }

    const StoreAccess m_access;
    std::unique_ptr<SqlConnection> m_connection;   // touched on m_thread only
    std::mutex m_mutex;
    std::condition_variable_any m_ready;
    std::deque<std::function<void()>> m_jobs;
    std::jthread m_thread;                         // the last member: it must end before the others go
};

} // namespace millrace
