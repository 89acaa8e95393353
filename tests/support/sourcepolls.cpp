#include "tests/support/sourceworld.h"
#include <thread>

//! Polling: ties, late commits, rows that leave, rows that are deleted.
namespace millrace::test::sourcechecks {

void cursorTies(SourceFixture& fixture)
{
    World w(fixture, "ties");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, changed " + fixture.column(Kind::Second) + " NOT NULL");
    const auto plan = w.plan(byTime());
    Replica r;
    r.load(w, plan);
    const auto rows = [&](int from, int to) { insert(w, "id, changed", from, to, [&](int i) { return std::to_string(i) + ", " + fixture.now(); }); };
    rows(0, 500);
    r.poll(w, plan, 100);
    rows(500, 1000);                                   // most likely within the same second as what was polled
    r.poll(w, plan, 100);
    // the poll's own upper bound may lie before the last rows' second ends; the next one must have them
    r.poll(w, plan, 100);
    r.mustEqualProof(w, plan, "after ties");
    need(r.size() == 1000, "1,000 rows of one second, " + std::to_string(r.size()) + " arrived");
}

void pollResumes(SourceFixture& fixture)
{
    World w(fixture, "poll_resume");
    createPolled(w, 0);
    const auto plan = w.plan(byTime());
    Replica start;
    start.load(w, plan);
    insert(w, "id, amount, changed", 0, 150, [&](int i) { return std::to_string(i) + ", 1, " + fixture.now(); });
    const Read whole = readAll(*take(w.source().changes(plan, start.position), "changes"), plan->schema, 20);
    for (const auto& [count, position] : whole.boundaries) {
        Replica r;
        Read head = whole;
        head.rows.resize(count);
        r.apply(head);
        r.position = position;
        r.poll(w, plan, 33);
        r.poll(w, plan);
        r.mustEqualProof(w, plan, "resumed after " + std::to_string(count) + " rows");
    }
}

void polls(SourceFixture& fixture)
{
    World w(fixture, "polls");
    createPolled(w, 40);
    const auto plan = w.plan(byTime());
    Replica r;
    r.load(w, plan);
    r.mustEqualProof(w, plan, "after the load");
    for (int round = 0; round < 4; ++round) {
        w.exec("UPDATE " + w.name() + " SET amount = " + std::to_string(1000 + round) + ", changed = " + fixture.now() + " WHERE id % 4 = " + std::to_string(round));
        insert(w, "id, amount, changed", 100 + round * 10, 110 + round * 10, [&](int i) { return std::to_string(i) + ", 1, " + fixture.now(); });
        r.poll(w, plan, 7);
    }
    r.poll(w, plan);
    r.mustEqualProof(w, plan, "after four polls");
}

// A transaction stays open across three polls, longer than any overlap, and commits then.
void lateCommit(SourceFixture& fixture)
{
    if (!fixture.concurrentWriters())
        skip("one transaction writes at a time here, so none can commit late");
    World w(fixture, "late_commit");
    createPolled(w, 5);
    auto options = byTime();
    options.overlapMs = 0;
    const auto plan = w.plan(options);
    Replica r;
    r.load(w, plan);
    auto late = fixture.session();
    take(late->exec("BEGIN"), "begin");
    take(late->exec("INSERT INTO " + w.name() + " (id, amount, changed) VALUES (1000, 1, " + fixture.now() + ")"), "insert");
    const auto begin = std::chrono::steady_clock::now();
    for (int round = 0; round < 3 || std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(3500); ++round) {
        w.exec("UPDATE " + w.name() + " SET amount = amount + 1, changed = " + fixture.now() + " WHERE id = 1");
        r.poll(w, plan);
        need(!r.has("1000"), "a row that is not committed was read");
    }
    take(late->exec("COMMIT"), "commit");
    r.poll(w, plan);
    r.mustEqualProof(w, plan, "after the late commit");
}

// The same, but the transaction began before the very first position was noted.
void openBeforeMark(SourceFixture& fixture)
{
    if (!fixture.concurrentWriters())
        skip("one transaction writes at a time here, so none can commit late");
    World w(fixture, "open_before_mark");
    createPolled(w, 5);
    auto late = fixture.session();
    take(late->exec("BEGIN"), "begin");
    take(late->exec("INSERT INTO " + w.name() + " (id, amount, changed) VALUES (1000, 1, " + fixture.now() + ")"), "insert");
    auto options = byTime();
    options.overlapMs = 0;
    const auto plan = w.plan(options);
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(2000))
        w.describe();
    Replica r;
    r.load(w, plan);
    take(late->exec("COMMIT"), "commit");
    r.poll(w, plan);
    r.mustEqualProof(w, plan, "after the commit");
}

void movedWhileRead(SourceFixture& fixture)
{
    World w(fixture, "moved");
    createPolled(w, 300);
    const auto plan = w.plan(byTime());
    const Read before = w.snapshot(plan);
    auto snapshot = take(w.source().snapshot(plan), "snapshot");
    auto reader = take(snapshot->read({}), "read");
    Batch first(plan->schema);
    take(reader->read(first, 10, {}), "first batch");
    w.exec("UPDATE " + w.name() + " SET amount = 77, changed = " + fixture.now() + " WHERE id IN (3, 200)");
    w.exec("DELETE FROM " + w.name() + " WHERE id IN (4, 250)");
    w.exec("INSERT INTO " + w.name() + " (id, amount, changed) VALUES (5000, 1, " + fixture.now() + ")");
    const Read rest = readAll(*reader, plan->schema, 10);
    reader.reset();
    if (fixture.consistentSnapshot()) {
        need(!snapshot->moved(), "a consistent snapshot says that it moved");
        mustBeSame(rest.rows, {before.rows.begin() + 10, before.rows.end()}, "rows after the change");
    } else
        need(snapshot->moved(), "rows changed behind the reader and moved() is false");
}

void softDelete(SourceFixture& fixture)
{
    World w(fixture, "soft");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, gone " + fixture.column(Kind::Flag) + ", died " + fixture.column(Kind::Moment) + ", changed " + fixture.column(Kind::Moment) + " NOT NULL");
    insert(w, "id, gone, died, changed", 0, 30, [&](int i) {
        return std::to_string(i) + (i % 3 == 0 ? ", 1, " + fixture.now() : i % 3 == 1 ? std::string(", 0, NULL") : std::string(", NULL, NULL")) + ", " + fixture.now(); });
    for (const char* column : {"gone", "died"}) {
        auto options = byTime();
        options.softDelete = column;
        const auto plan = w.plan(options);
        take(w.source().preflight(*plan), "preflight");
        Replica r;
        r.load(w, plan);
        r.mustEqualProof(w, plan, std::string(column) + " after the load");
        need(r.size() == 20, "rows are deleted softly, " + std::to_string(r.size()) + " of 20 stay");
    }
    auto options = byTime();
    options.softDelete = "gone";
    const auto plan = w.plan(options);
    Replica r;
    r.load(w, plan);
    w.exec("UPDATE " + w.name() + " SET gone = 1, changed = " + fixture.now() + " WHERE id = 1");
    w.exec("UPDATE " + w.name() + " SET gone = 0, changed = " + fixture.now() + " WHERE id = 0");
    r.poll(w, plan);
    need(!r.has("1") && r.has("0"), "a soft delete or its undoing was missed");
    r.mustEqualProof(w, plan, "after the poll");
}

void whereLeave(SourceFixture& fixture)
{
    World w(fixture, "where_leave");
    createPolled(w, 40);
    w.exec("UPDATE " + w.name() + " SET amount = NULL WHERE id = 5");
    auto options = byTime();
    options.where = "amount > 10 -- large ones";
    const auto plan = w.plan(options);
    take(w.source().preflight(*plan), "preflight");
    Replica r;
    r.load(w, plan);
    need(r.size() == 18, "the filter leaves " + std::to_string(r.size()) + " rows of 18");
    w.exec("UPDATE " + w.name() + " SET amount = 1, changed = " + fixture.now() + " WHERE id = 15");
    w.exec("UPDATE " + w.name() + " SET amount = NULL, changed = " + fixture.now() + " WHERE id = 16");
    w.exec("UPDATE " + w.name() + " SET amount = 99, changed = " + fixture.now() + " WHERE id = 1");
    r.poll(w, plan);
    need(!r.has("15") && !r.has("16") && r.has("1"), "a row that left or entered the filter was missed");
    r.mustEqualProof(w, plan, "after the poll");
    options.where = "amount >";
    need(!w.source().preflight(*planFor(w.describe(), options)), "preflight() accepts a filter that is no SQL");
}

void deletedRows(SourceFixture& fixture)
{
    World w(fixture, "orders"), gone(fixture, "orders_deleted");
    createPolled(w, 30);
    gone.create("n " + integer(w) + " NOT NULL PRIMARY KEY, order_id " + integer(w) + " NOT NULL, deleted_at " + fixture.column(Kind::Moment) + " NOT NULL");
    auto options = byTime();
    options.deletedRows = DeletedRows {"orders_deleted", "order_id", "deleted_at"};
    const auto plan = w.plan(options);
    take(w.source().preflight(*plan), "preflight");
    Replica r;
    r.load(w, plan);
    int n = 0;
    const auto remove = [&](int id) {
        w.exec("DELETE FROM " + w.name() + " WHERE id = " + std::to_string(id));
        gone.exec("INSERT INTO " + gone.name() + " (n, order_id, deleted_at) VALUES (" + std::to_string(n++) + ", " + std::to_string(id) + ", " + fixture.now() + ")");
    };
    remove(3);
    remove(4);
    remove(5);
    w.exec("INSERT INTO " + w.name() + " (id, amount, changed) VALUES (4, 444, " + fixture.now() + ")");
    r.poll(w, plan, 2);
    need(!r.has("3") && !r.has("5"), "a deleted row was missed");
    need(r.has("4"), "a row that was inserted again was deleted");
    r.mustEqualProof(w, plan, "after the poll");
    remove(4);
    r.poll(w, plan);
    r.mustEqualProof(w, plan, "after the second delete");
    options.deletedRows->at = "no_such_column";
    need(!w.source().preflight(*planFor(w.describe(), options)), "preflight() accepts a missing column");
}

void nullCursor(SourceFixture& fixture)
{
    World w(fixture, "null_cursor");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, amount " + integer(w) + ", changed " + fixture.column(Kind::Moment));
    const auto plan = w.plan(byTime());
    Replica r;
    r.load(w, plan);
    insert(w, "id, amount, changed", 0, 30, [&](int i) { return std::to_string(i) + ", 1, " + (i % 2 ? "NULL" : fixture.now()); });
    r.poll(w, plan, 4);
    r.mustEqualProof(w, plan, "after the first poll");
    w.exec("UPDATE " + w.name() + " SET amount = 2 WHERE changed IS NULL");
    r.poll(w, plan, 4);
    r.mustEqualProof(w, plan, "after rows without a cursor changed");
}

} // namespace millrace::test::sourcechecks
