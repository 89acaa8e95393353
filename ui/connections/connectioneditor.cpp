#include "ui/connections/connectioneditor.h"
#include "ui/connections/connectionsmodel.h"
#include "ui/connections/secretplace.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/iconlabel.h"
#include "ui/widgets/look.h"
#include "ui/widgets/stripe.h"
#include <QComboBox>
#include <QEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QRegularExpression>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
namespace {

//! A form that scrolls when there is no room, is as wide as it must be and wants to be as high as it is.
class FormArea final : public QScrollArea {
public:
    FormArea(QWidget* page, QWidget* parent) : QScrollArea(parent)
    {
        setWidgetResizable(true);
        setFrameShape(QFrame::NoFrame);
        setFocusPolicy(Qt::NoFocus);
        setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        page->setAttribute(Qt::WA_StyledBackground);
        page->setProperty("surface", "base");
        setWidget(page);
    }
    QSize sizeHint() const override { return {widget()->sizeHint().width(), std::min(widget()->sizeHint().height(), kFormHeight)}; }
    QSize minimumSizeHint() const override { return {widget()->minimumSizeHint().width() + 12, 90}; }
protected:
    bool eventFilter(QObject* watched, QEvent* event) override
    {
        if (watched == widget() && event->type() == QEvent::LayoutRequest)
            updateGeometry();
        return QScrollArea::eventFilter(watched, event);
    }
private:
    static constexpr int kFormHeight = 400;
};

} // namespace

ConnectionEditor::ConnectionEditor(QWidget* parent)
    : QWidget(parent), m_stripe(new Stripe(this)), m_form(new ConnectorForm(this)), m_place(new SecretPlace(this)), m_name(new QLineEdit(this)),
      m_environment(new QComboBox(this)), m_type(new QComboBox(this)), m_tabs(new QTabBar(this)), m_pages(new QStackedWidget(this))
{
    m_form->hide();                                               // its pages are placed in the tabs
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_stripe);
    column->addWidget(makeHead());
    m_tabs->addTab(tr("General"));
    m_tabs->addTab(tr("TLS"));
    m_tabs->addTab(tr("Advanced"));
    m_tabs->addTab(tr("Used by (0)"));
    m_tabs->setExpanding(false);
    m_tabs->setAccessibleName(tr("Parts of the connection"));
    column->addWidget(m_tabs);
    column->addWidget(makeLine(Qt::Horizontal, this));
    m_pages->addWidget(new FormArea(makeGeneral(), this));
    for (const char* group : {"tls", "advanced"}) {
        auto* page = new QWidget(this);
        auto* rows = new QVBoxLayout(page);
        rows->setContentsMargins(14, 12, 14, 12);
        rows->addWidget(m_form->group(QString::fromLatin1(group)));
        rows->addStretch(1);
        m_pages->addWidget(new FormArea(page, this));
    }
    m_usersPage = new QWidget(this);
    auto* users = new QVBoxLayout(m_usersPage);
    users->setContentsMargins(14, 12, 14, 12);
    users->setSpacing(4);
    m_usedNone = makeLabel(tr("No sync reads from this connection or writes to it."), "secondary", m_usersPage);
    users->addWidget(m_usedNone);
    users->addStretch(1);
    m_pages->addWidget(new FormArea(m_usersPage, this));
    column->addWidget(m_pages, 1);
    connect(m_tabs, &QTabBar::currentChanged, m_pages, &QStackedWidget::setCurrentIndex);
    connect(m_form, &ConnectorForm::connectorChanged, this, &ConnectionEditor::connectorChanged);
    connect(m_form, &ConnectorForm::edited, this, [this] {
        if (!m_form->typedSecrets().empty())
            m_place->setKept();
        touched();
    });
    connect(m_place, &SecretPlace::edited, this, [this] {
        if (auto* field = m_form->group(QStringLiteral("general"))->findChild<QLineEdit*>(text(secretKey())); field && !m_place->keptByMillrace())
            field->clear();                                       // a secret that is elsewhere is not typed here
        touched();
    });
}

QWidget* ConnectionEditor::makeHead()
{
    auto* head = new QWidget(this);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(14, 9, 14, 5);
    row->setSpacing(8);
    row->addWidget(new IconLabel(QStringLiteral("server-database"), 22, Role::Text, head));
    m_title = new ElidedLabel({}, "title", head);
    row->addWidget(m_title);
    m_pill = makePill({}, "local", head);
    row->addWidget(m_pill);
    m_readOnly = makePill(tr("read only"), "good", head);
    m_readOnly->setToolTip(tr("Millrace reads from sources and writes nothing to them"));
    row->addWidget(m_readOnly);
    row->addStretch(1);
    m_unused = makeLabel(tr("used by no sync"), "secondary", head);
    row->addWidget(m_unused);
    m_used = makeButton({}, {}, "link", head);
    connect(m_used, &QPushButton::clicked, this, [this] { setTab(UsedBy); });
    row->addWidget(m_used);
    m_delete = makeButton(tr("Delete"), QStringLiteral("edit-delete"), nullptr, head);
    setAccessible(m_delete, tr("Delete this connection"));
    connect(m_delete, &QPushButton::clicked, this, &ConnectionEditor::deleteWanted);
    row->addWidget(m_delete);
    return head;
}

QWidget* ConnectionEditor::makeGeneral()
{
    auto* page = new QWidget(this);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(14, 12, 14, 12);
    rows->setSpacing(7);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(7);
    grid->setColumnStretch(1, 3);
    grid->setColumnStretch(3, 2);
    grid->setColumnMinimumWidth(0, 92);
    const auto label = [&](const QString& words, QWidget* buddy) {
        auto* made = makeLabel(words, "secondary", page);
        made->setBuddy(buddy);
        return made;
    };
    grid->addWidget(label(tr("URL"), m_form->urlField()), 0, 0);
    grid->addWidget(m_form->urlField(), 0, 1, 1, 3);
    m_hint = makeLabel({}, "caption", page);
    m_hint->setWordWrap(true);
    grid->addWidget(m_hint, 1, 1, 1, 3);
    m_name->setPlaceholderText(tr("what you call it"));
    setAccessible(m_name, tr("Name"), tr("A saved connection keeps its name; duplicate it to give it another."));
    connect(m_name, &QLineEdit::textEdited, this, [this](const QString& words) { m_nameGiven = !words.isEmpty(); touched(); });
    grid->addWidget(label(tr("Name"), m_name), 2, 0);
    grid->addWidget(m_name, 2, 1);
    const std::pair<const char*, QString> environments[] = {{"prod", tr("Production")}, {"stage", tr("Staging")}, {"dev", tr("Development")}, {"local", tr("Local")}};
    for (const auto& [code, words] : environments)
        m_environment->addItem(words, QString::fromLatin1(code));
    for (QComboBox* box : {m_environment, m_type})
        box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setAccessible(m_environment, tr("Environment"), tr("Production asks for names to be typed before anything is taken away there."));
    connect(m_environment, &QComboBox::activated, this, [this] { m_environmentGiven = true; touched(); });
    grid->addWidget(label(tr("Environment"), m_environment), 2, 2);
    grid->addWidget(m_environment, 2, 3);
    setAccessible(m_type, tr("Type"));
    connect(m_type, &QComboBox::activated, this, [this] { m_form->setConnector(m_type->currentData().toString()); });
    grid->addWidget(label(tr("Type"), m_type), 3, 0);
    grid->addWidget(m_type, 3, 1);
    m_file = makeButton(tr("Choose file…"), QStringLiteral("document-open"), nullptr, page);
    connect(m_file, &QPushButton::clicked, this, &ConnectionEditor::chooseFile);
    grid->addWidget(m_file, 3, 3, Qt::AlignLeft);
    rows->addLayout(grid);
    rows->addWidget(m_form->group(QStringLiteral("general")));
    rows->addWidget(m_place);
    rows->addStretch(1);
    return page;
}

void ConnectionEditor::setConnectors(std::vector<ConnectorSpec> specs)
{
    m_specs = specs;
    m_form->setConnectors(std::move(specs));
    m_type->clear();
    for (const bool target : {false, true})
        for (const ConnectorSpec& spec : m_specs)
            if ((spec.target && !spec.source) == target)
                m_type->addItem(shortLabel(spec.label), text(spec.id));
    m_type->setMinimumWidth(m_type->sizeHint().width());          // its own least width was settled while it was empty
}

std::string ConnectionEditor::secretKey() const
{
    if (const ConnectorSpec* spec = m_form->spec())
        for (const FieldSpec& field : spec->fields)
            if (field.kind == FieldSpec::Kind::Secret)
                return field.key;
    return {};
}

void ConnectionEditor::load(const ConnectionDef& saved, bool isNew, const ConnectionDraft* draft)
{
    m_loading = true;
    m_saved = saved;
    m_new = isNew;
    const ConnectionDef& shown = draft ? draft->def : saved;
    m_nameGiven = !shown.name.empty();
    m_environmentGiven = !isNew || draft;
    m_name->setText(text(shown.name));
    m_name->setReadOnly(!isNew);
    m_name->setToolTip(isNew ? tr("What you call it; other forms and the command line know it by this name.") : tr("A saved connection keeps its name; duplicate it to give it another."));
    m_environment->setCurrentIndex(std::max(0, m_environment->findData(text(shown.environment))));
    m_form->setUrl(text(shown.url));
    if (!m_form->spec() && m_type->count() > 0)
        m_form->setConnector(m_type->itemData(0).toString());
    const auto ref = shown.secrets.find(secretKey());
    m_place->set(ref == shown.secrets.end() ? SecretRef{} : ref->second);
    if (draft)
        for (const auto& [key, secret] : draft->typed)
            if (auto* field = m_form->group(QStringLiteral("general"))->findChild<QLineEdit*>(text(key)))
                field->setText(text(secret.reveal()));
    m_loading = false;
    connectorChanged();
    showWords();
}

void ConnectionEditor::startNew(const QString& url)
{
    ConnectionDef blank;
    load(blank, true);
    m_environmentGiven = false;
    if (!url.isEmpty()) {
        m_form->setUrl(url);
        if (!m_form->typedSecrets().empty())
            m_place->setKept();
        touched();
    }
    setTab(General);
}

void ConnectionEditor::connectorChanged()
{
    if (m_loading)
        return;
    const ConnectorSpec* spec = m_form->spec();
    if (spec)
        m_type->setCurrentIndex(m_type->findData(text(spec->id)));
    const QStringList groups = m_form->groups();
    m_tabs->setTabEnabled(Tls, groups.contains(QStringLiteral("tls")));
    m_tabs->setTabEnabled(Advanced, groups.contains(QStringLiteral("advanced")));
    m_place->setVisible(!secretKey().empty());
    const bool file = spec && std::any_of(spec->fields.begin(), spec->fields.end(), [](const FieldSpec& field) { return field.kind == FieldSpec::Kind::File && !field.option; });
    m_file->setVisible(file);
    // the fields are new widgets: the tab order follows what is seen
    QWidget* before = m_form->urlField();
    for (QWidget* next : {static_cast<QWidget*>(m_name), static_cast<QWidget*>(m_environment), static_cast<QWidget*>(m_type), static_cast<QWidget*>(m_file)}) {
        setTabOrder(before, next);
        before = next;
    }
    if (spec)
        for (const FieldSpec& field : spec->fields)
            if (field.group == "general")
                if (auto* editor = m_form->group(QStringLiteral("general"))->findChild<QWidget*>(text(field.key))) {
                    setTabOrder(before, editor);
                    before = editor;
                }
    setTabOrder(before, m_place->kind());
    setTabOrder(m_place->kind(), m_place->name());
}

QString ConnectionEditor::currentName() const { return m_name->text().trimmed(); }

// A name and an environment to start from, until they are given by hand
void ConnectionEditor::guess()
{
    if (!m_new || !m_form->problem().isEmpty())
        return;
    const auto url = parseUrl(m_form->url().toStdString());
    if (!url)
        return;
    if (!m_environmentGiven)
        m_environment->setCurrentIndex(m_environment->findData(url->loopback() ? QStringLiteral("local") : QStringLiteral("prod")));
    if (m_nameGiven)
        return;
    const bool isFile = url->hosts.empty();
    QString base = isFile ? QFileInfo(text(url->path)).completeBaseName() : url->path.empty() ? text(url->host()).section(QLatin1Char('.'), 0, 0) : text(url->path);
    if (base.isEmpty())
        base = text(url->scheme);
    base.replace(QRegularExpression(QStringLiteral("[^\\w-]+")), QStringLiteral("-"));
    QString name = base;
    for (int i = 2; m_taken.contains(name); ++i)
        name = QStringLiteral("%1-%2").arg(base).arg(i);
    m_name->setText(name);
}

void ConnectionEditor::touched()
{
    if (m_loading)
        return;
    guess();
    showWords();
    emit edited();
}

void ConnectionEditor::showWords()
{
    const QString environment = m_environment->currentData().toString();
    m_stripe->setEnvironment(environment, true);
    m_title->setText(currentName().isEmpty() ? tr("New connection") : currentName());
    m_pill->setText(environmentWord(environment));
    setLook(m_pill, "pill", environment);
    m_readOnly->setVisible(source());
    const QString wrong = m_form->url().isEmpty() ? QString() : m_form->problem();
    m_hint->setText(wrong.isEmpty() ? tr("URL and fields follow each other. The password is never part of the URL.") : wrong);
    setLook(m_hint, "look", wrong.isEmpty() ? "caption" : "error");
    m_delete->setEnabled(!m_new);
    if (const std::string key = secretKey(); !key.empty()) {
        m_form->setSecretHint(text(key), m_place->hint());
        if (auto* field = m_form->group(QStringLiteral("general"))->findChild<QWidget*>(text(key)))
            field->setEnabled(m_place->keptByMillrace());
    }
}

void ConnectionEditor::setUsers(const QStringList& syncs)
{
    m_used->setText(tr("used by %n sync(s)", nullptr, int(syncs.size())));
    m_used->setAccessibleName(m_used->text());
    m_used->setVisible(!syncs.isEmpty());
    m_unused->setVisible(syncs.isEmpty());
    m_tabs->setTabText(UsedBy, tr("Used by (%1)").arg(syncs.size()));
    if (m_users == syncs)
        return;
    m_users = syncs;
    qDeleteAll(m_usersPage->findChildren<QPushButton*>());
    auto* rows = static_cast<QVBoxLayout*>(m_usersPage->layout());
    m_usedNone->setVisible(syncs.isEmpty());
    for (qsizetype i = 0; i < syncs.size(); ++i) {
        auto* link = makeButton(syncs[i], QStringLiteral("folder-sync"), "link", m_usersPage);
        setAccessible(link, tr("Show the sync %1").arg(syncs[i]));
        connect(link, &QPushButton::clicked, this, [this, name = syncs[i]] { emit syncWanted(name); });
        rows->insertWidget(int(i) + 1, link, 0, Qt::AlignLeft);
    }
}

ConnectionDraft ConnectionEditor::draft() const
{
    ConnectionDraft now;
    now.def = m_saved;
    now.def.name = m_new ? currentName().toStdString() : m_saved.name;
    now.def.url = m_form->url().toStdString();
    now.def.environment = m_environment->currentData().toString().toStdString();
    const std::string key = secretKey();
    if (key.empty())
        return now;
    const SecretRef ref = m_place->ref();
    if (ref.kind == SecretRef::Kind::None)
        now.def.secrets.erase(key);
    else
        now.def.secrets[key] = ref;
    if (m_place->keptByMillrace())
        now.typed = m_form->typedSecrets();
    return now;
}

bool ConnectionEditor::dirty() const
{
    const ConnectionDraft now = draft();
    if (!now.typed.empty())
        return true;
    return m_new ? !m_form->url().isEmpty() || m_nameGiven : !(now.def == m_saved);
}

QString ConnectionEditor::problem() const
{
    if (m_form->url().isEmpty())
        return tr("Paste a URL or fill in the fields.");
    if (!m_form->problem().isEmpty())
        return m_form->problem();
    if (const ConnectorSpec* spec = m_form->spec())
        for (const FieldSpec& field : spec->fields) {
            if (!field.required || field.kind == FieldSpec::Kind::Secret)
                continue;
            const auto* line = m_form->group(text(field.group))->findChild<QLineEdit*>(text(field.key));
            if (line && line->text().trimmed().isEmpty())
                return tr("Fill in the field %1.").arg(line->accessibleName());
        }
    if (!secretKey().empty() && !m_place->problem().isEmpty())
        return m_place->problem();
    if (currentName().isEmpty())
        return tr("Give the connection a name.");
    if (m_new && m_taken.contains(currentName()))
        return tr("There is a connection %1 already.").arg(currentName());
    return {};
}

bool ConnectionEditor::source() const { return m_form->spec() && m_form->spec()->source; }

void ConnectionEditor::setTab(Tab tab) { m_tabs->setCurrentIndex(tab); }

void ConnectionEditor::focusFirst()
{
    setTab(General);
    m_form->urlField()->setFocus(Qt::OtherFocusReason);
    m_form->urlField()->selectAll();
}

void ConnectionEditor::chooseFile()
{
    auto* dialog = new QFileDialog(this, tr("Choose the database file"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(source() ? QFileDialog::ExistingFile : QFileDialog::AnyFile);
    dialog->setOption(QFileDialog::DontConfirmOverwrite);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        ConnectionUrl url;
        url.scheme = m_form->spec() ? m_form->spec()->schemes.front() : "sqlite";
        url.path = path.toStdString();
        m_form->setUrl(text(url.text()));
        touched();
    });
    dialog->open();
}

} // namespace millrace::ui
