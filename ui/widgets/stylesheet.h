#pragma once
#include <QString>

namespace millrace::ui {

//! The one style sheet, for the theme that is shown now. Widgets ask for a look by dynamic properties (see look.h), never by a
//! sheet of their own, so that a switch of theme reaches all of them.
QString styleSheet();

} // namespace millrace::ui
