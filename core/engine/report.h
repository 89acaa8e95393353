#pragma once
#include "core/base/result.h"
#include "core/engine/discovery.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

using RunId = std::int64_t;

//! The contract's states, in the vocabulary of the screens.
enum class State : std::uint8_t { Idle, Queued, Running, Live, Lagging, Paused, NeedsResync, Failed, Unknown };
std::string_view stateName(State);                 //!< "idle" ... "needs_resync" ... for JSON

enum class Outcome : std::uint8_t { Success, Partial, Failed, Unknown, Cancelled };
std::string_view outcomeName(Outcome);             //!< "success" "partial" "failed" "unknown"; a cancelled one is "partial"

struct TableReport {
    std::string table;
    Outcome outcome = Outcome::Unknown;            //!< Invariant 9: unknown until proven
    std::string syncType;                          //!< "full" | "incremental"
    Strategy strategy = Strategy::Full;
    std::uint64_t read = 0, written = 0, deleted = 0, rejected = 0, superseded = 0, filtered = 0, coerced = 0, rechecked = 0, bytes = 0;
    std::int64_t startMs = 0, endMs = 0;
    std::string position;                          //!< for people
    std::vector<Message> notes;                    //!< drift, "read nothing", best-effort horizon, ...
    std::optional<Error> error;
    std::uint64_t synced() const { return written + deleted; }
};

struct RunReport {
    RunId id = 0;
    std::string sync, syncType;                    //!< "full" | "incremental" | "mixed"
    Outcome outcome = Outcome::Unknown;
    std::int64_t startMs = 0, endMs = 0;
    std::string trigger;                           //!< "window" "cli" "schedule" "api"
    std::vector<TableReport> tables;               //!< in the sync's order
    std::optional<Error> error;                    //!< when the run as a whole could not start or end
    std::vector<std::string> undecided;            //!< tables that are new and wait for a decision (new_tables: ask)
};

enum class Verdict : std::uint8_t { Identical, Different, Unknown };
std::string_view verdictName(Verdict);

struct RowDifference {
    enum class Kind : std::uint8_t { Missing, Extra, Different };
    Kind kind = Kind::Different;
    std::string key;
    std::vector<std::string> fields;               //!< that differ
    std::string expected, actual;                  //!< normal forms, printable
};

struct TableVerdict {
    std::string table;
    Verdict verdict = Verdict::Unknown;
    std::uint64_t sourceRows = 0, targetRows = 0, missing = 0, extra = 0, different = 0, parked = 0, foreign = 0;
    std::int64_t fromMs = 0, toMs = 0;             //!< as_of
    std::vector<RowDifference> samples;            //!< the first 100
    std::optional<Error> error;
};

struct VerifyReport { std::string sync; Verdict verdict = Verdict::Unknown; std::vector<TableVerdict> tables; std::optional<Error> error; };

//! One parked row.
struct FailedRow {
    std::int64_t id = 0;
    std::string sync, table, key, cause, detail, fix, column;   //!< cause: the error id
    std::string document;                          //!< the row as JSON, as far as it could be read
    std::string position;
    std::int64_t firstMs = 0, lastMs = 0;
    std::uint32_t tries = 1;
    RunId run = 0;
};

//! The plan in sentences, and what stands in its way.
struct PlanTable { std::string table, container; Strategy strategy = Strategy::Full; std::string cursor; std::vector<std::string> key; Message reason;
                   std::vector<Message> warnings, notes; std::optional<std::uint64_t> rowsEstimate; std::optional<Error> error; };
struct PlanReport { std::string sync; std::vector<PlanTable> tables; std::vector<Message> sentences; std::optional<Error> error; };

struct DryRunTable { std::string table; std::uint64_t read = 0, fits = 0, cannotCarry = 0, coerced = 0; double averageBytes = 0; std::vector<Message> findings;
                     std::optional<Error> error; };
struct DryRunReport { std::string sync; std::vector<DryRunTable> tables; double seconds = 0; std::optional<Error> error; };

} // namespace millrace
