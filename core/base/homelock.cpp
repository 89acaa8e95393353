#include "core/base/homelock.h"
#include "core/base/node.h"
#include <thread>

namespace millrace {

namespace {

std::string lockPath(const std::string& home) { return home + "/lock"; }

HomeOwner read(const platform::Handle& handle)
{
    HomeOwner owner;
    const auto node = Node::fromJson(platform::contents(handle, 64 * 1024));
    if (!node)
        return owner;                              // taken this very moment, not written yet
    owner.pid = (*node)["pid"].integer();
    owner.startMs = (*node)["start_ms"].integer();
    owner.host = (*node)["host"].string();
    owner.command = (*node)["command"].string();
    return owner;
}

} // namespace

std::string HomeOwner::text() const
{
    if (pid == 0)
        return "another process";
    return (command.empty() ? std::string("another process") : command) + " (process " + std::to_string(pid) + " on " + host + ", since "
        + formatTime(startMs) + ")";
}

Result<HomeLock> HomeLock::take(const std::string& home, std::string command, const Clock& clock)
{
    if (auto made = platform::makePrivateFolder(home); !made)
        return std::move(made).error();
    platform::Handle handle = platform::openLockFile(lockPath(home));
    if (!handle.isOpen())
        return Error{Fault::Config, "home.unusable", lockPath(home) + ": " + platform::lastErrorText(),
                     "Check that this user may write to the home, or choose another with --home DIR."};
    bool taken = platform::lockExclusive(handle);
    // owner() holds a shared lock for an instant; that must not look like an owner
    for (int i = 0; !taken && i < 20; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        taken = platform::lockExclusive(handle);
    }
    if (!taken)
        return Error{Fault::Config, "home.in_use", "The home " + home + " is in use by " + read(handle).text(),
                     "Stop that process, or use another home (--home DIR)."};
    const Node facts = Node::map({{"pid", platform::processId()}, {"host", platform::hostName()}, {"start_ms", clock.nowMs()},
                                  {"start", formatTime(clock.nowMs())}, {"command", std::move(command)}});
    platform::rewrite(handle, facts.json() + "\n");   // a full disk costs the name, not the lock
    return HomeLock(std::move(handle));
}

std::optional<HomeOwner> HomeLock::owner(const std::string& home)
{
    const platform::Handle handle = platform::openRead(lockPath(home));
    if (!handle.isOpen())
        return std::nullopt;
    if (platform::lockShared(handle)) {
        platform::unlock(handle);
        return std::nullopt;
    }
    return read(handle);
}

HomeLock& HomeLock::operator=(HomeLock&& other) noexcept
{
    if (this != &other) {
        release();
        m_handle = std::move(other.m_handle);
    }
    return *this;
}

HomeLock::~HomeLock() { release(); }

void HomeLock::release() noexcept
{
    if (!m_handle.isOpen())
        return;
    platform::rewrite(m_handle, {});
    m_handle.close();
}

} // namespace millrace
