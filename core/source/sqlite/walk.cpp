#include "core/source/sqlite/walk.h"
#include "core/base/text.h"

namespace millrace::sqlitesource {

std::string beyond(const std::vector<std::string>& terms, int firstParameter, const char* comparison)
{
    std::vector<std::string> marks;
    for (std::size_t i = 0; i < terms.size(); ++i)
        marks.push_back("?" + std::to_string(firstParameter + static_cast<int>(i)));
    if (terms.size() == 1)
        return terms[0] + " " + comparison + " " + marks[0];
    return "(" + join(terms, ", ") + ") " + comparison + " (" + join(marks, ", ") + ")";
}

std::string Walk::sql(bool resumed) const
{
    std::vector<std::string> conditions = m_spec.conditions;
    const int mark = static_cast<int>(m_spec.fixed.size()) + 1;
    if (resumed) {
        conditions.push_back(beyond(m_spec.order, mark, ">"));
        if (m_spec.collated)                                     // the row form does not use an index through a COLLATE
            conditions.push_back(m_spec.order[0] + " >= ?" + std::to_string(mark));
    }
    std::string text = "SELECT " + m_spec.columns + " FROM " + m_spec.from;
    if (!conditions.empty())
        text += " WHERE " + join(conditions, " AND ");
    if (!m_spec.order.empty())
        text += " ORDER BY " + join(m_spec.order, ", ");
    return text;
}

Result<> Walk::start(const std::vector<RawValue>& after)
{
    const bool resumed = !after.empty() && !m_spec.order.empty();
    Statement& statement = resumed ? m_resumed : m_fromStart;
    if (!statement) {
        auto made = m_connection->prepare(sql(resumed));
        if (!made)
            return std::move(made).error();
        statement = std::move(*made);
    }
    statement.reset();
    int at = 1;
    for (const RawValue& value : m_spec.fixed)
        value.bind(statement.handle(), at++);
    if (resumed)
        for (const RawValue& value : after)
            value.bind(statement.handle(), at++);
    m_current = &statement;
    return {};
}

void Walk::place(std::vector<RawValue>& out) const
{
    out.resize(m_spec.order.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        sqlite3_value* value = sqlite3_column_value(row(), m_spec.orderAt[i]);
        out[i].assign(value, sqlite3_value_type(value), m_spec.utf8);
    }
}

} // namespace millrace::sqlitesource
