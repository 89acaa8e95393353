#!/usr/bin/env python3
"""The comparer itself must be able to fail: hand-made targets, right and then wrong in one value each."""
import sqlite3
from harness import *
from compare import EmbeddedTarget, SqliteSource, Table, compare

ROWS = [(1, 7, 1.5, "text", b"\x00\xff", None), (2, -1, 1e300, "ü😀\n", b"", "2024-02-29 12:00:00")]
DOCS = {"1": '{"id":1,"i":7,"r":1.5,"t":"text","b":"AP8=","at":null}', "2": '{"id":2,"i":-1,"r":1e+300,"t":"ü😀\\n","b":"","at":"2024-02-29T12:00:00"}'}


def pair(docs):
    made = folder()
    source, target = sqlite3.connect(made / "s.db"), sqlite3.connect(made / "t.db")
    source.execute("create table t (id integer primary key, i int, r real, t text, b blob, at datetime)")
    source.executemany("insert into t values (?,?,?,?,?,?)", ROWS)
    target.execute("create table t (key text primary key, doc text, version integer)")
    target.executemany("insert into t values (?,?,1)", docs.items())
    source.commit(), target.commit()
    return compare(SqliteSource(made / "s.db"), EmbeddedTarget(made / "t.db"), [Table("t", ["id"])])


@case
def right_is_equal():
    equal(pair(DOCS), (2, []), "equal sides")


@case
def each_wrong_value_is_found():
    wrong = [{"1": DOCS["1"]}, {**DOCS, "3": DOCS["2"].replace('"id":2', '"id":3')}, {**DOCS, "1": DOCS["1"].replace("1.5", "1.6")},
             {**DOCS, "1": DOCS["1"].replace('"i":7', '"i":"7"')}, {**DOCS, "1": DOCS["1"].replace('"text"', "null")},
             {**DOCS, "1": DOCS["1"].replace("AP8=", "AP8")}, {**DOCS, "1": DOCS["1"].replace(',"at":null', "")},
             {**DOCS, "1": '{"i":7,"id":1,"r":1.5,"t":"text","b":"AP8=","at":null}'}, {**DOCS, "2": DOCS["2"].replace("12:00:00", "12:00:01")},
             {"9": DOCS["1"], "2": DOCS["2"]}]
    for docs in wrong:
        _, found = pair(docs)
        check(found, f"not found: {docs}")


main()
