#pragma once
#include "ui/widgets/theme.h"
#include <QIcon>
#include <QPixmap>
#include <QRect>

class QPainter;

namespace millrace::ui {

//! A Breeze icon by its freedesktop name, tinted with a role of the palette. The icon looks its colour up when it is painted, so it
//! follows a switch of theme. Without the Breeze theme the state icons and a few more are drawn, anything else is an empty square.
QIcon icon(const QString& name, Role tint = Role::Secondary);

//! The same on a painter, for delegates. `opacity` below 1 for disabled things.
void paintIcon(QPainter& painter, const QRect& where, const QString& name, Role tint, double opacity = 1);

//! For labels: `size` in device-independent pixels. See IconLabel.
QPixmap iconPixmap(const QString& name, int size, Role tint, qreal ratio);

} // namespace millrace::ui
