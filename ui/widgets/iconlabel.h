#pragma once
#include "ui/widgets/icons.h"
#include <QWidget>

namespace millrace::ui {

//! An icon alone, which follows the theme.
class IconLabel : public QWidget {
    Q_OBJECT
public:
    IconLabel(const QString& name, int size, Role tint, QWidget* parent = nullptr) : QWidget(parent), m_name(name), m_tint(tint) { setFixedSize(size, size); }
    void set(const QString& name, Role tint) { m_name = name; m_tint = tint; update(); }
protected:
    void paintEvent(QPaintEvent*) override;
private:
    QString m_name;
    Role m_tint;
};

} // namespace millrace::ui
