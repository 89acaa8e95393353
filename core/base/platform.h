#pragma once
#include "core/base/result.h"
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

//! What only POSIX has: file modes, locks, process limits. Other systems need another platform.cpp and nothing else.
namespace millrace::platform {

//! How the environment is read; passed in, so that tests need no setenv.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment processEnvironment();

//! umask 077, no core dumps, memory not readable by other processes of the same user (Invariant 10). Call first in main.
void hardenProcess();

std::int64_t processId();
std::string hostName();
std::int64_t userId();

//! `option` (--home), else MILLRACE_HOME, else $XDG_DATA_HOME/millrace, else ~/.local/share/millrace; absolute, not made yet.
Result<std::string> homePath(std::string_view option, const Environment& environment = processEnvironment());
//! $XDG_CONFIG_HOME/millrace, else ~/.config/millrace.
Result<std::string> configPath(const Environment& environment = processEnvironment());

struct FileFacts {
    enum class Kind : std::uint8_t { File, Folder, Other };
    Kind kind = Kind::File;
    unsigned mode = 0;                             //!< permission bits
    std::int64_t user = 0;
    std::uint64_t size = 0;
    bool readableByOthers() const { return mode & 0044; }
    bool writableByOthers() const { return mode & 0022; }
};
std::optional<FileFacts> facts(const std::string& path);          //!< follows links; nullopt: not there
std::optional<std::uint64_t> freeBytes(const std::string& path);

//! Makes the folder and its parents, each 0700. A folder that was there is left as it is: see facts().
Result<> makePrivateFolder(const std::string& path);
Result<> setMode(const std::string& path, unsigned mode);

//! Whole file, at most `limit` bytes. Error ids: file.missing, file.unreadable, file.too_large.
Result<std::string> readFile(const std::string& path, std::size_t limit);
//! Atomic: a new file of this mode is written beside, fsynced and renamed over the old one. Error ids: file.full, file.unwritable.
Result<> replaceFile(const std::string& path, std::string_view bytes, unsigned mode = 0600);
//! A new empty file; error file.exists when something is there already (a link counts).
Result<> createFile(const std::string& path, unsigned mode = 0600);
Result<> syncFile(const std::string& path);                       //!< fsync of a file or folder

//! An open file descriptor, closed at the end.
class Handle {
public:
    Handle() = default;
    explicit Handle(int fd) : m_fd(fd) {}
    Handle(Handle&& other) noexcept : m_fd(other.m_fd) { other.m_fd = -1; }
    Handle& operator=(Handle&& other) noexcept { if (this != &other) { close(); m_fd = other.m_fd; other.m_fd = -1; } return *this; }
    ~Handle() { close(); }
    bool isOpen() const { return m_fd >= 0; }
    int fd() const { return m_fd; }
    void close();
    bool write(std::string_view bytes) const;      //!< all of it, or false with errno set
    std::uint64_t size() const;
    void truncate(std::uint64_t size) const;
private:
    int m_fd = -1;
};
Handle openAppend(const std::string& path);        //!< made with 0600; never through a link
Handle openLockFile(const std::string& path);
Handle openRead(const std::string& path);
bool lockExclusive(const Handle& handle);          //!< false at once when somebody else holds it; the kernel releases it with the process
bool lockShared(const Handle& handle);
void unlock(const Handle& handle);
bool rewrite(const Handle& handle, std::string_view bytes);       //!< replaces the content of an open file
std::string contents(const Handle& handle, std::size_t limit);

std::string lastErrorText();                       //!< of errno

} // namespace millrace::platform
