#pragma once
#include "core/engine/discovery.h"
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

namespace millrace {

//! One stage of a connection test: timed, told as it ends, only named once an earlier one failed. `body` fills what it found into the
//! stage, or fails; `cancelled` is the room's own word for a test that was called off.
template <class Body>
void runStage(TestReport& report, const std::function<void(const TestStage&)>& done, const std::stop_token& stop, Error cancelled, std::string id, std::string label, Body&& body)
{
    using Steady = std::chrono::steady_clock;
    TestStage stage;
    stage.id = std::move(id);
    stage.label = std::move(label);
    if (report.error)
        stage.outcome = TestStage::Outcome::NotReached;
    else {
        const auto began = Steady::now();
        Result<> ended = stop.stop_requested() ? Result<>(std::move(cancelled)) : body(stage);
        stage.ms = std::chrono::duration<double, std::milli>(Steady::now() - began).count();
        if (!ended) {
            stage.outcome = TestStage::Outcome::Failed;
            stage.found = ended.error().detail;
            stage.fix = ended.error().fix;
            report.error = std::move(ended).error();
        }
    }
    report.stages.push_back(stage);
    if (done)
        done(stage);
}

} // namespace millrace
