#pragma once
#include "core/engine/connectors.h"
#include <functional>
#include <string>

namespace millrace {

//! The one place that knows which connectors exist.
class AllConnectors final : public Connectors {
public:
    std::vector<ConnectorSpec> specs() const override;
    Result<std::unique_ptr<Source>> openSource(const ConnectionParams& params) const override;
    Result<std::unique_ptr<Target>> openTarget(const ConnectionParams& params) const override;
};

} // namespace millrace
