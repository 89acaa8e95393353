#include "ui/shell/pages.h"

namespace millrace::ui {

Plugins builtInPlugins() { return {}; }

} // namespace millrace::ui
