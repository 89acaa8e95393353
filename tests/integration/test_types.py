#!/usr/bin/env python3
"""Every type a column can have, at its edges, from MariaDB, MySQL 9.7 and SQLite into MongoDB and the embedded store."""
import random
import sqlite3
from harness import *
from compare import EmbeddedTarget, MongoTarget, MySqlSource, SqliteSource, Table, compare

SCHEMA = """
create table numbers (
  id int primary key, t1 tinyint, t1u tinyint unsigned, s smallint, su smallint unsigned, m mediumint, mu mediumint unsigned,
  i int, iu int unsigned, b bigint, bu bigint unsigned, yes tinyint(1), one bit(1), bits bit(17), all_bits bit(64), y year,
  f float, d double, d5 decimal(5,0), d10 decimal(10,2), d34 decimal(34,10), d65 decimal(65,30), n decimal(20,6) unsigned,
  changed timestamp(6) not null default '2024-01-01 00:00:00', key(changed));
create table flags (id int primary key, flag tinyint(1));
create table texts (
  id bigint primary key auto_increment, c char(10), v varchar(300), vl varchar(300) character set latin1, vc varchar(100) character set cp1251,
  tt tinytext, t text, mt mediumtext, lt longtext, e enum('small','größe','it''s'), st set('a','b','c d'), ju json,
  b binary(8), vb varbinary(300), tb tinyblob, bl blob, mb mediumblob, lb longblob, changed timestamp not null default '2024-01-01 00:00:00');
create table times (
  id int primary key, d date, t time, t3 time(3), t6 time(6), dt datetime, dt3 datetime(3), dt6 datetime(6),
  ts timestamp null, ts3 timestamp(3) null, ts6 timestamp(6) null);
create table shapes (id int primary key, g geometry, p point, po polygon);
create table generated_columns (id int primary key, a int, doubled int as (a * 2) virtual, kept varchar(40) as (concat('a=', a)) stored);
create table pairs (a varchar(40) collate utf8mb4_general_ci, b int, c varbinary(20), v int, primary key (a, b, c));
create table texts_key (k varchar(200) character set utf8mb4 collate utf8mb4_bin primary key, v int);
create table ticks (k datetime primary key, v int);
create table big_keys (k bigint unsigned primary key, v int);
create table raw_keys (k binary(4) primary key, v int);
create table uniques (a int not null, b int not null, c int, unique key bb (b), unique key ab (a, b));
create table keyless (a int, b varchar(40));
create table empty_table (id int primary key, v int);
create table `od``d na"me` (id int primary key, `we'ird col` int, `ünï` text, `dotted.name` int);
"""

KEYS = {"numbers": ["id"], "flags": ["id"], "texts": ["id"], "times": ["id"], "shapes": ["id"], "generated_columns": ["id"], "pairs": ["a", "b", "c"],
        "texts_key": ["k"], "ticks": ["k"], "big_keys": ["k"], "raw_keys": ["k"], "uniques": ["b"], "keyless": [], "empty_table": ["id"],
        "od`d na\"me": ["id"]}


def fill(database, mysql9=False):
    """The edges of every type, then seeded rows."""
    seed = random.Random(7)
    link = database.connect(database="types")
    cursor = link.cursor()
    cursor.execute("set time_zone='+00:00'")

    def put(table, *rows):
        for row in rows:
            cursor.execute(f"insert into {table} values ({','.join(['%s'] * len(row))})", row)

    stamp = "2024-05-06 07:08:09.123456"
    put("numbers", (1, *[None] * 22, stamp),
        (2, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -2**63, 0, 0, 0, 0, 0, 1901, -3.4e38, -1.7976931348623157e308, -99999, "-99999999.99",
         "-" + "9" * 24 + "." + "9" * 10, "-" + "9" * 35 + "." + "9" * 30, 0, stamp),
        (3, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 2**63 - 1, 2**64 - 1, 1, 1, 2**17 - 1, 2**64 - 1, 2155, 3.4e38,
         1.7976931348623157e308, 99999, "99999999.99", "9" * 24 + "." + "9" * 10, "9" * 35 + "." + "9" * 30, "99999999999999.999999", stamp),
        (4, 0, 0, 0, 0, 0, 0, 0, 0, 2**53 + 1, 2**53 + 1, 1, 0, 1, 1, 0, 16777216, 0.1, 0, "0.00", "0.0000000001", "0." + "0" * 29 + "1", "0.000001", stamp),
        (5, 1, 1, 1, 1, 1, 1, 1, 1, -(2**53) - 1, 2**63, 1, 1, 1, 2**63, 1970, 3.14, 5e-324, 1, "-0.01", "1.5", "-1.5", "1.5", stamp),
        (6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2**63 - 1, 0, 1, 1, 1, 2024, 1.17549e-38, 2.2250738585072014e-308, 7, "7.10", "100", "100", "100", stamp),
        (7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 2024, 0.1, 1e21, 7, "7.10", "1234567890.0987654321", "1e-20", "3.3", stamp))
    for i in range(100, 600):
        put("numbers", (i, seed.randint(-128, 127), seed.randint(0, 255), seed.randint(-2**15, 2**15 - 1), seed.randint(0, 65535),
                        seed.randint(-2**23, 2**23 - 1), seed.randint(0, 2**24 - 1), seed.randint(-2**31, 2**31 - 1), seed.randint(0, 2**32 - 1),
                        seed.randint(-2**63, 2**63 - 1), seed.randint(0, 2**64 - 1), seed.randint(0, 1), seed.randint(0, 1), seed.getrandbits(17),
                        seed.getrandbits(64), seed.randint(1901, 2155), seed.gauss(0, 1e6), seed.gauss(0, 10 ** seed.randint(-200, 200)),
                        seed.randint(-99999, 99999), f"{seed.randint(-10**9, 10**9) / 100:.2f}", f"{seed.randint(-10**23, 10**23)}.{seed.randint(0, 10**10 - 1):010}",
                        f"{seed.randint(-10**34, 10**34)}.{seed.randint(0, 10**30 - 1):030}", f"{seed.randint(0, 10**14 - 1)}.{seed.randint(0, 10**6 - 1):06}", stamp))
    put("flags", (1, 0), (2, 1), (3, 2), (4, None), (5, -1))

    every = bytes(range(256))
    texts = "insert into texts(c,v,vl,vc,tt,t,mt,lt,e,st,ju,b,vb,tb,bl,mb,lb) values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"
    hostile = "quote ' \" ` back\\slash\nnew\ttab\r\x00nul \x1f\x1e\x7f \u2028 \u202e 😀 e\u0301 ﷺ"
    latin = "".join(chr(c) for c in range(0xa0, 0x100))
    rows = [(None,) * 17,
            ("",) * 8 + ("small", "", "{}", b"", b"", b"", b"", b"", b""),
            ("end  ", hostile, latin, "Привет, мир", hostile, hostile, hostile, hostile, "größe", "a,b",
             '{"b":1,"a":[1,2.5,-0.0,1e3,9007199254740993,18446744073709551615,null,true,"\\u00e9\\n\\"\\\\"],"":{"$x":1,"a.b":2}}',
             every[:8], every, every[-200:], every * 3, every * 300, every * 700),
            ("x" * 10, "y" * 300, "é" * 300, "ж" * 100, "t" * 255, "e" * 65535, "m" * 100000, "l" * 1000000, "it's", "b", "[]", b"\xff" * 8, b"\0" * 300,
             b"\0", b"\0" * 1000, b"a", b"b")]
    if not mysql9:
        rows.append(("a",) * 8 + ("small", "a", ' [1 , {"k" : 1.50} , 12345678901234567890123 ] ', b"a", b"", b"", b"", b"", b""))
    for row in rows:
        cursor.execute(texts, [b if isinstance(b, bytes) or b is None else b for b in row])
    alphabet = "abc äöü ñ 漢字 😀 '\"\\\n"
    for i in range(300):
        t = "".join(seed.choice(alphabet) for _ in range(seed.randint(0, 40)))
        cursor.execute("insert into texts(v,t,ju,bl) values (%s,%s,%s,%s)", (t, t * 3, json.dumps({"n": seed.randint(0, 10**6), "t": t, "x": [None, i]}), seed.randbytes(i)))

    put("times", (1, *[None] * 10),
        (2, "1000-01-01", "-838:59:59", "-838:59:59" if mysql9 else "-838:59:59.999", "-00:00:00.000001", "1000-01-01 00:00:00", "1000-01-01 00:00:00.001", "1000-01-01 00:00:00.000001",
         "1970-01-01 00:00:01", "1970-01-01 00:00:01.001", "1970-01-01 00:00:01.000001"),
        (3, "9999-12-31", "838:59:59", "838:59:59.000", "838:59:59.000000", "9999-12-31 23:59:59", "9999-12-31 23:59:59.999", "9999-12-31 23:59:59.999999",
         "2038-01-19 03:14:07", "2038-01-19 03:14:07.999", "2038-01-19 03:14:07.999999"),
        (4, "1969-12-31", "00:00:00", "00:00:00.500", "12:34:56.789012", "1969-12-31 23:59:59", "1969-12-31 23:59:59.999", "1969-12-31 23:59:59.123456",
         "2024-03-31 01:30:00", "2024-10-27 01:30:00", "2024-10-27 01:30:00.5"),
        (5, "2024-02-29", "24:00:00", "101:00:00.010", "01:02:03.100000", "2000-02-29 12:00:00", "2024-02-29 23:59:59.100", "2024-02-29 23:59:59.100000",
         "2024-02-29 23:59:59", None, None))
    cursor.execute("set sql_mode='ALLOW_INVALID_DATES'")
    put("times", (6, "0000-00-00", "00:00:01", None, None, "0000-00-00 00:00:00", "0000-00-00 00:00:00", "0000-00-00 00:00:00", "0000-00-00 00:00:00", None, None),
        (7, "2024-00-00", None, None, None, "2024-05-00 00:00:00", None, None, None, None, None))
    cursor.execute("set sql_mode=default")
    for i in range(100, 400):
        day = f"{seed.randint(1000, 9999)}-{seed.randint(1, 12):02}-{seed.randint(1, 28):02}"
        clock = f"{seed.randint(0, 23):02}:{seed.randint(0, 59):02}:{seed.randint(0, 59):02}"
        micro = f"{seed.randint(0, 999999):06}"
        at = f"{seed.randint(1971, 2037)}-{seed.randint(1, 12):02}-{seed.randint(1, 28):02} {clock}"
        put("times", (i, day, clock, f"{clock}.{micro[:3]}", f"-{clock}.{micro}", f"{day} {clock}", f"{day} {clock}.{micro[:3]}", f"{day} {clock}.{micro}",
                      at, f"{at}.{micro[:3]}", f"{at}.{micro}"))

    for i, (g, p, po) in enumerate([(None, None, None), ("POINT(1 2)", "POINT(-1.5 2e10)", "POLYGON((0 0,10 0,10 10,0 10,0 0),(2 2,3 2,3 3,2 2))"),
                                    ("LINESTRING(0 0,1 1,2 4)", "POINT(0 0)", None), ("GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))", None, None)]):
        cursor.execute("insert into shapes values (%s, st_geomfromtext(%s), st_geomfromtext(%s), st_geomfromtext(%s))", (i, g, p, po))
    cursor.execute("insert into generated_columns(id,a) values (1,5),(2,null),(3,-7)")
    put("pairs", ("a:b", 1, b"c", 1), ("a", 1, b"b:c", 2), ("A2", 1, b"", 3), ("", 0, b"\0\xff", 4), ("ünï\"q\\", -5, b"x", 5), ("a,b", 1, b"[", 6))
    put("texts_key", ("plain", 1), ("PLAIN", 2), ("pläin", 3), ("pla\u0308in", 4), ("a\nb", 5), ("😀", 6), ("", 7), ("k" * 200, 8), ("7", 9), ("\x01", 10))
    put("ticks", *[(f"2024-10-27 01:{m:02}:00", m) for m in range(60)], ("1000-01-01 00:00:00", 1), ("9999-12-31 23:59:59", 2))
    put("big_keys", (0, 1), (2**63 - 1, 2), (2**63, 3), (2**64 - 1, 4), (2**53 + 1, 5), (2**53, 6))
    put("raw_keys", *[(bytes([i, 255 - i, 0, i]), i) for i in range(256)])
    put("uniques", *[(i % 7, i, None if i % 3 else i) for i in range(50)])
    put("keyless", (1, "a"), (1, "a"), (2, None), (None, None), (None, None), (3, "x"))
    cursor.execute("insert into `od``d na\"me` values (1, 2, 'ü', 3), (2, null, null, null)")
    cursor.close()
    link.close()


def statements(text):
    return [s for s in (part.strip() for part in text.split(";\n")) if s]


def prepared(server, mysql9=False):
    server.execute("drop database if exists types", "create database types character set utf8mb4")
    server.execute(*statements(SCHEMA), database="types")
    fill(server, mysql9)


def tables(safe):
    return [Table(n, k, to=safe.get(n, n)) for n, k in KEYS.items()]


def moved(server, target_url, target):
    """Loads everything, compares; changes everything, loads again, compares."""
    cli = Cli(folder())
    file = cli.file("types.yaml", sync_file(mysql(server, "types"), target_url, ["*"]))
    answer = cli.json("run", file)["syncs"]["job"]
    equal(answer["status"], "success", "status")
    equal(sorted(answer["tables"]), sorted(KEYS), "tables")
    safe = containers(cli, "job")
    source = MySqlSource("types", unix_socket=server.socket, user="root")
    total, found = compare(source, target(), tables(safe))
    no_differences(found)
    check(total > 1500, f"only {total} rows compared")
    equal(cli.json("verify", "job")["status"], "identical", "verify")
    print(f"{total} rows equal after the first load", flush=True)
    server.execute("update numbers set changed=now(6), t1=5, bu=18446744073709551615, f=2.5, d65=1.5 where id % 3 = 0", "delete from numbers where id % 50 = 1",
                   "update texts set v='changed', changed=now() where id % 5 = 0", "delete from keyless limit 1", "insert into keyless values (9,'new')",
                   "update times set ts6='2024-01-01 00:00:00.000001' where id=3", "delete from raw_keys where v > 200", "update pairs set c='y' where v=5",
                   database="types")
    cli.json("sync", "run", "job", "--full", "--accept-deletes")
    _, found = compare(source, target(), tables(safe))
    no_differences(found)
    equal(cli.json("verify", "job")["status"], "identical", "verify after the changes")
    source.link.close()


@case
def mariadb_to_mongodb():
    with Mongod() as mongo, MariaDb() as server:
        prepared(server)
        moved(server, mongo.url("types"), lambda: MongoTarget(mongo.client(), "types"))


@case
def mariadb_to_embedded():
    with MariaDb() as server:
        prepared(server)
        path = folder() / "target.db"
        moved(server, f"embedded://{path}", lambda: EmbeddedTarget(path))


@case
def mysql9_to_both():
    with MySql9() as server:
        prepared(server, mysql9=True)
        path = folder() / "target.db"
        moved(server, f"embedded://{path}", lambda: EmbeddedTarget(path))
        prepared(server, mysql9=True)              # the first round has changed it
        with Mongod() as mongo:
            moved(server, mongo.url("types"), lambda: MongoTarget(mongo.client(), "types"))


SQLITE = """
create table typed (id integer primary key, i int, r real, t text, b blob, n numeric, d decimal(10,2), yes boolean, day date, at datetime);
create table untyped (a, b, c, primary key (a, b));
create table no_rowid (k text primary key, v int) without rowid;
create table no_key (a text, b int);
create table names (id integer primary key, "odd ""column" text, "ünï" text);
"""


def sqlite_shop(path):
    link = sqlite3.connect(path)
    link.executescript(SQLITE)
    rows = [(1, *[None] * 9), (2, 2**63 - 1, 1.5, "text", b"\x00\xff", 12.5, "10.50", 1, "2024-02-29", "2024-02-29 12:34:56"),
            (3, -2**63, -1e308, "", b"", 7, 3, 0, "1999-12-31", "1999-12-31 23:59:59"),
            (4, 0, 5e-324, "nul\0in 😀 '\"\\\n", bytes(range(256)), "1.0", "0.01", 1, "2000-01-01", "2000-01-01 00:00:00")]
    link.executemany("insert into typed values (?,?,?,?,?,?,?,?,?,?)", rows)
    seed = random.Random(3)
    link.executemany("insert into typed(id,i,r,t,b) values (?,?,?,?,?)",
                     [(i, seed.randint(-2**63, 2**63 - 1), seed.gauss(0, 10 ** seed.randint(-100, 100)), f"row {i} ü", seed.randbytes(20)) for i in range(10, 2000)])
    link.executemany("insert into untyped values (?,?,?)", [(1, "one", 1), ("1", "one", 2), (1.5, b"x", None), ("a", "b", "c"), ("[", ",", b"\xff")])
    link.executemany("insert into no_rowid values (?,?)", [("a", 1), ("A", 2), ("ä", 3), ("", 4)])
    link.executemany("insert into no_key values (?,?)", [("a", 1), ("a", 1), (None, None)])
    link.execute("insert into names values (1,'x','y')")
    link.commit()
    link.close()


SQLITE_KEYS = {"typed": ["id"], "untyped": ["a", "b"], "no_rowid": ["k"], "no_key": [], "names": ["id"]}


def from_sqlite(target_url, target):
    cli = Cli(folder())
    path = cli.folder / "shop.db"
    sqlite_shop(path)
    file = cli.file("shop.yaml", sync_file("sqlite:shop.db", target_url, ["*"]))
    equal(cli.json("run", file)["syncs"]["job"]["status"], "success", "status")
    tables = [Table(n, k) for n, k in SQLITE_KEYS.items()]
    _, found = compare(SqliteSource(path), target(), tables)
    no_differences(found)
    equal(cli.json("verify", "job")["status"], "identical", "verify")
    link = sqlite3.connect(path)
    link.execute("delete from typed where id % 7 = 0")
    link.execute("update typed set t = t || ' changed', r = null where id % 11 = 0")
    link.execute("insert into no_rowid values ('late', 9)")
    link.commit()
    link.close()
    cli.json("sync", "run", "job", "--full", "--accept-deletes")
    _, found = compare(SqliteSource(path), target(), tables)
    no_differences(found)
    equal(cli.json("verify", "job")["status"], "identical", "verify after the changes")


@case
def sqlite_to_embedded():
    path = folder() / "target.db"
    from_sqlite(f"embedded://{path}", lambda: EmbeddedTarget(path))


@case
def sqlite_to_mongodb():
    with Mongod() as mongo:
        from_sqlite(mongo.url("shop"), lambda: MongoTarget(mongo.client(), "shop"))


main()
