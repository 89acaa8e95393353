#pragma once
#include "core/base/clock.h"
#include "core/base/platform.h"
#include "core/base/result.h"
#include <optional>
#include <string>

namespace millrace {

//! Who owns a home, as written into `<home>/lock`.
struct HomeOwner {
    std::int64_t pid = 0, startMs = 0;
    std::string host, command;
    std::string text() const;                      //!< "millrace-cli serve (process 4711 on db1, since 2026-11-21T03:30:41.120Z)"
};

//! One process owns a home: an exclusive lock on `<home>/lock` that the kernel releases when the process ends, however it ends. The
//! lock decides; what stands in the file only names the owner.
class HomeLock {
public:
    //! Makes the home when it is not there. Fault::Config "home.in_use", naming the owner, when another process has it (exit code 7).
    static Result<HomeLock> take(const std::string& home, std::string command, const Clock& clock);
    //! Who owns it now; nullopt: nobody. Takes nothing and may be asked by anyone.
    static std::optional<HomeOwner> owner(const std::string& home);

    HomeLock(HomeLock&&) noexcept = default;
    HomeLock& operator=(HomeLock&&) noexcept;
    ~HomeLock();
private:
    explicit HomeLock(platform::Handle handle) : m_handle(std::move(handle)) {}
    void release() noexcept;
    platform::Handle m_handle;
};

} // namespace millrace
