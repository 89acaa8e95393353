#include "core/config/syncfile.h"
#include "core/config/yaml.h"
#include "core/engine/connection.h"
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace millrace {

Result<std::string> readTextFile(const std::string& path, std::size_t limit)
{
    const auto failed = [&](const char* id, const std::string& words, std::string fix) {
        return Error{Fault::Config, std::string("config.file_") + id, path + ": " + words, std::move(fix), {}};
    };
    const bool standardInput = path == "-";
    std::error_code ignored;
    if (!standardInput && std::filesystem::is_directory(path, ignored))
        return failed("unreadable", "is a folder.", "Name a file.");
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(standardInput ? stdin : std::fopen(path.c_str(), "rb"), standardInput ? [](std::FILE*) { return 0; } : std::fclose);
    if (!file)
        return failed(errno == ENOENT ? "missing" : "unreadable", std::string(std::strerror(errno)) + ".", errno == ENOENT ? "Check the path." : "");
    std::string text;
    std::array<char, 65536> part;
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), file.get())) {
        text.append(part.data(), n);
        if (text.size() > limit)
            return failed("too_large", "is larger than " + std::to_string(limit >> 20) + " MB.", "A sync file holds definitions only; split it.");
    }
    if (std::ferror(file.get()))
        return failed("unreadable", std::string(std::strerror(errno)) + ".", {});
    return text;
}

Result<SyncFile> readSyncFile(const std::string& path, std::map<std::string, std::string>* typedSecrets)
{
    auto text = readTextFile(path);
    if (!text)
        return text.error();
    std::error_code failed;
    const auto folder = path == "-" ? std::filesystem::current_path(failed) : std::filesystem::absolute(path, failed).parent_path().lexically_normal();
    auto root = readYaml(*text);
    if (!root)
        return std::move(root).error().in(path);
    auto file = syncFileFromNode(*root, folder.string(), typedSecrets);
    if (!file)
        return std::move(file).error().in(path);
    return file;
}

std::string writeSyncFile(SyncFile file)
{
    for (auto& def : file.connections) {
        auto url = parseUrl(def.url);
        if (!url || def.baseDir.empty())
            continue;
        const auto absolute = [&](std::string& path) { if (!path.empty() && !path.starts_with('/')) path = def.baseDir + "/" + path; };
        if (url->scheme == "sqlite" || url->scheme == "embedded")
            absolute(url->path);
        for (const char* key : {"tls_ca", "tls_cert", "tls_key"})
            if (const auto option = url->options.find(key); option != url->options.end())
                absolute(option->second);
        def.url = url->text();
    }
    return writeYaml(nodeFromSyncFile(file));
}

} // namespace millrace
