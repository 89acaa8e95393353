#pragma once
#include "core/target/mongodb/deployment.h"
#include <optional>

namespace millrace::mongodb {

//! The driver's or server's error as ours: fault class by code, the server's own words with the password cut out, and what to do.
//! `doing` starts the sentence: "writing to film".
Error faultOf(const bson_error_t& error, const bson_t* reply, const Deployment& deployment, std::string_view doing);

//! By server code alone: what a repeated try may heal (elections, shut-downs, conflicts, time-outs of the server).
bool transientCode(int code);

//! Of a bulk reply: the first write concern error, if there is one. Without it nothing of the payload counts as durable.
std::optional<Error> writeConcernError(const bson_t* reply, const Deployment& deployment, std::string_view doing);

Error cancelled(std::string_view doing);

} // namespace millrace::mongodb
