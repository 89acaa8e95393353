#include "ui/widgets/connectorform.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include <QCheckBox>
#include <QComboBox>
#include <QCoreApplication>
#include <QGridLayout>
#include <QIntValidator>
#include <QLineEdit>
#include <algorithm>

namespace millrace::ui {
namespace {

// Labels come from the connectors in English; faces translate them
QString words(const std::string& english) { return QCoreApplication::translate("Connector", english.c_str()); }

bool isSecret(const FieldSpec& spec) { return spec.kind == FieldSpec::Kind::Secret; }

// host and port, user and password stand side by side
bool narrow(const FieldSpec& spec) { return spec.kind == FieldSpec::Kind::Port || spec.kind == FieldSpec::Kind::Flag; }

} // namespace

ConnectorForm::ConnectorForm(QWidget* parent) : QWidget(parent), m_url(new QLineEdit(this))
{
    m_url->setProperty("look", "code");
    m_url->setAccessibleName(tr("URL"));
    m_url->setPlaceholderText(QStringLiteral("mysql://user@host:3306/database"));
    connect(m_url, &QLineEdit::textEdited, this, &ConnectorForm::urlTyped);
}

QWidget* ConnectorForm::group(const QString& name)
{
    QWidget*& page = m_groups[name];
    if (!page) {
        page = new QWidget(this);
        auto* grid = new QGridLayout(page);
        grid->setContentsMargins(0, 0, 0, 0);
        grid->setHorizontalSpacing(8);
        grid->setVerticalSpacing(7);
        grid->setColumnStretch(1, 3);
        grid->setColumnStretch(3, 2);
        grid->setColumnMinimumWidth(0, 92);
    }
    return page;
}

QStringList ConnectorForm::groups() const
{
    QStringList names;
    for (const Field& field : m_fields)
        if (!names.contains(text(field.spec.group)))
            names << text(field.spec.group);
    return names;
}

void ConnectorForm::build(const ConnectorSpec* wanted)
{
    if (wanted == m_spec)
        return;
    m_spec = wanted;
    for (Field& field : m_fields)
        delete field.editor;
    m_fields.clear();
    for (QWidget* page : std::as_const(m_groups))
        qDeleteAll(page->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    if (!wanted)
        return emit connectorChanged();
    QMap<QString, int> used;                                      // cells taken per group, two fields to a line
    for (const FieldSpec& spec : wanted->fields) {
        const QString groupName = text(spec.group);
        auto* page = group(groupName);
        auto* grid = static_cast<QGridLayout*>(page->layout());
        Field field{spec, nullptr};
        if (spec.kind == FieldSpec::Kind::Choice) {
            auto* box = new QComboBox(page);
            box->addItem(spec.defaultValue.empty() ? tr("default") : tr("default (%1)").arg(text(spec.defaultValue)), QString());
            for (const std::string& choice : spec.choices)
                box->addItem(text(choice), text(choice));
            connect(box, &QComboBox::activated, this, &ConnectorForm::fieldsTyped);
            field.editor = box;
        } else if (spec.kind == FieldSpec::Kind::Flag) {
            auto* box = new QCheckBox(words(spec.label), page);
            connect(box, &QCheckBox::clicked, this, &ConnectorForm::fieldsTyped);
            field.editor = box;
        } else {
            auto* line = new QLineEdit(page);
            line->setPlaceholderText(text(spec.placeholder.empty() ? spec.defaultValue : spec.placeholder));
            if (isSecret(spec))
                line->setEchoMode(QLineEdit::Password);
            if (spec.kind == FieldSpec::Kind::Port)
                line->setValidator(new QIntValidator(1, 65535, line));
            connect(line, &QLineEdit::textEdited, this, &ConnectorForm::fieldsTyped);
            field.editor = line;
        }
        setAccessible(field.editor, words(spec.label), words(spec.help));
        field.editor->setObjectName(text(spec.key));
        field.editor->setToolTip(words(spec.help));
        int& at = used[groupName];
        const bool wide = !narrow(spec) && (spec.kind == FieldSpec::Kind::File || spec.kind == FieldSpec::Kind::Host);
        if (wide && at % 2 == 1 && spec.kind == FieldSpec::Kind::File)
            ++at;
        const int line = at / 2, column = at % 2 * 2;
        if (spec.kind != FieldSpec::Kind::Flag) {
            auto* label = makeLabel(words(spec.label) + (spec.required ? QStringLiteral(" *") : QString()), "secondary", page);
            label->setBuddy(field.editor);
            grid->addWidget(label, line, column);
            label->show();
        }
        grid->addWidget(field.editor, line, column + 1, 1, spec.kind == FieldSpec::Kind::File ? 3 : 1);
        field.editor->show();                                     // at once: a layout would do it later, and Tab would pass it by
        at += spec.kind == FieldSpec::Kind::File ? 2 : 1;
        m_fields.push_back(std::move(field));
    }
    emit connectorChanged();
}

void ConnectorForm::setUrl(const QString& url)
{
    for (const Field& field : m_fields)
        if (isSecret(field.spec))
            static_cast<QLineEdit*>(field.editor)->clear();       // a secret never travels to the next connection
    if (url.isEmpty()) {
        m_parts = {};
        build(nullptr);
    }
    m_url->setText(url);
    m_filling = true;
    urlTyped();
    m_filling = false;
}

void ConnectorForm::setConnector(const QString& id)
{
    const auto wanted = std::find_if(m_specs.begin(), m_specs.end(), [&](const ConnectorSpec& spec) { return text(spec.id) == id; });
    if (wanted == m_specs.end() || &*wanted == m_spec)
        return;
    const bool blank = m_parts.scheme.empty();
    const auto file = [](const ConnectorSpec& spec) { return spec.defaultPort == 0; };
    if (m_spec && (file(*m_spec) || file(*wanted)))
        m_parts = {};
    if (m_spec && m_spec->defaultPort != wanted->defaultPort)
        for (auto& [host, port] : m_parts.hosts)
            port = 0;
    std::erase_if(m_parts.options, [&](const auto& option) {
        return std::none_of(wanted->fields.begin(), wanted->fields.end(), [&](const FieldSpec& field) { return field.option && field.key == option.first; });
    });
    m_parts.scheme = wanted->schemes.front();
    build(&*wanted);
    fillFields(m_parts);
    if (blank) {
        setProblem(tr("The URL is empty."));
    } else {
        m_url->setText(text(m_parts.text()));
        const auto parsed = parseUrl(m_url->text().toStdString());
        setProblem(parsed ? QString() : text(parsed.error().detail));
    }
    emit edited();
}

QString ConnectorForm::url() const { return m_url->text().trimmed(); }

void ConnectorForm::setProblem(const QString& what)
{
    m_problem = what;
    setLook(m_url, "state", what.isEmpty() || m_url->text().isEmpty() ? "" : "error");
    m_url->setToolTip(what);
}

void ConnectorForm::urlTyped()
{
    Secret password;
    auto parsed = parseUrl(m_url->text().trimmed().toStdString(), &password);
    if (!parsed) {
        setProblem(text(parsed.error().detail));
        if (!m_filling)
            emit edited();
        return;
    }
    const ConnectorSpec* match = nullptr;
    for (const ConnectorSpec& spec : m_specs)
        if (std::find(spec.schemes.begin(), spec.schemes.end(), parsed->scheme) != spec.schemes.end())
            match = &spec;
    m_parts = *parsed;
    build(match);
    if (!match)
        setProblem(tr("No connector for the scheme “%1”.").arg(text(parsed->scheme)));
    else if (auto checked = checkOptions(*parsed, *match); !checked)
        setProblem(text(checked.error().detail));
    else
        setProblem({});
    fillFields(*parsed);
    if (!password.empty()) {
        for (const Field& field : m_fields)
            if (isSecret(field.spec)) {
                static_cast<QLineEdit*>(field.editor)->setText(text(password.reveal()));
                break;
            }
        m_url->setText(text(parsed->text()));                     // the secret leaves the line at once
    }
    if (!m_filling)
        emit edited();
}

void ConnectorForm::setValue(const Field& field, const QString& what)
{
    if (auto* box = qobject_cast<QComboBox*>(field.editor))
        box->setCurrentIndex(std::max(0, box->findData(what)));
    else if (auto* check = qobject_cast<QCheckBox*>(field.editor))
        check->setChecked(what.isEmpty() ? field.spec.defaultValue == "true" : what == QLatin1String("true") || what == QLatin1String("1"));
    else if (auto* line = qobject_cast<QLineEdit*>(field.editor); line && line->text() != what)
        line->setText(what);
}

QString ConnectorForm::value(const Field& field) const
{
    if (auto* box = qobject_cast<QComboBox*>(field.editor))
        return box->currentData().toString();
    if (auto* check = qobject_cast<QCheckBox*>(field.editor))
        return check->isChecked() == (field.spec.defaultValue == "true") ? QString() : check->isChecked() ? QStringLiteral("true") : QStringLiteral("false");
    return static_cast<QLineEdit*>(field.editor)->text();
}

void ConnectorForm::fillFields(const ConnectionUrl& url)
{
    for (const Field& field : m_fields) {
        if (isSecret(field.spec))
            continue;
        if (field.spec.option) {
            const auto it = url.options.find(field.spec.key);
            setValue(field, it == url.options.end() ? QString() : text(it->second));
            continue;
        }
        switch (field.spec.kind) {
        case FieldSpec::Kind::Host: {
            QStringList hosts;
            for (const auto& [host, port] : url.hosts)
                hosts << (url.hosts.size() > 1 && port ? text(host) + QLatin1Char(':') + QString::number(port) : text(host));
            setValue(field, hosts.join(QLatin1Char(',')));
            break;
        }
        case FieldSpec::Kind::Port: setValue(field, url.hosts.size() == 1 && url.hosts[0].second ? QString::number(url.hosts[0].second) : QString()); break;
        case FieldSpec::Kind::User: setValue(field, text(url.user)); break;
        case FieldSpec::Kind::Database:
        case FieldSpec::Kind::File: setValue(field, text(url.path)); break;
        default: break;
        }
    }
}

void ConnectorForm::fieldsTyped()
{
    if (!m_spec)
        return;
    ConnectionUrl next = m_parts;
    if (next.scheme.empty())
        next.scheme = m_spec->schemes.front();
    QString host;
    std::uint16_t port = 0;
    for (const Field& field : m_fields) {
        if (isSecret(field.spec))
            continue;
        const std::string now = value(field).trimmed().toStdString();
        if (field.spec.option) {
            if (now.empty())
                next.options.erase(field.spec.key);
            else
                next.options[field.spec.key] = now;
            continue;
        }
        switch (field.spec.kind) {
        case FieldSpec::Kind::Host: host = value(field).trimmed(); break;
        case FieldSpec::Kind::Port: port = static_cast<std::uint16_t>(value(field).toUInt()); break;
        case FieldSpec::Kind::User: next.user = now; break;
        case FieldSpec::Kind::Database:
        case FieldSpec::Kind::File: next.path = now; break;
        default: break;
        }
    }
    next.hosts.clear();
    const QStringList hosts = host.split(QLatin1Char(','), Qt::SkipEmptyParts);
    for (const QString& one : hosts) {
        const qsizetype colon = one.lastIndexOf(QLatin1Char(':'));
        if (hosts.size() > 1 && colon > 0)
            next.hosts.emplace_back(one.left(colon).trimmed().toStdString(), static_cast<std::uint16_t>(one.mid(colon + 1).toUInt()));
        else
            next.hosts.emplace_back(one.trimmed().toStdString(), hosts.size() == 1 ? port : std::uint16_t{0});
    }
    m_parts = next;
    m_url->setText(text(next.text()));
    auto parsed = parseUrl(next.text());
    auto checked = checkOptions(next, *m_spec);
    setProblem(!parsed ? text(parsed.error().detail) : !checked ? text(checked.error().detail) : QString());
    emit edited();
}

std::map<std::string, Secret> ConnectorForm::typedSecrets() const
{
    std::map<std::string, Secret> typed;
    for (const Field& field : m_fields)
        if (isSecret(field.spec) && !value(field).isEmpty())
            typed.emplace(field.spec.key, Secret(value(field).toStdString()));
    return typed;
}

void ConnectorForm::setSecretHint(const QString& key, const QString& placeholder)
{
    for (const Field& field : m_fields)
        if (text(field.spec.key) == key) {
            static_cast<QLineEdit*>(field.editor)->setPlaceholderText(placeholder);
            field.editor->setToolTip(placeholder.isEmpty() ? words(field.spec.help) : placeholder);
        }
}

} // namespace millrace::ui
