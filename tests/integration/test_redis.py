#!/usr/bin/env python3
"""The demo shop into a real Redis, as JSON and as hashes: a full load, increments, deletes, a full server, compared value by value by another client."""
import contextlib
import shutil
import sqlite3
from harness import *
from compare import RedisTarget, SqliteSource, Table, compare


@contextlib.contextmanager
def shop(rows=6000):
    """The demo shop's SQLite file, made by the program and then moved away from its demo."""
    cli = Cli(folder())
    cli("demo", "--rows", rows)
    found = list(cli.home.rglob("shop.db"))
    equal(len(found), 1, "shop files")
    path = folder() / "shop.db"
    shutil.copyfile(found[0], path)
    link = sqlite3.connect(path)
    yield path, link
    link.close()


def keys_of(link):
    out = {}
    for (name,) in link.execute("select name from sqlite_master where type='table' and name not like 'sqlite_%'"):
        columns = sorted((r[5], r[1]) for r in link.execute(f"pragma table_info({name})") if r[5])
        out[name] = [name for _, name in columns]
    return out


def through(form, redis, path, link, tables, rules):
    cli = Cli(folder())
    file = cli.file("shop.yaml", sync_file(f"sqlite://{path}", redis.url(), rules))
    answer = cli.json("run", file)["syncs"]["job"]
    equal(answer["status"], "success", "status")
    source = SqliteSource(path)
    client = redis.client()
    target = lambda: RedisTarget(client, source if form == "hash" else None)
    total, found = compare(source, target(), tables)
    no_differences(found)
    equal(answer["total_records_synced"], total, "total_records_synced")
    equal(cli.json("verify", "job")["status"], "identical", "verify")

    # an incremental round, then deletes, which the full run finds
    with link:
        link.execute("update customers set name = name || ' é\"\\', updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id % 17 = 0")
        link.execute("update orders set status = 'returned', updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id % 13 = 0")
    changed = cli.json("sync", "run", "job")
    equal(changed["status"], "success", "incremental status")
    check(changed["tables"]["customers"]["sync_type"] == "incremental", lambda: f"customers: {changed['tables']['customers']}")
    check(0 < changed["tables"]["customers"]["records_synced"] < answer["tables"]["customers"]["records_synced"], lambda: f"customers: {changed['tables']['customers']}")
    _, found = compare(source, target(), tables)
    no_differences(found)
    with link:
        link.execute("delete from reviews where id % 31 = 0")
        gone = link.execute("select changes()").fetchone()[0]
    equal(cli.json("verify", "job", code=6)["tables"]["reviews"]["extra"], gone, "extra reviews")
    full = cli.json("sync", "run", "job", "--full")
    equal(full["tables"]["reviews"]["deleted"], gone, "deleted reviews")
    _, found = compare(source, target(), tables)
    no_differences(found)
    equal(cli.json("verify", "job")["status"], "identical", "verify at the end")
    # every document has its companion and its place in the registry, and nothing else is there
    for table in tables:
        documents = set(client.scan_iter(match=f"{table.container}:*", count=1000))
        equal(client.smembers(f"_mr:keys:{table.container}"), documents, f"registry of {table.container}")
        equal(sum(1 for _ in client.scan_iter(match="{" + table.container + ":*}:_mr", count=1000)), len(documents), f"companions of {table.container}")
    equal(list(client.scan_iter(match="*aside*", count=1000)), [], "what was built aside")
    print(f"SQLite -> Redis ({form}): {total} rows equal", flush=True)
    return cli, client


@case
def shop_as_json():
    with Redis() as redis, shop() as (path, link):
        tables = [Table(n, k) for n, k in keys_of(link).items()]
        cli, client = through("json", redis, path, link, tables, ["*"])
        client.set("customers:of somebody else", "keep me")
        client.set("unrelated", "keep me")
        cli("sync", "remove", "job", "--drop-target", "--yes")
        left = sorted(k for k in client.scan_iter() if not k.startswith(b"_mr:lease:"))
        equal(left, [b"customers:of somebody else", b"unrelated"], "keys after the sync is removed with its documents")


@case
def shop_as_hashes():
    with Redis() as redis, shop() as (path, link):
        keys = keys_of(link)
        through("hash", redis, path, link, [Table(n, k) for n, k in keys.items()], [{"name": "*", "format": "hash"}])


@case
def names_prefixes_and_ttl():
    with Redis() as redis, shop(1000) as (path, link):
        cli = Cli(folder())
        file = cli.file("shop.yaml", sync_file(f"sqlite://{path}", redis.url(2), [{"name": "products", "to": "goods", "ttl": "1h"}, "customers"], prefix="shop:"))
        equal(cli.json("run", file)["syncs"]["job"]["status"], "success", "status")
        client, source = redis.client(2), SqliteSource(path)
        _, found = compare(source, RedisTarget(client), [Table("products", ["id"], to="shop:goods"), Table("customers", ["id"], to="shop:customers")])
        no_differences(found)
        key = next(client.scan_iter(match="shop:goods:*"))
        check(3_000_000 < client.pttl(key) <= 3_600_000, lambda: f"time to live: {client.pttl(key)}")
        equal(client.ttl(next(client.scan_iter(match="shop:customers:*"))), -1, "time to live of a table without ttl")
        said = " ".join(cli.json("sync", "plan", "job")["sentences"])
        check("expire 1h after" in said, lambda: said)
        # the same keys for a target that knows neither
        other = cli.file("other.yaml", sync_file(f"sqlite://{path}", "null:", [{"name": "products", "ttl": "1h"}]))
        answer = cli.json("run", other, code=None)
        check("config.not_for_target" in json.dumps(answer), lambda: json.dumps(answer))


@case
def a_full_server_marks_nothing_synced():
    with Redis() as redis, shop(20_000) as (path, link):
        client = redis.client()
        client.config_set("maxmemory", "4mb")
        cli = Cli(folder())
        file = cli.file("shop.yaml", sync_file(f"sqlite://{path}", redis.url(), ["*"]))
        answer = cli.json("run", file, code=(1, 5))["syncs"]["job"]
        failed = [t for t in answer["tables"].values() if t["status"] == "failed"]
        check(failed and all(t["error"]["id"] == "target.redis.full" and "OOM" in t["error"]["detail"] and t["error"]["fix"] for t in failed), lambda: json.dumps(answer))
        client.config_set("maxmemory", "0")
        equal(cli.json("sync", "run", "job")["status"], "success", "status with room again")
        source = SqliteSource(path)
        _, found = compare(source, RedisTarget(client), [Table(n, k) for n, k in keys_of(link).items()])
        no_differences(found)
        equal(cli.json("verify", "job")["status"], "identical", "verify")


@case
def eviction_is_refused():
    with Redis("--maxmemory-policy", "allkeys-lru") as redis, shop(1000) as (path, link):
        cli = Cli(folder())
        file = cli.file("shop.yaml", sync_file(f"sqlite://{path}", redis.url(), ["products"]))
        answer = cli.json("run", file, code=None)
        check("target.redis.evicts" in json.dumps(answer), lambda: json.dumps(answer))
        equal([k for k in redis.client().scan_iter() if not k.startswith(b"_mr:")], [], "documents")


if __name__ == "__main__":
    main()
