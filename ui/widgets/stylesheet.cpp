#include "ui/widgets/stylesheet.h"
#include "ui/widgets/theme.h"
#include <QFont>
#include <QRegularExpression>

namespace millrace::ui {
namespace {

// @name is a colour role, %name a font size. Kept as one text, because order matters among the rules.
const char* const kSheet = R"(
QToolTip { background: @base; color: @text; border: 1px solid @controlBorder; padding: 3px 6px; }
QMainWindow, QDialog { background: @window; }
QMainWindow::separator, QSplitter::handle { background: @line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }

QWidget[surface="base"] { background: @base; }
QWidget[surface="window"] { background: @window; }
QWidget[surface="rail"] { background: @rail; }
QWidget[surface="toolbar"] { background: @window; border: none; border-bottom: 1px solid @line; }
QWidget[surface="statusbar"] { background: @window; border: none; border-top: 1px solid @line; }
QFrame[surface="card"] { background: @base; border: 1px solid @line; border-radius: 4px; }
QFrame[surface="cardMain"] { background: @base; border: 1px solid @accent; border-radius: 4px; }
QFrame[surface="line"] { background: @line; border: none; }

QLabel { background: transparent; }
QLabel[look="secondary"] { color: @secondary; }
QLabel[look="tertiary"] { color: @tertiary; }
QLabel[look="caption"] { color: @secondary; font-size: %caption; }
QLabel[look="captionBold"] { color: @secondary; font-size: %caption; font-weight: 600; }
QLabel[look="section"] { font-size: %section; font-weight: 600; }
QLabel[look="title"] { font-size: %title; font-weight: 600; }
QLabel[look="big"] { font-size: %big; font-weight: 600; }
QLabel[look="strong"] { font-weight: 600; }
QLabel[look="code"] { font-family: "%code"; font-size: %caption; }
QLabel[look="error"] { color: @failed; }
QLabel[look="warning"] { color: @lagging; }
QLabel[look="good"] { color: @verified; }
QLabel[look="warningCaption"] { color: @lagging; font-size: %caption; }
QLabel[look="tiny"] { color: @secondary; font-size: %tiny; }
QLabel[look="link"] { color: @accent; }
QLabel[pill] { font-size: %caption; border-radius: 3px; padding: 0px 5px; border: 1px solid @controlBorder; color: @secondary; }
QLabel[pill="good"] { color: @verified; background: @goodTint; border-color: @goodBorder; }
QLabel[pill="warning"] { color: @lagging; background: @warningTint; border-color: @warningBorder; }
QLabel[pill="error"] { color: @failed; background: @errorTint; border-color: @errorBorder; }
QLabel[pill="info"] { color: @accent; background: @infoTint; border-color: @infoBorder; }
QLabel[pill="prod"] { color: @prod; background: @errorTint; border-color: @errorBorder; }
QLabel[pill="stage"] { color: @lagging; background: @warningTint; border-color: @warningBorder; }
QLabel[pill="dev"] { color: @dev; background: @goodTint; border-color: @goodBorder; }
QLabel[pill="local"] { color: @local; background: @alternate; border-color: @line; }

QPushButton { background: @base; color: @text; border: 1px solid @controlBorder; border-radius: 4px; padding: 0px 11px; min-height: 26px; }
QPushButton:hover { background: @alternate; }
QPushButton:pressed, QPushButton:checked { background: @selection; }
QPushButton:focus { border: 2px solid @accent; padding: 0px 10px; min-height: 24px; }
QPushButton:disabled { color: @controlBorder; border-color: @line; background: @window; }
QPushButton[look="main"] { background: @accent; color: @onAccent; border: 1px solid @accent; font-weight: 600; padding: 0px 13px; }
QPushButton[look="main"]:hover { border-color: @text; }
QPushButton[look="main"]:focus { border: 2px solid @text; padding: 0px 12px; }
QPushButton[look="main"]:disabled { background: @line; border-color: @line; color: @tertiary; }
QPushButton[look="danger"] { color: @failed; border-color: @failed; }
QPushButton[look="danger"]:disabled { color: @controlBorder; border-color: @line; }
QPushButton[look="link"] { background: transparent; border: none; color: @accent; padding: 0px 3px; min-height: 20px; text-align: left; }
QPushButton[look="link"]:hover { text-decoration: underline; }
QPushButton[look="link"]:focus { border: 2px solid @accent; padding: 0px 1px; min-height: 16px; }
QPushButton[look="small"] { min-height: 22px; padding: 0px 8px; }
QPushButton[look="small"]:focus { min-height: 20px; padding: 0px 7px; }
QPushButton::menu-indicator { image: url("%downArrow"); width: 9px; height: 9px; subcontrol-position: right center; subcontrol-origin: padding; right: 6px; }

QToolButton { background: transparent; color: @text; border: 2px solid transparent; border-radius: 4px; padding: 0px 6px; min-height: 24px; }
QToolButton:hover { background: @grid; }
QToolButton:pressed, QToolButton:checked, QToolButton:open { background: @selection; }
QToolButton:focus { border-color: @accent; }
QToolButton:disabled { color: @controlBorder; }
QToolButton[popupMode="1"] { padding-right: 20px; }
QToolButton::menu-button { border: none; width: 18px; }
QToolButton[popupMode="2"] { padding-right: 20px; }
QToolButton::menu-arrow { image: url("%downArrow"); width: 9px; height: 9px; }
QToolButton::menu-indicator { image: url("%downArrow"); width: 9px; height: 9px; subcontrol-origin: padding; subcontrol-position: right center; right: 6px; }

QPushButton[segment] { background: @base; color: @secondary; border: 1px solid @controlBorder; border-radius: 0px; min-height: 22px;
    padding: 0px 10px; margin-left: -1px; }
QPushButton[segment="first"] { margin-left: 0px; border-top-left-radius: 3px; border-bottom-left-radius: 3px; }
QPushButton[segment="last"] { border-top-right-radius: 3px; border-bottom-right-radius: 3px; }
QPushButton[segment="only"] { margin-left: 0px; border-radius: 3px; }
QPushButton[segment]:checked { background: @selection; color: @text; border-color: @accent; font-weight: 600; }
QPushButton[segment]:focus { border: 2px solid @accent; padding: 0px 9px; min-height: 20px; }
QPushButton[segment]:disabled { color: @controlBorder; }

QLineEdit, QAbstractSpinBox, QComboBox { background: @base; color: @text; border: 1px solid @controlBorder; border-radius: 4px; padding: 0px 8px; min-height: 26px;
    selection-background-color: @selection; selection-color: @text; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { border: 2px solid @accent; padding: 0px 7px; min-height: 24px; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { color: @tertiary; border-color: @line; background: @window; }
QLineEdit:read-only { background: @alternate; }
QLineEdit[state="error"] { border: 2px solid @failed; padding: 0px 7px; min-height: 24px; }
QLineEdit[look="code"] { font-family: "%code"; font-size: %caption; }
QLineEdit[icon="true"] { padding-left: 26px; }
QLineEdit[icon="true"]:focus { padding-left: 25px; }
QLineEdit[look="quiet"] { border: 1px solid @line; min-height: 20px; color: @secondary; }
QLineEdit[look="quiet"]:focus { border: 2px solid @accent; min-height: 18px; }
QAbstractSpinBox { padding-right: 20px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent; width: 16px; }
QAbstractSpinBox::up-arrow { image: url("%upArrow"); width: 8px; height: 8px; }
QAbstractSpinBox::down-arrow { image: url("%downArrow"); width: 8px; height: 8px; }
QComboBox { padding-right: 22px; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url("%downArrow"); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: @base; border: 1px solid @controlBorder; selection-background-color: @selection; selection-color: @text; outline: none; }
QComboBox QAbstractItemView::item { min-height: 24px; }
QPlainTextEdit, QTextEdit, QTextBrowser { background: @base; color: @text; border: 1px solid @line; border-radius: 4px;
    selection-background-color: @selection; selection-color: @text; }
QPlainTextEdit:focus, QTextEdit:focus, QTextBrowser:focus { border: 1px solid @accent; }
QPlainTextEdit[look="flat"], QTextEdit[look="flat"] { border: none; border-radius: 0px; }
QPlainTextEdit[look="code"] { font-family: "%code"; font-size: %caption; }
QPlainTextEdit[tint="error"] { background: @errorTint; }
QPlainTextEdit[look="flat"] { font-family: "%code"; font-size: %caption; }

QCheckBox, QRadioButton { background: transparent; spacing: 7px; min-height: 22px; }
QCheckBox::indicator, QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid @controlBorder; background: @base; border-radius: 3px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url("%check"); }
QCheckBox::indicator:indeterminate { background: @accent; border-color: @accent; image: url("%dash"); }
QRadioButton::indicator:checked { background: @accent; border-color: @accent; image: url("%dot"); }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 2px solid @accent; width: 12px; height: 12px; }
QCheckBox:focus, QRadioButton:focus { color: @accent; }
QCheckBox:disabled, QRadioButton:disabled { color: @controlBorder; }

QMenuBar { background: transparent; color: @text; border: none; padding: 0px 8px; }
QMenuBar::item { background: transparent; padding: 5px 10px; border-radius: 4px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: @selection; }
QMenu { background: @base; color: @text; border: 1px solid @controlBorder; padding: 4px 0px; }
QMenu::item { padding: 4px 28px 4px 10px; min-height: 16px; }
QMenu::item:selected { background: @selection; }
QMenu::item:disabled { color: @controlBorder; }
QMenu::icon { padding-left: 10px; }
QMenu::separator { height: 1px; background: @line; margin: 4px 0px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 8px; }
QMenu::indicator:non-exclusive:checked, QMenu::indicator:exclusive:checked { image: url("%menuCheck"); }

QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @secondary; border: none; border-bottom: 2px solid transparent; padding: 0px 4px; margin: 0px 8px; min-height: 31px; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:disabled { color: @controlBorder; }
QTabBar::tab:selected { color: @text; border-bottom-color: @accent; font-weight: 600; }
QTabBar::tab:focus:selected { background: @selection; }
QTabWidget::pane { border: none; border-top: 1px solid @line; }

QAbstractItemView { background: @base; color: @text; border: none; outline: none; selection-background-color: @selection; selection-color: @text; }
QAbstractItemView[framed="true"] { border: 1px solid @line; border-radius: 4px; }
QTreeView[surface="window"] { background: @window; }
QTreeView::branch { background: transparent; border-image: none; image: none; }
QHeaderView { background: @window; border: none; }
QHeaderView::section { background: @window; color: @secondary; border: none; border-right: 1px solid @line; border-bottom: 1px solid @line;
    padding: 0px 6px; font-size: %caption; font-weight: 600; min-height: 25px; }
QHeaderView::section:hover { background: @grid; }
QHeaderView::up-arrow { image: url("%upArrow"); width: 8px; height: 8px; subcontrol-position: right center; right: 4px; }
QHeaderView::down-arrow { image: url("%downArrow"); width: 8px; height: 8px; subcontrol-position: right center; right: 4px; }

QScrollBar { background: transparent; border: none; margin: 0px; }
QScrollBar:vertical { width: 12px; }
QScrollBar:horizontal { height: 12px; }
QScrollBar::handle { background: @controlBorder; border-radius: 3px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: @tertiary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0px; height: 0px; border: none; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QScrollArea { background: transparent; border: none; }

QProgressBar { background: @line; border: none; border-radius: 3px; max-height: 6px; text-align: right; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
QGroupBox { border: none; margin-top: 22px; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; left: 0px; }

QFrame[banner] { border: 1px solid @line; border-radius: 4px; background: @base; }
QFrame[banner="info"] { background: @infoTint; border-color: @infoBorder; }
QFrame[banner="good"] { background: @goodTint; border-color: @goodBorder; }
QFrame[banner="warning"] { background: @warningTint; border-color: @warningBorder; }
QFrame[banner="error"] { background: @errorTint; border-color: @errorBorder; }
QFrame[banner][edge="true"] { border-left: none; border-right: none; border-top: none; border-radius: 0px; }
QFrame[toast="true"] { background: #1B1F24; border: 1px solid @controlBorder; border-radius: 4px; }
QFrame[toast="true"] QLabel { color: #E4E7EB; }
QFrame[toast="true"] QLabel[look="caption"] { color: #B0B8C2; }
QFrame[toast="true"] QPushButton { background: transparent; border: none; color: #8FC4F7; font-weight: 600; padding: 0px 6px; min-height: 22px; }
QFrame[toast="true"] QPushButton:focus { border: 2px solid #8FC4F7; padding: 0px 4px; min-height: 18px; }
)";

struct Named { const char* name; Role role; };
const Named kNames[] = {
    {"@window", Role::Window}, {"@base", Role::Base}, {"@alternate", Role::Alternate}, {"@rail", Role::Rail}, {"@line", Role::Line}, {"@grid", Role::Grid},
    {"@controlBorder", Role::ControlBorder}, {"@text", Role::Text}, {"@secondary", Role::Secondary}, {"@tertiary", Role::Tertiary}, {"@accent", Role::Accent},
    {"@onAccent", Role::OnAccent}, {"@selection", Role::Selection}, {"@goodTint", Role::GoodTint}, {"@goodBorder", Role::GoodBorder},
    {"@warningTint", Role::WarningTint}, {"@warningBorder", Role::WarningBorder}, {"@errorTint", Role::ErrorTint}, {"@errorBorder", Role::ErrorBorder},
    {"@infoTint", Role::InfoTint}, {"@infoBorder", Role::InfoBorder}, {"@prod", Role::Prod}, {"@dev", Role::Dev}, {"@local", Role::Local},
    {"@failed", Role::Failed}, {"@lagging", Role::Lagging}, {"@verified", Role::Verified},
};

} // namespace

QString styleSheet()
{
    QString sheet = QString::fromLatin1(kSheet);
    for (const Named& named : kNames)
        sheet.replace(QRegularExpression(QLatin1String(named.name) + QStringLiteral("\\b")), color(named.role).name());
    const auto px = [](FontRole role) { return QString::number(font(role).pixelSize()) + QStringLiteral("px"); };
    sheet.replace(QLatin1String("%caption"), px(FontRole::Caption));
    sheet.replace(QLatin1String("%tiny"), px(FontRole::Tiny));
    sheet.replace(QLatin1String("%section"), px(FontRole::Section));
    sheet.replace(QLatin1String("%title"), px(FontRole::Title));
    sheet.replace(QLatin1String("%big"), px(FontRole::Big));
    sheet.replace(QLatin1String("%code"), font(FontRole::Code).family());
    const QString theme = darkNow() ? QStringLiteral("dark") : QStringLiteral("light");
    for (const char* name : {"upArrow", "downArrow", "menuCheck", "check", "dash", "dot"})
        sheet.replace(QLatin1Char('%') + QLatin1String(name), QStringLiteral(":/millrace/%1/%2.svg").arg(theme, QString::fromLatin1(name).toLower()));
    return sheet;
}

} // namespace millrace::ui
