#include "ui/shell/palettebox.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/icons.h"
#include <QFocusEvent>
#include <QKeyEvent>
#include <QListWidget>
#include <algorithm>

namespace millrace::ui {
namespace {

constexpr int kMost = 14;

} // namespace

PaletteBox::PaletteBox(Provider provider, QWidget* window) : QLineEdit(window), m_provider(std::move(provider)), m_window(window), m_list(new QListWidget(window))
{
    setPlaceholderText(tr("Go to table, action or setting   Ctrl+P"));
    setToolTip(placeholderText());
    setAccessibleName(tr("Go to table, action or setting"));
    setProperty("look", "quiet");
    setProperty("icon", true);
    setFixedWidth(280);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setProperty("framed", "true");
    m_list->setAccessibleName(tr("What was found"));
    m_list->setUniformItemSizes(true);
    m_list->hide();
    connect(this, &QLineEdit::textEdited, this, &PaletteBox::fill);
    connect(m_list, &QListWidget::itemClicked, this, &PaletteBox::choose);
}

void PaletteBox::open()
{
    setFocus(Qt::ShortcutFocusReason);
    selectAll();
    m_entries = m_provider();
    fill();
}

int PaletteBox::rank(const QString& entry, const QString& words)
{
    int score = 1;
    for (const QString& word : words.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        const qsizetype at = entry.indexOf(word, 0, Qt::CaseInsensitive);
        if (at < 0)
            return 0;
        const bool start = at == 0 || !entry[at - 1].isLetterOrNumber();
        score += at == 0 ? 30 : start ? 20 : 10;
    }
    return score * 100 - int(std::min<qsizetype>(90, entry.size()));
}

void PaletteBox::fill()
{
    if (m_entries.empty())
        m_entries = m_provider();
    std::vector<std::pair<int, std::size_t>> found;
    for (std::size_t i = 0; i < m_entries.size(); ++i)
        if (const int score = text().isEmpty() ? 1 : rank(m_entries[i].text, text()))
            found.emplace_back(-score, i);
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    m_list->clear();
    for (std::size_t i = 0; i < found.size() && i < kMost; ++i) {
        const Entry& entry = m_entries[found[i].second];
        auto* item = new QListWidgetItem(icon(entry.icon), entry.detail.isEmpty() ? entry.text : entry.text + QStringLiteral("   –   ") + entry.detail, m_list);
        item->setData(Qt::UserRole, qulonglong(found[i].second));
        item->setSizeHint({0, 24});
    }
    if (m_list->count() == 0) {
        auto* none = new QListWidgetItem(tr("Nothing is called that"), m_list);
        none->setFlags(Qt::NoItemFlags);
    } else {
        m_list->setCurrentRow(0);
    }
    const int wide = std::max(width(), 420);
    const QPoint below = mapTo(m_window, QPoint(width() - wide, height() + 2));
    m_list->setGeometry(below.x(), below.y(), wide, std::min(kMost, m_list->count()) * 24 + 4);
    m_list->show();
    m_list->raise();
}

void PaletteBox::choose()
{
    const auto* item = m_list->currentItem();
    if (!item || !(item->flags() & Qt::ItemIsEnabled))
        return;
    const auto at = item->data(Qt::UserRole).toULongLong();
    if (at >= m_entries.size())
        return;
    const auto run = m_entries[at].run;
    close();
    run();
}

void PaletteBox::close()
{
    m_list->hide();
    clear();
    m_entries.clear();
    if (hasFocus())
        clearFocus();
}

void PaletteBox::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Escape: {
        close();
        focusNextChild();
        return;
    }
    case Qt::Key_Return:
    case Qt::Key_Enter: return choose();
    case Qt::Key_Down:
    case Qt::Key_Up:
        if (!m_list->isVisible())
            fill();
        else
            m_list->setCurrentRow(std::clamp(m_list->currentRow() + (event->key() == Qt::Key_Down ? 1 : -1), 0, m_list->count() - 1));
        return;
    default: QLineEdit::keyPressEvent(event);
    }
}

void PaletteBox::paintEvent(QPaintEvent* event)
{
    QLineEdit::paintEvent(event);
    paintFieldIcon(*this, QStringLiteral("edit-find"));
}

void PaletteBox::focusInEvent(QFocusEvent* event)
{
    QLineEdit::focusInEvent(event);
    if (event->reason() == Qt::MouseFocusReason)
        fill();
}

void PaletteBox::focusOutEvent(QFocusEvent* event)
{
    QLineEdit::focusOutEvent(event);
    if (event->reason() != Qt::PopupFocusReason)
        m_list->hide();
}

} // namespace millrace::ui
