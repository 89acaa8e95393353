#pragma once
#include "core/engine/report.h"
#include <QAbstractItemModel>
#include <memory>
#include <set>
#include <vector>

namespace millrace::ui {

//! Causes (or tables) -> parked rows. 10,000 failed rows are three causes; a group shows its first 500 rows and a line for the rest.
class IssuesModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum class GroupBy : int { Cause, Table };
    enum Column : int { Name, Rows, First, Last, Detail, ColumnCount };
    //! A parked row's identity towards the engine.
    struct Id { std::string sync, table, cause, key; auto operator<=>(const Id&) const = default; };
    static constexpr int kShown = 500;

    using QAbstractItemModel::QAbstractItemModel;
    void setRows(std::vector<FailedRow> rows, std::int64_t nowMs);
    void setGroupBy(GroupBy by);
    void setWords(const QString& words);
    void hideRows(const std::vector<Id>& ids);                    //!< discarded, while Undo is still possible
    void unhideRows(const std::vector<Id>& ids);
    void showMore(const QModelIndex& moreLine);                   //!< the next 500 of the group

    bool isGroup(const QModelIndex& index) const;
    bool isMore(const QModelIndex& index) const;
    const FailedRow* row(const QModelIndex& index) const;         //!< of a row, or the first one of a group
    std::vector<const FailedRow*> rowsOf(const QModelIndex& index) const;    //!< all of a group, or the one
    const std::vector<FailedRow>& all() const { return m_rows; }
    int visibleRows() const;
    static Id idOf(const FailedRow& row) { return {row.sync, row.table, row.cause, row.key}; }

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
private:
    struct Group { QString title; std::vector<std::size_t> rows; int shown = kShown; bool lineGone = false; };
    void regroup();
    std::vector<FailedRow> m_rows;
    std::vector<std::unique_ptr<Group>> m_groups;
    std::set<Id> m_hidden;
    QString m_words;
    GroupBy m_by = GroupBy::Cause;
    std::int64_t m_nowMs = 0;
};

} // namespace millrace::ui
