#include "ui/welcome/machinefacts.h"
#include "core/base/platform.h"
#include "ui/widgets/format.h"
#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QRegularExpression>
#include <QSysInfo>
#include <QTemporaryFile>
#include <QThread>

namespace millrace::ui {
namespace {

struct Machine { Q_DECLARE_TR_FUNCTIONS(Machine) };

constexpr std::uint64_t kLittleSpace = 512ull << 20;

MachineFact home(const QString& folder)
{
    MachineFact fact{MachineFact::Kind::Fine, Machine::tr("State folder"), {}, {}};
    QTemporaryFile probe(folder + QStringLiteral("/.write-XXXXXX"));
    if (!probe.open() || probe.write("x") != 1 || !probe.flush()) {
        fact.kind = MachineFact::Kind::Failed;
        fact.value = Machine::tr("not writable: %1").arg(probe.errorString());
        fact.fix = Machine::tr("Make %1 writable for this user, or start with another --home.").arg(folder);
        return fact;
    }
    const auto free = platform::freeBytes(folder.toStdString());
    fact.value = free ? Machine::tr("writable, %1 free").arg(bytes(*free)) : Machine::tr("writable");
    if (free && *free < kLittleSpace) {
        fact.kind = MachineFact::Kind::Warning;
        fact.fix = Machine::tr("Free some space on the disk of %1: positions and failed rows are kept there.").arg(folder);
    }
    return fact;
}

std::uint64_t memoryBytes()
{
    QFile info(QStringLiteral("/proc/meminfo"));
    if (!info.open(QIODevice::ReadOnly))
        return 0;
    static const QRegularExpression total(QStringLiteral("MemTotal:\\s+(\\d+) kB"));
    const auto match = total.match(QString::fromLatin1(info.read(4096)));
    return match.captured(1).toULongLong() * 1024;
}

QString settingsFileIn(const QString& folder)
{
    const QStringList names = QDir(folder).entryList({QStringLiteral("*.env"), QStringLiteral(".env"), QStringLiteral("millrace.yml"), QStringLiteral("millrace.yaml")},
        QDir::Files | QDir::Hidden | QDir::Readable, QDir::Name);
    return names.isEmpty() ? QString() : QDir(folder).absoluteFilePath(names.first());
}

} // namespace

MachineFacts lookAtMachine(const std::string& homeFolder, const QString& startFolder)
{
    QElapsedTimer clock;
    clock.start();
    MachineFacts found;
    found.facts << home(text(homeFolder));
    const int cores = QThread::idealThreadCount();
    const std::uint64_t memory = memoryBytes();
    const QString processors = cores == 1 ? Machine::tr("1 core") : Machine::tr("%1 cores").arg(cores);
    found.facts << MachineFact{MachineFact::Kind::Fine, Machine::tr("Capacity"), memory ? QStringLiteral("%1, %2").arg(processors, bytes(memory)) : processors, {}};
    found.facts << MachineFact{MachineFact::Kind::Info, Machine::tr("System"), QStringLiteral("%1, %2, Qt %3").arg(QSysInfo::prettyProductName(), QSysInfo::currentCpuArchitecture(),
        QString::fromLatin1(qVersion())), {}};
    found.settingsFile = settingsFileIn(startFolder);
    found.ms = double(clock.nsecsElapsed()) / 1e6;
    return found;
}

} // namespace millrace::ui
