#include "core/store/database.h"
#include "core/base/crashpoint.h"

namespace millrace {

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const std::vector<Migration>& steps, StoreAccess access, Log* log)
{
    std::unique_ptr<Database> out(new Database(access));
    Result<> opened;
    out->onThread([&] {
        opened = prepareStore(path, steps, access, log);
        if (!opened)
            return;
        auto connection = SqlConnection::open(path, access == StoreAccess::Read);
        if (!connection) {
            opened = std::move(connection).error();
            return;
        }
        out->m_connection = std::move(*connection);
        // DELETE: SQLite before 3.51.3 can damage a file in WAL mode (sqlite.org/wal.html#walresetbug), and Debian 12 has 3.40
        if (access == StoreAccess::Own)
            opened = execute(out->m_connection->db(), "PRAGMA journal_mode=DELETE");
    });
    if (!opened)
        return std::move(opened).error();
    return out;
}

Database::~Database()
{
    onThread([this] { m_connection.reset(); });    // born, used and closed on one thread
}

void Database::serve(std::stop_token stop)
{
    for (;;) {
        std::unique_lock lock(m_mutex);
        if (!m_ready.wait(lock, stop, [this] { return !m_jobs.empty(); }))
            return;
        const auto job = std::move(m_jobs.front());
        m_jobs.pop_front();
        lock.unlock();
        job();
    }
}

void Database::onThread(const std::function<void()>& job)
{
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
    {
        std::lock_guard lock(m_mutex);
        m_jobs.emplace_back([&] {
            job();
            std::lock_guard waiting(mutex);
            finished = true;
            done.notify_one();                     // under the lock: the waiter owns `done` and may be gone right after it
        });
    }
    m_ready.notify_one();
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return finished; });
}

Result<> Database::begin(Work work) { return execute(m_connection->db(), work == Work::Write ? "BEGIN IMMEDIATE" : "BEGIN"); }

Result<> Database::finish(Work work, bool good)
{
    Result<> committed;
    if (good) {
        if (work == Work::Write)
            crashPoint("store.commit.before");
        committed = execute(m_connection->db(), "COMMIT");
        if (work == Work::Write)
            crashPoint("store.commit.after");
    }
    if (!good || !committed)
        (void)execute(m_connection->db(), "ROLLBACK");   // SQLite has done so already after some errors (disk full)
    return committed;
}

} // namespace millrace
