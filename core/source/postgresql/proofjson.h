#pragma once
#include "core/source/postgresql/connection.h"
#include <map>

namespace millrace::postgresql {

//! Types as the proof sees them: its own look at pg_type, one query per type.
struct ProofType {
    enum class Kind : std::uint8_t { Plain, Array, Record, Json };
    Kind kind = Kind::Plain;                       //!< Json: as it is, hstore too
    std::string name;                              //!< "timestamptz"; of built-in types only
    bool builtIn = true, isEnum = false;
    const ProofType* item = nullptr;               //!< of an array
    std::vector<std::pair<const ProofType*, int>> fields;           //!< of a composite: type and modifier
};

class ProofTypes {
public:
    explicit ProofTypes(Connection& connection) : m_connection(connection) {}
    //! Domains count as what they are made of; `modifier` becomes the domain's then.
    Result<const ProofType*> find(const std::string& oid, int& modifier);
private:
    Connection& m_connection;
    struct Known { std::unique_ptr<ProofType> type; std::string domainOf; int modifier = -1; };
    std::map<std::string, Known> m_known;
};

//! The server's to_json() of an array, composite or hstore, brought into the contract's form. False when the text is none.
bool appendServerJson(std::string& out, const ProofType& type, int modifier, std::string_view json);

} // namespace millrace::postgresql
