#!/usr/bin/env python3
"""Every named crash point of the sources: the process dies there by SIGKILL, is started again, and both sides are equal.

A point that no scenario here reaches must be armed by a C++ test instead; otherwise this test fails and names it.
"""
import re
import signal
import sqlite3
from harness import *
from compare import EmbeddedTarget, MongoTarget, MySqlSource, RedisTarget, SqliteSource, Table, compare

TABLES = [Table("orders", ["id"]), Table("pairs", ["a", "b"]), Table("loose", [])]
SMALL = {"settings": {"batch_min": 50, "batch_max": 100}}
SLOW = {"settings": {"batch_min": 50, "batch_max": 100, "rate_limit": 2500}}
RULES = ["*", {"name": "orders", "strategy": "timestamp", "cursor": "changed"}]
FILL = ["create table orders (id integer primary key, note varchar(40), changed timestamp(3) not null default {now})",
        "create index oc on orders(changed)",
        "create table pairs (a integer not null, b varchar(20) not null, v integer, primary key(a, b))",
        "create table loose (a integer, b varchar(20))"]


def points():
    found = set()
    for path in [*ROOT.glob("core/**/*.cpp"), *ROOT.glob("app/**/*.cpp")]:
        if path.name != "crashpoint.cpp":
            found |= set(re.findall(r'crashPoint\("([^"]+)"\)', path.read_text(errors="replace")))
    return sorted(found)


def armed_elsewhere(point):
    return any(point in path.read_text(errors="replace") for path in ROOT.glob("tests/**/tst_*.cpp"))


class SqlitePair:
    """A SQLite shop into the embedded store: fast, no server."""

    name = "sqlite -> embedded"

    def __init__(self):
        self.cli = Cli(folder())
        self.source_path, self.target_path = self.cli.folder / "shop.db", self.cli.folder / "target.db"
        target = self.target_url()
        self.sql([s.format(now="'2024-01-01 00:00:00.000'") for s in FILL])
        link = sqlite3.connect(self.source_path)
        link.executemany("insert into orders(id,note) values (?,?)", [(i, f"order {i}") for i in range(2000)])
        link.executemany("insert into pairs values (?,?,?)", [(i // 10, f"b{i}", i) for i in range(1000)])
        link.executemany("insert into loose values (?,?)", [(i % 5, "x") for i in range(300)])
        link.commit()
        link.close()
        self.file, self.slow = [self.cli.file(name, sync_file("sqlite:shop.db", target, RULES, **settings))
                                for name, settings in (("job.yaml", SMALL), ("slow.yaml", SLOW))]

    def target_url(self):
        return f"embedded://{self.target_path}"

    def sql(self, statements):
        link = sqlite3.connect(self.source_path, timeout=20)
        for statement in statements:
            link.execute(statement)
        link.commit()
        link.close()

    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    def compared(self):
        return compare(SqliteSource(self.source_path), EmbeddedTarget(self.target_path), TABLES)[1]

    def close(self):
        shutil.rmtree(self.cli.folder, ignore_errors=True)


class RedisPair(SqlitePair):
    """The same shop into Redis."""

    name = "sqlite -> redis"
    redis = None

    def target_url(self):
        self.redis.client().flushall()
        return self.redis.url()

    def compared(self):
        return compare(SqliteSource(self.source_path), RedisTarget(self.redis.client()), TABLES)[1]


class ServerPair:
    """MariaDB into MongoDB."""

    name = "mariadb -> mongodb"
    server = mongo = None
    number = 0

    def __init__(self):
        ServerPair.number += 1
        self.database = f"crash{ServerPair.number}"
        self.cli = Cli(folder())
        self.server.execute(f"create database {self.database} character set utf8mb4")
        self.sql([s.format(now="'2024-01-01 00:00:00'") for s in FILL] +
                 ["insert into orders(id,note) select seq, concat('order ', seq) from seq_1_to_2000",
                  "insert into pairs select seq div 10, concat('b', seq), seq from seq_1_to_1000", "insert into loose select seq % 5, 'x' from seq_1_to_300"])
        self.file, self.slow = [self.cli.file(name, sync_file(mysql(self.server, self.database), self.mongo.url(self.database), RULES, **settings))
                                for name, settings in (("job.yaml", SMALL), ("slow.yaml", SLOW))]

    def sql(self, statements):
        self.server.execute("set time_zone='+00:00'", *statements, database=self.database)

    now = "now(3)"

    def compared(self):
        source = MySqlSource(self.database, unix_socket=self.server.socket, user="root")
        try:
            return compare(source, MongoTarget(self.mongo.client(), self.database), TABLES)[1]
        finally:
            source.link.close()

    def close(self):
        self.server.execute(f"drop database {self.database}")
        self.mongo.client().drop_database(self.database)
        shutil.rmtree(self.cli.folder, ignore_errors=True)


def change(pair):
    pair.changes = getattr(pair, "changes", 0) + 1
    pair.sql([f"update orders set note='changed', changed={pair.now} where id % 3 = 0", f"insert into orders values ({5000 + pair.changes}, 'new', {pair.now})",
              "update pairs set v = v + 1 where a % 2 = 0", "insert into loose values (77, 'new')"])


def remove(pair):
    pair.sql(["delete from orders where id % 4 = 0", "delete from pairs where a < 20", "delete from loose where a = 1"])


# Each scenario prepares without the crash point, then runs one command under it, and says how to end whole.
def first_load(pair):
    return ["run", pair.file], ["run", pair.file]


def resumed_load(pair):
    # Slow enough that part of the load is in a durable checkpoint when it dies.
    died = pair.cli("run", pair.slow, code=None, MILLRACE_CRASHPOINT="engine.before_write:28").returncode
    equal(died, -signal.SIGKILL, "the load that is to be resumed")
    return ["run", pair.file], ["run", pair.file]


def typed_secret(pair):
    pair.cli("run", pair.file)
    words = ["connections", "add", "other", "mysql://reader@127.0.0.1:1/x", "--password-stdin"]
    return words, words


def incremental(pair):
    pair.cli("run", pair.file)
    change(pair)
    return ["sync", "run", "job"], ["sync", "run", "job"]


def full_again(pair):
    pair.cli("run", pair.file)
    remove(pair)
    words = ["sync", "run", "job", "--full", "--accept-deletes"]
    return words, words


SCENARIOS = [first_load, incremental, full_again, resumed_load, typed_secret]


def survives(pair_type, point, passage):
    """True when some scenario died there and was whole after the restart; None when none reached the point."""
    for scenario in SCENARIOS:
        pair = pair_type()
        try:
            words, again = scenario(pair)
            died = pair.cli(*words, code=None, stdin="typed", MILLRACE_CRASHPOINT=f"{point}:{passage}").returncode
            if died != -signal.SIGKILL:
                check(died == 0, f"{scenario.__name__} under {point}:{passage} ended with {died}")
                continue
            check_whole(pair, again, f"{pair.name}, {scenario.__name__}, {point}:{passage}")
            return True
        finally:
            pair.close()
    return None


def check_whole(pair, words, where):
    if words[0] == "connections":
        pair.cli(*words, stdin="typed", code=(0, 3))          # 3: it was there already
        check("other" in pair.cli("connections", "list", "--json").stdout, f"{where}: the connection is not there")
        words = ["sync", "run", "job"]
    answer = pair.cli.json(*words)
    answer = answer["syncs"]["job"] if "syncs" in answer else answer
    equal(answer["status"], "success", f"status after the restart ({where})")
    # Polling cannot see deletes; the last full run ends in exactly the source's rows.
    if "--full" not in words:
        found = pair.compared()
        check(not found, lambda: f"{where}: " + "; ".join(found[:5]))
        change(pair)
        pair.cli("sync", "run", "job")
    found = pair.compared()
    check(not found, lambda: f"{where}: " + "; ".join(found[:5]))


def all_points(pair_type, rooms=(), only=()):
    """Tries all points but those of the rooms named, or those of some rooms only; answers the ones that nothing reached."""
    failed, reached, elsewhere = [], [], []
    for point in [p for p in points() if p.split(".")[0] not in rooms and (not only or p.split(".")[0] in only)]:
        # Points on every batch's way are also tried in the middle of a table.
        often = point.split(".")[-1] in ("after_read", "before_write", "after_write", "after_settle", "before_commit", "after_commit")
        passages = (1, 4, 9) if LONG else (1, 4) if often else (1,)
        for passage in passages:
            try:
                outcome = survives(pair_type, point, passage)
            except AssertionError as e:
                failed.append(str(e))
                continue
            if outcome:
                reached.append(f"{point}:{passage}")
            elif passage == passages[0]:
                elsewhere.append(point)
    print(f"{pair_type.name}: {len(reached)} crashes survived", flush=True)
    check(not failed, lambda: "\n    ".join(failed))
    check(reached, "no crash point was reached")
    return elsewhere


@case
def sqlite_to_embedded():
    missed = [p for p in all_points(SqlitePair, ("mongodb", "redis", "search")) if not armed_elsewhere(p)]
    check(not missed, f"no scenario and no C++ test reaches {', '.join(missed)}")


@case
def mariadb_to_mongodb():
    with Mongod() as mongo, MariaDb() as server:
        ServerPair.server, ServerPair.mongo = server, mongo
        missed = [p for p in all_points(ServerPair, ("store", "embedded", "secrets", "redis", "search")) if p.startswith("mongodb.") and not armed_elsewhere(p)]
        check(not missed, f"no scenario and no C++ test reaches {', '.join(missed)}")


@case
def sqlite_to_redis():
    with Redis() as redis:
        RedisPair.redis = redis
        missed = [p for p in all_points(RedisPair, only=("redis",)) if not armed_elsewhere(p)]
        check(not missed, f"no scenario and no C++ test reaches {', '.join(missed)}")


main()
