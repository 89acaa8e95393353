#include "ui/widgets/statewords.h"
#include "ui/widgets/format.h"
#include <QCoreApplication>

namespace millrace::ui {
namespace {

struct StateWords { Q_DECLARE_TR_FUNCTIONS(StateWords) };                 // the context of the translations
QString name(const char* text) { return QString::fromLatin1(text); }

// A row written after the proof makes it stale; below this it counts as the same moment
constexpr std::int64_t kStaleMs = 60'000;

} // namespace

StateWord stateWord(State state)
{
    switch (state) {
    case State::Idle: return {StateWords::tr("Idle"), name("task-process-0"), Role::Idle};
    case State::Queued: return {StateWords::tr("Queued"), name("clock"), Role::Queued};
    case State::Running: return {StateWords::tr("Running"), name("media-playback-start"), Role::Running};
    case State::Live: return {StateWords::tr("Live"), name("media-record"), Role::Live};
    case State::Lagging: return {StateWords::tr("Lagging"), name("chronometer"), Role::Lagging};
    case State::Paused: return {StateWords::tr("Paused"), name("media-playback-pause"), Role::Paused};
    case State::NeedsResync: return {StateWords::tr("Needs resync"), name("view-refresh"), Role::NeedsResync};
    case State::Failed: return {StateWords::tr("Failed"), name("data-error"), Role::Failed};
    case State::Unknown: break;
    }
    return {StateWords::tr("Unknown"), name("question"), Role::Unknown};
}

const std::vector<State>& statesInOrder()
{
    static const std::vector<State> all{State::Running, State::Live, State::Lagging, State::Queued, State::Idle, State::Paused, State::NeedsResync,
        State::Failed, State::Unknown};
    return all;
}

std::optional<State> stateFromWord(const QString& word)
{
    QString wanted = word.toLower();
    wanted.replace(QLatin1Char('-'), QLatin1Char('_')).replace(QLatin1Char(' '), QLatin1Char('_'));
    if (wanted == QLatin1String("resync"))
        return State::NeedsResync;
    for (const State state : statesInOrder())
        if (wanted == text(stateName(state)) || wanted == stateWord(state).word.toLower())
            return state;
    return std::nullopt;
}

bool needsPerson(State state)
{ return state == State::Failed || state == State::NeedsResync || state == State::Unknown || state == State::Lagging; }

int severity(State state)
{
    switch (state) {
    case State::Failed: return 9;
    case State::NeedsResync: return 8;
    case State::Unknown: return 7;
    case State::Running: return 6;
    case State::Lagging: return 5;
    case State::Live: return 4;
    case State::Paused: return 3;
    case State::Queued: return 2;
    case State::Idle: return 1;
    }
    return 0;
}

StateWord verifiedWord(const TableView& table, std::int64_t nowMs)
{
    if (table.verified.empty())
        return table.lastSyncMs == 0 && table.state == State::Running ? StateWord{StateWords::tr("pending"), name("question"), Role::Tertiary}
                                                                      : StateWord{StateWords::tr("never"), name("question"), Role::Tertiary};
    if (table.verified == "different")
        return {StateWords::tr("differs"), name("data-warning"), Role::Lagging};
    if (table.verified != "identical")
        return {StateWords::tr("no proof"), name("data-error"), Role::Failed};
    if (table.lastSyncMs > table.verifiedMs + kStaleMs)
        return {StateWords::tr("stale"), name("question"), Role::Tertiary};
    return {whenShort(table.verifiedMs, nowMs), name("dialog-ok-apply"), Role::Verified};
}

QString strategyWord(Strategy strategy)
{
    switch (strategy) {
    case Strategy::Auto: return StateWords::tr("Automatic");
    case Strategy::Full: return StateWords::tr("Full");
    case Strategy::Timestamp: return StateWords::tr("Timestamp");
    case Strategy::ChangeLog: return StateWords::tr("Change log");
    case Strategy::Log: return StateWords::tr("Log");
    case Strategy::Topic: return StateWords::tr("Topic");
    case Strategy::Push: return StateWords::tr("Push");
    }
    return {};
}

StateWord outcomeWord(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Success: return {StateWords::tr("Success"), name("dialog-ok-apply"), Role::Secondary};
    case Outcome::Partial: return {StateWords::tr("Partial"), name("data-warning"), Role::Lagging};
    case Outcome::Failed: return {StateWords::tr("Failed"), name("data-error"), Role::Failed};
    case Outcome::Cancelled: return {StateWords::tr("Stopped"), name("media-playback-stop"), Role::Paused};
    case Outcome::Unknown: break;
    }
    return {StateWords::tr("Unknown"), name("question"), Role::Unknown};
}

} // namespace millrace::ui
