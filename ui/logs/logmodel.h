#pragma once
#include "ui/logs/logfeed.h"
#include <QAbstractTableModel>
#include <QRegularExpression>
#include <QSortFilterProxyModel>
#include <array>
#include <deque>

namespace millrace::ui {

//! The newest lines of the log: time, level, category, message.
class LogModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column : int { Time, Level_, Category, Message, ColumnCount };
    static constexpr int kMost = 20'000;
    explicit LogModel(const LogFeed& feed, QObject* parent = nullptr) : QAbstractTableModel(parent), m_feed(feed) {}
    bool poll();                                                  //!< true when lines came
    void clear();
    const LogEntry& entry(int row) const { return m_entries[std::size_t(row)]; }
    std::array<int, 4> levelCounts() const { return m_counts; }

    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(m_entries.size()); }
    int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
private:
    const LogFeed& m_feed;
    std::deque<LogEntry> m_entries;
    std::array<int, 4> m_counts{};
    std::uint64_t m_seen = 0;
};

//! Level chips, words or a regular expression, and the scope of one sync or table.
class LogProxy : public QSortFilterProxyModel {
    Q_OBJECT
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setLevels(std::array<bool, 4> shown) { m_levels = shown; invalidateFilter(); }
    bool setWords(const QString& typed, bool regex);              //!< false: the expression is not valid; the former one stays
    void setScope(const std::string& sync, const std::string& table);
protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
private:
    std::array<bool, 4> m_levels{true, true, true, true};
    QStringList m_words;
    QRegularExpression m_regex;
    bool m_useRegex = false;
    std::string m_sync, m_table;
};

} // namespace millrace::ui
