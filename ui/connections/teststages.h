#pragma once
#include "core/engine/discovery.h"
#include <QAbstractTableModel>

namespace millrace::ui {

//! The stages of a connection test, in the order in which they come.
class TestStages : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Stage, Found, Time, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;
    void clear();
    void add(const TestStage& stage);
    void set(std::vector<TestStage> stages);
    const std::vector<TestStage>& stages() const { return m_stages; }
    int count(TestStage::Outcome outcome) const;

    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_stages.size()); }
    int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
private:
    std::vector<TestStage> m_stages;
};

} // namespace millrace::ui
