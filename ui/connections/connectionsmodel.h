#pragma once
#include "core/engine/connection.h"
#include "core/engine/definition.h"
#include <QAbstractItemModel>
#include <QStringList>
#include <array>
#include <optional>
#include <vector>

class QSettings;

namespace millrace::ui {

//! What the last test of a connection said. Kept in the window's settings, so that it is known after a start.
struct LastTest {
    std::int64_t atMs = 0;
    int passed = 0, warnings = 0, failed = 0;
    QString server;                                //!< "10.11"; empty: nobody asked
    QString url;                                   //!< that was tested; of another URL it says nothing
    QString failure;                               //!< the stage that failed
    static std::optional<LastTest> read(const QSettings& settings, const QString& connection);
    void write(QSettings& settings, const QString& connection) const;
};

struct ConnectionRow {
    ConnectionDef def;
    QStringList users;                             //!< syncs that read from it or write to it
    std::optional<LastTest> test;
    bool edited = false;                           //!< has changes that are not saved
};

//! The list of connections in two sections, Sources and Targets. Filtered here, since rows are few.
class ConnectionsModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { Name, Environment, Type, Host, Tls, Used, Test, ColumnCount };
    using QAbstractItemModel::QAbstractItemModel;
    void setConnectors(std::vector<ConnectorSpec> specs) { m_specs = std::move(specs); }
    //! Returns true when rows came or went, so that the view has to find its place again.
    bool setRows(std::vector<ConnectionRow> rows);
    bool setFilter(const QString& words, const QString& environment);
    const ConnectionRow* row(const QModelIndex& index) const;
    QModelIndex find(const QString& name) const;
    int total() const { return static_cast<int>(m_rows.size()); }
    int count(const QString& environment) const;
    int shown() const { return static_cast<int>(m_shown[0].size() + m_shown[1].size()); }

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    void sort(int column, Qt::SortOrder order) override;
private:
    bool arrange();                                               //!< true: the rows shown are others than before
    const ConnectorSpec* spec(const ConnectionDef& def) const;
    QVariant cell(const ConnectionRow& row, int column) const;
    std::vector<ConnectorSpec> m_specs;
    std::vector<ConnectionRow> m_rows;
    std::array<std::vector<int>, 2> m_shown;
    QStringList m_order;
    QString m_words, m_environment;
    int m_sortColumn = -1;
    Qt::SortOrder m_sortOrder = Qt::AscendingOrder;
};

const ConnectorSpec* specOf(const std::vector<ConnectorSpec>& specs, const std::string& url);
//! "db1.shop.internal:3306", a path, or nothing.
QString placeOf(const std::string& url, const ConnectorSpec* spec);
QString environmentName(const QString& code);                     //!< "production"

} // namespace millrace::ui
