#pragma once
#include "core/engine/snapshot.h"
#include "ui/syncs/synccells.h"
#include <QAbstractItemModel>
#include <memory>
#include <vector>

namespace millrace::ui {

//! job -> tables, straight from the snapshot. A new snapshot with the same names gives one dataChanged span per level; names that
//! come, go or move are inserted, removed and moved, so that selection, scroll position and expansion survive.
class SyncsModel : public QAbstractItemModel {
    Q_OBJECT
public:
    explicit SyncsModel(QObject* parent = nullptr);
    void setDemo(std::string name) { m_demo = std::move(name); }
    void apply(const SnapshotPtr& snapshot);
    const SyncView* sync(const QModelIndex& index) const;         //!< of a job or of a table's job
    const TableView* table(const QModelIndex& index) const;       //!< nullptr for a job
    QModelIndex find(const std::string& sync, const std::string& table = {}) const;

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& = {}) const override { return int(SyncColumn::Count); }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
private:
    struct Job {
        std::string name;
        const SyncView* view = nullptr;
        std::vector<std::string> names;                           //!< of the tables, in rows
        std::vector<const TableView*> tables;
    };
    void follow(const EngineSnapshot& next);                      //!< structure only
    void followTables(Job& job, const QModelIndex& at, const SyncView& next);
    void announce(const EngineSnapshot& before);
    int rowOf(const Job* job) const;
    SnapshotPtr m_snapshot;
    std::vector<std::unique_ptr<Job>> m_jobs;
    std::string m_demo;
};

} // namespace millrace::ui
