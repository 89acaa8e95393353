#pragma once
#include "core/engine/snapshot.h"
#include <vector>

namespace millrace::ui {

//! A selected row: a table, or a job when `table` is empty.
struct Subject {
    std::string sync, table;
    bool operator==(const Subject&) const = default;
};
using Subjects = std::vector<Subject>;

inline const SyncView* findSync(const EngineSnapshot& snapshot, const std::string& name)
{
    for (const SyncView& sync : snapshot.syncs)
        if (sync.name == name)
            return &sync;
    return nullptr;
}

inline const TableView* findTable(const EngineSnapshot& snapshot, const Subject& subject)
{
    if (const SyncView* sync = findSync(snapshot, subject.sync))
        for (const TableView& table : sync->tables)
            if (table.table == subject.table)
                return &table;
    return nullptr;
}

} // namespace millrace::ui
