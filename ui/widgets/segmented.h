#pragma once
#include <QStringList>
#include <QWidget>

class QButtonGroup;
class QHBoxLayout;

namespace millrace::ui {

//! A row of buttons of which one is down: "15 min | 1 h | 6 h". Left and Right move between them.
class Segmented : public QWidget {
    Q_OBJECT
public:
    explicit Segmented(const QString& accessibleName, const QStringList& options, QWidget* parent = nullptr);
    void setOptions(const QStringList& options);                  //!< keeps the position, so that counts in the words may change
    int current() const;
    void setCurrent(int index);
signals:
    void currentChanged(int index);
protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
private:
    QString m_name;
    QButtonGroup* m_group;
    QHBoxLayout* m_row;
};

} // namespace millrace::ui
