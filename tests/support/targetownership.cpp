#include "tests/support/targetbench.h"

//! Whose a container is, leases, deletes by version, side containers, reading back.
namespace millrace::test::targetchecks {

void ownershipStop(TargetFixture& fixture)
{
    Bench b(fixture, "ownership_stop");
    fixture.putForeign(b.plan->container, "9");
    const auto before = fixture.documents(b.plan->container);
    EXPECT_SAME(before.size(), std::size_t{1});
    const auto refused = b.target->prepare(*b.plan, b.lease);
    EXPECT(!refused);
    EXPECT(refused.error().fault == Fault::Config);
    EXPECT(refused.error().id.ends_with(".not_ours"));
    EXPECT(!refused.error().fix.empty());
    REFUSED(Fault::Config, b.target->drop(*b.plan, b.lease));
    EXPECT_SAME(fixture.documents(b.plan->container), before);
}

void ownershipWrite(TargetFixture& fixture)
{
    Bench b(fixture, "ownership_write");
    fixture.putForeign(b.plan->container, "9");
    const auto before = fixture.documents(b.plan->container);
    b.plan->ifExists = IfExists::Write;
    const Prepared prepared = b.prepare();
    EXPECT(!prepared.fresh && !prepared.replaces);
    EXPECT_SAME(prepared.documents, std::uint64_t{0});
    b.open();
    b.write({{Op::Upsert, 1, "one"}, {Op::Upsert, 2, "two"}, {Op::Delete, 9, ""}});
    const auto found = b.readBack();
    EXPECT_SAME(found.size(), std::size_t{3});
    EXPECT(found.at("1").ours && found.at("2").ours && !found.at("9").ours);
    EXPECT_SAME(found.at("1").form, b.form(1, "one"));
    EXPECT_SAME(MUST(b.target->countOwn(*b.plan)), std::uint64_t{2});
    EXPECT_SAME(MUST(b.target->countVersions(*b.plan, 0, std::uint64_t{1} << 62)), std::uint64_t{2});
    EXPECT_SAME(MUST(b.target->deleteVersions(*b.plan, b.lease, 0, std::uint64_t{1} << 62, {})), std::uint64_t{2});
    EXPECT_SAME(fixture.documents(b.plan->container), before);         // the other one was never touched
    b.write({{Op::Upsert, 1, "one"}});
    EXPECT_SAME(b.prepare().documents, std::uint64_t{1});              // and a later run still knows its own
    REFUSED(Fault::Config, b.target->drop(*b.plan, b.lease));
    EXPECT_SAME(fixture.documents(b.plan->container).size(), std::size_t{2});
}

void ownershipRebuild(TargetFixture& fixture)
{
    Bench b(fixture, "ownership_rebuild");
    fixture.putForeign(b.plan->container, "9");
    const auto before = fixture.documents(b.plan->container);
    b.plan->ifExists = IfExists::Rebuild;
    EXPECT(b.prepare().replaces);
    MUST(b.target->beginAside(*b.plan, b.lease));
    b.open();
    b.write({{Op::Upsert, 1, "one"}});
    EXPECT_SAME(fixture.documents(b.plan->container), before);         // until the swap
    MUST(b.target->promoteAside(*b.plan, b.lease));
    b.holds({{1, "one"}});
    const Prepared again = b.prepare();
    EXPECT(!again.replaces);
    EXPECT_SAME(again.documents, std::uint64_t{1});
    b.open();
    b.write({{Op::Upsert, 2, "two"}});
    b.holds({{1, "one"}, {2, "two"}});
}

void ownContainerReused(TargetFixture& fixture)
{
    Bench b(fixture, "own_container_reused");
    EXPECT(b.prepare().fresh);
    b.open(true);
    b.write({{Op::Upsert, 1, "one"}});
    Bench later(fixture, "own_container_reused");                      // a new process: nothing but the store remembers
    const Prepared prepared = later.prepare();
    EXPECT(!prepared.fresh && !prepared.replaces);
    EXPECT_SAME(prepared.documents, std::uint64_t{1});
    later.open();
    later.write({{Op::Upsert, 2, "two"}});
    later.holds({{1, "one"}, {2, "two"}});
    MUST(later.target->drop(*later.plan, later.lease));
    EXPECT(!fixture.exists(later.plan->container));
    EXPECT(later.prepare().fresh);
}

void otherSyncRefused(TargetFixture& fixture)
{
    Bench b(fixture, "other_sync_refused");
    b.start();
    b.write({{Op::Upsert, 1, "one"}});
    const auto before = b.documents();
    Bench other(fixture, "other_sync_refused_too");
    other.plan->container = b.plan->container;
    REFUSED(Fault::Config, other.target->prepare(*other.plan, other.lease));
    EXPECT_SAME(b.documents(), before);
}

void leaseRules(TargetFixture& fixture)
{
    auto target = MUST(fixture.open());
    const Lease first = MUST(target->acquire("lease", "home-a", 7, {}));
    EXPECT(first.epoch > 7);
    MUST(target->heartbeat(first));
    auto second = MUST(fixture.open());
    REFUSED(Fault::Fenced, second->acquire("lease", "home-b", 0, {}));
    const Lease again = MUST(second->acquire("lease", "home-a", 0, {}));        // the same home, restarted
    EXPECT(again.epoch > first.epoch);
    REFUSED(Fault::Fenced, target->heartbeat(first));
    MUST(target->heartbeat(again));
    MUST(target->release(again));
    REFUSED(Fault::Fenced, target->heartbeat(again));
    const Lease other = MUST(second->acquire("lease", "home-b", 0, {}));        // released: free at once, and still counting up
    EXPECT(other.epoch > again.epoch);
    MUST(second->release(other));
    const Lease unrelated = MUST(second->acquire("lease-2", "home-b", 0, {}));
    EXPECT(unrelated.epoch >= 1);
}

void fencedWritesNothing(TargetFixture& fixture)
{
    Bench b(fixture, "fenced_writes_nothing");
    b.start();
    b.write({{Op::Upsert, 1, "one"}});
    const auto before = b.documents();
    fixture.ageLease(b.plan->sync, 3600);                              // paused for an hour
    auto target = MUST(fixture.open());
    const Lease taken = MUST(target->acquire(b.plan->sync, "home-b", 0, {}));
    EXPECT(taken.epoch > b.lease.epoch);
    REFUSED(Fault::Fenced, b.session->write(b.payload({{Op::Upsert, 1, "late"}, {Op::Upsert, 2, "late"}}, b.version(50)), {}));
    REFUSED(Fault::Fenced, b.session->write(b.payload({{Op::Delete, 1, ""}}, b.version(60)), {}));
    REFUSED(Fault::Fenced, b.target->heartbeat(b.lease));
    REFUSED(Fault::Fenced, b.target->prepare(*b.plan, b.lease));
    REFUSED(Fault::Fenced, b.target->deleteVersions(*b.plan, b.lease, 0, std::uint64_t{1} << 62, {}));
    REFUSED(Fault::Fenced, b.target->beginAside(*b.plan, b.lease));
    REFUSED(Fault::Fenced, b.target->drop(*b.plan, b.lease));
    EXPECT_SAME(b.documents(), before);
    MUST(b.target->release(b.lease));                                  // not ours to release any more: nothing happens
    MUST(target->heartbeat(taken));
}

void versionsCountedAndDeleted(TargetFixture& fixture)
{
    Bench b(fixture, "versions");
    b.start();
    b.writeAt({{Op::Upsert, 1, "one"}, {Op::Upsert, 2, "two"}, {Op::Upsert, 3, "three"}}, 10);    // versions 10, 11, 12
    b.writeAt({{Op::Upsert, 4, "four"}}, 20);
    EXPECT_SAME(MUST(b.target->countOwn(*b.plan)), std::uint64_t{4});
    EXPECT_SAME(MUST(b.target->countVersions(*b.plan, b.version(10), b.version(12))), std::uint64_t{2});
    EXPECT_SAME(MUST(b.target->countVersions(*b.plan, 0, b.version(20))), std::uint64_t{3});
    EXPECT_SAME(MUST(b.target->deleteVersions(*b.plan, b.lease, 0, b.version(12), {})), std::uint64_t{2});
    b.holds({{3, "three"}, {4, "four"}});
    EXPECT_SAME(MUST(b.target->deleteVersions(*b.plan, b.lease, 0, b.version(10), {})), std::uint64_t{0});
}

void manyDeleted(TargetFixture& fixture)
{
    Bench b(fixture, "many_deleted");
    b.start();
    std::vector<Change> rows;
    for (std::int64_t i = 0; i < 25'000; ++i)
        rows.push_back({Op::Upsert, i, "x"});
    b.writeAt(rows, 1);
    b.writeAt({{Op::Upsert, 7, "kept"}, {Op::Upsert, 24'999, "kept"}}, 100'000);
    EXPECT_SAME(MUST(b.target->deleteVersions(*b.plan, b.lease, 0, b.version(100'000), {})), std::uint64_t{24'998});
    b.holds({{7, "kept"}, {24'999, "kept"}});
}

void asideIsSwapped(TargetFixture& fixture)
{
    Bench b(fixture, "aside", true);
    const auto titles = [&] {
        std::multiset<std::string> out;
        for (const auto& document : b.readAll())
            out.insert(document.form);
        EXPECT_SAME(b.documents().size(), out.size());
        return out;
    };
    EXPECT(b.prepare().fresh);
    MUST(b.target->beginAside(*b.plan, b.lease));
    b.open(true);
    b.write({{Op::Upsert, 1, "twin"}, {Op::Upsert, 1, "twin"}, {Op::Upsert, 2, "two"}});
    EXPECT(b.readAll().empty());                                       // nothing is seen before the swap
    MUST(b.target->promoteAside(*b.plan, b.lease));
    const std::multiset<std::string> first = {b.form(1, "twin"), b.form(1, "twin"), b.form(2, "two")};
    EXPECT(titles() == first);

    b.prepare();
    MUST(b.target->beginAside(*b.plan, b.lease));                      // given up halfway ...
    b.open(true);
    b.write({{Op::Upsert, 5, "lost"}});
    EXPECT(titles() == first);
    b.prepare();
    MUST(b.target->beginAside(*b.plan, b.lease));                      // ... starts over from nothing
    b.open(true);
    const auto payload = b.payload({{Op::Upsert, 3, "three"}, {Op::Upsert, 3, "three"}}, b.version(900));
    b.write(payload);
    b.write(payload);                                                  // a lost answer: the same ordinals again
    EXPECT(titles() == first);
    MUST(b.target->promoteAside(*b.plan, b.lease));
    EXPECT((titles() == std::multiset<std::string>{b.form(3, "three"), b.form(3, "three")}));
    for (const auto& document : b.documents())
        if (document.key != "900" && document.key != "901")
            fail("the key of a keyless row is its ordinal, not " + document.key, place(__FILE__, __LINE__));
}

void fencedCannotPromote(TargetFixture& fixture)
{
    Bench b(fixture, "fenced_promote", true);
    b.prepare();
    MUST(b.target->beginAside(*b.plan, b.lease));
    b.open(true);
    b.write({{Op::Upsert, 1, "one"}});
    auto target = MUST(fixture.open());
    MUST(target->acquire(b.plan->sync, "home-a", 0, {}));
    REFUSED(Fault::Fenced, b.target->promoteAside(*b.plan, b.lease));
    EXPECT(b.readAll().empty());
}

void readBackByKeys(TargetFixture& fixture)
{
    Bench b(fixture, "read_back_by_keys");
    b.start();
    std::vector<Change> rows;
    std::vector<std::string> keys = {"none", "5000"};
    for (std::int64_t i = 0; i < 1500; ++i) {
        rows.push_back({Op::Upsert, i, "row " + std::to_string(i)});
        if (i % 2)
            keys.push_back(std::to_string(i));
    }
    b.write(rows);
    EXPECT_SAME(b.readBack().size(), std::size_t{1500});
    const auto some = b.readBack(keys);
    EXPECT_SAME(some.size(), std::size_t{750});
    EXPECT_SAME(some.at("7").form, b.form(7, "row 7"));
    EXPECT(b.readBack({"none"}).empty());
}

} // namespace millrace::test::targetchecks
