#pragma once
#include "app/wiring/runtime.h"
#include "core/base/clock.h"
#include <functional>
#include <iosfwd>
#include <memory>

namespace millrace::cli {

//! What surrounds the command line; tests bring their own.
struct Console {
    std::ostream& out;                                     //!< for machines: JSON, YAML, generated files
    std::ostream& err;                                     //!< for people
    std::istream& in;
    const Clock& clock;
    std::function<Result<std::unique_ptr<Runtime>>(const RuntimeOptions&)> open;
    std::function<int()> signal = [] { return 0; };        //!< the last SIGINT or SIGTERM, or 0
    bool terminal = false;                                 //!< `err` is one: progress and colour
    bool answers = false;                                  //!< somebody can be asked
    bool noColor = false;
    int width = 100;
};

//! All of `millrace-cli` but the process around it. `arguments` without the program's name. Returns the exit code.
int runCli(const std::vector<std::string>& arguments, Console& console);

} // namespace millrace::cli
