#pragma once
#include <QColor>
#include <QFont>
#include <QObject>

class QApplication;

namespace millrace::ui {

//! The roles of the palette. Every colour of the window comes from here; no widget names a colour of its own.
enum class Role : quint8 {
    Window, Base, Alternate, Rail, Line, Grid, ControlBorder, Text, Secondary, Tertiary, Accent, OnAccent, Selection, IdleSelection,
    GoodTint, GoodBorder, WarningTint, WarningBorder, ErrorTint, ErrorBorder, InfoTint, InfoBorder,
    Prod, Stage, Dev, Local, Series1, Series2, Series3, Series4, Series5, CodeKey, CodeString, CodeNumber, CodeKeyword,
    Idle, Queued, Running, Live, Lagging, Paused, NeedsResync, Failed, Unknown, Verified, Count
};

//! Body 12 px (cells, buttons), BodyBold, Caption 11 (headers, status bar), Tiny 10 (chart axes), Section 13, Title 16, Big 20, Code.
enum class FontRole : quint8 { Body, BodyBold, Caption, CaptionBold, Tiny, Section, Title, Big, Code };

enum class Appearance : quint8 { System, Light, Dark };
enum class Density : quint8 { Normal, Dense };

QColor color(Role role);                       //!< in the theme that is shown now
QColor colorIn(Role role, bool dark);
QFont font(FontRole role);
bool darkNow();
int rowHeight();                               //!< of tables: 24, dense 22

Role environmentStripe(const QString& environment);        //!< "prod" | "stage" | "dev" | "local"
Role environmentText(const QString& environment);          //!< STAGE has its own, because its stripe is too pale for words
QString environmentWord(const QString& environment);       //!< PROD STAGE DEV LOCAL

//! Owns the look: Fusion, the palette and one style sheet. Widgets learn of a switch by QEvent::PaletteChange; who paints from
//! cached colours listens to changed(). One per application, made before the first window.
class Theme : public QObject {
    Q_OBJECT
public:
    explicit Theme(QApplication& app);
    void set(Appearance appearance, Density density);
    Appearance appearance() const { return m_appearance; }
    Density density() const { return m_density; }
signals:
    void changed();
private:
    void apply();
    QApplication& m_app;
    Appearance m_appearance = Appearance::System;
    Density m_density = Density::Normal;
    bool m_systemDark = false;
};

} // namespace millrace::ui
