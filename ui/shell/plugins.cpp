#include "ui/connections/connectionspage.h"
#include "ui/shell/pages.h"
#include "ui/welcome/importer.h"
#include "ui/welcome/welcomepage.h"
#include "ui/wizard/wizard.h"

namespace millrace::ui {

Plugins builtInPlugins()
{
    Plugins plugins;
    plugins.connections = makeConnectionsPage;
    plugins.welcome = makeWelcomePage;
    plugins.wizard = openWizard;
    plugins.importer = openImporter;
    return plugins;
}

} // namespace millrace::ui
