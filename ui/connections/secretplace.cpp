#include "ui/connections/secretplace.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include <QComboBox>
#include <QGridLayout>
#include <QLineEdit>
#include <algorithm>

namespace millrace::ui {
namespace {

using Kind = SecretRef::Kind;

} // namespace

SecretPlace::SecretPlace(QWidget* parent) : QWidget(parent), m_kind(new QComboBox(this)), m_name(new QLineEdit(this))
{
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(8);
    grid->setColumnStretch(1, 3);
    grid->setColumnStretch(3, 2);
    grid->setColumnMinimumWidth(0, 92);
    m_kind->addItem(tr("Stored in this home"), int(Kind::Stored));
    m_kind->addItem(tr("Environment variable"), int(Kind::Env));
    m_kind->addItem(tr("File"), int(Kind::File));
    m_kind->addItem(tr("Keychain entry"), int(Kind::Keychain));
    m_kind->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setAccessible(m_kind, tr("Where the secret is"), tr("Stored: encrypted by Millrace. Elsewhere: only the name of the place is kept."));
    m_name->setProperty("look", "code");
    m_nameLabel = makeLabel(tr("Name"), "secondary", this);
    m_nameLabel->setBuddy(m_name);
    m_words = new ElidedLabel(tr("kept encrypted"), "caption", this);
    m_words->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* label = makeLabel(tr("Keep secret"), "secondary", this);
    label->setBuddy(m_kind);
    grid->addWidget(label, 0, 0);
    grid->addWidget(m_kind, 0, 1);
    grid->addWidget(m_nameLabel, 0, 2);
    grid->addWidget(m_name, 0, 3);
    grid->addWidget(m_words, 0, 2, 1, 2);
    connect(m_kind, &QComboBox::activated, this, [this] { show(); emit edited(); });
    connect(m_name, &QLineEdit::textEdited, this, [this] { show(); emit edited(); });
    show();
}

void SecretPlace::set(const SecretRef& ref)
{
    const bool kept = ref.kind == Kind::Stored || ref.kind == Kind::None;
    m_stored = ref.kind == Kind::Stored ? ref : SecretRef{};
    m_kind->setCurrentIndex(std::max(0, m_kind->findData(int(kept ? Kind::Stored : ref.kind))));
    m_name->setText(text(ref.name));
    show();
}

bool SecretPlace::keptByMillrace() const { return m_kind->currentData().toInt() == int(Kind::Stored); }

SecretRef SecretPlace::ref() const
{ return keptByMillrace() ? m_stored : SecretRef{static_cast<Kind>(m_kind->currentData().toInt()), m_name->text().trimmed().toStdString()}; }

void SecretPlace::setKept()
{
    m_kind->setCurrentIndex(0);
    show();
}

QString SecretPlace::problem() const
{
    if (keptByMillrace() || !m_name->text().trimmed().isEmpty())
        return {};
    switch (static_cast<Kind>(m_kind->currentData().toInt())) {
    case Kind::Env: return tr("Name the environment variable that holds the secret.");
    case Kind::File: return tr("Name the file that holds the secret.");
    default: return tr("Name the keychain entry that holds the secret.");
    }
}

QString SecretPlace::hint() const
{
    switch (static_cast<Kind>(m_kind->currentData().toInt())) {
    case Kind::Env: return tr("read from the variable");
    case Kind::File: return tr("read from the file");
    case Kind::Keychain: return tr("read from the keychain");
    default: return stored() ? tr("stored; type to replace") : QString();
    }
}

void SecretPlace::show()
{
    const auto kind = static_cast<Kind>(m_kind->currentData().toInt());
    const bool named = !keptByMillrace();
    m_words->setVisible(!named);
    m_name->setVisible(named);
    m_nameLabel->setVisible(named);
    m_nameLabel->setText(kind == Kind::Env ? tr("Variable") : kind == Kind::File ? tr("Path") : tr("Entry"));
    m_name->setPlaceholderText(kind == Kind::Env ? QStringLiteral("SHOP_PASSWORD") : kind == Kind::File ? QStringLiteral("/run/secrets/shop") : QString());
    setAccessible(m_name, kind == Kind::Env ? tr("Environment variable with the secret") : kind == Kind::File ? tr("File with the secret") : tr("Keychain entry with the secret"));
}

} // namespace millrace::ui
