#pragma once
#include "core/engine/definition.h"
#include "core/engine/discovery.h"
#include <QAbstractItemModel>
#include <QSet>
#include <vector>

namespace millrace::ui {

//! The tables of a source as a sync would take them: schema -> tables, with ticks, what the rule says, and the strategy of each. The
//! rule (include, except) decides; a tick by hand beats it. Window thread only.
class TablesModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { NameColumn, RowsColumn, SizeColumn, KeyColumn, CursorColumn, StrategyColumn, ReasonColumn, WarningsColumn, ColumnCount };
    struct Entry {
        TableInfo info;
        QString label;                             //!< as the sync names it
        Strategy strategy = Strategy::Auto;        //!< Auto: as recommended
        QString to;                                //!< name in the target; empty: its own
        std::optional<bool> byHand;                //!< a tick that beats the rule
        QString leftOutBy;                         //!< the pattern that leaves it out
        bool matched = false;                      //!< by the rule
        bool selected() const { return byHand.value_or(matched); }
    };

    explicit TablesModel(QObject* parent = nullptr) : QAbstractItemModel(parent) {}
    void setTables(std::vector<TableInfo> tables, bool spansSchemas);
    void setRule(const QStringList& include, const QStringList& except);
    //! Takes up what a stored sync says: its rule, ticks, strategies and names.
    void load(const SyncDef& def);
    //! Writes rule, ticks and strategies into the definition.
    void store(SyncDef& def) const;

    const std::vector<Entry>& entries() const { return m_entries; }
    const Entry* entryAt(const QModelIndex& index) const;
    QModelIndex indexOf(std::size_t entry) const;
    void setStrategy(const QModelIndex& index, Strategy strategy);
    void setTarget(std::size_t entry, const QString& to);
    int selectedCount() const;
    int warningCount() const;                      //!< of selected tables
    int leftOutCount() const;
    int byHandCount() const;
    std::uint64_t selectedRows() const;
    std::uint64_t selectedBytes() const;
    QStringList include() const { return m_include; }
    QStringList except() const { return m_except; }
    static Strategy effective(const Entry& entry);

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
signals:
    void selectionChanged();

private:
    struct Group { QString name; std::vector<std::size_t> members; };
    void applyRule();
    void tell();
    Qt::CheckState groupState(const Group& group) const;
    std::vector<Entry> m_entries;
    std::vector<Group> m_groups;
    QStringList m_include{QStringLiteral("*")}, m_except;
};

} // namespace millrace::ui
