#pragma once
#include "core/base/result.h"
#include <exception>
#include <new>
#include <string>

namespace millrace {

//! Runs `body` (which returns a Result) and turns what it throws into an error. Stands at the root of every thread, because an
//! exception that leaves a thread ends the process; no error of ours is thrown, so what arrives here is a bug or a lack of memory.
template <class Body> auto guarded(const std::string& where, const Body& body) -> decltype(body())
{
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return Error{Fault::Storage, "engine.out_of_memory", where + ": there is not enough memory.", "Lower batch_max, or give the process more memory.", {}};
    } catch (const std::exception& bug) {
        return Error{Fault::Internal, "engine.exception", where + ": " + bug.what(), "Run again; the position is kept. Report it when it comes back.", {}};
    } catch (...) {
        return Error{Fault::Internal, "engine.exception", where + ": something that is no exception was thrown.", "Run again; the position is kept. Report it when it comes back.", {}};
    }
}

} // namespace millrace
