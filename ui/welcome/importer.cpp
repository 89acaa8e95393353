#include "ui/welcome/importer.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/stripe.h"
#include "ui/widgets/toast.h"
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QStandardItemModel>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
namespace {

constexpr int kReadingMs = 300;                    // a file that is read at once flashes no word

enum Column { What, Change, Detail, ColumnCount };

QStandardItem* item(CellInfo cell)
{
    auto* made = new QStandardItem(cell.text);
    made->setEditable(false);
    made->setData(QVariant::fromValue(cell), CellRole);
    return made;
}

CellInfo words(const QString& text, Role role = Role::Text, bool mono = false)
{
    CellInfo cell;
    cell.text = text;
    cell.role = role;
    cell.mono = mono;
    return cell;
}

bool has(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

QString syncWords(const SyncDef& def)
{
    QString what = QStringLiteral("%1 → %2").arg(text(def.source), text(def.target));
    if (def.continuous)
        what += Importer::tr(", continuous");
    else
        what += def.every.empty() ? Importer::tr(", by hand") : Importer::tr(", every %1").arg(text(def.every));
    QStringList tables;
    for (const TableRule& rule : def.tables)
        tables << text(rule.name);
    return tables.isEmpty() ? what : what + QStringLiteral("; ") + tables.join(QStringLiteral(", "));
}

} // namespace

Importer::Importer(const Context& context, QWidget* parent) : QDialog(parent), m_context(context), m_model(new QStandardItemModel(this))
{
    setWindowTitle(tr("Import settings"));
    resize(760, 460);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(0);
    m_stripe = new Stripe(this);
    outer->addWidget(m_stripe);
    auto* column = new QVBoxLayout;
    column->setContentsMargins(16, 14, 16, 14);
    column->setSpacing(10);
    outer->addLayout(column);
    column->addWidget(makeLabel(tr("Import settings"), "title", this));
    auto* file = new QHBoxLayout;
    m_path = makeLabel(tr("No file chosen"), "code", this);
    m_path->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    file->addWidget(m_path, 1);
    auto* other = makeButton(tr("Choose file…"), QStringLiteral("document-open"), nullptr, this);
    connect(other, &QPushButton::clicked, this, [this] { openFile({}); });
    file->addWidget(other);
    column->addLayout(file);
    m_banner = new Banner(this);
    column->addWidget(m_banner);
    m_list = new DataTree(tr("What would be added or changed"), {}, nullptr, true, this);
    m_list->setProperty("framed", "true");
    m_model->setColumnCount(ColumnCount);
    m_model->setHorizontalHeaderLabels({tr("Setting"), tr("Change"), tr("What it says")});
    m_list->setModel(m_model);
    m_list->setDefaultWidths({190, 100, 380});
    column->addWidget(m_list, 1);
    m_notes = makeLabel({}, "secondary", this);
    m_notes->setWordWrap(true);
    m_notes->hide();
    column->addWidget(m_notes);
    auto* foot = new QHBoxLayout;
    foot->setSpacing(8);
    m_sum = makeLabel({}, "caption", this);
    m_sum->setWordWrap(true);
    foot->addWidget(m_sum, 1);
    m_cancel = makeButton(tr("Cancel"), {}, nullptr, this);
    m_apply = makeButton(tr("Apply"), {}, "main", this);
    foot->addWidget(m_cancel);
    foot->addWidget(m_apply);
    column->addLayout(foot);
    connect(m_cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_apply, &QPushButton::clicked, this, &Importer::apply);
    m_apply->setEnabled(false);
    say(tr("Choose a sync file or a .env."));
}

void Importer::say(const QString& what) { m_sum->setText(what); }

void Importer::openFile(const QString& path)
{
    if (!path.isEmpty())
        return read(path);
    auto* dialog = new QFileDialog(this, tr("Choose a sync file or a .env"), QString(), tr("Settings (*.yml *.yaml *.env .env);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setFilter(dialog->filter() | QDir::Hidden);
    connect(dialog, &QFileDialog::fileSelected, this, &Importer::read);
    dialog->open();
}

void Importer::read(const QString& path)
{
    m_path->setText(path);
    m_path->setToolTip(path);
    m_banner->hide();
    m_notes->hide();
    m_model->removeRows(0, m_model->rowCount());
    m_apply->setEnabled(false);
    m_stripe->setEnvironment({});
    say({});
    QTimer::singleShot(kReadingMs, this, [this] { if (m_sum->text().isEmpty()) say(tr("Reading…")); });
    if (!m_context.readFile)
        return m_banner->say(Banner::Kind::Error, tr("This build cannot read settings files."));
    m_context.calls.run(this, [reader = m_context.readFile, path](Engine& engine) -> Result<Preview> {
        Preview preview;
        auto file = reader(path.toStdString(), preview.typed);
        if (!file)
            return file.error();
        auto report = engine.apply(*file, preview.typed, true);
        if (!report)
            return report.error();
        preview.file = std::move(*file);
        preview.report = std::move(*report);
        return preview;
    }, [this](Result<Preview> preview) {
        if (preview)
            return showPreview(std::move(*preview));
        m_banner->say(preview.error(), tr("Choose another"), [this] { openFile({}); });
        say(tr("Nothing was imported."));
    });
}

void Importer::showPreview(Preview preview)
{
    m_preview = std::move(preview);
    const ApplyReport& report = m_preview.report;
    const auto change = [&](const std::string& name) {
        CellInfo cell = words(tr("same"), Role::Secondary);
        if (has(report.added, name)) {
            cell = words(tr("added"));
            cell.icon = QStringLiteral("list-add");
        } else if (has(report.changed, name)) {
            cell = words(tr("changed"));
            cell.icon = QStringLiteral("edit-rename");
        }
        return cell;
    };
    bool production = false;
    for (const ConnectionDef& def : m_preview.file.connections) {
        production = production || def.environment == "prod";
        CellInfo name = words(text(def.name));
        name.icon = QStringLiteral("server-database");
        name.iconRole = Role::Secondary;
        if (def.environment != "local")
            name.pills << PillInfo{environmentWord(text(def.environment)), {}, environmentText(text(def.environment)), Role::Line, std::nullopt};
        m_model->appendRow({item(name), item(change("connection " + def.name)), item(words(text(def.url), Role::Text, true))});
    }
    for (const SyncDef& def : m_preview.file.syncs) {
        CellInfo name = words(text(def.name));
        name.icon = QStringLiteral("folder-sync");
        name.iconRole = Role::Secondary;
        m_model->appendRow({item(name), item(change("sync " + def.name)), item(words(syncWords(def), Role::Secondary))});
    }
    QStringList notes;
    for (const Message& note : report.notes)
        notes << text(note.text);
    if (!m_preview.typed.empty())
        notes << tr("%n secret(s) of the file will be kept encrypted in this home.", nullptr, int(m_preview.typed.size()));
    m_notes->setText(notes.join(QLatin1Char('\n')));
    m_notes->setVisible(!notes.isEmpty());
    m_stripe->setEnvironment(production ? QStringLiteral("prod") : QString());
    const bool anything = !report.added.empty() || !report.changed.empty();
    m_apply->setEnabled(anything);
    say(anything ? tr("%1 added, %2 changed, %3 the same. Nothing is imported yet.").arg(report.added.size()).arg(report.changed.size()).arg(report.same.size())
                 : m_model->rowCount() == 0 ? tr("The file holds no settings.") : tr("Everything in this file is here already."));
    m_list->setCurrentIndex(m_model->index(0, 0));
    if (anything)
        m_apply->setFocus();
}

void Importer::apply()
{
    m_apply->setEnabled(false);
    m_apply->setText(tr("Applying…"));
    m_context.calls.run(this, [preview = m_preview](Engine& engine) { return engine.apply(preview.file, preview.typed, false); }, [this](Result<ApplyReport> done) {
        m_apply->setText(tr("Apply"));
        if (!done) {
            m_apply->setEnabled(true);
            return m_banner->say(done.error());
        }
        m_context.toasts.show(tr("%1 added, %2 changed.").arg(done->added.size()).arg(done->changed.size()));
        m_context.monitor.sampleNow();
        if (!m_preview.file.syncs.empty())
            m_context.go.showSync(text(m_preview.file.syncs.front().name));
        else if (!m_preview.file.connections.empty())
            m_context.go.showConnection(text(m_preview.file.connections.front().name));
        accept();
    });
}

void openImporter(const Context& context, QWidget* parent, const QString& path)
{
    auto* dialog = new Importer(context, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->show();
    dialog->openFile(path);
}

} // namespace millrace::ui
