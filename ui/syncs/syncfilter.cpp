#include "ui/syncs/syncfilter.h"
#include "core/engine/definition.h"
#include "ui/syncs/syncsmodel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/statewords.h"
#include <QRegularExpression>

namespace millrace::ui {
namespace {

using Term = std::function<bool(const SyncView&, const TableView&)>;

bool has(const std::string& where, const QString& what) { return text(where).contains(what, Qt::CaseInsensitive); }

Term nameTerm(const QString& word)
{
    return [word](const SyncView& sync, const TableView& table) { return has(table.table, word) || has(sync.name, word) || has(table.container, word); };
}

std::optional<Term> keyTerm(const QString& key, const QString& value)
{
    if (value.isEmpty())
        return std::nullopt;
    if (key == QLatin1String("state")) {
        std::set<State> wanted;
        for (const QString& word : value.split(QLatin1Char(','), Qt::SkipEmptyParts))
            if (const auto state = stateFromWord(word))
                wanted.insert(*state);
        if (wanted.empty())
            return std::nullopt;
        return [wanted](const SyncView&, const TableView& table) { return wanted.contains(table.state); };
    }
    if (key == QLatin1String("target"))
        return [value](const SyncView& sync, const TableView& table) { return has(sync.target, value) || has(table.container, value); };
    if (key == QLatin1String("source"))
        return [value](const SyncView& sync, const TableView&) { return has(sync.source, value); };
    if (key == QLatin1String("sync"))
        return [value](const SyncView& sync, const TableView&) { return has(sync.name, value); };
    if (key == QLatin1String("strategy"))
        return [value](const SyncView&, const TableView& table) { return strategyWord(table.strategy).contains(value, Qt::CaseInsensitive); };
    if (key == QLatin1String("tag"))
        return [value](const SyncView& sync, const TableView&) {
            return std::any_of(sync.tags.begin(), sync.tags.end(), [&](const std::string& tag) { return has(tag, value); });
        };
    return std::nullopt;
}

std::optional<Term> compareTerm(const QString& key, QChar sign, const QString& value)
{
    double limit = 0;
    bool fine = true;
    if (key == QLatin1String("lag")) {
        const auto ms = parseDuration(value.toStdString());
        fine = ms.has_value();
        limit = fine ? double(*ms) : 0;
    } else {
        limit = QString(value).remove(QLatin1Char(',')).toDouble(&fine);
    }
    if (!fine)
        return std::nullopt;
    std::function<double(const TableView&)> figure;
    if (key == QLatin1String("lag"))
        figure = [](const TableView& table) { return table.lagKnown ? double(table.lagMs) : -1; };
    else if (key == QLatin1String("failed"))
        figure = [](const TableView& table) { return double(table.failed); };
    else if (key == QLatin1String("rows"))
        figure = [](const TableView& table) { return double(table.rows); };
    else if (key == QLatin1String("rate"))
        figure = [](const TableView& table) { return table.writeRate; };
    else
        return std::nullopt;
    return [figure, sign, limit](const SyncView&, const TableView& table) {
        const double now = figure(table);
        // an unknown lag is neither above nor below anything
        return now >= 0 && (sign == QLatin1Char('>') ? now > limit : sign == QLatin1Char('<') ? now < limit : now == limit);
    };
}

} // namespace

FilterWords::FilterWords(const QString& typed)
{
    static const QRegularExpression keyed(QStringLiteral("^(-?)([a-z]+):(.*)$"), QRegularExpression::CaseInsensitiveOption);
    static const QRegularExpression compared(QStringLiteral("^(-?)([a-z]+)([<>=])(.+)$"), QRegularExpression::CaseInsensitiveOption);
    for (const QString& word : typed.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        std::optional<Term> term;
        bool negative = false;
        if (const auto match = keyed.match(word); match.hasMatch()) {
            term = keyTerm(match.captured(2).toLower(), match.captured(3));
            negative = !match.captured(1).isEmpty();
        } else if (const auto sign = compared.match(word); sign.hasMatch()) {
            term = compareTerm(sign.captured(2).toLower(), sign.captured(3).at(0), sign.captured(4));
            negative = !sign.captured(1).isEmpty();
        }
        if (!term) {
            negative = word.size() > 1 && word.startsWith(QLatin1Char('-'));
            term = nameTerm(negative ? word.mid(1) : word);
        }
        if (negative)
            m_terms.push_back([inner = *term](const SyncView& sync, const TableView& table) { return !inner(sync, table); });
        else
            m_terms.push_back(*term);
    }
}

bool FilterWords::accepts(const SyncView& sync, const TableView& table) const
{ return std::all_of(m_terms.begin(), m_terms.end(), [&](const Term& term) { return term(sync, table); }); }

bool FilterPicks::accepts(const SyncView& sync, const TableView& table) const
{
    return (states.empty() || states.contains(table.state)) && (sources.empty() || sources.contains(sync.source)) && (targets.empty() || targets.contains(sync.target))
        && (tags.empty() || std::any_of(sync.tags.begin(), sync.tags.end(), [&](const std::string& tag) { return tags.contains(tag); }));
}

SyncProxy::SyncProxy(SyncsModel* model, QObject* parent) : QSortFilterProxyModel(parent), m_model(model)
{
    setDynamicSortFilter(false);
    setSortRole(SortRole);
    setSourceModel(model);
}

void SyncProxy::setWords(const QString& typed)
{
    m_words = FilterWords(typed);
    invalidateFilter();
}

void SyncProxy::setPicks(FilterPicks picks)
{
    m_picks = std::move(picks);
    invalidateFilter();
}

void SyncProxy::settle()
{
    if (filtered())
        invalidateFilter();
    if (sortColumn() >= 0)
        sort(sortColumn(), sortOrder());
}

int SyncProxy::tablesShown() const
{
    int shown = 0;
    for (int row = 0; row < rowCount(); ++row)
        shown += rowCount(index(row, 0));
    return shown;
}

int SyncProxy::tablesInAll() const
{
    int all = 0;
    for (int row = 0; row < m_model->rowCount(); ++row)
        all += m_model->rowCount(m_model->index(row, 0));
    return all;
}

bool SyncProxy::filterAcceptsRow(int row, const QModelIndex& parent) const
{
    if (!filtered())
        return true;
    const QModelIndex at = m_model->index(row, 0, parent);
    const SyncView* sync = m_model->sync(at);
    const auto accepts = [&](const TableView& table) { return m_picks.accepts(*sync, table) && m_words.accepts(*sync, table); };
    if (const TableView* table = m_model->table(at))
        return accepts(*table);
    if (!sync->tables.empty())
        return std::any_of(sync->tables.begin(), sync->tables.end(), accepts);
    TableView none;
    none.state = sync->state;
    return accepts(none);
}

bool SyncProxy::lessThan(const QModelIndex& left, const QModelIndex& right) const
{
    const QVariant a = left.data(SortRole), b = right.data(SortRole);
    if (a.userType() == QMetaType::QString)
        return QString::localeAwareCompare(a.toString(), b.toString()) < 0;
    return a.toDouble() < b.toDouble();
}

} // namespace millrace::ui
