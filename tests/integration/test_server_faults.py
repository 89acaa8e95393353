#!/usr/bin/env python3
"""What a real server can refuse: logins, TLS, privileges, size, and servers that go away in the middle."""
import signal
from harness import *
from compare import MongoTarget, MySqlSource, Table, compare


def shop(server, rows=2000):
    server.execute("drop database if exists shop", "create database shop character set utf8mb4")
    server.execute("create table orders (id int primary key, note varchar(40), changed timestamp(3) not null default '2024-01-01', key(changed))",
                   f"insert into orders(id,note) select seq, concat('order ', seq) from seq_1_to_{rows}",
                   "create table people (id int primary key, name varchar(40))", "insert into people values (1,'Žofie')", database="shop")


def told(p, *words):
    for word in words:
        check(word.lower() in (p.stdout + p.stderr).lower(), lambda: f"{word!r} is not in the answer: {p.stdout[-600:]} {p.stderr[-1200:]}")


def until_checked(condition, seconds, what):
    """As until(), but a failed check is a failure at once."""
    failed = []

    def once():
        try:
            return condition()
        except AssertionError as e:
            failed.append(e)
            return True

    until(once, seconds, what)
    if failed:
        raise failed[0]


@case
def logins_tls_and_privileges():
    with MariaDb() as server:
        shop(server)
        server.execute("create user nobody@'127.0.0.1' identified by 'reader'", "create user onetable@'127.0.0.1' identified by 'reader'",
                       "grant select on shop.people to onetable@'127.0.0.1'", "create user needstls@'127.0.0.1' identified by 'reader' require ssl")
        cli = Cli(folder())
        add = lambda name, url, *more: cli("connections", "add", name, url, "--password-env", "SHOP_PASSWORD", *more)

        add("wrong", server.url("shop"))
        told(cli("connections", "test", "wrong", code=4, SHOP_PASSWORD="not it"), "reader", "denied")
        check("not it" not in cli("connections", "test", "wrong", code=4, SHOP_PASSWORD="not it").stderr, "the password is in the answer")
        cli("connections", "test", "wrong")
        add("down", f"mysql://reader@127.0.0.1:{free_port()}/shop")
        told(cli("connections", "test", "down", code=4), "127.0.0.1")
        add("nohost", "mysql://reader@no-such-host.invalid/shop?tls=disable")
        told(cli("connections", "test", "nohost", code=4), "no-such-host.invalid")
        add("tls", server.url("shop") + "?tls=require")
        told(cli("connections", "test", "tls", code=4), "tls")
        add("tls2", server.url("shop") + "?tls=verify-full")
        told(cli("connections", "test", "tls2", code=4), "tls")
        add("needstls", server.url("shop", user="needstls"))
        cli("connections", "test", "needstls", code=4)
        add("nobody", server.url("shop", user="nobody"))
        told(cli("connections", "test", "nobody", code=4), "grant select")
        add("gone", server.url("no_such_database"))
        told(cli("connections", "test", "gone", code=(3, 4)), "no_such_database")

        # One table that may not be read does not stop its neighbour.
        one = {"url": server.url("shop", user="onetable"), "password": {"env": "SHOP_PASSWORD"}}
        file = cli.file("one.yaml", sync_file(one, "embedded:t.db", ["people", {"name": "orders", "strategy": "full", "key": ["id"]}]))
        p = cli("run", file, code=(3, 4, 5))
        told(p, "orders")


@case
def server_that_goes_away_and_comes_back():
    """The source dies and the target dies in the middle; what arrived is kept, and the next run ends equal."""
    with Mongod() as mongo, MariaDb() as server:
        shop(server, 200_000)
        for victim in (server, mongo):
            cli = Cli(folder())
            file = cli.file("job.yaml", sync_file(mysql(server, "shop"), mongo.url(victim.name), ["*"], settings={"rate_limit": 40_000}))
            client = mongo.client()
            process = cli.start("run", file)

            def arrived():
                check(process.poll() is None, lambda: f"the run ended before: {process.returncode} {(cli.folder / 'stderr').read_text()[-800:]}")
                return client[victim.name]["orders"].estimated_document_count() > 5000

            until_checked(arrived, 60, "rows arrive")
            victim.stop(signal.SIGKILL)
            # Short faults are retried; the server comes back on the same port and data.
            victim.start()
            code = process.wait(300)
            check(code in (0, 1, 4, 5), f"exit {code}")
            cli("run", file)
            source = MySqlSource("shop", unix_socket=server.socket, user="root")
            _, found = compare(source, MongoTarget(mongo.client(), victim.name), [Table("orders", ["id"]), Table("people", ["id"])])
            no_differences(found)


@case
def table_and_database_gone_while_reading():
    with MariaDb() as server:
        shop(server, 100_000)
        cli = Cli(folder())
        file = cli.file("job.yaml", sync_file(mysql(server, "shop"), "embedded:t.db", ["*"]))
        cli("run", file)
        server.execute("alter table orders modify id bigint unsigned", database="shop")
        report = cli.json("sync", "run", "job", code=5)
        equal((report["tables"]["orders"]["status"], report["tables"]["people"]["status"]), ("failed", "success"), "a retyped key")
        check(report["tables"]["orders"]["error"]["fix"], report["tables"]["orders"])
        equal(cli.json("sync", "status", "job", code=None)["syncs"]["job"]["tables"]["orders"]["state"], "needs_resync", "state")
        server.execute("drop database shop")
        p = cli("sync", "run", "job", code=(1, 3, 4, 5))
        told(p, "shop")


@case
def document_over_16_mb_is_parked():
    with Mongod() as mongo, MariaDb() as server:
        shop(server)
        server.execute("create table files (id int primary key, content longblob)", database="shop")
        server.execute("insert into files select seq, repeat('x', 1000) from seq_1_to_50", "insert into files values (100, repeat('x', 17 * 1024 * 1024))",
                       "insert into files values (101, repeat('x', 15 * 1024 * 1024))", database="shop")
        cli = Cli(folder())
        file = cli.file("job.yaml", sync_file(mysql(server, "shop"), mongo.url("shop"), ["*"]))
        report = cli.json("run", file, code=5)["syncs"]["job"]
        equal((report["status"], report["tables"]["files"]["status"], report["tables"]["files"]["rejected"]), ("partial", "partial", 1), "the big row is parked")
        equal(report["tables"]["orders"]["status"], "success", "the other table")
        listed = cli("failures", "job", "list", "--json").stdout
        check("100" in listed and "too_large" in listed, listed[:500])
        source = MySqlSource("shop", unix_socket=server.socket, user="root")
        _, found = compare(source, MongoTarget(mongo.client(), "shop"), [Table("files", ["id"], where="id<>100"), Table("orders", ["id"])])
        no_differences(found)
        server.execute("update files set content='small' where id=100", database="shop")
        cli("failures", "job", "retry")
        source = MySqlSource("shop", unix_socket=server.socket, user="root")
        no_differences(compare(source, MongoTarget(mongo.client(), "shop"), [Table("files", ["id"])])[1])


@case
def mongodb_refusals():
    with Mongod() as mongo, MariaDb() as server:
        shop(server)
        client = mongo.client()
        client["shop"]["orders"].insert_one({"_id": "theirs", "keep": True})
        cli = Cli(folder())
        file = cli.file("job.yaml", sync_file(mysql(server, "shop"), mongo.url("shop"), ["*"]))
        report = cli.json("run", file, code=5)["syncs"]["job"]
        check("not_ours" in report["tables"]["orders"]["error"]["id"], report["tables"]["orders"])
        equal(report["tables"]["people"]["status"], "success", "the other collection")
        equal(client["shop"]["orders"].count_documents({}), 1, "somebody else's collection")
        # By key, without touching what is there.
        writing = cli.file("write.yaml", sync_file(mysql(server, "shop"), mongo.url("shop"), ["*"], if_exists="write"))
        cli("run", writing)
        equal(client["shop"]["orders"].find_one({"_id": "theirs"}), {"_id": "theirs", "keep": True}, "their document")
        equal(client["shop"]["orders"].count_documents({}), 2001, "documents")
        verdict = cli.json("verify", "job")
        equal((verdict["status"], verdict["tables"]["orders"]["foreign"]), ("identical", 1), "verify counts it as foreign")
        # Only our documents are ever deleted.
        server.execute("delete from orders where id <= 50", database="shop")
        cli("sync", "run", "job", "--full")
        equal(client["shop"]["orders"].count_documents({}), 1951, "documents after the deletes")
        down = cli.file("down.yaml", {"version": 1, "connections": {"shop": mysql(server, "shop"), "down": {"url": f"mongodb://127.0.0.1:{free_port()}/x"}},
                                      "syncs": {"down": {"source": "shop", "target": "down", "tables": ["people"]}}})
        told(cli("run", down, code=4), "127.0.0.1")
        summary = client["shop"]["_sync_metadata"].find_one({})
        check(summary is not None, "no _sync_metadata")


main()
