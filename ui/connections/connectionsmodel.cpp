#include "ui/connections/connectionsmodel.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/format.h"
#include <QCoreApplication>
#include <QDateTime>
#include <QRegularExpression>
#include <QSettings>
#include <QUrl>
#include <algorithm>

namespace millrace::ui {
namespace {

QString settingsKey(const QString& connection)
{ return QStringLiteral("connections/tests/") + QString::fromLatin1(QUrl::toPercentEncoding(connection)); }

QString hostText(const std::pair<std::string, std::uint16_t>& host, std::uint16_t defaultPort)
{
    const std::uint16_t port = host.second ? host.second : defaultPort;
    const QString name = host.first.find(':') == std::string::npos ? text(host.first) : QStringLiteral("[%1]").arg(text(host.first));
    return port ? QStringLiteral("%1:%2").arg(name).arg(port) : name;
}

CellInfo tlsCell(const std::string& url, const ConnectorSpec* spec)
{
    CellInfo cell;
    cell.role = Role::Secondary;
    const auto parsed = parseUrl(url);
    if (!parsed || !spec || spec->defaultPort == 0) {
        cell.text = spec && !spec->fields.empty() ? ConnectionsModel::tr("local file") : dash();
        return cell;
    }
    const auto mode = tlsMode(*parsed);
    cell.icon = QStringLiteral("object-locked");
    cell.iconRole = Role::Verified;
    if (!mode) {
        cell.text = ConnectionsModel::tr("unknown");
        cell.icon.clear();
    } else if (*mode == TlsMode::VerifyFull) {
        cell.text = ConnectionsModel::tr("verify full");
    } else if (*mode == TlsMode::VerifyCa) {
        cell.text = ConnectionsModel::tr("verify CA");
    } else if (*mode == TlsMode::Require) {
        cell.text = ConnectionsModel::tr("not verified");
        cell.iconRole = Role::Lagging;
    } else {
        cell.text = ConnectionsModel::tr("none");
        cell.icon = QStringLiteral("object-unlocked");
        cell.iconRole = parsed->loopback() ? Role::Secondary : Role::Lagging;
    }
    return cell;
}

CellInfo testCell(const ConnectionRow& row)
{
    CellInfo cell;
    cell.role = Role::Secondary;
    if (!row.test || row.test->url != text(row.def.url)) {
        cell.text = ConnectionsModel::tr("never");
        cell.role = Role::Tertiary;
        return cell;
    }
    const LastTest& test = *row.test;
    cell.text = whenShort(test.atMs, QDateTime::currentMSecsSinceEpoch());
    cell.icon = QStringLiteral("dialog-ok-apply");
    cell.iconRole = Role::Verified;
    if (test.failed > 0) {
        cell.icon = QStringLiteral("data-error");
        cell.iconRole = Role::Failed;
        cell.text = test.failure;
    } else if (test.warnings > 0) {
        cell.icon = QStringLiteral("data-warning");
        cell.iconRole = Role::Lagging;
        cell.text = ConnectionsModel::tr("%n finding(s)", nullptr, test.warnings);
    }
    return cell;
}

} // namespace

std::optional<LastTest> LastTest::read(const QSettings& settings, const QString& connection)
{
    const QStringList parts = settings.value(settingsKey(connection)).toStringList();
    if (parts.size() != 7)
        return std::nullopt;
    return LastTest{parts[0].toLongLong(), parts[1].toInt(), parts[2].toInt(), parts[3].toInt(), parts[4], parts[5], parts[6]};
}

void LastTest::write(QSettings& settings, const QString& connection) const
{
    settings.setValue(settingsKey(connection),
        QStringList{QString::number(atMs), QString::number(passed), QString::number(warnings), QString::number(failed), server, url, failure});
}

const ConnectorSpec* specOf(const std::vector<ConnectorSpec>& specs, const std::string& url)
{
    const auto parsed = parseUrl(url);
    if (!parsed)
        return nullptr;
    for (const ConnectorSpec& spec : specs)
        if (std::find(spec.schemes.begin(), spec.schemes.end(), parsed->scheme) != spec.schemes.end())
            return &spec;
    return nullptr;
}

QString placeOf(const std::string& url, const ConnectorSpec* spec)
{
    const auto parsed = parseUrl(url);
    if (!parsed)
        return {};
    if (parsed->hosts.empty())
        return text(parsed->path);
    QStringList hosts;
    for (const auto& host : parsed->hosts)
        hosts << hostText(host, spec && parsed->scheme != "mongodb+srv" ? spec->defaultPort : std::uint16_t{0});
    return hosts.join(QStringLiteral(", "));
}

QString environmentName(const QString& code)
{
    if (code == QLatin1String("prod"))
        return ConnectionsModel::tr("production");
    if (code == QLatin1String("stage"))
        return ConnectionsModel::tr("staging");
    if (code == QLatin1String("dev"))
        return ConnectionsModel::tr("development");
    return ConnectionsModel::tr("local");
}

const ConnectorSpec* ConnectionsModel::spec(const ConnectionDef& def) const { return specOf(m_specs, def.url); }

bool ConnectionsModel::setRows(std::vector<ConnectionRow> rows)
{
    m_rows = std::move(rows);
    return arrange();
}

bool ConnectionsModel::setFilter(const QString& words, const QString& environment)
{
    m_words = words.trimmed();
    m_environment = environment;
    return arrange();
}

void ConnectionsModel::sort(int column, Qt::SortOrder order)
{
    m_sortColumn = column;
    m_sortOrder = order;
    arrange();
}

bool ConnectionsModel::arrange()
{
    std::array<std::vector<int>, 2> shown;
    const QStringList wanted = m_words.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    for (int i = 0; i < total(); ++i) {
        const ConnectionRow& row = m_rows[std::size_t(i)];
        const ConnectorSpec* kind = spec(row.def);
        if (!m_environment.isEmpty() && text(row.def.environment) != m_environment)
            continue;
        const QString all = text(row.def.name) + QLatin1Char(' ') + text(row.def.url) + QLatin1Char(' ') + environmentName(text(row.def.environment))
            + QLatin1Char(' ') + (kind ? text(kind->label) : QString());
        if (std::any_of(wanted.begin(), wanted.end(), [&](const QString& word) { return !all.contains(word, Qt::CaseInsensitive); }))
            continue;
        shown[kind && kind->target && !kind->source ? 1 : 0].push_back(i);
    }
    const auto key = [this](int i) {
        const ConnectionRow& row = m_rows[std::size_t(i)];
        if (m_sortColumn <= Name)
            return text(row.def.name);
        if (m_sortColumn == Used)
            return QStringLiteral("%1").arg(row.users.size(), 6, 10, QLatin1Char('0'));
        return cell(row, m_sortColumn).value<CellInfo>().text;
    };
    for (auto& section : shown)
        std::stable_sort(section.begin(), section.end(), [&](int a, int b) {
            const int compared = QString::localeAwareCompare(key(a), key(b));
            return m_sortOrder == Qt::DescendingOrder && m_sortColumn >= 0 ? compared > 0 : compared < 0;
        });
    QStringList order;
    for (const auto& section : shown) {
        for (const int i : section)
            order << text(m_rows[std::size_t(i)].def.name);
        order << QString();
    }
    if (order == m_order) {
        m_shown = shown;
        for (int section = 0; section < 2; ++section)
            if (const QModelIndex head = index(section, 0); rowCount(head) > 0)
                emit dataChanged(index(0, 0, head), index(rowCount(head) - 1, ColumnCount - 1, head));
        return false;
    }
    beginResetModel();
    m_order = order;
    m_shown = std::move(shown);
    endResetModel();
    return true;
}

int ConnectionsModel::count(const QString& environment) const
{ return int(std::count_if(m_rows.begin(), m_rows.end(), [&](const ConnectionRow& row) { return text(row.def.environment) == environment; })); }

const ConnectionRow* ConnectionsModel::row(const QModelIndex& at) const
{
    if (!at.isValid() || at.internalId() == 0)
        return nullptr;
    const auto& section = m_shown[at.internalId() - 1];
    return at.row() < int(section.size()) ? &m_rows[std::size_t(section[std::size_t(at.row())])] : nullptr;
}

QModelIndex ConnectionsModel::find(const QString& name) const
{
    for (std::size_t section = 0; section < 2; ++section)
        for (std::size_t i = 0; i < m_shown[section].size(); ++i)
            if (text(m_rows[std::size_t(m_shown[section][i])].def.name) == name)
                return createIndex(int(i), 0, quintptr(section + 1));
    return {};
}

QModelIndex ConnectionsModel::index(int row, int column, const QModelIndex& parent) const
{
    if (row < 0 || column < 0 || column >= ColumnCount || row >= rowCount(parent))
        return {};
    return createIndex(row, column, parent.isValid() ? quintptr(parent.row() + 1) : quintptr(0));
}

QModelIndex ConnectionsModel::parent(const QModelIndex& child) const
{ return child.isValid() && child.internalId() != 0 ? createIndex(int(child.internalId()) - 1, 0, quintptr(0)) : QModelIndex(); }

int ConnectionsModel::rowCount(const QModelIndex& parent) const
{
    if (!parent.isValid())
        return 2;
    return parent.internalId() == 0 && parent.column() == 0 ? int(m_shown[std::size_t(parent.row())].size()) : 0;
}

Qt::ItemFlags ConnectionsModel::flags(const QModelIndex& at) const
{ return !at.isValid() ? Qt::NoItemFlags : at.internalId() == 0 ? Qt::ItemIsEnabled : Qt::ItemIsEnabled | Qt::ItemIsSelectable; }

QVariant ConnectionsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole && section == Used)
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    const QString names[] = {tr("Name"), tr("Environment"), tr("Type"), tr("Host"), tr("TLS"), tr("Used"), tr("Last test")};
    return names[section];
}

QVariant ConnectionsModel::cell(const ConnectionRow& row, int column) const
{
    CellInfo c;
    const ConnectorSpec* kind = spec(row.def);
    const QString environment = text(row.def.environment);
    switch (column) {
    case Name:
        c.text = text(row.def.name);
        c.italic = row.edited;
        if (row.edited)
            c.pills << PillInfo{tr("edited"), {}, Role::Lagging, Role::WarningBorder, Role::WarningTint};
        break;
    case Environment:
        c.text = environmentName(environment);
        c.role = environmentText(environment);
        break;
    case Type: {
        c.role = Role::Secondary;
        c.text = kind ? shortLabel(kind->label) : tr("unknown");
        static const QRegularExpression number(QStringLiteral("^\\d+(\\.\\d+)?"));
        if (row.test && row.test->url == text(row.def.url))
            if (const auto version = number.match(row.test->server); version.hasMatch())
                c.text += QLatin1Char(' ') + version.captured();
        break;
    }
    case Host:
        c.text = placeOf(row.def.url, kind);
        c.mono = true;
        break;
    case Tls: c = tlsCell(row.def.url, kind); break;
    case Used:
        c.text = QString::number(row.users.size());
        c.right = true;
        break;
    case Test: c = testCell(row); break;
    default: break;
    }
    return QVariant::fromValue(c);
}

QVariant ConnectionsModel::data(const QModelIndex& at, int role) const
{
    if (!at.isValid())
        return {};
    if (at.internalId() == 0) {
        const QString words = at.row() == 0 ? tr("Sources") : tr("Targets");
        if (role == Qt::DisplayRole || role == Qt::AccessibleTextRole)
            return at.column() == 0 ? words : QString();
        if (role == RowTintRole)
            return int(Role::Alternate);
        if (role != CellRole)
            return {};
        CellInfo c;
        c.section = true;
        if (at.column() == 0)
            c.text = words.toUpper();
        if (at.column() == Used) {
            c.text = QString::number(m_shown[std::size_t(at.row())].size());
            c.right = true;
        }
        return QVariant::fromValue(c);
    }
    const ConnectionRow* shown = row(at);
    if (!shown)
        return {};
    switch (role) {
    case CellRole: return cell(*shown, at.column());
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole: return cell(*shown, at.column()).value<CellInfo>().text;
    case StripeRole: return int(environmentStripe(text(shown->def.environment)));
    case Qt::ToolTipRole:
        if (at.column() == Used && !shown->users.isEmpty())
            return shown->users.join(QStringLiteral(", "));
        if (at.column() == Test && shown->test)
            return tr("%1: %2 passed, %3 warnings, %4 failed").arg(wholeTime(shown->test->atMs)).arg(shown->test->passed).arg(shown->test->warnings).arg(shown->test->failed);
        return {};
    default: return {};
    }
}

} // namespace millrace::ui
