#pragma once
#include <QLineEdit>
#include <QTimer>

namespace millrace::ui {

//! A search field: leading icon, clear button, Esc clears, Down goes to the table. filterChanged comes 120 ms after the last key.
class FilterBox : public QLineEdit {
    Q_OBJECT
public:
    FilterBox(const QString& placeholder, const QString& accessibleName, const QString& iconName = QStringLiteral("view-filter"), QWidget* parent = nullptr);
    void setTable(QWidget* table) { m_table = table; }
    QSize sizeHint() const override;                              //!< room for its placeholder
    void setFilter(const QString& text);                          //!< as if typed, at once
signals:
    void filterChanged(const QString& text);
protected:
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
private:
    QString m_icon;
    QTimer m_wait;
    QWidget* m_table = nullptr;
};

//! Draws the icon inside a field's left edge; the field has the property icon=true. A leading action would sit off the middle.
void paintFieldIcon(QLineEdit& field, const QString& iconName);

} // namespace millrace::ui
