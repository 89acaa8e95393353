#include "core/source/sqlite/config.h"
#include "core/source/sqlite/sqlitesource.h"
#include <charconv>

namespace millrace {

ConnectorSpec sqliteSpec()
{
    ConnectorSpec spec;
    spec.id = "sqlite";
    spec.label = "SQLite";
    spec.schemes = {"sqlite"};
    spec.source = true;
    FieldSpec file;
    file.key = "database";
    file.kind = FieldSpec::Kind::File;
    file.label = "Database file";
    file.help = "An SQLite 3 file. It is opened read only and never created.";
    file.placeholder = "/path/to/shop.db";
    file.required = true;
    FieldSpec wait;
    wait.key = "busy_timeout";
    wait.label = "Wait for locks (ms)";
    wait.help = "How long a read waits while another program holds the file for writing.";
    wait.defaultValue = "5000";
    wait.group = "advanced";
    wait.option = true;
    spec.fields = {file, wait};
    return spec;
}

namespace sqlitesource {

Result<Config> readConfig(const ConnectionParams& params)
{
    if (auto known = checkOptions(params.url, sqliteSpec()); !known)
        return std::move(known).error();
    Config config;
    config.path = params.url.path;
    if (config.path.empty())
        return Error{Fault::Config, "source.sqlite.no_path", "The connection " + params.name + " names no file.", "Write sqlite:///absolute/path.db or sqlite:relative/path.db.", {}};
    if (!config.path.starts_with('/') && !params.baseDir.empty())
        config.path = params.baseDir + "/" + config.path;
    if (const auto option = params.url.options.find("busy_timeout"); option != params.url.options.end()) {
        const std::string& text = option->second;
        int ms = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
        if (error != std::errc() || end != text.data() + text.size() || ms < 0 || ms > 600'000)
            return Error{Fault::Config, "source.sqlite.option", "busy_timeout=" + text + " is not a number of milliseconds up to 600000.", "Write for example busy_timeout=5000.", {}};
        config.busyTimeout = std::chrono::milliseconds(ms);
    }
    return config;
}

} // namespace sqlitesource

} // namespace millrace
