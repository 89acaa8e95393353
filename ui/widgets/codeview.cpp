#include "ui/widgets/codeview.h"
#include "core/base/node.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/theme.h"
#include <QRegularExpression>
#include <QSyntaxHighlighter>

namespace millrace::ui {
namespace {

class Highlighter final : public QSyntaxHighlighter {
public:
    Highlighter(QTextDocument* document, CodeView::Language language) : QSyntaxHighlighter(document), m_language(language) {}
protected:
    void highlightBlock(const QString& line) override
    {
        static const QRegularExpression number(QStringLiteral("(?<![\\w.])-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?\\b"));
        static const QRegularExpression jsonWord(QStringLiteral("\\b(true|false|null)\\b"));
        static const QRegularExpression sqlWord(QStringLiteral("\\b(SELECT|FROM|WHERE|GRANT|ON|TO|SET|GLOBAL|CREATE|USER|INSERT|UPDATE|DELETE|ORDER|BY|AND|OR|LIMIT|IN|IS|NOT|NULL|ALTER|TABLE)\\b"),
            QRegularExpression::CaseInsensitiveOption);
        static const QRegularExpression string(QStringLiteral("\"(\\\\.|[^\"\\\\])*\"(\\s*:)?"));
        static const QRegularExpression sqlString(QStringLiteral("'([^']|'')*'"));
        static const QRegularExpression comment(QStringLiteral("(--|#).*$"));
        if (m_language == CodeView::Language::Plain)
            return;
        paint(line, number, Role::CodeNumber);
        paint(line, m_language == CodeView::Language::Json ? jsonWord : sqlWord, Role::CodeKeyword);
        if (m_language == CodeView::Language::Sql) {
            paint(line, sqlString, Role::CodeString);
            return paint(line, comment, Role::Tertiary);
        }
        for (auto it = string.globalMatch(line); it.hasNext();) {
            const auto match = it.next();
            setFormat(int(match.capturedStart()), int(match.capturedLength()), color(match.captured(2).isEmpty() ? Role::CodeString : Role::CodeKey));
        }
    }
private:
    void paint(const QString& line, const QRegularExpression& what, Role role)
    {
        for (auto it = what.globalMatch(line); it.hasNext();) {
            const auto match = it.next();
            setFormat(int(match.capturedStart()), int(match.capturedLength()), color(role));
        }
    }
    CodeView::Language m_language;
};

} // namespace

CodeView::CodeView(const QString& accessibleName, Language language, QWidget* parent) : QPlainTextEdit(parent)
{
    setAccessibleName(accessibleName);
    setReadOnly(true);
    setTabChangesFocus(true);
    setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    setProperty("look", "flat");
    setFont(ui::font(FontRole::Code));
    setFrameShape(QFrame::NoFrame);
    setLineWrapMode(QPlainTextEdit::WidgetWidth);
    document()->setDocumentMargin(8);
    new Highlighter(document(), language);
}

void CodeView::setTint(const char* tint) { setLook(this, "tint", tint); }

QString CodeView::prettyJson(const QString& words)
{
    const auto node = Node::fromJson(words.toStdString());
    return node ? ui::text(node->json(true)) : words;
}

} // namespace millrace::ui
