#pragma once
#include <QList>
#include <QString>
#include <string>

namespace millrace::ui {

//! One line of "This machine": only what was really looked at.
struct MachineFact {
    enum class Kind : unsigned char { Fine, Info, Warning, Failed };
    Kind kind = Kind::Fine;
    QString label, value;
    QString fix;                                   //!< what to do, for Warning and Failed
};
struct MachineFacts { QList<MachineFact> facts; double ms = 0; QString settingsFile; };

//! Looks at the home, the processors and the memory, and for a settings file in `startFolder`. Touches the disk: never on the window's thread.
MachineFacts lookAtMachine(const std::string& home, const QString& startFolder);

} // namespace millrace::ui
