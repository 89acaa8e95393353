#pragma once
#include "ui/widgets/theme.h"
#include <QList>
#include <QWidget>

namespace millrace::ui {

//! Title and legend of a chart: "Rows per second    ▬ written 12,480/s  ▬ read 12,655/s", with the current values.
class Legend : public QWidget {
    Q_OBJECT
public:
    struct Item { Role role; QString words; bool dashed = false; bool swatch = true; };
    explicit Legend(const QString& title, QWidget* parent = nullptr) : QWidget(parent), m_title(title) { setFixedHeight(24); setAccessibleName(title); }
    void setItems(QList<Item> items);
protected:
    void paintEvent(QPaintEvent*) override;
private:
    QString m_title;
    QList<Item> m_items;
};

} // namespace millrace::ui
