#include "ui/shell/translations.h"
#include <QCoreApplication>
#include <QLocale>
#include <QTranslator>

static void initMillraceTranslations() { Q_INIT_RESOURCE(i18n); }

namespace millrace::ui {

void installTranslations(QCoreApplication& app, const QString& language)
{
    initMillraceTranslations();
    for (QTranslator* old : app.findChildren<QTranslator*>(QStringLiteral("millrace"), Qt::FindDirectChildrenOnly)) {
        QCoreApplication::removeTranslator(old);
        delete old;
    }
    const auto install = [&app](const QLocale& locale) {
        auto* translator = new QTranslator(&app);
        translator->setObjectName(QStringLiteral("millrace"));
        if (translator->load(locale, QStringLiteral("millrace"), QStringLiteral("_"), QStringLiteral(":/millrace/i18n")))
            QCoreApplication::installTranslator(translator);
        else
            delete translator;
    };
    install(QLocale(QLocale::English));
    const QLocale wanted = language.isEmpty() ? QLocale::system() : QLocale(language);
    if (wanted.language() != QLocale::English && wanted.language() != QLocale::C)
        install(wanted);
}

QStringList availableLanguages()
{
    initMillraceTranslations();
    QStringList found{QStringLiteral("en")};
    for (const char* language : {"de", "hi"}) {
        QTranslator translator;
        if (translator.load(QStringLiteral(":/millrace/i18n/millrace_%1.qm").arg(QLatin1String(language))) && !translator.isEmpty())
            found << QString::fromLatin1(language);
    }
    return found;
}

} // namespace millrace::ui
