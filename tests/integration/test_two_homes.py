#!/usr/bin/env python3
"""A second home on the same target is fenced: while one writes, the other is refused by name; later it may take over, and the first
one, come back, is told so. One home belongs to one process."""
import time
from harness import *
from compare import EmbeddedTarget, MongoTarget, MySqlSource, Table, compare

ROWS = 200_000


def shop(server):
    server.execute("create database shop character set utf8mb4")
    server.execute("create table orders (id int primary key, note varchar(40), changed timestamp(3) not null default '2024-01-01', key(changed))",
                   f"insert into orders(id,note) select seq, concat('order ', seq) from seq_1_to_{ROWS}", database="shop")


def documents(client, name):
    return client[name]["orders"].estimated_document_count()


@case
def second_home_is_refused_while_the_first_writes():
    with Mongod() as mongo, MariaDb() as server:
        shop(server)
        client = mongo.client()
        # Slow enough that the second one comes in the middle.
        content = sync_file(mysql(server, "shop"), mongo.url("shop"), ["orders"], settings={"rate_limit": 20_000})
        one, two = Cli(folder()), Cli(folder())
        file_one, file_two = one.file("job.yaml", content), two.file("job.yaml", content)
        process = one.start("run", file_one)
        try:
            until(lambda: process.poll() is None and documents(client, "shop") > 1000, 60, "the first home writes")
            answer = two("run", file_two, "--json", code=7)
            check("fenced" in answer.stdout + answer.stderr or "another" in answer.stdout + answer.stderr or "in use" in answer.stdout + answer.stderr,
                  lambda: f"the refusal does not say why: {answer.stdout[-800:]} {answer.stderr[-800:]}")
        finally:
            equal(process.wait(120), 0, "exit code of the first home")
        source = MySqlSource("shop", unix_socket=server.socket, user="root")
        _, found = compare(source, MongoTarget(client, "shop"), [Table("orders", ["id"])])
        no_differences(found)


@case
def a_stopped_home_that_comes_back_is_fenced():
    """SIGSTOP past the lease, take over from another home, SIGCONT: the old one must not write over newer documents."""
    import signal
    with Mongod() as mongo, MariaDb() as server:
        shop(server)
        client = mongo.client()
        content = sync_file(mysql(server, "shop"), mongo.url("shop"), ["orders"], settings={"rate_limit": 10_000})
        fast = sync_file(mysql(server, "shop"), mongo.url("shop"), ["orders"], if_exists="write")
        one, two = Cli(folder()), Cli(folder())
        file_one, file_two = one.file("job.yaml", content), two.file("job.yaml", fast)
        process = one.start("run", file_one)
        try:
            until(lambda: process.poll() is None and documents(client, "shop") > 1000, 60, "the first home writes")
            process.send_signal(signal.SIGSTOP)
            # The lease of a silent home runs out; then the other one may take it, waiting out what could still be on its way.
            began = time.monotonic()
            while True:
                answer = two("run", file_two, code=None)
                if answer.returncode in (0, 5):
                    break
                check(time.monotonic() - began < 150, lambda: f"no take-over within 150 s: exit {answer.returncode} {answer.stderr[-800:]}")
                time.sleep(1)
            server.execute("update orders set note='newer', changed=now(3) where id % 2 = 0", database="shop")
            two("sync", "run", "job", code=(0, 5))
        finally:
            process.send_signal(signal.SIGCONT)
            code = process.wait(120)
        check(code != 0, "the fenced home reported success")
        two("sync", "run", "job", code=(0, 5))
        source = MySqlSource("shop", unix_socket=server.socket, user="root")
        _, found = compare(source, MongoTarget(client, "shop"), [Table("orders", ["id"])])
        no_differences(found)


@case
def embedded_target_has_one_writer():
    with MariaDb() as server:
        shop(server)
        path = folder() / "target.db"
        content = sync_file(mysql(server, "shop"), f"embedded://{path}", ["orders"], settings={"rate_limit": 20_000})
        one, two = Cli(folder()), Cli(folder())
        file_one, file_two = one.file("job.yaml", content), two.file("job.yaml", content)
        process = one.start("run", file_one)

        def rows():
            import sqlite3
            return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1).execute("select count(*) from orders").fetchone()[0]

        try:
            until(lambda: process.poll() is None and rows() > 500, 60, "the first home writes")
            two("run", file_two, code=7)
        finally:
            equal(process.wait(120), 0, "exit code of the first home")
        source = MySqlSource("shop", unix_socket=server.socket, user="root")
        _, found = compare(source, EmbeddedTarget(path), [Table("orders", ["id"])])
        no_differences(found)


@case
def one_process_owns_a_home():
    cli = Cli(folder())
    path = cli.folder / "shop.db"
    import sqlite3
    link = sqlite3.connect(path)
    link.execute("create table orders (id integer primary key, note text)")
    link.executemany("insert into orders values (?,?)", [(i, "x") for i in range(60_000)])
    link.commit()
    file = cli.file("job.yaml", sync_file("sqlite:shop.db", "embedded:target.db", ["*"], settings={"rate_limit": 10_000}))
    process = cli.start("run", file)
    try:
        until(lambda: process.poll() is None and (cli.folder / "target.db").exists() and cli("sync", "list", "--json", code=None).returncode == 0
              and "job" in cli("sync", "list", "--json", code=None).stdout, 30, "the first process works")
        answer = cli("sync", "run", "job", code=7)
        check(str(process.pid) in answer.stderr, lambda: f"the owner (pid {process.pid}) is not named: {answer.stderr[-500:]}")
        # Looking is allowed meanwhile.
        for words in (["sync", "list"], ["sync", "status"], ["sync", "history", "job"], ["sync", "plan", "job"], ["connections", "list"],
                      ["connections", "show", "shop"], ["discover", "shop"]):
            cli(*words, "--json")
    finally:
        equal(process.wait(120), 0, "exit code of the owner")


main()
