#!/usr/bin/env python3
"""Benchmarks of one run, as ratios: our time against a yardstick on the same rows, interleaved, medians. Absolute figures belong to
this machine and this minute; quote the ratios.

    bench.py [--rows N] [--repeat N] [--only WORD] [--long]

A peer or server that is missing prints `not run`, never a number. --long: also 10 million rows for the memory line.
"""
import argparse
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "services")]
from servers import MariaDb, Missing, Mongod, Postgres, Redis  # noqa: E402


CLI = os.environ.get("MILLRACE_CLI") or str(ROOT / "build" / "release" / "bin" / "millrace-cli")
BIN = pathlib.Path(CLI).parent
COLUMNS = ("id int primary key, customer int not null, product int not null, quantity smallint not null, price decimal(10,2) not null, discount double, "
           "status varchar(20) not null, note varchar(120), country char(2) not null, placed datetime not null, paid tinyint(1) not null, changed timestamp(3) not null")


class Measured:
    def __init__(self, rows, seconds, cpu, rss):
        self.rows, self.seconds, self.cpu, self.rss = rows, seconds, cpu, rss


def measure(command, env=None, stdout=subprocess.DEVNULL):
    """Runs a command; wall time, its CPU time, its peak memory in KB."""
    began = time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=env)
    output = process.stdout.read() if stdout == subprocess.PIPE else b""
    error = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{command[0]} exit {process.returncode}: {error.decode(errors='replace')[-600:]}")
    return Measured(0, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss), output.decode(errors="replace")


class Sync:
    """Our side: one home, one sync of the table `orders`, loaded whole each time."""

    def __init__(self, source, target):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-"))
        self.env = {**os.environ, "MILLRACE_HOME": str(self.folder / "home"), "BENCH_PASSWORD": "reader", "LC_ALL": "C.UTF-8"}
        self.file = self.folder / "bench.yaml"
        shop = {"url": source}
        if source.startswith(("mysql", "postgres")):
            shop["password"] = {"env": "BENCH_PASSWORD"}
        self.file.write_text(json.dumps({"version": 1, "connections": {"shop": shop, "store": {"url": target}},
                                         "syncs": {"bench": {"source": "shop", "target": "store", "tables": ["orders"]}}}))
        subprocess.run([CLI, "apply", self.file, "--quiet"], env=self.env, check=True, stdin=subprocess.DEVNULL)

    def load(self, rows):
        subprocess.run([CLI, "sync", "reset", "bench", "--yes", "--quiet"], env=self.env, check=True, stdin=subprocess.DEVNULL)
        m, text = measure([CLI, "sync", "run", "bench", "--full", "--json", "--quiet"], self.env, subprocess.PIPE)
        answer = json.loads(text)
        table = answer["tables"]["orders"]
        if answer["status"] != "success" or table["read"] != rows:
            raise RuntimeError(f"the load read {table['read']} of {rows} rows: {answer['status']}")
        m.rows = rows
        # The table's own time: what a yardstick, which starts no program and opens no store, is compared with.
        m.inner = table["duration_seconds"]
        return m

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def interleaved(repeat, ours, theirs):
    """A B B A ...: both see the same minutes of the machine."""
    a, b = [], []
    for i in range(repeat):
        for turn in ((ours, a), (theirs, b)) if i % 2 == 0 else ((theirs, b), (ours, a)):
            turn[1].append(turn[0]())
    return a, b


def spread(values):
    return f"{min(values):.2f}..{max(values):.2f}"


def report(name, ours, theirs, peer, aim):
    """theirs: seconds. The ratio is of rates: above 1 we are faster."""
    whole = statistics.median(m.seconds for m in ours)
    inner = statistics.median(m.inner for m in ours)
    other = statistics.median(theirs)
    cpu = statistics.median(m.rows / m.cpu for m in ours)
    print(f"{name}: {other / inner:.2f} x {peer} (whole program {other / whole:.2f} x; aim {aim})  |  {ours[0].rows / inner:,.0f} rows/s "
          f"[{spread([m.inner for m in ours])} s], peer {ours[0].rows / other:,.0f} rows/s [{spread(theirs)} s]  |  {cpu:,.0f} rows per CPU-second, "
          f"peak {max(m.rss for m in ours) / 1024:.0f} MB", flush=True)


def fill_mysql(server, rows):
    server.execute("drop database if exists bench", "create database bench character set utf8mb4")
    server.execute(f"create table orders ({COLUMNS})",
                   "insert into orders select seq, seq * 7919 % 100003, seq * 31 % 5003, 1 + seq % 9, (seq * 37 % 1000000) / 100, (seq % 100) / 7, "
                   "elt(1 + seq % 4, 'new', 'paid', 'shipped', 'returned'), concat('Bestellung Nr. ', seq, ' für Kundin ', seq * 7919 % 100003, ' – bitte läuten'), "
                   "elt(1 + seq % 3, 'DE', 'IN', 'US'), '2024-01-01' + interval seq % 30000000 second, seq % 2, '2024-01-01 00:00:00' + interval seq % 30000000 second "
                   f"from seq_1_to_{rows}", "analyze table orders", database="bench")


def fill_postgres(server, rows):
    server.execute("drop database if exists bench", "create database bench")
    columns = COLUMNS.replace("tinyint(1)", "boolean").replace("datetime", "timestamp(0)").replace("timestamp(3)", "timestamptz(3)").replace("double", "double precision")
    server.execute(f"create table orders ({columns})",
                   "insert into orders select i, i::bigint * 7919 % 100003, i::bigint * 31 % 5003, 1 + i % 9, (i::bigint * 37 % 1000000) / 100.0, (i % 100) / 7.0, "
                   "(array['new', 'paid', 'shipped', 'returned'])[1 + i % 4], 'Bestellung Nr. ' || i || ' für Kundin ' || (i::bigint * 7919 % 100003) || ' – bitte läuten', "
                   "(array['DE', 'IN', 'US'])[1 + i % 3], timestamp '2024-01-01' + (i % 30000000) * interval '1 second', i % 2 = 0, "
                   f"timestamptz '2024-01-01 00:00:00+00' + (i % 30000000) * interval '1 second' from generate_series(1, {rows}) i", "vacuum analyze orders", database="bench")


def fill_sqlite(path, rows):
    link = sqlite3.connect(path)
    link.execute(f"create table orders ({COLUMNS})")
    link.execute("with recursive n(i) as (values(1) union all select i+1 from n where i < ?) insert into orders select i, i*7919%100003, i*31%5003, 1+i%9, "
                 "round((i*37%1000000)/100.0,2), (i%100)/7.0, 'paid', 'Bestellung Nr. '||i||' für Kundin '||(i*7919%100003)||' – bitte läuten', 'DE', "
                 "datetime('2024-01-01', '+'||(i%30000000)||' seconds'), i%2, datetime('2024-01-01', '+'||(i%30000000)||' seconds') from n", (rows,))
    link.commit()
    link.close()


def mysql_to_null(args):
    with MariaDb() as server:
        fill_mysql(server, args.rows)
        sync = Sync(server.url("bench"), "null:")
        dump = ["mariadb", "--no-defaults", f"--socket={server.socket}", "-uroot", "--quick", "-BN", "-e", "select * from orders", "bench"]
        ours, theirs = interleaved(args.repeat, lambda: sync.load(args.rows), lambda: measure(dump)[0].seconds)
        report("MySQL -> null", ours, theirs, "mariadb --quick", ">= 1.5")
        sync.close()


def postgresql_to_null(args):
    with Postgres() as server:
        fill_postgres(server, args.rows)
        sync = Sync(server.url("bench"), "null:")
        dump = [server.programs / "psql", "-X", "-q", "-h", server.socket, "-p", server.port, "-U", "postgres", "-d", "bench", "-c", "copy orders to stdout (format binary)"]
        ours, theirs = interleaved(args.repeat, lambda: sync.load(args.rows), lambda: measure(dump)[0].seconds)
        report("PostgreSQL -> null", ours, theirs, "psql COPY BINARY", ">= 0.85")
        sync.close()


def sqlite_to_null(args):
    folder = tempfile.mkdtemp(prefix="millrace-bench-")
    path = f"{folder}/shop.db"
    fill_sqlite(path, args.rows)
    sync = Sync(f"sqlite://{path}", "null:")
    step = lambda: float(measure([BIN / "sqlitestep", path, "orders"], stdout=subprocess.PIPE)[1].split()[1])
    ours, theirs = interleaved(args.repeat, lambda: sync.load(args.rows), step)
    report("SQLite -> null", ours, theirs, "a bare sqlite3_step loop", ">= 0.8")
    sync.close()
    shutil.rmtree(folder)


def mysql_to_mongodb(args):
    rows = min(args.rows, 500_000)
    with Mongod() as mongo, MariaDb() as server:
        fill_mysql(server, rows)
        client = mongo.client()
        sync = Sync(server.url("bench"), mongo.url("bench"))
        sync.load(rows)
        client.admin.command("renameCollection", "bench.orders", to="bench.prebuilt")

        def ours_once():
            client["bench"].drop_collection("orders")
            return sync.load(rows)

        def theirs_once():
            client["bench"].drop_collection("peer")
            return float(measure([BIN / "bsoninsert", mongo.url("bench"), "bench", "prebuilt", "peer", 2], stdout=subprocess.PIPE)[1].split()[1])

        ours, theirs = interleaved(args.repeat, ours_once, theirs_once)
        if client["bench"]["orders"].count_documents({}) != rows or client["bench"]["peer"].count_documents({}) != rows:
            raise RuntimeError("a collection does not hold all rows")
        report("MySQL -> MongoDB", ours, theirs, "inserting prebuilt BSON on two connections (majority, journal)", ">= 0.9 of the joint limit")
        sync.close()


def mysql_to_redis(args):
    """Against the joint limit: the source's raw dump and redis-cli --pipe of the same documents, ready made, at the same time. The
    peer writes one plain key a row; ours has a version and a registry entry for each."""
    rows = min(args.rows, 1_000_000)
    with Redis() as redis, MariaDb() as server:
        fill_mysql(server, rows)
        client = redis.client()
        sync = Sync(server.url("bench"), redis.url())
        sync.load(rows)
        ready = sync.folder / "ready"
        with open(ready, "wb") as out:
            for first in range(1, rows + 1, 5000):
                keys = [b"orders:%d" % i for i in range(first, min(first + 5000, rows + 1))]
                for key, document in zip(keys, client.mget(keys)):
                    out.write(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(document), document))
        pipe = f"redis-cli -p {redis.port} --pipe < {ready} > /dev/null"
        dump = f"mariadb --no-defaults --socket={server.socket} -uroot --quick -BN -e 'select * from orders' bench > /dev/null"

        def ours_once():
            client.flushall()
            return sync.load(rows)

        def theirs_once(command):
            client.flushall()
            seconds = measure(["sh", "-c", command])[0].seconds
            if client.dbsize() != rows:
                raise RuntimeError(f"redis-cli --pipe left {client.dbsize()} keys")
            return seconds

        ours, joint = interleaved(args.repeat, ours_once, lambda: theirs_once(f"{dump} & {pipe}; wait"))
        if client.dbsize() < rows:
            raise RuntimeError("Redis does not hold all rows")
        report("MySQL -> Redis", ours, joint, "redis-cli --pipe beside the raw dump", ">= 0.95")
        _, alone = interleaved(args.repeat, lambda: None, lambda: theirs_once(pipe))
        print(f"MySQL -> Redis: redis-cli --pipe alone {rows / statistics.median(alone):,.0f} rows/s", flush=True)
        sync.close()


def memory(args):
    """Peak memory does not grow with the rows."""
    sizes = [100_000, 1_000_000] + ([10_000_000] if args.long else [])
    peaks = []
    with MariaDb() as server:
        for rows in sizes:
            fill_mysql(server, rows)
            sync = Sync(server.url("bench"), "null:")
            m = sync.load(rows)
            peaks.append(m.rss)
            print(f"memory: {rows:,} rows: peak {m.rss / 1024:.0f} MB, {m.inner:.1f} s", flush=True)
            sync.close()
    print(f"memory: {sizes[-1]:,} rows take {peaks[-1] / peaks[0]:.2f} x the memory of {sizes[0]:,} (aim <= 1.1)", flush=True)


def from_window(*words, began=False):
    """One answer of windowbench, on a display that is not there."""
    program = BIN / "windowbench"
    if not program.exists():
        raise Missing("windowbench is not built")
    if began:
        words += (time.clock_gettime_ns(time.CLOCK_MONOTONIC),)
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"})
    if done.returncode:
        raise RuntimeError(f"windowbench {words[0]} exit {done.returncode}: {done.stderr[-600:]}")
    return json.loads(done.stdout)


def window_stall(args):
    """The longest stall of the event loop while the whole window follows a million-row sync. The best run is the one that says something
    about the window: what others do to the machine only ever makes it longer."""
    for target in ("embedded", "null"):
        runs = []
        for _ in range(3):
            home = tempfile.mkdtemp(prefix="millrace-bench-")
            runs.append(from_window("stall", home, args.rows, target))
            shutil.rmtree(home)
        best = min(runs, key=lambda r: r["longest_ms"])
        print(f"window, SQLite -> {target}, {best['rows']:,} rows in {best['seconds']:.1f} s: longest stall of the event loop {best['longest_ms']:.0f} ms "
              f"(own CPU {best['longest_own_cpu_ms']:.0f} ms, while showing {best['during']}; aim < 100), over 50 ms {best['over_50']} times  |  "
              f"best of {len(runs)} [{', '.join(format(r['longest_ms'], '.0f') for r in runs)} ms]", flush=True)


def window_start(args):
    """Start to the first painted window, and what the application costs when nothing happens."""
    home = tempfile.mkdtemp(prefix="millrace-bench-")
    from_window("stall", home, 25_000, "embedded")
    ours, theirs = interleaved(max(3, args.repeat), lambda: from_window("start", home, began=True)["ms"], lambda: from_window("empty", home, began=True)["ms"])
    print(f"window start: {statistics.median(ours):.0f} ms to the first painted window [{min(ours):.0f}..{max(ours):.0f}], an empty Qt window "
          f"{statistics.median(theirs):.0f} ms: {statistics.median(ours) / statistics.median(theirs):.1f} x (aim < 1,000 ms)", flush=True)
    at_rest = from_window("idle", home, 10)
    print(f"window at rest: {at_rest['rss_kb'] / 1024:.0f} MB resident, {at_rest['pss_kb'] / 1024:.0f} MB with shared pages shared out, {at_rest['own_kb'] / 1024:.0f} MB of its own; "
          f"{at_rest['cpu_percent']:.1f} % of a core (aim < 120 MB)", flush=True)
    shutil.rmtree(home)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--long", action="store_true")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {args.rows:,} rows of 12 columns, medians of {args.repeat}, interleaved", flush=True)
    failed = 0
    for scenario in (mysql_to_null, postgresql_to_null, sqlite_to_null, mysql_to_mongodb, mysql_to_redis, memory, window_stall, window_start):
        if args.only and args.only not in scenario.__name__:
            continue
        try:
            scenario(args)
        except Missing as e:
            print(f"{scenario.__name__}: not run ({e})", flush=True)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as e:
            failed = 1
            print(f"{scenario.__name__}: failed: {e}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
