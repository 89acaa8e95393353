#pragma once
#include <string>
#include <vector>

namespace millrace {

//! One step of the store's form. Steps are applied in order and never edited once released: a change is a new step.
struct Migration {
    int version = 0;                               //!< the user_version after it
    std::string needs;                             //!< the first Millrace that reads the result; told to older ones
    std::vector<std::string> statements;
};

const std::vector<Migration>& migrations();

} // namespace millrace
