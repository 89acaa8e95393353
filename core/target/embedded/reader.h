#pragma once
#include "core/engine/target.h"
#include "core/target/embedded/sqlite.h"
#include <optional>

namespace millrace::embedded {

//! Documents for proof, over a connection of its own and within one read transaction: what it gives is the file at one moment.
class EmbeddedReader final : public DocumentReader {
public:
    static Result<std::unique_ptr<DocumentReader>> open(const std::string& path, const TablePlan& plan, std::vector<std::string> keys);
    Result<ReadState> read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop) override;
private:
    EmbeddedReader(Database database, std::vector<std::string> keys) : m_database(std::move(database)), m_keys(std::move(keys)) {}
    Result<bool> next(ReadBack& into);

    Database m_database;
    std::optional<Statement> m_statement;          //!< none: there is no such table
    std::vector<std::string> m_keys;               //!< empty: all
    std::size_t m_nextKey = 0;
    bool m_ended = false;
};

} // namespace millrace::embedded
