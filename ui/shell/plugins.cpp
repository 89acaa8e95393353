#include "ui/connections/connectionspage.h"
#include "ui/shell/pages.h"
#include "ui/wizard/wizard.h"

namespace millrace::ui {

Plugins builtInPlugins()
{
    Plugins plugins;
    plugins.connections = makeConnectionsPage;
    plugins.wizard = openWizard;
    return plugins;
}

} // namespace millrace::ui
