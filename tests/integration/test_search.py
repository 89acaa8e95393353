#!/usr/bin/env python3
"""The demo shop from SQLite into a real OpenSearch: loaded, changed, deleted from, reset, and every value compared over plain HTTP."""
import random
import sqlite3
from harness import *
from compare import JsonForm, KeyTexts, Lexeme, SqliteSource, Table, compare
from search import OpenSearch


class SearchTarget(KeyTexts):
    """Documents as a scroll shows them."""

    form = JsonForm()

    def __init__(self, server):
        self.server = server

    def documents(self, table, keyless):
        self.server.ask("POST", f"/{table.container}/_refresh")
        text = self.server.ask("POST", f"/{table.container}/_search?scroll=1m", {"size": 2000, "sort": ["_doc"], "version": True}, raw=True)
        while True:
            page = json.loads(text, parse_float=Lexeme, parse_int=Lexeme)
            for hit in page["hits"]["hits"]:
                yield hit["_id"], hit["_source"], {"v": int(hit["_version"])}
            if not page["hits"]["hits"]:
                self.server.ask("DELETE", "/_search/scroll", {"scroll_id": page["_scroll_id"]})
                return
            text = self.server.ask("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]}, raw=True)


def shop(path):
    """A shop's tables as an application would declare them, filled by seed."""
    link = sqlite3.connect(path)
    seed = random.Random(11)
    link.executescript("""
        create table customers (id integer primary key, name varchar(100) not null, email varchar(320), vip boolean, balance decimal(10,2), born date, changed timestamp not null);
        create table orders (id integer primary key, customer integer not null references customers(id), placed datetime, total decimal(12,2), ratio real, note text, extra json, changed timestamp not null);
        create table order_lines (order_id integer, line integer, sku varchar(40), quantity integer, photo blob, changed timestamp not null, primary key (order_id, line));
        create table loose (a integer, b varchar(20));
        create index c1 on customers(changed); create index c2 on orders(changed); create index c3 on order_lines(changed);""")
    words = "grün Straße 漢字 😀 quote\" back\\slash tab\t new\nline fox foxes"
    link.executemany("insert into customers values (?,?,?,?,?,?,?)", [
        (i, f"{seed.choice(words.split(' '))} {i}", None if i % 7 == 0 else f"c{i}@example.org", i % 2, f"{seed.randint(-10**6, 10**6) / 100:.2f}", f"19{seed.randint(10, 99)}-0{seed.randint(1, 9)}-1{seed.randint(0, 9)}",
         f"2024-01-01 00:{i % 60:02}:00") for i in range(1, 1501)])
    link.executemany("insert into orders values (?,?,?,?,?,?,?,?)", [
        (i * 10**9, seed.randint(1, 1500), f"2024-02-0{seed.randint(1, 9)} 10:11:12", f"{seed.randint(0, 10**9) / 100:.2f}", seed.gauss(0, 10 ** seed.randint(-200, 200)), words * (i % 3),
         json.dumps({"n": i, "list": [1, 2.5, None], "": {}}), f"2024-01-02 00:{i % 60:02}:00") for i in range(1, 3001)])
    link.executemany("insert into order_lines values (?,?,?,?,?,?)", [(i // 3, i % 3, f"sku {i % 97}", i % 9, seed.randbytes(i % 40), "2024-01-03 00:00:00") for i in range(5000)])
    link.executemany("insert into loose values (?,?)", [(i % 10, f"row {i % 4}") for i in range(200)])
    link.commit()
    return link


SHOP = [Table("customers", ["id"]), Table("orders", ["id"]), Table("order_lines", ["order_id", "line"]), Table("loose", [])]


def same(path, server, tables=SHOP):
    total, found = compare(SqliteSource(path), SearchTarget(server), tables)
    no_differences(found)
    return total


_server = OpenSearch()


def started():
    """One node for all cases: it takes its time to start."""
    if _server.process is None:
        _server.start()
    return _server


@case
def demo_shop():
    server = started()
    cli = Cli(folder())
    cli("demo", "--rows", "5000")
    path = cli.home / "demo" / "shop.db"
    link = sqlite3.connect(path)
    tables = []
    for (name,) in link.execute("select name from sqlite_schema where type='table' and name not like 'sqlite%'").fetchall():
        key = [r[1] for r in sorted(link.execute(f'pragma table_info("{name}")'), key=lambda r: r[5]) if r[5]]
        tables.append(Table(name, key, to=f"demo-{name}"))
    file = cli.file("job.yaml", sync_file(f"sqlite://{path}", server.url(), ["*"], prefix="demo-"))
    answer = cli.json("run", file)["syncs"]["job"]
    equal(answer["status"], "success", "the demo shop")
    check(same(path, server, tables) >= 4900, "rows compared")
    with link:
        link.execute("update orders set status='returned', updated_at=strftime('%Y-%m-%d %H:%M:%S', 'now') where id % 50 = 0")
    equal(cli.json("sync", "run", "job", "--incremental")["status"], "success", "changes of the demo shop")
    with link:
        link.execute("delete from reviews where id % 40 = 0")
    equal(cli.json("sync", "run", "job", "--full")["status"], "success", "deletes of the demo shop")
    same(path, server, tables)
    equal(cli.json("verify", "job")["status"], "identical", "verify of the demo shop")
    cli("sync", "remove", "job", "--drop-target", "--yes")
    equal([i["index"] for i in server.ask("GET", "/_cat/indices/demo-*?format=json&h=index")], [], "indices after --drop-target")


@case
def loads_follows_and_proves():
    server = started()
    place = folder()
    link = shop(place / "shop.db")
    cli = Cli(place / "cli")
    file = cli.file("job.yaml", sync_file(f"sqlite://{place / 'shop.db'}", server.url(), ["*"]))
    plan = cli.json("apply", file) and cli.json("sync", "plan", "job")
    equal(plan["tables"]["customers"]["container"], "customers", "where customers go")
    first = cli.json("sync", "run", "job")
    equal(first["status"], "success", "first run")
    equal(same(place / "shop.db", server), 1500 + 3000 + 5000 + 200, "rows compared")
    equal(cli.json("verify", "job")["status"], "identical", "verify")

    index = list(server.ask("GET", "/customers"))
    equal(len(index), 1, "indices behind the alias")
    mapping = server.ask("GET", "/customers")[index[0]]["mappings"]
    equal(mapping["dynamic"], "strict", "dynamic")
    equal(mapping["_meta"]["millrace"]["sync"], "job", "the sync in _meta")
    equal(mapping["properties"]["balance"]["type"], "scaled_float", "a decimal's type")
    found = server.ask("POST", "/orders/_search", {"query": {"match": {"note": "foxes"}}, "size": 0, "track_total_hits": True})
    check(found["hits"]["total"]["value"] == 2000, lambda: f"texts are searched: {found['hits']}")

    # What changed, what is new; then what is gone, which a full run finds.
    with link:
        link.execute("update customers set name='changed', balance=null, changed='2025-01-01 00:00:00' where id between 10 and 19")
        link.execute("insert into customers values (9001, 'new', null, 1, '0.10', '2000-02-29', '2025-01-01 00:00:01')")
        link.execute("update orders set extra='[]', ratio=-0.0, changed='2025-01-01 00:00:00' where id=5000000000")
    second = cli.json("sync", "run", "job", "--incremental")
    equal(second["status"], "success", "second run")
    check(second["tables"]["customers"]["written"] < 200, lambda: f"an incremental run wrote {second['tables']['customers']['written']} customers")
    same(place / "shop.db", server)
    with link:
        link.execute("delete from customers where id between 100 and 140")
        link.execute("delete from order_lines where order_id=7")
        link.execute("delete from loose where a=3")
    third = cli.json("sync", "run", "job", "--full")
    equal(third["status"], "success", "full run")
    equal(third["tables"]["customers"]["deleted"], 41, "customers deleted")
    equal(third["tables"]["order_lines"]["deleted"], 3, "lines deleted")
    same(place / "shop.db", server)
    equal(cli.json("verify", "job")["status"], "identical", "verify after the deletes")
    equal(len(server.ask("GET", "/loose")), 1, "indices of the table without key")

    # Verify sees what somebody else did to the documents.
    server.ask("POST", "/customers/_doc/12?refresh=true", {**server.ask("GET", "/customers/_doc/12")["_source"], "name": "tampered"})
    server.ask("DELETE", "/customers/_doc/13?refresh=true")
    differing = cli.json("verify", "job", code=6)["tables"]["customers"]
    equal((differing["different"], differing["missing"]), (1, 1), "what verify finds")
    equal(cli.json("sync", "run", "job", "--full")["status"], "success", "a full run over tampered documents")
    equal(cli.json("verify", "job")["status"], "identical", "verify after it")
    same(place / "shop.db", server)

    summary = server.ask("GET", "/millrace-sync-metadata/_doc/job:customers")["_source"]
    equal((summary["table_name"], summary["status"]), ("customers", "success"), "the summary that other tools read")
    left = [i["index"] for i in server.ask("GET", "/_cat/indices?format=json&h=index")]
    equal(sorted(i for i in left if i.startswith("millrace-probe")), [], "probe indices left")
    equal(len([i for i in left if not i.startswith(("millrace-", "demo-"))]), 4, f"indices left of {left}")


@case
def what_is_not_ours_stops_the_table():
    server = started()
    place = folder()
    two = [Table(t.name, t.key, to=f"two-{t.name}") for t in SHOP]
    shop(place / "shop.db")
    server.ask("PUT", "/two-orders/_doc/1", {"theirs": True})
    cli = Cli(place / "cli")
    file = cli.file("job.yaml", sync_file(f"sqlite://{place / 'shop.db'}", server.url(), ["*"], prefix="two-"))
    answer = cli.json("run", file, code=5)["syncs"]["job"]
    equal(answer["tables"]["orders"]["error"]["id"], "target.opensearch.not_ours", "why orders stop")
    check(answer["tables"]["orders"]["error"]["fix"], "a fix is told")
    equal(answer["tables"]["customers"]["status"], "success", "the rest goes on")
    equal(server.ask("GET", "/two-orders/_doc/1")["_source"], {"theirs": True}, "what was there")
    same(place / "shop.db", server, [t for t in two if t.name != "orders"])

    # A disk that is almost full: the table stops, nothing is taken for synced, and the next run goes on.
    server.ask("PUT", "/two-customers/_settings", {"index.blocks.read_only_allow_delete": True})
    link = sqlite3.connect(place / "shop.db")
    with link:
        link.execute("update customers set name='late', changed='2026-01-01 00:00:00' where id=5")
    stopped = cli.json("sync", "run", "job", "--tables", "customers", code=(1, 5))
    equal(stopped["tables"]["customers"]["error"]["id"], "target.opensearch.disk_full", "why customers stop")
    server.ask("PUT", "/two-customers/_settings", {"index.blocks.read_only_allow_delete": None})
    equal(cli.json("sync", "run", "job", "--tables", "customers")["status"], "success", "after the block is gone")
    same(place / "shop.db", server, [two[0]])


main()
