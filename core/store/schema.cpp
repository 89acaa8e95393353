#include "core/store/schema.h"

namespace millrace {

const std::vector<Migration>& migrations()
{
    static const std::vector<Migration> steps = {
        {1, "0.1.0", {
            "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",

            // definitions are the JSON form of a sync file's entries
            "CREATE TABLE connections (name TEXT PRIMARY KEY, definition TEXT NOT NULL, base_dir TEXT NOT NULL) WITHOUT ROWID",
            "CREATE TABLE syncs (name TEXT PRIMARY KEY, definition TEXT NOT NULL, paused INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",

            // epochs outlive their sync: a new one of the same name must not write under an old epoch (Invariant 5)
            "CREATE TABLE epochs (sync TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID",
            "CREATE TABLE checkpoints (sync TEXT NOT NULL, table_name TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (sync, table_name)) WITHOUT ROWID",
            "CREATE TABLE table_status (sync TEXT NOT NULL, table_name TEXT NOT NULL, container TEXT NOT NULL, state TEXT NOT NULL,"
            " row_count INTEGER NOT NULL, failed INTEGER NOT NULL, last_sync_ms INTEGER NOT NULL, strategy TEXT NOT NULL, last_error TEXT NOT NULL,"
            " last_error_id TEXT NOT NULL, verified TEXT NOT NULL, verified_ms INTEGER NOT NULL, fingerprint TEXT NOT NULL,"
            " PRIMARY KEY (sync, table_name)) WITHOUT ROWID",

            // running is 1 only while the process that began the run lives
            "CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, sync TEXT NOT NULL, cause TEXT NOT NULL, start_ms INTEGER NOT NULL,"
            " end_ms INTEGER, outcome TEXT NOT NULL, sync_type TEXT NOT NULL DEFAULT '', error TEXT, running INTEGER NOT NULL DEFAULT 0)",
            "CREATE INDEX runs_of_sync ON runs (sync, id)",
            "CREATE TABLE run_tables (run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, position INTEGER NOT NULL, table_name TEXT NOT NULL,"
            " outcome TEXT NOT NULL, report TEXT NOT NULL, PRIMARY KEY (run, position)) WITHOUT ROWID",

            "CREATE TABLE failures (id INTEGER PRIMARY KEY AUTOINCREMENT, sync TEXT NOT NULL, table_name TEXT NOT NULL, key TEXT NOT NULL,"
            " cause TEXT NOT NULL, detail TEXT NOT NULL, fix TEXT NOT NULL, column_name TEXT NOT NULL, document TEXT NOT NULL, position TEXT NOT NULL,"
            " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, tries INTEGER NOT NULL, run INTEGER NOT NULL,"
            " UNIQUE (sync, table_name, key, cause))",

            // span_s: 1 to 10 as sampled, 60 and 900 rolled up
            "CREATE TABLE metrics (sync TEXT NOT NULL, table_name TEXT NOT NULL, time_ms INTEGER NOT NULL, span_s INTEGER NOT NULL,"
            " read REAL NOT NULL, written REAL NOT NULL, rejected REAL NOT NULL, lag_ms REAL NOT NULL, p50_ms REAL NOT NULL, p95_ms REAL NOT NULL,"
            " PRIMARY KEY (sync, table_name, time_ms, span_s)) WITHOUT ROWID",

            "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,"
            " subject TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL)",
        }},
    };
    return steps;
}

} // namespace millrace
