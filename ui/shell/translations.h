#pragma once
#include <QString>
#include <QStringList>

class QCoreApplication;

namespace millrace::ui {

//! Installs the translations that are built in: English first (it carries the plural forms), then the wanted language above it.
//! `language`: "de", "hi", "en", or empty for the system's. Later calls replace what earlier ones installed.
void installTranslations(QCoreApplication& app, const QString& language);

//! Codes of the languages whose translation says anything, English first.
QStringList availableLanguages();

} // namespace millrace::ui
