#pragma once
#include "ui/shell/page.h"
#include <string>

namespace millrace::gui {

//! The demo of the Welcome page: a shop of 25,000 rows in SQLite, the embedded store, and the sync between them.
ui::DemoActions demoActions(Engine& engine, const std::string& home);

//! Sync files (YAML, JSON) and the `.env` of the seed service.
ui::FileReader fileReader();

} // namespace millrace::gui
