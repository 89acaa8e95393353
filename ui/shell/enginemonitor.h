#pragma once
#include "core/engine/engine.h"
#include <QObject>
#include <QTimer>

namespace millrace::ui {

//! The border between the engine and the window: samples the snapshot four times a second. Lives on the window's thread;
//! snapshot() is the only engine call that may be made there.
class EngineMonitor : public QObject {
    Q_OBJECT
public:
    explicit EngineMonitor(const Engine& engine, QObject* parent = nullptr);
    const SnapshotPtr& latest() const { return m_latest; }        //!< never null
    void sampleNow();                                             //!< after a command, so that its effect shows at once
signals:
    void changed(const millrace::SnapshotPtr& snapshot);          //!< only when the revision moved
private:
    const Engine& m_engine;
    QTimer m_timer;
    SnapshotPtr m_latest;
};

} // namespace millrace::ui
