#pragma once
#include "core/engine/snapshot.h"
#include <QFrame>

class QHBoxLayout;
class QLabel;

namespace millrace::ui {

class IconLabel;

//! The 26 px at the bottom: rows/s, worst lag, queue of its budget, failed rows; at the right the keyring and the connections.
class StatusStrip : public QFrame {
    Q_OBJECT
public:
    explicit StatusStrip(QWidget* parent = nullptr);
    void apply(const EngineSnapshot& snapshot);
    void setVault(const QString& words);                          //!< "Keyring unlocked", "Encrypted file"; empty: not shown
private:
    struct Item { QWidget* box = nullptr; IconLabel* icon = nullptr; QLabel* words = nullptr; };
    Item add(const char* iconName, bool right);
    static void say(const Item& item, const QString& words, const char* look = nullptr);
    Item m_rate, m_lag, m_queue, m_failed, m_vault, m_connections;
    QHBoxLayout *m_left, *m_right;
};

} // namespace millrace::ui
