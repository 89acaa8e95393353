#pragma once
#include "core/engine/engine.h"
#include "ui/shell/page.h"
#include "ui/wizard/tablesmodel.h"
#include <QWidget>

namespace millrace::ui {

//! What the steps of the dialog New sync share. Window thread only.
struct WizardState {
    const Context& context;
    SyncDef def;                                   //!< tables and exclude are written from `tables` when the dialog needs them
    bool editing = false;                          //!< an existing sync: its name stays
    std::vector<ConnectionDef> connections;
    std::vector<ConnectorSpec> connectors;
    TablesModel tables;
    std::optional<Discovery> discovery;            //!< of def.source
    std::vector<std::string> takenNames;           //!< of other syncs
    std::string madeTarget;                        //!< a connection that the dialog made; goes with it when it is cancelled
    std::function<void()> wantConnection;          //!< steps aside until a new connection is saved

    explicit WizardState(const Context& c) : context(c) {}
    const ConnectionDef* connection(const std::string& name) const
    {
        for (const auto& def_ : connections)
            if (def_.name == name) return &def_;
        return nullptr;
    }
    const ConnectorSpec* connectorOf(const ConnectionDef& connection) const;
    //! "prod" when either end is production.
    QString environment() const;
    SyncDef finished() const { SyncDef out = def; tables.store(out); return out; }
};

//! One step. The dialog shows title and hint above it, and its two lines in the step list at the left.
class WizardStep : public QWidget {
    Q_OBJECT
public:
    WizardStep(WizardState& state, QWidget* parent) : QWidget(parent), m_state(state) {}
    virtual QString name() const = 0;              //!< "Tables"
    virtual QString title() const = 0;             //!< "Choose tables"
    virtual QString hint() const = 0;
    virtual QStringList summary() const = 0;       //!< for the step list: "16 of 20 selected"
    virtual QString obstacle() const = 0;          //!< why the next step cannot be taken; empty: it can
    virtual void entered() {}                      //!< became the current step; sets the focus
signals:
    void changed();                                //!< summary, obstacle or environment may differ
    void wantsNext();                              //!< Enter in the step
protected:
    WizardState& m_state;
};

WizardStep* makeSourceStep(WizardState& state, QWidget* parent);      // ui/wizard/sourcestep.cpp
WizardStep* makeTablesStep(WizardState& state, QWidget* parent);      // ui/wizard/tablesstep.cpp
WizardStep* makeTargetStep(WizardState& state, QWidget* parent);      // ui/wizard/targetstep.cpp

//! The last step also holds the dry run and knows whether the first run starts at once.
class ReviewStep : public WizardStep {
    Q_OBJECT
public:
    using WizardStep::WizardStep;
    virtual void dryRun() = 0;
};
ReviewStep* makeReviewStep(WizardState& state, QWidget* parent);      // ui/wizard/reviewstep.cpp

} // namespace millrace::ui
