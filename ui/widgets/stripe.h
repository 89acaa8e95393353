#pragma once
#include "ui/widgets/theme.h"
#include <QWidget>

namespace millrace::ui {

//! 4 px in the environment's colour, at the top of every window, page or form that writes there. Shown for production only unless
//! `always`.
class Stripe : public QWidget {
    Q_OBJECT
public:
    explicit Stripe(QWidget* parent = nullptr) : QWidget(parent) { setFixedHeight(4); hide(); }
    void setEnvironment(const QString& environment, bool always = false)
    {
        m_environment = environment;
        setVisible(environment == QLatin1String("prod") || (always && !environment.isEmpty()));
        update();
    }
protected:
    void paintEvent(QPaintEvent*) override;
private:
    QString m_environment;
};

} // namespace millrace::ui
