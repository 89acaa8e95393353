#pragma once
#include "core/target/mongodb/bsonwriter.h"
#include <memory>
#include <string>
#include <string_view>

namespace millrace::mongodb {

//! JSON text -> one BSON element (document, array or scalar), without recursion. Field order and duplicate keys are kept as the text
//! has them. One per encoder: its stacks are reused.
class JsonBson {
public:
    JsonBson();
    ~JsonBson();
    //! Writes the whole element under `nameWithNul`. On failure nothing is written and the reason comes back; empty: done.
    std::string append(BsonWriter& out, std::string_view nameWithNul, std::string_view json);

    //! mongod 6.0 refuses documents nested deeper than 180 levels, and from 200 levels on the whole message with all its neighbours.
    static constexpr std::size_t mostLevels = 170;
private:
    struct Handler;
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace millrace::mongodb
