#include "ui/widgets/theme.h"
#include "ui/widgets/stylesheet.h"
#include <QApplication>
#include <QFontDatabase>
#include <QFontInfo>
#include <QFontMetricsF>
#include <QGuiApplication>
#include <QPalette>
#include <QStyleFactory>
#include <QStyleHints>
#include <algorithm>
#include <array>

// outside of any namespace, because the macro declares a global function
static void initMillraceResources() { Q_INIT_RESOURCE(ui); }

namespace millrace::ui {
namespace {

struct Pair { QRgb light, dark; };

// In the order of Role. The figures are part of the design: each text role reaches 4.5:1 on base, alternate, window, selection and rail.
constexpr std::array<Pair, static_cast<std::size_t>(Role::Count)> kColors{{
    {0xFFF3F4F6, 0xFF202327}, {0xFFFFFFFF, 0xFF17191C}, {0xFFF8F9FB, 0xFF1B1E21}, {0xFFE7EAEF, 0xFF1A1C20}, {0xFFDADEE5, 0xFF363B42},
    {0xFFE6E9EE, 0xFF2A2E34}, {0xFF8C95A3, 0xFF747E8B}, {0xFF1B1F24, 0xFFE4E7EB}, {0xFF4E5763, 0xFFB0B8C2}, {0xFF5A6470, 0xFFA3ADB8},
    {0xFF0B63B5, 0xFF5AA7F2}, {0xFFFFFFFF, 0xFF0D1520}, {0xFFD6E6F8, 0xFF1E3856}, {0xFFE6EAF0, 0xFF2A2F36},
    {0xFFE3F3E8, 0xFF17301F}, {0xFF9FCFAE, 0xFF2F6B43}, {0xFFFDF1D7, 0xFF352A12}, {0xFFE3C072, 0xFF6E5720},
    {0xFFFCE6E3, 0xFF3A1D1B}, {0xFFEBA9A2, 0xFF7A3A35}, {0xFFE3EFFB, 0xFF15293D}, {0xFFA3C8EC, 0xFF2C5681},
    {0xFFB3301F, 0xFFF27F73}, {0xFFB27B00, 0xFFDBA52E}, {0xFF236B41, 0xFF5CC288}, {0xFF5A6472, 0xFFA3ADB8},
    {0xFF0B63B5, 0xFF5AA7F2}, {0xFF0A8F83, 0xFF3FC7B5}, {0xFFB27B00, 0xFFDBA52E}, {0xFFC0392B, 0xFFFF8078}, {0xFF6B3FA0, 0xFFC297FF},
    {0xFF0B4F8F, 0xFF7DBBF5}, {0xFF1A6B35, 0xFF8AD3A0}, {0xFF8A3B00, 0xFFF2B076}, {0xFF6B3FA0, 0xFFC7A3F5},
    {0xFF4E5763, 0xFFB0B8C2}, {0xFF4C5A85, 0xFFA3B4E8}, {0xFF0B63B5, 0xFF6DB3F8}, {0xFF0A7168, 0xFF45C9B8}, {0xFF8A5A00, 0xFFE9B949},
    {0xFF5A6470, 0xFFA3ADB8}, {0xFFA8430A, 0xFFF79A66}, {0xFFB42318, 0xFFFF8078}, {0xFF6B3FA0, 0xFFC7A3F5}, {0xFF1A7438, 0xFF5CCB84},
}};

// What is shown now: the counterpart of QApplication::palette(), which is process-wide for the same reason.
struct Shown { bool dark = false; int basePx = 12; int rowPx = 24; QString family, codeFamily; };
Shown& shown() { static Shown s; return s; }

bool tabularDigits(const QFont& font)
{
    const QFontMetricsF metrics(font);
    const double zero = metrics.horizontalAdvance(QLatin1Char('0'));
    for (char digit = '1'; digit <= '9'; ++digit)
        if (std::abs(metrics.horizontalAdvance(QLatin1Char(digit)) - zero) > 0.01)
            return false;
    return true;
}

QString firstInstalled(const QStringList& wanted, const QString& otherwise)
{
    const QStringList families = QFontDatabase::families();
    for (const QString& family : wanted)
        if (families.contains(family))
            return family;
    return otherwise;
}

bool systemIsDark()
{
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    return QGuiApplication::styleHints()->colorScheme() == Qt::ColorScheme::Dark;
#else
    return QGuiApplication::palette().color(QPalette::Window).lightness() < 128;   // before we put our own palette in
#endif
}

QPalette palette()
{
    QPalette p;
    p.setColor(QPalette::Window, color(Role::Window));
    p.setColor(QPalette::WindowText, color(Role::Text));
    p.setColor(QPalette::Base, color(Role::Base));
    p.setColor(QPalette::AlternateBase, color(Role::Alternate));
    p.setColor(QPalette::Text, color(Role::Text));
    p.setColor(QPalette::PlaceholderText, color(Role::Tertiary));
    p.setColor(QPalette::Button, color(Role::Window));
    p.setColor(QPalette::ButtonText, color(Role::Text));
    p.setColor(QPalette::ToolTipBase, color(Role::Base));
    p.setColor(QPalette::ToolTipText, color(Role::Text));
    p.setColor(QPalette::Highlight, color(Role::Selection));
    p.setColor(QPalette::HighlightedText, color(Role::Text));
    p.setColor(QPalette::Link, color(Role::Accent));
    p.setColor(QPalette::LinkVisited, color(Role::Accent));
    p.setColor(QPalette::Light, color(Role::Base));
    p.setColor(QPalette::Midlight, color(Role::Grid));
    p.setColor(QPalette::Mid, color(Role::Line));
    p.setColor(QPalette::Dark, color(Role::ControlBorder));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, color(Role::ControlBorder));
    return p;
}

} // namespace

QColor colorIn(Role role, bool dark)
{
    const Pair& pair = kColors[static_cast<std::size_t>(role)];
    return QColor::fromRgb(dark ? pair.dark : pair.light);
}

QColor color(Role role) { return colorIn(role, shown().dark); }
bool darkNow() { return shown().dark; }
int rowHeight() { return shown().rowPx; }

QFont font(FontRole role)
{
    const Shown& s = shown();
    QFont f(role == FontRole::Code ? s.codeFamily : s.family);
    const auto size = [&](int delta) { f.setPixelSize(std::max(10, s.basePx + delta)); };
    switch (role) {
    case FontRole::Body: size(0); break;
    case FontRole::BodyBold: size(0); f.setWeight(QFont::DemiBold); break;
    case FontRole::Caption: size(-1); break;
    case FontRole::CaptionBold: size(-1); f.setWeight(QFont::DemiBold); break;
    case FontRole::Tiny: size(-2); break;
    case FontRole::Section: size(1); f.setWeight(QFont::DemiBold); break;
    case FontRole::Title: size(4); f.setWeight(QFont::DemiBold); break;
    case FontRole::Big: size(8); f.setWeight(QFont::DemiBold); break;
    case FontRole::Code: size(-1); f.setStyleHint(QFont::Monospace); break;
    }
    return f;
}

Role environmentStripe(const QString& environment)
{
    if (environment == QLatin1String("prod"))
        return Role::Prod;
    if (environment == QLatin1String("stage"))
        return Role::Stage;
    return environment == QLatin1String("dev") ? Role::Dev : Role::Local;
}

Role environmentText(const QString& environment)
{
    const Role stripe = environmentStripe(environment);
    return stripe == Role::Stage ? Role::Lagging : stripe;
}

QString environmentWord(const QString& environment)
{
    switch (environmentStripe(environment)) {
    case Role::Prod: return Theme::tr("PROD");
    case Role::Stage: return Theme::tr("STAGE");
    case Role::Dev: return Theme::tr("DEV");
    default: return Theme::tr("LOCAL");
    }
}

Theme::Theme(QApplication& app) : m_app(app)
{
    m_systemDark = systemIsDark();
    const QFont system = QApplication::font();
    const bool offscreen = QGuiApplication::platformName() == QLatin1String("offscreen");
    Shown& s = shown();
    // Figures must not jump sideways: a desktop font with proportional digits (Inter, Cantarell) gives way to Noto Sans
    const QString noto = firstInstalled({QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans")}, system.family());
    s.family = !offscreen && tabularDigits(system) ? system.family() : noto;
    s.codeFamily = firstInstalled({QStringLiteral("JetBrains Mono"), QStringLiteral("DejaVu Sans Mono"), QStringLiteral("Noto Sans Mono")},
        QFontDatabase::systemFont(QFontDatabase::FixedFont).family());
    s.basePx = offscreen ? 12 : std::clamp(QFontInfo(system).pixelSize(), 12, 28);
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    connect(QGuiApplication::styleHints(), &QStyleHints::colorSchemeChanged, this, [this] {
        m_systemDark = systemIsDark();
        if (m_appearance == Appearance::System)
            apply();
    });
#endif
    initMillraceResources();
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    apply();
}

void Theme::set(Appearance appearance, Density density)
{
    if (appearance == m_appearance && density == m_density)
        return;
    m_appearance = appearance;
    m_density = density;
    apply();
}

void Theme::apply()
{
    Shown& s = shown();
    s.dark = m_appearance == Appearance::Dark || (m_appearance == Appearance::System && m_systemDark);
    // a bigger system font needs higher rows
    s.rowPx = std::max(m_density == Density::Dense ? 22 : 24, s.basePx * 2 - (m_density == Density::Dense ? 2 : 0));
    QApplication::setPalette(palette());
    QApplication::setFont(font(FontRole::Body));
    m_app.setStyleSheet(styleSheet());
    emit changed();
}

} // namespace millrace::ui
