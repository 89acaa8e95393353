#pragma once
#include "core/engine/snapshot.h"
#include <QSortFilterProxyModel>
#include <QString>
#include <functional>
#include <set>
#include <vector>

namespace millrace::ui {

class SyncsModel;

//! The words of the filter box: plain words match names, "state:failed,lagging" "target:x" "source:x" "tag:x" "strategy:x" and
//! "lag>1m" "failed>0" "rows<1000" combine with a space; a leading minus turns one round. What is not understood is a plain word.
class FilterWords {
public:
    FilterWords() = default;
    explicit FilterWords(const QString& typed);
    bool empty() const { return m_terms.empty(); }
    bool accepts(const SyncView& sync, const TableView& table) const;
private:
    using Term = std::function<bool(const SyncView&, const TableView&)>;
    std::vector<Term> m_terms;
};

//! What is ticked in the filter tree: any of a kind, all kinds together. Empty sets let all pass.
struct FilterPicks {
    std::set<State> states;
    std::set<std::string> sources, targets, tags;
    bool accepts(const SyncView& sync, const TableView& table) const;
    bool operator==(const FilterPicks&) const = default;
};

//! Filters and sorts jobs with their tables. Rows are looked at again only by settle(), so that they do not jump about under the
//! pointer: the page calls it at most every 2 s and not while the order is frozen.
class SyncProxy : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit SyncProxy(SyncsModel* model, QObject* parent = nullptr);
    void setWords(const QString& typed);
    void setPicks(FilterPicks picks);
    void settle();
    bool filtered() const { return !m_words.empty() || m_picks != FilterPicks{}; }
    int tablesShown() const;
    int tablesInAll() const;
protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;
private:
    SyncsModel* m_model;
    FilterWords m_words;
    FilterPicks m_picks;
};

} // namespace millrace::ui
