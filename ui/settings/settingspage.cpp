#include "ui/shell/pages.h"
#include "ui/shell/translations.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/widgets/theme.h"
#include "ui/widgets/format.h"
#include "ui/widgets/toast.h"
#include <QComboBox>
#include <QCoreApplication>
#include <QGridLayout>
#include <QLocale>
#include <QScrollArea>
#include <QSpinBox>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

QString levelWord(std::string_view level)
{
    return level == "debug" ? QCoreApplication::translate("SettingsPage", "Everything") : level == "info" ? QCoreApplication::translate("SettingsPage", "What happens")
        : level == "warning" ? QCoreApplication::translate("SettingsPage", "Warnings and errors") : QCoreApplication::translate("SettingsPage", "Errors only");
}

//! A figure that the engine keeps under `key`; 0 means its own default.
struct Figure { const char* key; QSpinBox* box; };

class SettingsPage final : public Page {
    Q_DECLARE_TR_FUNCTIONS(SettingsPage)
public:
    SettingsPage(const Context& context, QWidget* parent);
    QString title() const override { return tr("Settings"); }
    QString iconName() const override { return QStringLiteral("configure"); }
    void activated() override;
private:
    QGridLayout* section(QVBoxLayout* column, const QString& title, const QString& hint);
    void addRow(QGridLayout* grid, const QString& label, QWidget* editor, const QString& hint = {});
    QSpinBox* figure(const char* key, int from, int to, int step, const QString& suffix, const QString& automatic);
    void load();
    void save(const std::string& key, const std::string& value, const QString& what);
    const Context& m_context;
    Banner* m_banner;
    std::vector<Figure> m_figures;
    QWidget* m_first = nullptr;
    QComboBox* m_level = nullptr;
    bool m_loading = false, m_loaded = false;
};

SettingsPage::SettingsPage(const Context& context, QWidget* parent) : Page(parent), m_context(context), m_banner(new Banner(this))
{
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto* area = new QScrollArea(this);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setFocusPolicy(Qt::NoFocus);
    auto* inner = new QWidget(area);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(32, 24, 32, 24);
    column->setSpacing(16);
    column->addWidget(makeLabel(tr("Settings"), "title"));
    column->addWidget(m_banner);
    inner->setMaximumWidth(820);

    QGridLayout* look = section(column, tr("Appearance"), tr("Kept for this home, applied at once."));
    auto* theme = new Segmented(tr("Theme"), {tr("As the system"), tr("Light"), tr("Dark")}, inner);
    theme->setCurrent(int(context.theme.appearance()));
    connect(theme, &Segmented::currentChanged, this, [this](int index) {
        m_context.settings.setValue(QStringLiteral("appearance"), index);
        m_context.theme.set(static_cast<Appearance>(index), m_context.theme.density());
    });
    connect(&context.theme, &Theme::changed, theme, [this, theme] { theme->setCurrent(int(m_context.theme.appearance())); });
    addRow(look, tr("Theme"), theme);
    m_first = theme;
    auto* density = new Segmented(tr("Rows"), {tr("Normal"), tr("Dense")}, inner);
    density->setCurrent(int(context.theme.density()));
    connect(density, &Segmented::currentChanged, this, [this](int index) {
        m_context.settings.setValue(QStringLiteral("density"), index);
        m_context.theme.set(m_context.theme.appearance(), static_cast<Density>(index));
    });
    addRow(look, tr("Rows"), density, tr("24 or 22 pixels high"));
    auto* language = new QComboBox(inner);
    language->addItem(tr("As the system"), QString());
    for (const QString& code : availableLanguages()) {
        const QString own = QLocale(code).nativeLanguageName();
        language->addItem(code == QLatin1String("en") ? QStringLiteral("English") : own.left(1).toUpper() + own.mid(1), code);
    }
    language->setCurrentIndex(std::max(0, language->findData(context.settings.value(QStringLiteral("language")))));
    connect(language, &QComboBox::activated, this, [this, language] {
        m_context.settings.setValue(QStringLiteral("language"), language->currentData());
        m_context.toasts.show(tr("The language changes at the next start."));
    });
    addRow(look, tr("Language"), language);

    QGridLayout* speed = section(column, tr("Performance"), tr("For all syncs of this home together. Applied at the next start."));
    addRow(speed, tr("Workers"), figure("engine.workers", 0, 64, 1, {}, tr("automatic")), tr("Tables and chunks that are worked on side by side"));

    QGridLayout* logs = section(column, tr("Logging"), tr("Files are kept in the folder “logs” of the home."));
    m_level = new QComboBox(inner);
    for (const char* level : {"debug", "info", "warning", "error"})
        m_level->addItem(levelWord(level), QString::fromLatin1(level));
    m_level->setCurrentIndex(1);
    connect(m_level, &QComboBox::activated, this, [this] { save("log.level", m_level->currentData().toString().toStdString(), tr("Log level")); });
    addRow(logs, tr("Log level"), m_level, tr("Passwords and row values are never logged"));

    QGridLayout* keep = section(column, tr("Retention"), tr("Older entries are removed once an hour."));
    addRow(keep, tr("Keep runs for"), figure("retention.history_days", 0, 3650, 10, tr(" days"), tr("90 days")));
    addRow(keep, tr("Keep at most"), figure("retention.history_runs", 0, 10'000'000, 1000, tr(" runs"), tr("10,000 runs")));
    addRow(keep, tr("Failed rows"), figure("retention.failures", 0, 10'000'000, 1000, tr(" rows"), tr("100,000 rows")), tr("Above this the oldest are dropped, and the log says so"));

    QGridLayout* place = section(column, tr("Home"), tr("Everything that Millrace knows is in this folder. One process owns it."));
    QLabel* path = makeLabel(text(context.home), "code");
    path->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    addRow(place, tr("Folder"), path);
    column->addStretch(1);
    area->setWidget(inner);
    outer->addWidget(area);
}

QGridLayout* SettingsPage::section(QVBoxLayout* column, const QString& title, const QString& hint)
{
    QFrame* card = makeSurface("card", this);
    auto* inner = new QVBoxLayout(card);
    inner->setContentsMargins(16, 12, 16, 14);
    inner->setSpacing(10);
    auto* head = new QHBoxLayout;
    head->setSpacing(10);
    head->addWidget(makeLabel(title, "section"));
    head->addWidget(makeLabel(hint, "caption"), 1);
    inner->addLayout(head);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(8);
    grid->setColumnMinimumWidth(0, 170);
    grid->setColumnStretch(1, 1);
    inner->addLayout(grid);
    column->addWidget(card);
    return grid;
}

void SettingsPage::addRow(QGridLayout* grid, const QString& words, QWidget* editor, const QString& hint)
{
    const int row = grid->rowCount();
    QLabel* label = makeLabel(words, "secondary");
    label->setBuddy(editor);
    if (editor->accessibleName().isEmpty())
        editor->setAccessibleName(words);
    grid->addWidget(label, row, 0);
    auto* beside = new QHBoxLayout;
    beside->setSpacing(12);
    beside->addWidget(editor);
    QLabel* more = makeLabel(hint, "caption");
    more->setWordWrap(true);
    beside->addWidget(more, 1);
    grid->addLayout(beside, row, 1);
}

QSpinBox* SettingsPage::figure(const char* key, int from, int to, int step, const QString& suffix, const QString& automatic)
{
    auto* box = new QSpinBox(this);
    box->setRange(from, to);
    box->setSingleStep(step);
    box->setSuffix(suffix);
    box->setSpecialValueText(automatic);
    box->setMinimumWidth(150);
    connect(box, &QSpinBox::editingFinished, this, [this, key, box] {
        if (!m_loading && box->property("stored").toInt() != box->value()) {
            box->setProperty("stored", box->value());
            save(key, box->value() == 0 ? std::string() : std::to_string(box->value()), box->accessibleName());
        }
    });
    m_figures.push_back({key, box});
    return box;
}

void SettingsPage::activated()
{
    if (!m_loaded)
        load();
    if (auto* first = m_first->findChild<QAbstractButton*>())
        first->setFocus();
}

void SettingsPage::load()
{
    std::vector<std::string> keys{"log.level"};
    for (const Figure& each : m_figures)
        keys.emplace_back(each.key);
    m_context.calls.run(this, [keys](Engine& engine) -> Result<std::map<std::string, std::string>> {
        std::map<std::string, std::string> values;
        for (const std::string& key : keys) {
            auto value = engine.setting(key);
            if (!value)
                return value.error();
            values[key] = *value;
        }
        return values;
    }, [this](Result<std::map<std::string, std::string>> values) {
        if (!values)
            return m_banner->say(values.error(), tr("Try again"), [this] { load(); });
        m_loaded = true;
        m_loading = true;
        m_banner->hide();
        for (const Figure& each : m_figures) {
            each.box->setValue(text((*values)[each.key]).toInt());
            each.box->setProperty("stored", each.box->value());
        }
        if (const int at = m_level->findData(text((*values)["log.level"])); at >= 0)
            m_level->setCurrentIndex(at);
        m_loading = false;
    });
}

void SettingsPage::save(const std::string& key, const std::string& value, const QString& what)
{
    m_context.calls.run(this, [key, value](Engine& engine) { return engine.saveSetting(key, value); }, [this, what](Result<> saved) {
        if (!saved)
            return m_banner->say(saved.error());
        m_banner->hide();
        m_context.toasts.show(tr("%1 saved.").arg(what));
    });
}

} // namespace

Page* makeSettingsPage(const Context& context, QWidget* parent) { return new SettingsPage(context, parent); }

} // namespace millrace::ui
