#pragma once
#include "core/source/postgresql/config.h"
#include <libpq-fe.h>

namespace millrace::postgresql {

//! An error with its fault class, a stable id and what to do, by SQLSTATE. Secrets are cut out of the words.
Error errorFrom(std::string_view state, std::string_view words, const Config& config);
Error errorFrom(const PGresult* result, PGconn* handle, const Config& config);
//! A failed login or a lost connection: there is no result to ask.
Error connectionError(PGconn* handle, const Config& config);

} // namespace millrace::postgresql
