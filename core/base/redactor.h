#pragma once
#include "core/base/secret.h"
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace {

//! Cuts every secret it was told of out of a text: the last net before a log line is kept (Invariant 10). Thread-safe; share one.
class Redactor {
public:
    void know(const Secret& secret);               //!< secrets of less than 3 bytes cannot be told from ordinary text and are left
    std::string operator()(std::string text) const;
private:
    mutable std::mutex m_mutex;
    std::vector<Secret> m_secrets;
};

} // namespace millrace
