#pragma once
#include "app/cli/session.h"
#include <functional>

namespace CLI { class App; }

namespace millrace::cli {

//! What the words on the command line ask for. Parsing only chooses; nothing runs inside the parser.
using Action = std::function<int(Session&)>;

void addDemoCommand(CLI::App& app, Action& chosen);
void addFileCommands(CLI::App& app, Action& chosen);             //!< apply, export, check, run, import-env
void addConnectionCommands(CLI::App& app, Action& chosen);       //!< connections …, discover
void addSyncCommands(CLI::App& app, Action& chosen);             //!< sync list, plan, dry-run, status, history, pause, resume, remove, reset
void addRunCommands(CLI::App& sync, Action& chosen);             //!< sync run, follow
void addProofCommands(CLI::App& app, Action& chosen);            //!< verify, failures
void addServeCommand(CLI::App& app, Action& chosen);
void addLaterCommands(CLI::App& app, Action& chosen);            //!< in the contract, not in this version: rebuild, search
void addGeneratedCommands(CLI::App& app, Action& chosen);        //!< hidden: completion, man

Error notAvailable(const std::string& what);                     //!< Fault::Usage "cli.not_available_yet"

} // namespace millrace::cli
