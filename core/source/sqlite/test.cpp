#include "core/source/sqlite/test.h"
#include "core/source/sqlite/connection.h"
#include "core/base/text.h"
#include <chrono>

namespace millrace::sqlitesource {

namespace {

using Outcome = TestStage::Outcome;

class Stages {
public:
    explicit Stages(const std::function<void(const TestStage&)>& done) : m_done(done) {}
    //! Runs one stage; after a failure the others are not reached.
    template <class Check> void run(std::string id, std::string label, Check check)
    {
        TestStage stage;
        stage.id = std::move(id);
        stage.label = std::move(label);
        if (report.error)
            stage.outcome = Outcome::NotReached;
        else {
            const auto from = std::chrono::steady_clock::now();
            if (Result<> ended = check(stage); !ended) {
                stage.outcome = Outcome::Failed;
                stage.found = ended.error().detail;
                stage.fix = ended.error().fix;
                report.error = std::move(ended).error();
            }
            stage.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count();
        }
        report.stages.push_back(stage);
        if (m_done) m_done(report.stages.back());
    }
    TestReport report;
private:
    const std::function<void(const TestStage&)>& m_done;
};

} // namespace

TestReport testFile(const Config& config, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    Stages stages(stageDone);
    stages.report.server = {"sqlite", sqlite3_libversion()};
    std::unique_ptr<Connection> connection;
    const auto word = [&](const char* sql, std::string& into) -> Result<> {
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "source.sqlite.cancelled", "The test was stopped.", {}, {}};
        const Cancel cancel(*connection, stop);
        auto found = connection->word(sql);
        if (!found)
            return std::move(found).error().in(config.path);
        into = std::move(*found);
        return {};
    };
    stages.run("file", "File", [&](TestStage& stage) -> Result<> {
        auto opened = Connection::open(config.path, config.busyTimeout);
        if (!opened)
            return std::move(opened).error();
        connection = std::move(*opened);
        stage.found = config.path;
        return {};
    });
    stages.run("readable", "Readable", [&](TestStage& stage) -> Result<> {
        std::string pages, size;
        if (auto done = word("PRAGMA main.page_count", pages); !done) return done;
        if (auto done = word("PRAGMA main.page_size", size); !done) return done;
        stage.found = grouped(std::stoull(pages)) + " pages of " + size + " bytes";
        return {};
    });
    stages.run("integrity", "Header and schema", [&](TestStage& stage) -> Result<> {
        std::string version, encoding, objects;
        if (auto done = word("PRAGMA main.schema_version", version); !done) return done;
        if (auto done = word("PRAGMA main.encoding", encoding); !done) return done;
        if (auto done = word("SELECT count(*) FROM main.sqlite_master", objects); !done) return done;
        stage.found = "schema version " + version + ", " + encoding + ", " + objects + " objects";
        return {};
    });
    stages.run("journal", "Journal mode", [&](TestStage& stage) -> Result<> {
        std::string mode;
        if (auto done = word("PRAGMA main.journal_mode", mode); !done) return done;
        stage.found = mode;
        if (lower(mode) == "wal")
            stage.found += ": reading never keeps writers out; a change committed more than 60 s after it was made can be missed by polls";
        else
            stage.found += ": read in short chunks, so that writers are not kept out";
        return {};
    });
    stages.run("tables", "Tables", [&](TestStage& stage) -> Result<> {
        std::string tables, views;
        if (auto done = word("SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'", tables); !done) return done;
        if (auto done = word("SELECT count(*) FROM main.sqlite_master WHERE type = 'view'", views); !done) return done;
        stage.found = tables + " tables, " + views + " views";
        if (tables == "0" && views == "0") {
            stage.outcome = Outcome::Warning;
            stage.fix = "The file holds no tables. Check that it is the right one.";
        }
        return {};
    });
    return std::move(stages.report);
}

} // namespace millrace::sqlitesource
