#pragma once
#include <QLabel>

namespace millrace::ui {

//! A line of words that gives way when there is no room: ends in "…" then, and its tooltip has the whole.
class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(const QString& text = {}, const char* look = nullptr, QWidget* parent = nullptr);
    QSize minimumSizeHint() const override;
    bool elided() const;
protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
};

} // namespace millrace::ui
