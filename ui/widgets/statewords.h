#pragma once
#include "core/engine/report.h"
#include "core/engine/snapshot.h"
#include "ui/widgets/theme.h"
#include <QString>
#include <optional>
#include <vector>

namespace millrace::ui {

//! Word, icon and colour, always all three; the same in tree, filter, log and tray.
struct StateWord { QString word, icon; Role role = Role::Idle; };

StateWord stateWord(State state);
std::optional<State> stateFromWord(const QString& word);          //!< for the filter box: "failed", "needs_resync", "needs-resync", "resync"
const std::vector<State>& statesInOrder();                        //!< as the filter tree lists them
bool needsPerson(State state);                                    //!< Failed, Needs resync, Unknown, Lagging: counted on the rail
int severity(State state);                                        //!< a job shows the largest of its tables

//! The column Verified: a time with a check mark when identical, else "differs", "stale", "never", "no proof", "pending".
StateWord verifiedWord(const TableView& table, std::int64_t nowMs);
QString strategyWord(Strategy strategy);                          //!< "Full", "Timestamp", "Log", ...
StateWord outcomeWord(Outcome outcome);                           //!< of a run: never green, for nothing was compared

} // namespace millrace::ui
