#pragma once
#include <string_view>

namespace millrace::postgresql {

//! True when this trigger function sets NEW.column to the present time at each update: PL/pgSQL that assigns it and asks a clock, or
//! moddatetime(column). `source`: the function's body; `arguments`: of the trigger, each ended by \000. A guess that errs to false.
bool triggerMoves(std::string_view source, std::string_view arguments, std::string_view column);

} // namespace millrace::postgresql
