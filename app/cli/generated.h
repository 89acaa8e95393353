#pragma once
#include <string>

namespace CLI { class App; }

namespace millrace::cli {

//! Made from the same definitions that parse the command line, so that neither can fall behind.
std::string bashCompletion(const CLI::App& app);
std::string manPage(const CLI::App& app);

} // namespace millrace::cli
