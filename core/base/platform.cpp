#include "core/base/platform.h"
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <pwd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace millrace::platform {

namespace fs = std::filesystem;

namespace {

Error fileError(const char* id, const std::string& path, const char* what, std::string fix = {})
{
    return {Fault::Storage, id, path + " " + what + ": " + lastErrorText(), std::move(fix)};
}

Error writeError(const std::string& path)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return fileError("file.full", path, "cannot be written", "Free some space on this disk and try again.");
    return fileError("file.unwritable", path, "cannot be written", "Check the folder's owner and permissions.");
}

Result<std::string> userFolder(const Environment& environment, const char* variable, const char* below)
{
    // the XDG base directory specification: a relative path in these variables is to be ignored
    if (const auto base = environment(variable); base && !base->empty() && base->front() == '/')
        return *base + "/millrace";
    if (const auto home = environment("HOME"); home && !home->empty() && home->front() == '/')
        return *home + below;
    if (const passwd* entry = getpwuid(geteuid()); entry && entry->pw_dir && *entry->pw_dir == '/')
        return std::string(entry->pw_dir) + below;
    return Error{Fault::Config, "home.unknown", "Neither HOME nor " + std::string(variable) + " says where this user's files are",
                 "Name the home with --home DIR or MILLRACE_HOME."};
}

} // namespace

std::string lastErrorText() { return std::error_code(errno, std::generic_category()).message(); }

Environment processEnvironment()
{
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
    };
}

void hardenProcess()
{
    umask(077);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

std::int64_t processId() { return getpid(); }
std::int64_t userId() { return geteuid(); }

std::string hostName()
{
    char name[HOST_NAME_MAX + 1] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

Result<std::string> homePath(std::string_view option, const Environment& environment)
{
    std::string path(option);
    if (path.empty())
        path = environment("MILLRACE_HOME").value_or("");
    if (path.empty()) {
        auto folder = userFolder(environment, "XDG_DATA_HOME", "/.local/share/millrace");
        if (!folder)
            return folder;
        path = std::move(*folder);
    }
    std::error_code code;
    const auto absolute = fs::absolute(path, code);
    if (code)
        return Error{Fault::Config, "home.unknown", path + ": " + code.message(), "Name the home with --home DIR or MILLRACE_HOME."};
    path = absolute.lexically_normal().string();
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

Result<std::string> configPath(const Environment& environment) { return userFolder(environment, "XDG_CONFIG_HOME", "/.config/millrace"); }

std::optional<FileFacts> facts(const std::string& path)
{
    struct stat s {};
    if (stat(path.c_str(), &s) != 0)
        return std::nullopt;
    FileFacts out;
    out.kind = S_ISREG(s.st_mode) ? FileFacts::Kind::File : S_ISDIR(s.st_mode) ? FileFacts::Kind::Folder : FileFacts::Kind::Other;
    out.mode = s.st_mode & 07777;
    out.user = s.st_uid;
    out.size = static_cast<std::uint64_t>(s.st_size);
    return out;
}

std::optional<std::uint64_t> freeBytes(const std::string& path)
{
    struct statvfs s {};
    if (statvfs(path.c_str(), &s) != 0)
        return std::nullopt;
    return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
}

Result<> makePrivateFolder(const std::string& path)
{
    if (const auto there = facts(path)) {
        if (there->kind == FileFacts::Kind::Folder)
            return {};
        return Error{Fault::Config, "home.not_a_folder", path + " is there and is not a folder", "Choose another place with --home DIR."};
    }
    const std::string parent = fs::path(path).parent_path().string();
    if (!parent.empty() && parent != path)
        if (auto made = makePrivateFolder(parent); !made)
            return made;
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return writeError(path);
    return {};
}

Result<> setMode(const std::string& path, unsigned mode)
{
    if (chmod(path.c_str(), static_cast<mode_t>(mode)) != 0)
        return fileError("file.permissions", path, "cannot be made private");
    return {};
}

Result<std::string> readFile(const std::string& path, std::size_t limit)
{
    const Handle file = openRead(path);
    if (!file.isOpen())
        return fileError(errno == ENOENT || errno == ENOTDIR ? "file.missing" : "file.unreadable", path, "cannot be read");
    struct stat s {};
    if (fstat(file.fd(), &s) != 0 || !S_ISREG(s.st_mode))
        return Error{Fault::Storage, "file.unreadable", path + " is not a plain file", {}};
    std::string out = contents(file, limit + 1);
    if (out.size() > limit)
        return Error{Fault::Storage, "file.too_large", path + " is larger than " + std::to_string(limit) + " bytes", {}};
    return out;
}

Result<> replaceFile(const std::string& path, std::string_view bytes, unsigned mode)
{
    const std::string aside = path + ".tmp";
    unlink(aside.c_str());
    Handle file(open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, static_cast<mode_t>(mode)));
    if (!file.isOpen())
        return writeError(path);
    if (!file.write(bytes) || fsync(file.fd()) != 0 || rename(aside.c_str(), path.c_str()) != 0) {
        Error error = writeError(path);
        unlink(aside.c_str());
        return error;
    }
    return syncFile(fs::path(path).parent_path().string());
}

Result<> createFile(const std::string& path, unsigned mode)
{
    const Handle file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, static_cast<mode_t>(mode)));
    if (file.isOpen())
        return {};
    return errno == EEXIST ? fileError("file.exists", path, "cannot be made") : writeError(path);
}

Result<> syncFile(const std::string& path)
{
    const Handle file(open(path.empty() ? "." : path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.isOpen() || fsync(file.fd()) != 0)
        return writeError(path);
    return {};
}

void Handle::close()
{
    if (m_fd >= 0)
        ::close(m_fd);
    m_fd = -1;
}

bool Handle::write(std::string_view bytes) const
{
    while (!bytes.empty()) {
        const ssize_t n = ::write(m_fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

std::uint64_t Handle::size() const
{
    struct stat s {};
    return fstat(m_fd, &s) == 0 ? static_cast<std::uint64_t>(s.st_size) : 0;
}

void Handle::truncate(std::uint64_t size) const
{
    if (ftruncate(m_fd, static_cast<off_t>(size)) != 0)
        errno = 0;   // nothing better to do: this is called where writing has failed already
}

Handle openAppend(const std::string& path) { return Handle(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)); }
Handle openLockFile(const std::string& path) { return Handle(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)); }
// O_NONBLOCK: a named pipe must not hold us for ever
Handle openRead(const std::string& path) { return Handle(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)); }
bool lockExclusive(const Handle& handle) { return flock(handle.fd(), LOCK_EX | LOCK_NB) == 0; }
bool lockShared(const Handle& handle) { return flock(handle.fd(), LOCK_SH | LOCK_NB) == 0; }
void unlock(const Handle& handle) { flock(handle.fd(), LOCK_UN); }

bool rewrite(const Handle& handle, std::string_view bytes)
{
    return ftruncate(handle.fd(), 0) == 0 && lseek(handle.fd(), 0, SEEK_SET) == 0 && handle.write(bytes);
}

std::string contents(const Handle& handle, std::size_t limit)
{
    std::string out;
    char buffer[16384];
    lseek(handle.fd(), 0, SEEK_SET);
    while (out.size() < limit) {
        const ssize_t n = read(handle.fd(), buffer, std::min(sizeof buffer, limit - out.size()));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        out.append(buffer, static_cast<std::size_t>(n));
    }
    explicit_bzero(buffer, sizeof buffer);   // it may have held a key
    return out;
}

} // namespace millrace::platform
