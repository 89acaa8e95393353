#pragma once
#include <QAbstractButton>
#include <QFrame>
#include <QList>

class QButtonGroup;
class QVBoxLayout;

namespace millrace::ui {

//! One page on the rail: icon over word, an accent edge when current, a badge for what needs a person.
class RailItem : public QAbstractButton {
    Q_OBJECT
public:
    RailItem(const QString& iconName, const QString& word, QWidget* parent);
    void setBadge(int count, bool warning);
    void setCompact(bool on);
    QSize sizeHint() const override;
protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent* event) override;
private:
    QString m_icon;
    int m_badge = 0;
    bool m_badgeWarning = false, m_compact = false;
};

//! The left navigation. The last item added with Bottom stays at the lower end.
class Rail : public QFrame {
    Q_OBJECT
public:
    enum class Place : quint8 { Top, Bottom };
    explicit Rail(QWidget* parent = nullptr);
    RailItem* add(const QString& iconName, const QString& word, Place place);
    void setCurrent(int index);
    int current() const;
    RailItem* item(int index) const { return m_items.value(index); }
    void setCompact(bool on);                                     //!< icons only, below 1000 px
    void step(RailItem* from, int by);
signals:
    void chosen(int index);
private:
    QVBoxLayout* m_column;
    QButtonGroup* m_group;
    QList<RailItem*> m_items;
};

} // namespace millrace::ui
