#include "ui/widgets/factgrid.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/look.h"
#include <QGridLayout>

namespace millrace::ui {

FactGrid::FactGrid(int columns, QWidget* parent) : QWidget(parent), m_grid(new QGridLayout(this)), m_columns(columns)
{
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setHorizontalSpacing(14);
    m_grid->setVerticalSpacing(5);
    for (int column = 0; column < columns; ++column)
        m_grid->setColumnStretch(column * 2 + 1, 1);
}

void FactGrid::setFacts(const QList<Fact>& facts)
{
    if (facts.size() != m_pairs.size()) {
        for (const Pair& pair : std::as_const(m_pairs)) {
            delete pair.label;
            delete pair.value;
        }
        m_pairs.clear();
        const int rows = (int(facts.size()) + m_columns - 1) / m_columns;
        for (int i = 0; i < facts.size(); ++i) {
            Pair pair{makeLabel({}, "secondary", this), new ElidedLabel({}, nullptr, this)};
            pair.value->setTextInteractionFlags(Qt::TextSelectableByMouse);
            pair.value->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
            pair.value->setMinimumWidth(40);
            m_grid->addWidget(pair.label, i % rows, i / rows * 2);
            m_grid->addWidget(pair.value, i % rows, i / rows * 2 + 1);
            m_pairs << pair;
        }
    }
    for (int i = 0; i < facts.size(); ++i) {
        m_pairs[i].label->setText(facts[i].label);
        m_pairs[i].value->setText(facts[i].value);
        m_pairs[i].value->setAccessibleName(facts[i].label + QStringLiteral(": ") + facts[i].value);
        m_pairs[i].value->setToolTip(facts[i].tip.isEmpty() ? facts[i].value : facts[i].tip);
        setLook(m_pairs[i].value, "look", facts[i].look ? QVariant(QString::fromLatin1(facts[i].look)) : QVariant());
    }
}

} // namespace millrace::ui
