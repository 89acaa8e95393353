#pragma once
#include <QPlainTextEdit>

namespace millrace::ui {

//! Read-only code in the code font with colours for keys, strings, numbers and keywords. Tab leaves it.
class CodeView : public QPlainTextEdit {
    Q_OBJECT
public:
    enum class Language : quint8 { Plain, Json, Sql };
    CodeView(const QString& accessibleName, Language language, QWidget* parent = nullptr);
    void setTint(const char* tint);                               //!< "error": the server's words
    static QString prettyJson(const QString& text);               //!< keeps the text when it is no JSON; numbers keep their digits
};

} // namespace millrace::ui
