#!/usr/bin/env python3
"""Documents damaged by hand: `verify` has to find exactly what was done, and nothing else. A wrong green light is the worst defect."""
import datetime
from harness import *
from compare import MongoTarget, MySqlSource, Table, compare

ROWS = 300


def shop(server):
    server.execute("create database shop character set utf8mb4")
    rows = ",".join(f"({i},'row {i}',{i}.50,'2024-01-{i % 28 + 1:02} 10:00:00.123',{'null' if i % 3 == 0 else i},x'{i:04x}','{{\"a\":[1,{i}]}}','a,b')"
                    for i in range(1, ROWS + 1))
    server.execute("create table one (id int primary key, t varchar(20), d decimal(10,2), at datetime(3), n bigint, b varbinary(10), j json, s set('a','b','c'))",
                   f"insert into one values {rows}",
                   "create table two (a varchar(10), b int, v int, primary key (a, b))", "insert into two values ('x',1,1),('x',2,2),('y',1,3)",
                   "create table words (k varchar(40) primary key, v int)", "insert into words values ('1',1),('x',2)",
                   "create table keyless (a int, b varchar(10))", "insert into keyless values (1,'x'),(1,'x'),(2,null)", database="shop")


def verdicts(cli, expected):
    """Counts that are not zero, table by table; nothing else may differ."""
    answer = cli.json("verify", "job", code=6 if any(expected.values()) else 0)
    found = {name: {k: t[k] for k in ("missing", "extra", "different", "foreign") if t[k]} for name, t in answer["tables"].items()}
    equal({n: c for n, c in found.items() if c}, {n: c for n, c in expected.items() if c}, "what verify found")
    for name, t in answer["tables"].items():
        wrong = any(k != "foreign" for k in expected.get(name, {}))
        equal(t["status"], "different" if wrong else "identical", f"status of {name}")
    return answer


def refill(database, saved):
    for name, documents in saved.items():
        database[name].delete_many({})
        database[name].insert_many(documents)


@case
def mongodb():
    import bson
    from bson.decimal128 import Decimal128
    from bson.int64 import Int64
    with Mongod() as mongo, MariaDb() as server:
        shop(server)
        cli = Cli(folder())
        cli.json("run", cli.file("shop.yaml", sync_file(mysql(server, "shop"), mongo.url("shop"), ["*"])))
        client = mongo.client()
        database = client["shop"]
        saved = {name: list(database[name].find({})) for name in ("one", "two", "words", "keyless")}
        verdicts(cli, {})

        # Values: each of these is one different document.
        changes = [{"$set": {"t": "changed"}}, {"$set": {"t": "row 2 "}}, {"$unset": {"n": 1}}, {"$set": {"more": 1}}, {"$set": {"d": 5.5}}, {"$set": {"d": Decimal128("6.5")}},
                   {"$set": {"n": 7.0}}, {"$set": {"n": "8"}}, {"$set": {"at": datetime.datetime(2024, 1, 10, 10, 0, 0, 124000)}}, {"$set": {"at": "2024-01-11T10:00:00.123"}},
                   {"$set": {"b": bson.Binary(b"\0\x0b", 5)}}, {"$set": {"j.a": [12, 1]}}, {"$set": {"s": ["b", "a"]}}, {"$set": {"n": None}}, {"$unset": {"id": 1}},
                   {"$set": {"id": 17}}, {"$set": {"id": 9999}}]
        for i, change in enumerate(changes, 1):
            equal(database.one.update_one({"_id": i}, change).modified_count, 1, f"change {i}")
        turned = database.one.find_one({"_id": 20})
        database.one.delete_one({"_id": 20})
        database.one.insert_one({name: turned[name] for name in reversed(list(turned))})
        answer = verdicts(cli, {"one": {"different": len(changes) + 1}})
        equal(sorted(int(s["key"]) for s in answer["tables"]["one"]["samples"]), [*range(1, len(changes) + 1), 20], "keys of the samples")
        refill(database, saved)

        # Whole documents: gone, added, copied under another _id, moved, no longer ours.
        database.one.delete_many({"_id": {"$in": [1, 2, 3]}})
        for name, query, changed in (("one", {"_id": 5}, {"_id": 5005, "id": 5005}), ("one", {"_id": 6}, {"_id": bson.ObjectId()}), ("one", {"_id": 7}, {"_id": "7"}),
                                     ("two", {"v": 1}, {"_id": {"b": 1, "a": "x"}}), ("words", {"_id": "1"}, {"_id": 1, "k": 1}), ("keyless", {"a": 1}, {"_id": Int64(77)})):
            document = database[name].find_one(query)
            document.update(changed)
            database[name].insert_one(document)
        moved = database.one.find_one({"_id": 8})
        database.one.delete_one({"_id": 8})
        database.one.insert_one({**moved, "_id": 8008})
        database.one.replace_one({"_id": 9}, {"id": 9, "t": "without a mark"})
        database.one.update_one({"_id": 10}, {"$set": {"_mr.s": "another"}})
        database.one.insert_one({"_id": 7000, "note": "not of any sync"})
        verdicts(cli, {"one": {"missing": 5, "extra": 5, "different": 1, "foreign": 1}, "two": {"extra": 1}, "words": {"extra": 1}, "keyless": {"extra": 1}})

        # A full sync leaves exactly the source's rows in what the sync made.
        cli.json("sync", "run", "job", "--full")
        verdicts(cli, {})
        _, found = compare(MySqlSource("shop", unix_socket=server.socket, user="root"), MongoTarget(client, "shop"),
                           [Table("one", ["id"]), Table("two", ["a", "b"]), Table("words", ["k"]), Table("keyless", [])])
        no_differences(found)
        refill(database, saved)

        database.keyless.update_one({"a": 2}, {"$set": {"a": 1, "b": "x"}})
        database.one.drop()
        verdicts(cli, {"one": {"missing": ROWS}, "keyless": {"missing": 1, "extra": 1}})
        refill(database, saved)
        verdicts(cli, {})


main()
