#!/usr/bin/env python3
"""Broken connections, seeded: replies lost after the work was done, streams cut in the middle of a row, resets. Whatever the run says,
what it says must be true, and the next run on a sound network ends equal. 12 seeds, 200 with --long."""
import pathlib
import sys
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "integration"), str(pathlib.Path(__file__).resolve().parent)]
from harness import *
from compare import MongoTarget, MySqlSource, Table, compare
from proxy import Proxy, seeded

ROWS = 60_000
SEEDS = 200 if LONG else 12
FIRST = int(os.environ.get("MILLRACE_TEST_SEED", 1))
TABLES = [Table("orders", ["id"]), Table("loose", [])]


class ProxiedMongod(Mongod):
    """A replica set whose only member is known under the proxy's address: every client goes through it."""

    def __init__(self):
        super().__init__()
        self.proxy = Proxy()
        self.proxy.target = self.port

    def member(self):
        return f"127.0.0.1:{self.proxy.port}"

    def client(self):
        import pymongo
        return pymongo.MongoClient(f"mongodb://127.0.0.1:{self.proxy.port}/?replicaSet=rs0", tz_aware=True)

    def url(self, database):
        return f"mongodb://127.0.0.1:{self.proxy.port}/{database}?replicaSet=rs0"

    def close(self):
        self.proxy.close()
        super().close()


def broken(through, server, mongo, label):
    server.execute("drop database if exists shop", "create database shop character set utf8mb4")
    server.execute("create table orders (id int primary key, note varchar(60), changed timestamp(3) not null default '2024-01-01', key(changed))",
                   f"insert into orders(id,note) select seq, concat('order ', seq) from seq_1_to_{ROWS}", "create table loose (a int, b varchar(10))",
                   "insert into loose select seq % 10, 'x' from seq_1_to_200", database="shop")
    proxied = lambda: f"mysql://reader@127.0.0.1:{through.port}/shop" if through is not getattr(mongo, "proxy", None) else server.url("shop")
    hits = 0
    for seed in range(FIRST, FIRST + SEEDS // 2):
        through.clear()
        name = f"chaos{seed}"
        cli = Cli(folder())
        source = {"url": proxied(), "password": {"env": "SHOP_PASSWORD"}}
        file = cli.file("job.yaml", sync_file(source, mongo.url(name), ["*"]))
        faults = seeded(seed, 6.5)
        through.arm(faults)
        answer = cli("run", file, "--json", code=(0, 1, 4, 5, 7))
        hits += through.hits
        if answer.returncode == 0:
            through.clear()
            found = compare(MySqlSource("shop", unix_socket=server.socket, user="root"), MongoTarget(mongo.client(), name), TABLES)[1]
            check(not found, lambda: f"seed {seed} {faults}: the run said success: {found[:5]}")
        through.clear()
        server.execute(f"update orders set note='seed {seed}', changed=now(3) where id % 1000 = {seed}", "insert into loose values (1,'new')", database="shop")
        through.arm(seeded(seed + 10_000, 4.5))
        cli("sync", "run", "job", code=(0, 1, 3, 4, 5, 7))
        hits += through.hits
        through.clear()
        cli("run", file)
        found = compare(MySqlSource("shop", unix_socket=server.socket, user="root"), MongoTarget(mongo.client(), name), TABLES)[1]
        check(not found, lambda: f"{label}, seed {seed} {faults}: {found[:5]}")
        mongo.client().drop_database(name)
    check(hits >= SEEDS // 4, f"only {hits} faults struck")
    print(f"{label}: {hits} faults in {SEEDS // 2} seeds, equal after each", flush=True)


@case
def between_us_and_the_target():
    with ProxiedMongod() as mongo, MariaDb() as server:
        broken(mongo.proxy, server, mongo, "MongoDB behind the proxy")


@case
def between_us_and_the_source():
    with Mongod() as mongo, MariaDb() as server:
        proxy = Proxy()
        proxy.target = server.port
        try:
            broken(proxy, server, mongo, "MariaDB behind the proxy")
        finally:
            proxy.close()


main()
