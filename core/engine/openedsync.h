#pragma once
#include "core/engine/localengine.h"

namespace millrace {

struct LocalEngine::Opened {
    std::unique_ptr<Source> source;
    std::unique_ptr<Target> target;
    SyncTables tables;
};

} // namespace millrace
