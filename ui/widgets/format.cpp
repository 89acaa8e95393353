#include "ui/widgets/format.h"
#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace millrace::ui {
namespace {

struct Format { Q_DECLARE_TR_FUNCTIONS(Format) };                 // the context of the translations

// The C locale leaves separators out, but a figure of seven digits needs them everywhere
QLocale figures()
{
    const QLocale locale;
    return locale.language() == QLocale::C ? QLocale(QLocale::English, QLocale::UnitedStates) : locale;
}

} // namespace

QString dash() { return QStringLiteral("–"); }
QString count(std::uint64_t number) { return figures().toString(static_cast<qulonglong>(number)); }
QString rate(double perSecond) { return count(static_cast<std::uint64_t>(std::llround(std::max(0.0, perSecond)))); }
QString shortLabel(const std::string& label) { return text(label).section(QStringLiteral(" ("), 0, 0); }

QString percent(double fraction) { return Format::tr("%1 %").arg(static_cast<int>(std::floor(std::clamp(fraction, 0.0, 1.0) * 100))); }

QString duration(std::int64_t ms)
{
    if (ms < 0)
        return dash();
    if (ms < 10'000)
        return Format::tr("%1 s").arg(figures().toString(static_cast<double>(ms) / 1000, 'f', 1));
    const std::int64_t s = ms / 1000;
    if (s < 60)
        return Format::tr("%1 s").arg(s);
    if (s < 600)
        return s % 60 == 0 ? Format::tr("%1 min").arg(s / 60) : Format::tr("%1 min %2 s").arg(s / 60).arg(s % 60);
    if (s < 3600)
        return Format::tr("%1 min").arg(s / 60);
    if (s < 86400)
        return Format::tr("%1 h %2 min").arg(s / 3600).arg(s % 3600 / 60);
    return Format::tr("%1 d %2 h").arg(s / 86400).arg(s % 86400 / 3600);
}

QString bytes(std::uint64_t size)
{
    if (size < 1024)
        return Format::tr("%1 B").arg(size);
    double value = static_cast<double>(size) / 1024;
    if (value < 1024)
        return Format::tr("%1 KB").arg(figures().toString(value, 'f', value < 10 ? 1 : 0));
    value /= 1024;
    if (value < 1024)
        return Format::tr("%1 MB").arg(figures().toString(value, 'f', value < 10 ? 1 : 0));
    value /= 1024;
    return Format::tr("%1 GB").arg(figures().toString(value, 'f', value < 100 ? 1 : 0));
}

QString when(std::int64_t ms, std::int64_t nowMs)
{
    if (ms <= 0)
        return dash();
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(ms);
    if (at.date() == QDateTime::fromMSecsSinceEpoch(nowMs).date())
        return at.toString(QStringLiteral("HH:mm:ss"));
    return figures().toString(at, QStringLiteral("d MMM, HH:mm"));
}

QString whenShort(std::int64_t ms, std::int64_t nowMs)
{
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(ms);
    return ms > 0 && at.date() == QDateTime::fromMSecsSinceEpoch(nowMs).date() ? at.toString(QStringLiteral("HH:mm")) : ms > 0 ? figures().toString(at, QStringLiteral("d MMM")) : dash();
}

QString wholeTime(std::int64_t ms)
{
    return ms <= 0 ? dash() : figures().toString(QDateTime::fromMSecsSinceEpoch(ms), QStringLiteral("ddd d MMM yyyy, HH:mm:ss.zzz t"));
}

QString milliseconds(double ms)
{
    if (ms <= 0)
        return Format::tr("%1 ms").arg(0);
    if (ms < 1000)
        return Format::tr("%1 ms").arg(figures().toString(ms, 'f', ms < 10 ? 1 : 0));
    return Format::tr("%1 s").arg(figures().toString(ms / 1000, 'f', 1));
}

} // namespace millrace::ui
