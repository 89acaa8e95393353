#pragma once
#include "core/engine/connection.h"
#include "core/engine/source.h"
#include "core/engine/target.h"
#include <memory>
#include <vector>

namespace millrace {

//! The connectors that exist; app/wiring is the one place that names them. Thread-safe.
class Connectors {
public:
    virtual ~Connectors() = default;
    virtual std::vector<ConnectorSpec> specs() const = 0;
    //! Fault::Config when the scheme is unknown, not a source (target), or an option is not the connector's.
    virtual Result<std::unique_ptr<Source>> openSource(const ConnectionParams& params) const = 0;
    virtual Result<std::unique_ptr<Target>> openTarget(const ConnectionParams& params) const = 0;
};

} // namespace millrace
