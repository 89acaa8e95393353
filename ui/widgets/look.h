#pragma once
#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QString>
#include <QToolButton>

class QAction;
class QLineEdit;

namespace millrace::ui {

//! Looks are dynamic properties that the one style sheet knows. Labels: secondary tertiary caption captionBold section title big strong
//! code error warning good link. Buttons: main danger link small. Surfaces: base window rail toolbar statusbar card cardMain line.
QLabel* makeLabel(const QString& text, const char* look = nullptr, QWidget* parent = nullptr);
QFrame* makeSurface(const char* surface, QWidget* parent = nullptr);
QFrame* makeLine(Qt::Orientation orientation, QWidget* parent = nullptr);
QPushButton* makeButton(const QString& text, const QString& icon = {}, const char* look = nullptr, QWidget* parent = nullptr);
QToolButton* makeToolButton(QAction* action, QWidget* parent = nullptr);      //!< icon with the text beside it
//! A rounded word. Kinds: good warning error info prod stage dev local, or empty for a plain one.
QLabel* makePill(const QString& text, const char* kind, QWidget* parent = nullptr);
//! Room for the text in semi-bold, which a button that is down is shown in.
void fitBold(QPushButton* button);
//! `look` may change later: sets the property and lets the style look again.
void setLook(QWidget* widget, const char* property, const QVariant& value);
//! Name for screen readers and tests;
void setAccessible(QWidget* widget, const QString& name, const QString& description = {});

} // namespace millrace::ui
