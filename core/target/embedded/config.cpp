#include "core/base/text.h"
#include "core/target/embedded/embeddedtarget.h"
#include "core/target/embedded/target.h"
#include <filesystem>
#include <sqlite3.h>
#include <unistd.h>

namespace millrace {

ConnectorSpec embeddedSpec()
{
    ConnectorSpec spec;
    spec.id = "embedded";
    spec.label = "Embedded store (one SQLite file)";
    spec.schemes = {"embedded"};
    spec.target = true;
    FieldSpec file;
    file.key = "database";
    file.kind = FieldSpec::Kind::File;
    file.label = "File";
    file.help = "One SQLite file that any SQLite client reads; it is made when it does not exist.";
    file.placeholder = "/var/lib/millrace/documents.db";
    file.required = true;
    spec.fields = {file};
    return spec;
}

Result<std::unique_ptr<Target>> openEmbedded(const ConnectionParams& params, const Clock* clock)
{
    static const SystemClock systemClock;
    std::filesystem::path path = params.url.path;
    if (path.empty() || !path.has_filename())
        return Error{Fault::Config, "target.embedded.no_file", "connection " + params.name + " names no file", "Write embedded:///absolute/path.db.", {}};
    if (path.is_relative())
        path = std::filesystem::path(params.baseDir) / path;
    return std::unique_ptr<Target>(std::make_unique<embedded::EmbeddedTarget>(path.lexically_normal().string(), clock ? *clock : systemClock));
}

namespace embedded {

TestReport EmbeddedTarget::test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    using Outcome = TestStage::Outcome;
    namespace fs = std::filesystem;
    TestReport report;
    report.server = {"embedded", sqlite3_libversion()};
    const auto stage = [&](const char* id, const char* label, const std::function<void(TestStage&)>& body) {
        TestStage s{id, label, Outcome::NotReached, {}, {}, 0};
        if (!report.error && !stop.stop_requested()) {
            s.outcome = Outcome::Passed;
            const auto from = m_clock.steadyUs();
            body(s);
            s.ms = static_cast<double>(m_clock.steadyUs() - from) / 1000;
        }
        report.stages.push_back(s);
        stageDone(s);
    };
    const auto failed = [&](TestStage& s, Error error) {
        s.outcome = Outcome::Failed;
        s.found = error.detail;
        s.fix = error.fix;
        report.error = std::move(error);
    };
    std::error_code ec;
    const fs::path folder = fs::path(m_path).parent_path();
    const bool exists = fs::exists(m_path, ec);
    stage("folder", "Folder", [&](TestStage& s) {
        if (!fs::is_directory(folder, ec))
            return failed(s, {Fault::Config, "target.embedded.no_folder", folder.string() + " is not a folder", "mkdir -p '" + folder.string() + "'", {}});
        // SQLite puts its journal beside the file
        if (::access(folder.c_str(), W_OK | X_OK) != 0)
            return failed(s, {Fault::Config, "target.embedded.cannot_open", folder.string() + " is not writable for this user", "Choose another folder, or give this user the right to write there.", {}});
        s.found = folder.string();
        if (const auto space = fs::space(folder, ec); !ec) {
            s.found += ", " + grouped(space.available >> 20) + " MB free";
            if (space.available < (100u << 20)) {
                s.outcome = Outcome::Warning;
                s.fix = "Free space, or choose another disk.";
            }
        }
    });
    stage("file", "File", [&](TestStage& s) {
        if (!exists) {
            s.found = "will be made by the first run";
            return;
        }
        auto db = Database::open(m_path, Database::Mode::Write);
        if (!db)
            return failed(s, db.error());
        auto tables = db->prepare("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name NOT LIKE '\\_mr\\_%' ESCAPE '\\'");
        if (!tables)
            return failed(s, tables.error());
        auto found = db->number(*tables);
        if (!found)
            return failed(s, found.error());
        s.found = "SQLite file with " + std::to_string(*found) + (*found == 1 ? " table" : " tables");
    });
    stage("lock", "Write lock", [&](TestStage& s) {
        if (!exists) {
            s.found = "not needed yet";
            return;
        }
        auto db = Database::open(m_path, Database::Mode::Write);
        if (!db)
            return failed(s, db.error());
        Transaction transaction(*db);
        if (auto begun = transaction.begin(); !begun)
            return failed(s, begun.error());
        s.found = "can be taken";
    });
    if (stop.stop_requested() && !report.error)
        report.error = Error{Fault::Cancelled, "target.embedded.cancelled", "stopped", "", {}};
    return report;
}

} // namespace embedded
} // namespace millrace
