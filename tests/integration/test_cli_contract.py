#!/usr/bin/env python3
"""Commands, exit codes and JSON shapes of millrace-cli, as scripts and dashboards hold on to them. SQLite in, embedded store out."""
import re
import signal
import sqlite3
from harness import *
from compare import EmbeddedTarget, SqliteSource, Table, compare

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
SECRET = "c4nary-Pa55w0rd"
TABLES = [Table("orders", ["id"]), Table("people", ["id"])]


class Shop:
    """A small SQLite shop, a sync file and a home."""

    def __init__(self, rows=1000, **sync):
        self.cli = Cli(folder())
        self.path, self.target = self.cli.folder / "shop.db", self.cli.folder / "target.db"
        self.sql("create table orders (id integer primary key, note text, changed datetime not null default '2024-01-01 00:00:00.000')",
                 "create index c on orders(changed)", "create table people (id integer primary key, name text)",
                 f"with recursive n(i) as (values(1) union all select i+1 from n where i < {rows}) insert into orders(id,note) select i, 'order ' || i from n",
                 "insert into people values (1,'Žofie'),(2,null)")
        self.file = self.cli.file("shop.yaml", sync_file("sqlite:shop.db", "embedded:target.db", ["*"], **sync))

    def sql(self, *statements):
        link = sqlite3.connect(self.path, timeout=20)
        for statement in statements:
            link.execute(statement)
        link.commit()
        link.close()

    def tamper(self, *statements):
        link = sqlite3.connect(self.target, timeout=20)
        for statement in statements:
            link.execute(statement)
        link.commit()
        link.close()

    def equal_now(self, tables=TABLES):
        no_differences(compare(SqliteSource(self.path), EmbeddedTarget(self.target), tables)[1])


def report_shape(report, sync="job"):
    equal(report["sync"], sync, "sync")
    for key in ("start_time", "end_time"):
        check(STAMP.match(report[key]), f"{key}: {report[key]!r}")
    check(report["sync_type"] in ("full", "incremental", "mixed"), report["sync_type"])
    check(report["status"] in ("success", "partial", "failed", "unknown"), report["status"])
    for key, kind in (("duration_seconds", (int, float)), ("total_records_synced", int), ("successful_tables", int), ("failed_tables", int)):
        check(isinstance(report[key], kind), f"{key}: {report[key]!r}")
    for name, t in report["tables"].items():
        for key in ("records_synced", "read", "written", "deleted", "rejected", "superseded", "filtered", "bytes"):
            check(isinstance(t[key], int), f"{name}.{key}: {t.get(key)!r}")
        equal(t["records_synced"], t["written"] + t["deleted"], f"{name}.records_synced")
        check(t["status"] in ("success", "partial", "failed", "unknown"), t["status"])
        check(t["strategy"] in ("full", "timestamp"), t["strategy"])
        for key in ("sync_type", "duration_seconds", "rows_per_second"):
            check(key in t, f"{name}.{key} is missing")
        if t["status"] == "success":
            check(STAMP.match(t["last_sync_time"]), f"{name}.last_sync_time: {t['last_sync_time']!r}")
            check("position" in t, f"{name}.position is missing")
        else:
            check(re.match(r"^[a-z_]+(\.[a-z_0-9]+)+$", t["error"]["id"]) and t["error"]["detail"] and "fix" in t["error"], f"{name}.error: {t.get('error')}")


@case
def run_and_sync_run():
    shop = Shop()
    answer = shop.cli.json("run", shop.file)
    equal(list(answer), ["syncs"], "run --json")
    report = answer["syncs"]["job"]
    report_shape(report)
    equal((report["status"], report["sync_type"], report["total_records_synced"], report["successful_tables"], report["failed_tables"]),
          ("success", "full", 1002, 2, 0), "first run")
    shop.equal_now()
    shop.sql("update orders set note='x', changed=strftime('%Y-%m-%d %H:%M:%f','now') where id=5")
    report = shop.cli.json("sync", "run", "job")
    report_shape(report)
    equal(report["tables"]["orders"]["sync_type"], "incremental", "orders is followed by its cursor")
    equal(report["tables"]["orders"]["strategy"], "timestamp", "orders' strategy")
    equal(report["tables"]["people"]["sync_type"], "full", "people has no cursor")
    equal(report["sync_type"], "mixed", "sync_type")
    shop.equal_now()
    report = shop.cli.json("sync", "run", "job", "--full")
    equal((report["sync_type"], report["tables"]["orders"]["read"]), ("full", 1000), "--full")
    report = shop.cli.json("sync", "run", "job", "--tables", "people")
    equal(list(report["tables"]), ["people"], "--tables")
    shop.sql("update orders set note='behind the cursor' where id between 10 and 19")
    report = shop.cli.json("sync", "run", "job", "--tables", "orders", "--where", "id between 10 and 19")
    equal(report["tables"]["orders"]["read"], 10, "--where reads just those rows")
    shop.equal_now()


@case
def incremental_with_nothing_new_says_so():
    shop = Shop()
    shop.cli("run", shop.file)
    report = shop.cli.json("sync", "run", "job", "--tables", "orders")
    equal(report["tables"]["orders"]["records_synced"], 0, "records_synced")
    p = shop.cli("sync", "run", "job", "--tables", "orders")
    check("read nothing" in (p.stdout + p.stderr).lower() or "nothing" in (p.stdout + p.stderr).lower(), lambda: f"it does not say so: {p.stderr[-400:]}")


@case
def status_history_list_plan_and_dry_run():
    shop = Shop(every="5m")
    shop.cli("run", shop.file)
    status = shop.cli.json("sync", "status")["syncs"]["job"]
    check(status["state"] in ("idle", "live"), status["state"])
    check("lag_ms" in status, "lag_ms")
    check(STAMP.match(status["next_run_time"]), status.get("next_run_time"))
    table = status["tables"]["orders"]
    equal((table["rows"], table["failed"]), (1000, 0), "rows and failed")
    check(STAMP.match(table["last_sync_time"]), table["last_sync_time"])
    shop.cli("verify", "job")
    verified = shop.cli.json("sync", "status", "job")["syncs"]["job"]["tables"]["orders"]["verified"]
    check(verified["result"] == "identical" and STAMP.match(verified["at"]), f"verified: {verified}")
    check(isinstance(shop.cli.json("sync", "history", "job"), dict), "history")
    check("job" in shop.cli("sync", "list", "--json").stdout, "list")
    plan = shop.cli("sync", "plan", "job")
    check(len(plan.stdout + plan.stderr) > 80, "the plan says nothing")
    shop.cli.json("sync", "plan", "job")
    before = shop.target.read_bytes()
    shop.cli.json("sync", "dry-run", "job")
    equal(shop.target.read_bytes(), before, "a dry run wrote")


@case
def a_run_after_a_killed_poll_takes_up_what_came_since():
    now = "changed=strftime('%Y-%m-%d %H:%M:%f','now')"
    for journal in ("delete", "wal"):
        shop = Shop(rows=2000, settings={"batch_min": 50, "batch_max": 100, "rate_limit": 2500})
        shop.sql(f"pragma journal_mode={journal}")
        shop.cli("run", shop.file)
        shop.sql(f"update orders set note='first', {now}")
        shop.cli("sync", "run", "job", "--tables", "orders", code=-signal.SIGKILL, MILLRACE_CRASHPOINT="engine.after_commit:1")
        equal(shop.cli.json("sync", "status")["syncs"]["job"]["tables"]["orders"]["state"], "unknown", "what the killed run did is not known")
        time.sleep(0.01)
        shop.sql(f"update orders set note='second', {now} where id > 1990")
        shop.cli.json("sync", "run", "job", "--tables", "orders")
        shop.equal_now()


@case
def status_of_another_process_shows_the_run():
    shop = Shop(rows=3000, settings={"rate_limit": 1000})
    running = shop.cli.start("run", shop.file)
    try:
        until(lambda: shop.cli.json("sync", "status")["syncs"].get("job", {}).get("state") == "running", 20, "a status of running")
    finally:
        running.kill()
        running.wait()
    equal(shop.cli.json("sync", "status")["syncs"]["job"]["state"], "unknown", "after the kill")
    shop.cli.json("run", shop.file)
    equal(shop.cli.json("sync", "status")["syncs"]["job"]["state"], "idle", "after a whole run")


@case
def a_table_that_was_gone_and_is_back_needs_a_resync():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.sql("alter table orders rename to elsewhere")
    equal(shop.cli.json("sync", "run", "job", code=5)["tables"]["orders"]["error"]["id"], "engine.table_gone", "gone")
    shop.sql("create table orders (id integer primary key, note text, changed datetime not null default '2024-01-01 00:00:00.000')", "insert into orders(id,note) values (1,'new')")
    for _ in range(2):
        equal(shop.cli.json("sync", "run", "job", "--tables", "orders", code=1)["tables"]["orders"]["error"]["id"], "engine.table_returned", "back")
    equal(shop.cli.json("sync", "status")["syncs"]["job"]["tables"]["orders"]["state"], "needs_resync", "its state")
    shop.cli.json("sync", "run", "job", "--tables", "orders", "--full", "--accept-deletes")
    shop.equal_now()
    equal(shop.cli.json("sync", "run", "job", "--tables", "orders")["tables"]["orders"]["sync_type"], "incremental", "followed again")


@case
def a_changed_field_name_needs_a_resync():
    shop = Shop()
    shop.sql("update orders set changed=datetime('2024-01-01', '+' || id || ' minutes')")
    shop.cli("run", shop.file)
    file = shop.cli.file("renamed.yaml", sync_file("sqlite:shop.db", "embedded:target.db", ["*", {"name": "orders", "columns": {"rename": {"note": "remark"}}}]))
    equal(shop.cli.json("run", file, code=5)["syncs"]["job"]["tables"]["orders"]["error"]["id"], "engine.needs_resync", "half the documents would have the old name")
    shop.cli("run", file, "--full")
    equal(shop.cli.json("verify", "job")["status"], "identical", "after a full run")


@case
def auto_copies_whole_where_the_times_are_none():
    shop = Shop()
    shop.sql("create table notes (id integer primary key, updated_at datetime)", "insert into notes values (1,'2024-01-01 00:00:00'),(2,'last week'),(3,1700000000)")
    report = shop.cli.json("run", shop.file)["syncs"]["job"]["tables"]["notes"]
    equal((report["status"], report["strategy"], report["notes"][0]["id"]), ("success", "full", "cursor_unfit"), "notes")
    equal(shop.cli.json("sync", "plan", "job")["tables"]["notes"]["strategy"], "full", "the plan says so")
    file = shop.cli.file("named.yaml", sync_file("sqlite:shop.db", "embedded:target.db", [{"name": "notes", "strategy": "timestamp"}]))
    equal(shop.cli.json("run", file, code=1)["syncs"]["job"]["tables"]["notes"]["error"]["id"], "source.sqlite.cursor", "asked for by name it is refused")


@case
def new_tables_that_wait_are_told():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.sql("create table later (id integer primary key)")
    equal(shop.cli.json("sync", "run", "job")["undecided"], ["later"], "new_tables: ask")
    check("later" in shop.cli("sync", "run", "job").stderr, "people are told too")


@case
def a_missing_database_is_a_connection_fault():
    shop = Shop()
    shop.cli("apply", shop.file)
    shop.path.rename(shop.path.with_suffix(".away"))
    for words in (("sync", "run", "job"), ("connections", "test", "shop"), ("discover", "shop"), ("verify", "job")):
        shop.cli.json(*words, code=4)
    equal(shop.cli.json("sync", "status")["syncs"]["job"]["state"], "failed", "a sync that never got to a table is not idle")


@case
def a_sync_that_was_refused_a_name_does_not_claim_it():
    shop = Shop()
    shop.tamper("create table orders (mine)")
    shop.cli("run", shop.file, code=5)
    config = sync_file("sqlite:shop.db", "embedded:target.db", ["orders"], if_exists="rebuild")
    config["syncs"] = {"other": config["syncs"]["job"]}
    shop.cli("run", shop.cli.file("other.yaml", config))
    shop.equal_now([TABLES[0]])
    shop.cli("sync", "run", "job", code=3)
    shop.cli("sync", "run", "other")


@case
def documents_that_are_no_text_are_different():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.tamper("update orders set doc=cast(doc as blob) where key='7'", "update orders set key=cast(key as blob) where key='8'")
    t = shop.cli.json("verify", "job", code=6)["tables"]["orders"]
    equal((t["missing"], t["extra"], t["different"]), (0, 0, 2), "a BLOB is no text")


@case
def rows_that_meet_in_one_key_are_no_success():
    shop = Shop()
    shop.sql("create table k (k primary key, v)", "insert into k values (1,'number'),('1','text'),(x'31','blob'),('31','its hex')",
             "create table pair (a, b, v, primary key (a, b))", "insert into pair values (x'31',1,'blob'),('31',1,'its hex')")
    file = shop.cli.file("keys.yaml", sync_file("sqlite:shop.db", "embedded:target.db", ["k", "pair", {"name": "people", "key": ["name"]}]))
    shop.sql("insert into people values (3,'Žofie')", "update people set name='x' where name is null")
    for _ in range(2):
        report = shop.cli.json("run", file, code=1)["syncs"]["job"]
        for table in ("k", "pair", "people"):
            equal((report["tables"][table]["status"], report["tables"][table]["error"]["id"]), ("failed", "engine.key_not_unique"), table)
    tables = shop.cli.json("verify", "job", code=6)["tables"]
    equal({n: (t["status"], t["source_rows"], t["missing"]) for n, t in tables.items()},
          {"k": ("different", 4, 2), "pair": ("different", 2, 1), "people": ("different", 3, 1)}, "the proof sees each row")


@case
def every_parked_row_is_listed_and_a_retry_tells_the_truth():
    shop = Shop()
    shop.sql("create table p (k text primary key, v text)", "insert into p values (null,'1'),(null,'2'),(null,'2'),(cast(x'ff' as text),'no text'),('bad',cast(x'c3' as text)),('ok','1')")
    file = shop.cli.file("parked.yaml", sync_file("sqlite:shop.db", "embedded:target.db", ["p"]))

    def parked():
        return sorted(row["key"] for row in shop.cli.json("failures", "job", "list")["failures"])
    for _ in range(2):
        table = shop.cli.json("run", file, code=5)["syncs"]["job"]["tables"]["p"]
        equal((table["read"], table["written"], table["rejected"]), (6, 1, 5), "each row is written or parked")
        equal(len(parked()), 5, "each parked row is listed")
    equal(shop.cli.json("verify", "job", code=6)["tables"]["p"]["parked"], 5, "verify counts them")
    for _ in range(2):
        table = shop.cli.json("failures", "job", "retry", code=5)["tables"]["p"]
        equal((table["status"], table["written"], table["deleted"], len(parked())), ("partial", 0, 0, 5), "nothing was mended yet")
    shop.sql("update p set v='mended' where k='bad'")
    shop.cli.json("failures", "job", "retry", code=5)
    equal([k for k in parked() if not k.startswith("without key ")], ["ff"], "after one was mended")
    shop.sql("delete from p where k is null or k=cast(x'ff' as text)")
    shop.cli.json("sync", "run", "job")
    equal((parked(), shop.cli.json("verify", "job")["status"]), ([], "identical"), "after all were")


@case
def verify_finds_each_kind_of_difference():
    shop = Shop()
    shop.cli("run", shop.file)
    answer = shop.cli.json("verify", "job")
    equal((answer["sync"], answer["status"]), ("job", "identical"), "verify")
    t = answer["tables"]["orders"]
    equal({k: t[k] for k in ("status", "source_rows", "target_rows", "missing", "extra", "different", "parked", "foreign", "checked")},
          {"status": "identical", "source_rows": 1000, "target_rows": 1000, "missing": 0, "extra": 0, "different": 0, "parked": 0, "foreign": 0,
           "checked": "full"}, "verify's table")
    check(len(t["as_of"]) == 2 and all(map(STAMP.match, t["as_of"])), t["as_of"])
    shop.tamper("delete from orders where key in ('1','2','3')", "update orders set doc=json_set(doc,'$.note','tampered') where key in ('10','11')")
    shop.sql("delete from orders where id = 500")
    answer = shop.cli.json("verify", "job", code=6)
    t = answer["tables"]["orders"]
    equal((answer["status"], t["missing"], t["extra"], t["different"]), ("different", 3, 1, 2), "what verify counts")
    equal(answer["tables"]["people"]["status"], "identical", "the other table")
    equal(shop.cli.json("verify", "job", "--table", "people")["status"], "identical", "verify --table")
    shop.cli("sync", "run", "job", "--full")
    equal(shop.cli.json("verify", "job")["status"], "identical", "a full run repairs")


@case
def discover_shape():
    shop = Shop()
    shop.sql("create table keyless (a int)", "create view seen as select id, note from orders")
    shop.cli("apply", shop.file)
    answer = shop.cli.json("discover", "shop")
    equal((answer["connection"], answer["engine"]), ("shop", "sqlite"), "discover")
    tables = {t["name"]: t for t in answer["tables"]}
    equal(sorted(tables), ["keyless", "orders", "people", "seen"], "tables")
    o = tables["orders"]
    equal((o["kind"], o["primary_key"]), ("table", ["id"]), "orders")
    equal([c["name"] for c in o["columns"]], ["id", "note", "changed"], "columns")
    check(all({"name", "native_type", "type", "nullable"} <= set(c) for c in o["columns"]), o["columns"])
    equal((o["recommended"]["strategy"], o["recommended"].get("cursor")), ("timestamp", "changed"), "recommended")
    check(o["recommended"]["reason"], "no reason")
    equal(tables["people"]["recommended"]["strategy"], "full", "people")
    check("no_key" in [w["id"] for w in tables["keyless"]["warnings"]] and all(w["text"] for w in tables["keyless"]["warnings"]), tables["keyless"]["warnings"])
    equal(tables["seen"]["kind"], "view", "kind of a view")
    equal([t["name"] for t in shop.cli.json("discover", "shop", "--table", "ord*")["tables"]], ["orders"], "discover --table")


@case
def apply_check_and_export():
    shop = Shop()
    shop.cli("check", shop.file)
    shop.cli("apply", shop.file, "--dry-run")
    check("job" not in shop.cli("sync", "list", "--json").stdout, "apply --dry-run applied")
    shop.cli("apply", shop.file)
    out = shop.cli.folder / "out.yaml"
    shop.cli("export", out)
    text = out.read_text()
    check("shop" in text and "job" in text, text)
    shop.cli("check", out)
    other = Cli(folder())
    shutil.copy(shop.path, other.folder / "shop.db")
    other.file("again.yaml", text)
    other("apply", "again.yaml")
    other("export", "out2.yaml")
    equal((other.folder / "out2.yaml").read_text(), text, "an export applied and exported again")


@case
def pause_resume_reset_remove():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.cli("sync", "pause", "job")
    equal(shop.cli.json("sync", "status", "job")["syncs"]["job"]["state"], "paused", "state")
    shop.cli("sync", "resume", "job")
    check(shop.cli.json("sync", "status", "job")["syncs"]["job"]["state"] != "paused", "resumed")
    shop.cli("sync", "reset", "job", "--table", "orders", "--yes")
    equal(shop.cli.json("sync", "run", "job")["tables"]["orders"]["sync_type"], "full", "after the reset")
    shop.cli("connections", "remove", "shop", "--yes", code=3)
    shop.cli("sync", "remove", "job", "--drop-target", "--yes")
    link = sqlite3.connect(shop.target)
    equal(link.execute("select count(*) from sqlite_master where name in ('orders','people')").fetchone()[0], 0, "dropped containers")
    shop.cli("connections", "remove", "shop", "--yes")


@case
def usage_and_unknown_names():
    cli = Cli(folder())
    cli("nonsense", code=2)
    cli("sync", "run", code=2)
    cli("sync", "run", "job", "--nonsense", code=2)
    for words in (["sync", "run", "nope"], ["verify", "nope"], ["discover", "nope"], ["connections", "show", "nope"]):
        p = cli(*words, code=(2, 3))
        check("nope" in p.stderr, lambda: f"{words}: the name is not in {p.stderr!r}")
    check("demo" in cli("--help").stdout, "--help")
    check(re.search(r"\d+\.\d+", cli("--version").stdout), "--version")


@case
def sync_file_mistakes():
    cli = Cli(folder())
    good = "version: 1\nconnections:\n  shop: {url: \"sqlite:shop.db\"}\n  store: {url: \"embedded:t.db\"}\nsyncs:\n  job:\n    source: shop\n    target: store\n"
    rows = [
        (good + "    evry: 5m\n", ["line 9", "evry", "every"]),
        (good + "    tables:\n      - {name: a, stategy: full}\n", ["line 10", "stategy", "strategy"]),
        (good + "    tables:\n      - {name: a, strategy: fulll}\n", ["fulll", "full"]),
        (good.replace("source: shop", "source: shp"), ["shp", "shop"]),
        (good + "    every: 5parsecs\n", ["line 9", "every"]),
        (good + "    delete_brake: many\n", ["line 9", "delete_brake"]),
        (good.replace("sqlite:shop.db", "sqlite:shop.db?tsl=x"), ["tsl"]),
        (good.replace("sqlite:shop.db", "oracle://x/y"), ["oracle"]),
        (good + "    tables: [\n", ["line"]),
        ("- just\n- a list\n", []),
        (good.replace("version: 1", "version: 99"), ["99"]),
    ]
    for i, (text, words) in enumerate(rows):
        file = cli.file(f"bad{i}.yaml", text)
        for command in ("check", "apply"):
            p = cli(command, file, code=3)
            for word in words:
                check(word in p.stderr, lambda: f"bad{i}.yaml: {word!r} is not in the answer: {p.stderr!r}")
    p = cli("apply", "not-there.yaml", code=3)
    check("not-there.yaml" in p.stderr, p.stderr)


@case
def two_tables_onto_one_name():
    shop = Shop()
    file = shop.cli.file("meet.yaml", sync_file("sqlite:shop.db", "embedded:target.db", [{"name": "orders", "to": "Same"}, {"name": "people", "to": "same"}]))
    p = shop.cli("run", file, code=3)
    check("orders" in p.stderr and "people" in p.stderr, lambda: f"both are named: {p.stderr!r}")
    check(not shop.target.exists() or not sqlite3.connect(shop.target).execute("select 1 from sqlite_master where lower(name)='same'").fetchall(),
          "something was written")


@case
def container_that_is_not_ours():
    shop = Shop()
    shop.tamper("create table orders (mine text)", "insert into orders values ('keep me')")
    report = shop.cli.json("run", shop.file, code=5)["syncs"]["job"]
    report_shape(report)
    equal((report["tables"]["orders"]["status"], report["tables"]["people"]["status"]), ("failed", "success"), "tables")
    check("not_ours" in report["tables"]["orders"]["error"]["id"], report["tables"]["orders"]["error"])
    equal(sqlite3.connect(shop.target).execute("select mine from orders").fetchall(), [("keep me",)], "somebody else's rows")


@case
def new_column_is_drift():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.sql("alter table orders add column extra int", "update orders set extra=1, changed=strftime('%Y-%m-%d %H:%M:%f','now') where id=1")
    report = shop.cli.json("sync", "run", "job")
    equal(report["tables"]["orders"]["status"], "success", "a new column is drift and does not stop the table")


@case
def dropped_table_is_told():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.sql("drop table people")
    report = shop.cli.json("sync", "run", "job", code=5)
    equal((report["tables"]["orders"]["status"], report["tables"]["people"]["status"]), ("success", "failed"), "a dropped table does not stop its neighbour")
    equal(shop.cli.json("sync", "status", "job", code=None)["syncs"]["job"]["tables"]["people"]["state"], "needs_resync", "state of a dropped table")


@case
def rekeyed_table_needs_a_reset():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.sql("drop table orders", "create table orders (id text primary key, note text, changed datetime not null default '2024-01-01 00:00:00')",
             "insert into orders(id,note) values ('k','new key')")
    report = shop.cli.json("sync", "run", "job", code=5)
    check(report["tables"]["orders"]["status"] == "failed" and report["tables"]["orders"]["error"]["fix"], f"a re-keyed table: {report['tables']['orders']}")
    shop.cli("sync", "reset", "job", "--table", "orders", "--yes")
    shop.cli("sync", "run", "job", "--accept-deletes")
    shop.equal_now()


@case
def source_gone():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.path.rename(shop.path.with_suffix(".away"))
    p = shop.cli("sync", "run", "job", code=(3, 4))
    check("shop.db" in p.stderr, lambda: f"the file is not named: {p.stderr!r}")
    check(not shop.path.exists(), "the missing source was created")
    shop.path.with_suffix(".away").rename(shop.path)
    shop.cli("sync", "run", "job")
    shop.equal_now()


@case
def delete_brake_asks():
    shop = Shop()
    shop.cli("run", shop.file)
    shop.sql("delete from orders where id > 400")
    report = shop.cli.json("sync", "run", "job", "--full", code=(1, 5))
    check("brake" in report["tables"]["orders"]["error"]["id"] and "--accept-deletes" in report["tables"]["orders"]["error"]["fix"],
          lambda: report["tables"]["orders"])
    equal(sqlite3.connect(shop.target).execute("select count(*) from orders").fetchone()[0], 1000, "documents after the brake")
    shop.cli("sync", "run", "job", "--full", "--accept-deletes")
    shop.equal_now()


@case
def hostile_names_and_text():
    shop = Shop()
    names = ['quote"d', "new\nline", "semi;colon--", "drop table x", "../up", "ünï", "tab\t", "'", "sqlite?", "x" * 64, "right\u202eleft"]
    for i, name in enumerate(names):
        q = name.replace('"', '""')
        shop.sql(f'create table "{q}" (id integer primary key, "{q}" text)', f'insert into "{q}" values ({i}, \'it is {i}\')')
    report = shop.cli.json("run", shop.file)["syncs"]["job"]
    equal(report["status"], "success", "status")
    check(set(names) <= set(report["tables"]), lambda: f"tables: {list(report['tables'])}")
    safe = containers(shop.cli, "job")
    shop.equal_now([Table(n, ["id"], to=safe[n]) for n in names])
    equal(shop.cli.json("verify", "job")["status"], "identical", "verify")


@case
def invalid_utf8_is_parked_or_told():
    shop = Shop()
    link = sqlite3.connect(shop.path)
    link.execute("insert into orders(id,note) values (2000, cast(x'666ffe80' as text))")
    link.commit()
    report = shop.cli.json("run", shop.file, code=5)["syncs"]["job"]
    equal((report["tables"]["orders"]["status"], report["tables"]["orders"]["rejected"]), ("partial", 1), "the row is parked")
    listed = shop.cli("failures", "job", "list", "--json").stdout
    check("2000" in listed, listed)
    no_differences(compare(SqliteSource(shop.path), EmbeddedTarget(shop.target), [Table("orders", ["id"], where="id<>2000")])[1])
    equal(shop.cli.json("verify", "job", code=6)["tables"]["orders"]["parked"], 1, "verify counts the parked row")
    shop.sql("update orders set note='mended' where id=2000")
    shop.cli("failures", "job", "retry")
    shop.equal_now()
    check("2000" not in shop.cli("failures", "job", "list", "--json").stdout, "the row arrived and is still listed")


@case
def secrets_stay_secret():
    shop = Shop()
    p = shop.cli("connections", "add", "db", f"mysql://root:{SECRET}@127.0.0.1:1/x")
    check("history" in p.stderr, lambda: f"no warning that the shell's history has the password: {p.stderr!r}")
    outputs = [shop.cli("connections", "show", "db", code=None), shop.cli("connections", "show", "db", "--json", code=None), shop.cli("connections", "list", code=None),
               shop.cli("connections", "test", "db", code=4), shop.cli("connections", "test", "db", "--json", code=4), shop.cli("export", code=None),
               shop.cli("discover", "db", code=4)]
    for out in outputs:
        check(SECRET not in out.stdout + out.stderr, "the password is in an answer")
    for path in shop.cli.folder.rglob("*"):
        if path.is_file():
            check(SECRET.encode() not in path.read_bytes(), f"the password is in {path.name}")
            if path.is_relative_to(shop.cli.home):
                equal(path.stat().st_mode & 0o077, 0, f"mode of {path.name}")


@case
def newer_or_broken_store_is_left_alone():
    for wound in ("newer", "broken"):
        shop = Shop()
        shop.cli("run", shop.file)
        stores = [p for p in shop.cli.home.rglob("*.db") if p.is_file()] or [p for p in shop.cli.home.rglob("*.sqlite*") if p.is_file()]
        check(len(stores) >= 1, f"no store file in the home: {list(shop.cli.home.rglob('*'))}")
        store = stores[0]
        if wound == "newer":
            link = sqlite3.connect(store)
            link.execute("pragma user_version = 9999")
            link.commit()
            link.close()
        else:
            raw = bytearray(store.read_bytes())
            raw[:4096] = b"not a database, sorry" * 195 + b"."
            store.write_bytes(raw[:max(len(raw), 4096)])
        before = store.read_bytes()
        p = shop.cli("sync", "status", code=(1, 3))
        q = shop.cli("sync", "run", "job", code=(1, 3))
        check(str(store) in q.stderr or store.name in q.stderr, lambda: f"{wound}: the file is not named: {q.stderr!r}")
        if wound == "newer":
            check("newer" in p.stderr and "newer" in q.stderr, lambda: f"{q.stderr!r}")
        equal(store.read_bytes(), before, f"a {wound} store was written")


@case
def interrupted_run_keeps_its_position():
    shop = Shop(rows=60_000, settings={"rate_limit": 20_000})
    process = shop.cli.start("run", shop.file)

    def rows():
        return sqlite3.connect(f"file:{shop.target}?mode=ro", uri=True).execute("select count(*) from orders").fetchone()[0]

    until(lambda: process.poll() is None and rows() > 2000, 30, "rows arrive")
    process.send_signal(signal.SIGINT)
    equal(process.wait(30), 130, "exit code")
    check(rows() < 60_000, "it had ended")
    there = rows()
    report = shop.cli.json("run", shop.file)["syncs"]["job"]
    check(report["tables"]["orders"]["written"] <= 60_000 - there + 5000, lambda: f"{there} rows were there, {report['tables']['orders']['written']} were written")
    shop.equal_now()


@case
def serve_runs_what_is_due_until_sigterm():
    shop = Shop(every="1s")
    shop.cli("apply", shop.file)
    process = shop.cli.start("serve")
    try:
        until(lambda: process.poll() is None and shop.target.exists() and not compare(SqliteSource(shop.path), EmbeddedTarget(shop.target), TABLES)[1], 40, "the schedule ran")
        shop.sql("insert into orders(id,note,changed) values (77777,'later',strftime('%Y-%m-%d %H:%M:%f','now'))")
        until(lambda: not compare(SqliteSource(shop.path), EmbeddedTarget(shop.target), TABLES)[1], 40, "it ran again")
    finally:
        process.send_signal(signal.SIGTERM)
        equal(process.wait(30), 0, "exit code")


@case
def demo_ends_verified():
    cli = Cli(folder())
    p = cli("demo", "--rows", "3000")
    check("identical" in (p.stdout + p.stderr).lower(), lambda: p.stdout + p.stderr)
    answer = cli.json("demo", "--rows", "3000")
    check("identical" in json.dumps(answer), answer)


@case
def quiet_plain_and_jsonl():
    shop = Shop()
    p = shop.cli("run", shop.file, "--quiet")
    equal(p.stdout + p.stderr, "", "--quiet")
    p = shop.cli("sync", "status")
    check("\x1b" not in p.stdout + p.stderr, "colours without a terminal")
    p = shop.cli("sync", "run", "job", "--jsonl")
    lines = [json.loads(line) for line in p.stdout.splitlines()]
    check(lines and all(isinstance(line, dict) for line in lines), p.stdout)


@case
def import_env_makes_source_target_and_sync():
    cli = Cli(folder())
    cli.file("seed.env", f"MYSQL_HOST=127.0.0.1  # here\nMYSQL_PORT=3307\nMYSQL_USER=\"reader\"\nMYSQL_PASSWORD='{SECRET}'\nMYSQL_DATABASE=shop\n"
             "MONGODB_URL=mongodb://127.0.0.1:27018\nMONGODB_DATABASE=shop\nSYNC_INTERVAL=300\nSYNC_TABLES=orders,people\nBATCH_SIZE=500\n")
    p = cli("import-env", "seed.env")
    check(SECRET not in p.stdout + p.stderr, "the password is in the answer")
    listed = cli("connections", "list", "--json").stdout
    check("source" in listed and "target" in listed, listed)
    check("default" in cli("sync", "list", "--json").stdout, "no sync 'default'")
    check(SECRET not in cli("export").stdout, "the password is exported")


@case
def full_disk_stops_cleanly_and_goes_on():
    cli_folder = folder()
    small = cli_folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True).returncode:
        raise Skip("mounting a small tmpfs is not allowed here")
    try:
        shop = Shop(rows=30_000)
        file = shop.cli.file("small.yaml", sync_file("sqlite:shop.db", f"embedded://{small}/target.db", ["orders"]))
        p = shop.cli("run", file, code=(1, 5))
        check("full" in p.stderr.lower() or "no space" in p.stderr.lower(), lambda: f"it does not say that the disk is full: {p.stderr!r}")
        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
        shop.cli("sync", "run", "job")
        no_differences(compare(SqliteSource(shop.path), EmbeddedTarget(small / "target.db"), [Table("orders", ["id"])])[1])
    finally:
        subprocess.run(["umount", "-l", small], check=False)


main()
