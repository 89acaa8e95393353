#include "core/target/embedded/reader.h"
#include "core/engine/jsonform.h"
#include "core/target/embedded/catalog.h"
#include <filesystem>
#include <sqlite3.h>

namespace millrace::embedded {

namespace {

class Nothing final : public DocumentReader {
public:
    Result<ReadState> read(std::vector<ReadBack>&, std::size_t, std::stop_token) override { return ReadState::End; }
};

std::string selection(const TablePlan& plan, Standing::Kind kind, bool byKey)
{
    std::string ours = "0";
    if (kind == Standing::Kind::Own)
        ours = "1";
    else if (kind == Standing::Kind::Adopted)
        ours = "EXISTS (SELECT 1 FROM _mr_mark AS m WHERE m.container=?2 AND m.key=t.key)";
    const bool ourShape = kind == Standing::Kind::Own || kind == Standing::Kind::Adopted;
    // somebody else's table may have any columns: its rows are only counted
    // a BLOB with the same bytes reads the same here, and is no text to any other client
    return "SELECT " + std::string(ourShape ? "t.key, t.doc, " : "'', '', ") + ours + ", " + (ourShape ? "typeof(t.key)='text' AND typeof(t.doc)='text'" : "1") + " FROM " + identifier(plan.container) + " AS t"
        + (byKey && ourShape ? " WHERE t.key=?1" : "");
}

} // namespace

Result<std::unique_ptr<DocumentReader>> EmbeddedReader::open(const std::string& path, const TablePlan& plan, std::vector<std::string> keys)
{
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored))
        return std::unique_ptr<DocumentReader>(std::make_unique<Nothing>());
    auto database = Database::open(path, Database::Mode::Read);
    if (!database)
        return database.error();
    if (auto begun = database->exec("BEGIN"); !begun)
        return begun.error();
    std::unique_ptr<EmbeddedReader> reader(new EmbeddedReader(std::move(*database), std::move(keys)));
    auto catalog = reader->m_database.prepare("SELECT 1 FROM sqlite_schema WHERE name='_mr_container'");
    if (!catalog)
        return catalog.error();
    auto known = reader->m_database.number(*catalog);
    if (!known)
        return known.error();
    if (*known == 0)
        return std::unique_ptr<DocumentReader>(std::make_unique<Nothing>());
    auto stands = standing(reader->m_database, plan);
    if (!stands)
        return stands.error();
    const bool ours = stands->kind == Standing::Kind::Own || stands->kind == Standing::Kind::Adopted;
    if (stands->kind == Standing::Kind::Absent || (!ours && !reader->m_keys.empty()))
        return std::unique_ptr<DocumentReader>(std::make_unique<Nothing>());
    auto statement = reader->m_database.prepare(selection(plan, stands->kind, !reader->m_keys.empty()));
    if (!statement)
        return statement.error();
    reader->m_statement = std::move(*statement);
    if (stands->kind == Standing::Kind::Adopted)
        reader->m_statement->bind(2, plan.container);
    return std::unique_ptr<DocumentReader>(std::move(reader));
}

Result<ReadState> EmbeddedReader::read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop)
{
    if (m_ended)
        return ReadState::End;
    constexpr std::size_t mostBytes = 8u << 20;                // large documents come a few at a time
    std::size_t bytes = 0;
    for (std::size_t n = 0; n < maxDocuments && bytes < mostBytes; ++n) {
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "target.embedded.cancelled", "stopped while reading back", "", {}};
        ReadBack document;
        auto more = next(document);
        if (!more)
            return more.error();
        if (!*more) {
            m_statement->reset();
            (void)m_database.exec("COMMIT");               // readers hold up writers: not a moment longer than needed
            m_ended = true;
            return ReadState::End;
        }
        bytes += document.form.size();
        into.push_back(std::move(document));
    }
    return ReadState::More;
}

Result<bool> EmbeddedReader::next(ReadBack& into)
{
    for (;;) {
        if (!m_keys.empty()) {
            if (m_nextKey == m_keys.size())
                return false;
            m_statement->bind(1, m_keys[m_nextKey++]);
        }
        const int code = m_statement->step();
        if (code == SQLITE_ROW)
            break;
        if (code != SQLITE_DONE)
            return m_database.error();
        if (m_keys.empty())
            return false;
        m_statement->reset();
    }
    into.key = m_statement->text(0);
    into.ours = m_statement->integer(2) != 0;
    if (m_statement->integer(3) == 0)
        into.form = "not text\x1f" + std::string(m_statement->text(1));
    else if (!appendDocumentForm(into.form, m_statement->text(1)))
        into.form = "not a JSON object\x1f" + std::string(m_statement->text(1));
    if (!m_keys.empty())
        m_statement->reset();
    return true;
}

} // namespace millrace::embedded
