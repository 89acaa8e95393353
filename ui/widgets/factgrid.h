#pragma once
#include <QList>
#include <QString>
#include <QWidget>

class QGridLayout;
class QLabel;

namespace millrace::ui {

struct Fact { QString label, value; const char* look = nullptr; QString tip = {}; };

//! Pairs of label and value in columns, read downwards. The labels stay the same widgets while only values change.
class FactGrid : public QWidget {
    Q_OBJECT
public:
    explicit FactGrid(int columns, QWidget* parent = nullptr);
    void setFacts(const QList<Fact>& facts);
private:
    struct Pair { QLabel *label, *value; };
    QGridLayout* m_grid;
    QList<Pair> m_pairs;
    int m_columns;
};

} // namespace millrace::ui
