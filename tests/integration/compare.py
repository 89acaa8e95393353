#!/usr/bin/env python3
"""An independent comparer: reads a source and a target with their own drivers, applies the contract's value tables and compares
every row, value by value. It shares no code with the program under test.

    compare.py SOURCE TARGET TABLE[=CONTAINER]:key,key ...
    SOURCE: mysql:SOCKET:DATABASE, postgres:FOLDER:PORT:DATABASE or sqlite:FILE        TARGET: mongodb:URI, redis:URI or embedded:FILE
"""
import base64
import datetime
import decimal
import json
import re
import sqlite3
import struct
import sys
from dataclasses import dataclass, field

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
decimal.getcontext().prec = 80


@dataclass
class Table:
    """What of a table is compared, and where it should be."""
    name: str
    key: list
    to: str = ""
    exclude: list = field(default_factory=list)
    rename: dict = field(default_factory=dict)
    where: str = ""                       # rows that are expected in the target
    id: str = "key"

    @property
    def container(self):
        return self.to or self.name


@dataclass
class Column:
    """One column: `kind` is the canonical type of the contract."""
    name: str
    kind: str
    bits: int = 64
    precision: int = 0
    digits: int = 0                       # declared fraction digits, or the scale
    loose: bool = False                   # the declaration leaves two readings open (MariaDB's JSON, SQLite's declared types)


class Real32(float):
    """A value of a FLOAT column: a double that holds it exactly."""


# --- sources ---------------------------------------------------------------------------------------------------------------------

class MySqlSource:
    def __init__(self, database, **login):
        import pymysql
        self.database = database
        # No conversions: text as the server prints it, bytes where the column is binary.
        self.link = pymysql.connect(database=database, charset="utf8mb4", autocommit=True, conv={}, init_command="SET time_zone='+00:00'", **login)
        self.streaming = pymysql.cursors.SSCursor

    def query(self, sql, *args):
        with self.link.cursor() as cursor:
            cursor.execute(sql, args or None)
            return cursor.fetchall()

    def columns(self, table):
        rows = self.query("SELECT column_name, data_type, column_type, numeric_precision, numeric_scale, datetime_precision FROM "
                          "information_schema.columns WHERE table_schema=%s AND table_name=%s ORDER BY ordinal_position", self.database, table.name)
        if not rows:
            raise LookupError(f"source has no table {table.name}")
        out = []
        for name, data, declared, precision, scale, fraction in [[v.decode() if isinstance(v, bytes) else v for v in r] for r in rows]:
            if name in table.exclude:
                continue
            c = Column(name, self.kind(data, declared), precision=int(precision or 0), digits=int(scale or fraction or 0))
            c.bits = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "year": 16, "float": 32}.get(data, 64)
            if data == "bit":
                c.bits = c.precision
            if c.kind == "bool" and data == "tinyint":
                seen = self.query(f"SELECT 1 FROM {self.quoted(table.name)} WHERE {self.quoted(name)} NOT IN (0,1) LIMIT 1")
                if seen:
                    c.kind = "int"
            if c.kind == "text" and data == "longtext" and self.checkedJson(table.name, name):
                c.kind, c.loose = "json", True
            out.append(c)
        return out

    @staticmethod
    def kind(data, declared):
        if declared.startswith("tinyint(1)") or declared == "bit(1)":
            return "bool"
        if data in ("tinyint", "smallint", "mediumint", "int", "bigint"):
            return "uint" if "unsigned" in declared else "int"
        if data == "set":
            return "array"
        if data in ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "inet4", "inet6"):
            return "text"
        if data in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob") or data in (
                "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"):
            return "bytes"
        known = {"bit": "uint", "year": "int", "float": "real", "double": "real", "decimal": "decimal", "json": "json", "date": "date",
                 "time": "time", "datetime": "datetime", "timestamp": "timestamp", "uuid": "uuid"}
        return known[data]

    def checkedJson(self, table, column):
        """MariaDB's JSON is LONGTEXT with a CHECK."""
        try:
            rows = self.query("SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema=%s AND table_name=%s", self.database, table)
        except Exception:                 # MySQL has no such column; its JSON is a type
            return False
        return any(f"json_valid(`{column}`)" in (r[0].decode() if isinstance(r[0], bytes) else r[0]) for r in rows)

    @staticmethod
    def quoted(name):
        return "`" + name.replace("`", "``") + "`"

    def rows(self, table, columns):
        # A FLOAT prints six digits only; as a double it prints exactly.
        picked = ",".join(f"{self.quoted(c.name)}*1e0" if c.kind == "real" and c.bits == 32 else self.quoted(c.name) for c in columns)
        sql = f"SELECT {picked} FROM {self.quoted(table.name)}" + (f" WHERE {table.where}" if table.where else "")
        with self.link.cursor(self.streaming) as cursor:
            cursor.execute(sql)
            for row in cursor:
                yield [self.value(c, v) for c, v in zip(columns, row)]

    def value(self, c, v):
        if v is None:
            return None
        if c.kind in ("bool", "uint", "int"):
            if isinstance(v, bytes):      # BIT
                v = int.from_bytes(v, "big")
            return bool(int(v)) if c.kind == "bool" else int(v)
        if c.kind == "real":
            return Real32(v) if c.bits == 32 else float(v)
        if c.kind == "decimal":
            return decimal.Decimal(v)
        if c.kind == "array":
            return [x for x in v.split(",")] if v else []
        if c.kind in ("date", "datetime", "timestamp"):
            return None if re.search(r"^0000-|-00(-|$| )", v) else v          # zero and partial dates: null by default
        return v                          # text, bytes, json, time, uuid


class PostgresSource:
    """Reads with psycopg2. Texts are what the types' output functions print (format('%s')), times have six digits, arrays and JSON are the
    server's JSON."""

    def __init__(self, database, schema="public", **login):
        import psycopg2
        self.schema = schema
        self.link = psycopg2.connect(dbname=database, options="-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c search_path=", **login)
        self.link.autocommit = True
        self.link.set_client_encoding("UTF8")

    def query(self, sql, *args):
        with self.link.cursor() as cursor:
            cursor.execute(sql, args or None)
            return cursor.fetchall()

    def columns(self, table):
        rows = self.query("with recursive d(oid, base, m) as (select oid, oid, -1 from pg_type where typtype <> 'd' union all "
                          "select t.oid, d.base, case when t.typtypmod >= 0 then t.typtypmod else d.m end from d join pg_type t on t.typbasetype = d.oid and t.typtype = 'd') "
                          "select a.attname, t.typname, t.typtype, t.typcategory = 'A' and t.typlen = -1, case when a.atttypmod >= 0 then a.atttypmod else d.m end "
                          "from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
                          "join d on d.oid = a.atttypid join pg_type t on t.oid = d.base "
                          "where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped order by a.attnum", self.schema, table.name)
        if not rows:
            raise LookupError(f"source has no table {table.name}")
        out = []
        for name, data, kind, array, modifier in rows:
            if name in table.exclude:
                continue
            known = {"bool": "bool", "int2": "int", "int4": "int", "int8": "int", "oid": "uint", "float4": "real", "float8": "real", "numeric": "decimal", "bytea": "bytes",
                     "json": "json", "jsonb": "json", "hstore": "json", "date": "date", "time": "time", "timestamp": "datetime", "timestamptz": "timestamp", "uuid": "uuid"}
            c = Column(name, "array" if array else "json" if kind == "c" else known.get(data, "text"))
            c.bits = {"int2": 16, "int4": 32, "oid": 32, "float4": 32}.get(data, 64)
            c.precision = (modifier - 4) >> 16 if c.kind == "decimal" and modifier >= 4 else 0
            c.digits = modifier if modifier >= 0 else 6
            out.append(c)
        return out

    @staticmethod
    def quoted(name):
        return '"' + name.replace('"', '""') + '"'

    def expression(self, c):
        plain = self.quoted(c.name)
        if c.kind in ("text", "uuid", "date"):
            return f"case when {plain} is distinct from null then format('%s', {plain}) end"
        if c.kind in ("datetime", "timestamp", "time"):
            # to_char knows no fewer digits than six by themselves: a declared precision is cut in value()
            pattern = "HH24:MI:SS.US" if c.kind == "time" else "YYYY-MM-DD HH24:MI:SS.US"
            return f"to_char({plain}{'::interval' if c.kind == 'time' else ''}, '{pattern}')"
        if c.kind in ("array", "json"):
            return f"to_json({plain})::text"
        return plain

    def rows(self, table, columns):
        sql = (f"select {','.join(map(self.expression, columns))} from {self.quoted(self.schema)}.{self.quoted(table.name)}" + (f" where {table.where}" if table.where else ""))
        with self.link.cursor() as cursor:
            cursor.execute(sql.replace("%", "%%"), ())
            for row in cursor:
                yield [self.value(c, v) for c, v in zip(columns, row)]

    def value(self, c, v):
        if v is None:
            return None
        if c.kind in ("datetime", "timestamp", "time") and c.digits < 6:
            return v[:len(v) - 6 + c.digits].rstrip(".")
        if c.kind == "real":
            return Real32(v) if c.bits == 32 else float(v)
        if c.kind == "bytes":
            return bytes(v)
        if c.kind == "array":
            return json.loads(v)
        return v


class SqliteSource:
    def __init__(self, path):
        self.link = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.link.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")

    @staticmethod
    def quoted(name):
        return '"' + name.replace('"', '""') + '"'

    def columns(self, table):
        out = []
        for _, name, declared, *_ in self.link.execute(f"PRAGMA table_info({self.quoted(table.name)})"):
            if name in table.exclude:
                continue
            d = declared.upper()
            kind = ("bool" if "BOOL" in d else "datetime" if "DATETIME" in d or "TIMESTAMP" in d else "date" if "DATE" in d else
                    "decimal" if "DECIMAL" in d or "NUMERIC" in d else "json" if d == "JSON" else "any")
            out.append(Column(name, kind, loose=True))
        if not out:
            raise LookupError(f"source has no table {table.name}")
        return out

    def rows(self, table, columns):
        picked = ",".join(self.quoted(c.name) for c in columns)
        yield from map(list, self.link.execute(f"SELECT {picked} FROM {self.quoted(table.name)}" + (f" WHERE {table.where}" if table.where else "")))


# --- the same value in two places ---------------------------------------------------------------------------------------------------

def cut_ms(text):
    """Milliseconds since 1970 of a printed date and time: digits beyond the third are dropped."""
    day, _, clock = text.replace("T", " ").rstrip("Z").partition(" ")
    year, month, dom = map(int, day.split("-"))
    whole, _, fraction = (clock or "00:00:00").partition(".")
    h, m, s = map(int, whole.split(":"))
    moment = datetime.datetime(year, month, dom, h, m, s, tzinfo=UTC)
    return int((moment - EPOCH).total_seconds()) * 1000 + int((fraction + "000")[:3])


def same_decimal(a, b):
    return a.as_tuple() == b.as_tuple()


def json_tree(text):
    return json.loads(text, parse_float=decimal.Decimal, parse_int=int)


class MongoForm:
    """What the contract says a value is in MongoDB."""

    @staticmethod
    def ms(value):
        if isinstance(value, datetime.datetime):
            value = value if value.tzinfo else value.replace(tzinfo=UTC)
            delta = value - EPOCH
            return (delta.days * 86400 + delta.seconds) * 1000 + delta.microseconds // 1000
        return None

    def same(self, c, v, t):
        from bson.decimal128 import Decimal128
        from bson.int64 import Int64
        if v is None or t is None:
            return v is None and t is None
        if c.kind == "bool":
            if isinstance(v, bool):
                return isinstance(t, bool) and v == t
        if c.kind in ("int", "uint") or isinstance(v, int):
            if isinstance(t, bool):
                return c.loose and c.kind == "bool" and v in (0, 1) and v == t
            if v > 2**63 - 1:
                return isinstance(t, Decimal128) and t.to_decimal() == v
            if isinstance(t, Decimal128):
                return c.loose and c.kind == "decimal" and t.to_decimal() == v
            if isinstance(t, float):
                return c.loose and c.kind == "decimal" and t == v
            if not isinstance(t, int) or int(t) != v:
                return False
            wide = c.bits > 32 and not c.loose or v > 2**31 - 1 or v < -2**31
            narrow = c.bits < 32 or (c.bits == 32 and c.kind == "int")
            return not (wide and not isinstance(t, Int64)) and not (narrow and isinstance(t, Int64)) or c.kind in ("uint",) and c.bits == 32
        if c.kind == "real" or isinstance(v, float):
            if isinstance(t, Decimal128):
                return c.loose and t.to_decimal() == decimal.Decimal(repr(v))
            return isinstance(t, float) and struct.pack("<d", t) == struct.pack("<d", v) or (v != v and t != t)
        if c.kind == "decimal":
            if c.loose and isinstance(v, str):
                return t == v or isinstance(t, Decimal128) and str(t.to_decimal()) == v
            if c.precision <= 34:
                return isinstance(t, Decimal128) and same_decimal(t.to_decimal(), v)
            return isinstance(t, str) and t == format(v, "f")
        if c.kind in ("date", "datetime", "timestamp"):
            if self.ms(t) is None:
                return c.loose and t == v
            return self.ms(t) == cut_ms(v)
        if c.kind == "json":
            if c.loose and isinstance(t, str):
                return t == v
            return self.sameTree(json_tree(v), t)
        if c.kind == "array":
            return isinstance(t, list) and t == v
        if isinstance(v, (bytes, bytearray)):
            return isinstance(t, bytes) and bytes(v) == t
        if c.kind == "time":
            return isinstance(t, str) and t == v
        return isinstance(t, str) and t == v

    def sameTree(self, v, t):
        from bson.decimal128 import Decimal128
        if isinstance(v, dict):
            return isinstance(t, dict) and list(v) == list(t) and all(self.sameTree(v[k], t[k]) for k in v)
        if isinstance(v, list):
            return isinstance(t, list) and len(v) == len(t) and all(map(self.sameTree, v, t))
        if isinstance(v, bool) or v is None or isinstance(v, str):
            return type(t) is type(v) and t == v
        if isinstance(v, int):
            return not isinstance(t, bool) and (isinstance(t, int) and t == v or isinstance(t, float) and int(t) == v
                                                or isinstance(t, Decimal128) and t.to_decimal() == v)
        if isinstance(t, float):
            return decimal.Decimal(repr(t)) == v or decimal.Decimal(t) == v
        return isinstance(t, Decimal128) and t.to_decimal() == v or isinstance(t, int) and t == v


class Lexeme(str):
    """A JSON number as it was written."""


class JsonForm:
    """What the contract says a value is in the JSON targets."""

    def same(self, c, v, t):
        if v is None or t is None:
            return v is None and t is None
        if c.kind == "bool" and isinstance(v, bool):
            return isinstance(t, bool) and t == v
        if c.loose and c.kind == "decimal" and isinstance(v, (int, float)):
            return isinstance(t, Lexeme) and decimal.Decimal(t) == decimal.Decimal(repr(v))
        if isinstance(v, int):
            if isinstance(t, bool):
                return c.loose and c.kind == "bool" and t == v
            return isinstance(t, Lexeme) and t == str(v)
        if isinstance(v, float):
            if v != v or v in (float("inf"), float("-inf")):
                return isinstance(t, str) and not isinstance(t, Lexeme) and t == ("NaN" if v != v else "Infinity" if v > 0 else "-Infinity")
            if not isinstance(t, Lexeme):
                return False
            if isinstance(v, Real32) and struct.pack("<f", float(t)) == struct.pack("<f", v):
                return True
            return float(t) == v and len(t) <= len(repr(v))
        if c.kind == "decimal":
            if c.loose:
                return t == v
            return isinstance(t, Lexeme) and t == format(v, "f")
        if c.kind == "date":
            return t == v
        if c.kind in ("datetime", "timestamp"):
            want = v.replace(" ", "T") + ("Z" if c.kind == "timestamp" else "")
            return t == want or c.loose and isinstance(t, str) and t.rstrip("Z").replace("T", " ") == v.replace("T", " ")
        if c.kind == "json":
            if c.loose and isinstance(t, str) and not isinstance(t, Lexeme):
                return t == v
            return self.tree(json.loads(v, parse_float=Lexeme, parse_int=Lexeme), t)
        if c.kind == "array":
            return isinstance(t, list) and t == v
        if isinstance(v, (bytes, bytearray)):
            return isinstance(t, str) and t == base64.b64encode(bytes(v)).decode()
        return isinstance(t, str) and not isinstance(t, Lexeme) and t == v

    def tree(self, v, t):
        if isinstance(v, dict):
            return isinstance(t, dict) and list(v) == list(t) and all(self.tree(v[k], t[k]) for k in v)
        if isinstance(v, list):
            return isinstance(t, list) and len(v) == len(t) and all(map(self.tree, v, t))
        return type(v) is type(t) and v == t


# --- targets ----------------------------------------------------------------------------------------------------------------------

class MongoTarget:
    form = MongoForm()

    def __init__(self, client, database):
        import bson
        from bson.codec_options import CodecOptions
        options = CodecOptions(document_class=bson.SON, tz_aware=True)
        self.database = client.get_database(database, codec_options=options)

    def documents(self, table, keyless):
        for d in self.database[table.container].find({}):
            marks, ident = d.pop("_mr", None), d.pop("_id", None)
            yield ident, d, marks

    def identSame(self, table, keyed, ident):
        """`_id` is the key: the value itself, or a document of the key fields in key order."""
        if table.id == "objectid":
            return type(ident).__name__ == "ObjectId"
        if len(keyed) == 1:
            c, v = keyed[0]
            return self.form.same(c, v, ident)
        return hasattr(ident, "items") and [k for k in ident] == [table.rename.get(c.name, c.name) for c, _ in keyed] and all(
            self.form.same(c, v, t) for (c, v), t in zip(keyed, ident.values()))


class KeyTexts:
    """A document's key where it is a text: one column's plain text, or a minified JSON array."""
    form = JsonForm()

    def identSame(self, table, keyed, ident):
        if len(keyed) == 1:
            return self.keyPart(*keyed[0], ident)
        if ident.startswith("#"):
            return len(ident) == 65
        try:
            parts = json.loads(ident, parse_float=Lexeme, parse_int=Lexeme)
        except ValueError:
            return False
        if ident != json.dumps(json.loads(ident), ensure_ascii=False, separators=(",", ":")) and "." not in ident:
            return False                  # not minified
        return len(parts) == len(keyed) and all(self.keyPart(c, v, t) for (c, v), t in zip(keyed, parts))

    def keyPart(self, c, v, t):
        if isinstance(v, (bytes, bytearray)):
            return t == bytes(v).hex() or t.startswith("#")
        if isinstance(v, bool):
            return str(t).lower() in ("true", "false") and (str(t).lower() == "true") == v
        if isinstance(t, str) and t.startswith("#") and len(str(v).encode()) > 512:
            return len(t) == 65
        return str(t) == str(v) or self.form.same(c, v, t) or self.form.same(c, v, Lexeme(t))


class EmbeddedTarget(KeyTexts):
    def __init__(self, path):
        self.link = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def documents(self, table, keyless):
        sql = 'SELECT key, doc, version FROM "' + table.container.replace('"', '""') + '"'
        for key, doc, version in self.link.execute(sql):
            yield key, json.loads(doc, parse_float=Lexeme, parse_int=Lexeme), {"v": version}


class HashForm(JsonForm):
    """A Redis hash holds texts alone: what the JSON form says, without quotes."""

    def same(self, c, v, t):
        if v is None or t is None:
            return v is None and t is None
        t = str(t)
        if isinstance(v, bool) or (c.kind == "bool" and t in ("true", "false")):
            return t == ("true" if v else "false")
        if c.kind in ("json", "array") and not (c.loose and t == v):
            return super().same(c, v, json.loads(t, parse_float=Lexeme, parse_int=Lexeme))
        return super().same(c, v, Lexeme(t)) or super().same(c, v, t)


class RedisTarget(KeyTexts):
    """Documents by their keys, which the client looks for itself; with `source`, whose columns name the fields, as hashes."""

    def __init__(self, client, source=None):
        self.client, self.source = client, source
        if source:
            self.form = HashForm()

    def documents(self, table, keyless):
        prefix = table.container.encode() + b":"
        pattern = b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^" else bytes([c]) for c in prefix) + b"*"
        keys = sorted(set(self.client.scan_iter(match=pattern, count=1000)))
        columns = self.source.columns(table) if self.source else []
        for first in range(0, len(keys), 500):
            some = keys[first:first + 500]
            with self.client.pipeline(transaction=False) as pipe:
                for key in some:
                    pipe.hgetall(key) if self.source else pipe.get(key)
                values = pipe.execute()
            versions = self.client.mget([b"{" + key + b"}:_mr" for key in some])
            for key, value, version in zip(some, values, versions):
                yield key[len(prefix):].decode(), self.fields(table, columns, value), {"v": version}

    def fields(self, table, columns, value):
        if not self.source:
            return json.loads(value.decode(), parse_float=Lexeme, parse_int=Lexeme)
        found = {k.decode(): v.decode() for k, v in value.items()}
        doc = {}
        for c in columns:                 # the server keeps no order of fields, and NULLs are not there
            text = found.pop(table.rename.get(c.name, c.name), None)
            number = text is not None and c.kind in ("int", "uint", "real", "decimal", "any") and re.fullmatch(r"-?\d+(\.\d+)?", text)
            doc[table.rename.get(c.name, c.name)] = Lexeme(text) if number else text
        return {**doc, **found}


# --- comparing ----------------------------------------------------------------------------------------------------------------------

def frozen(v):
    """A hashable form for matching rows by key."""
    from bson.decimal128 import Decimal128
    if isinstance(v, bool):
        return ("b", v)
    if isinstance(v, Decimal128):
        v = v.to_decimal()
    if isinstance(v, (int, float, decimal.Decimal, Lexeme)):
        return ("n", decimal.Decimal(str(v)))
    if isinstance(v, (bytes, bytearray)):
        return ("s", base64.b64encode(bytes(v)).decode())      # JSON has no bytes of its own
    if isinstance(v, datetime.datetime):
        return ("t", MongoForm.ms(v))
    return ("s", str(v))


def match_key(form, columns, cells):
    """The key of a row so that the source's and the target's meet: temporal and binary values have another form in each place."""
    out = []
    for c, v in zip(columns, cells):
        if c.kind in ("date", "datetime", "timestamp") and isinstance(v, str):
            out.append(("t", cut_ms(v)))
        else:
            out.append(frozen(v))
    return tuple(out)


def compare_table(source, target, table, limit=20):
    """Returns (rows in the source, list of differences in words)."""
    columns = source.columns(table)
    names = [table.rename.get(c.name, c.name) for c in columns]
    at = {c.name: i for i, c in enumerate(columns)}
    form, found = target.form, []
    if not table.key:
        return compare_multiset(source, target, table, columns, names)
    key_at = [at[k] for k in table.key]
    key_columns = [columns[i] for i in key_at]
    expected = {}
    for row in source.rows(table, columns):
        expected[match_key(form, key_columns, [row[i] for i in key_at])] = row
    count = len(expected)
    for ident, doc, marks in target.documents(table, False):
        if len(found) >= limit:
            break
        missing = [names[i] for i in key_at if names[i] not in doc]
        if missing:
            found.append(f"{table.name} {ident!r}: the key field {missing[0]} is not in the document")
            continue
        row = expected.pop(match_key(form, key_columns, [doc[names[i]] for i in key_at]), None)
        if row is None:
            found.append(f"{table.name} {ident!r}: not in the source (or twice in the target)")
            continue
        if list(doc) != names:
            found.append(f"{table.name} {ident!r}: fields {list(doc)} instead of {names}")
            continue
        for c, name, v in zip(columns, names, row):
            if not form.same(c, v, doc[name]):
                found.append(f"{table.name} {ident!r} field {name} ({c.kind}{c.bits}): source {v!r:.200}, target {doc[name]!r:.200}")
        if not target.identSame(table, [(columns[i], row[i]) for i in key_at], ident):
            found.append(f"{table.name}: the document's key is {ident!r}, the row's {[row[i] for i in key_at]!r}")
        if not isinstance(marks, dict) or not marks.get("v"):
            found.append(f"{table.name} {ident!r}: no version")
    for key, row in list(expected.items())[:max(0, limit - len(found))]:
        found.append(f"{table.name} {row!r:.300}: missing in the target")
    if expected:
        found.append(f"{table.name}: {len(expected)} rows missing in all")
    return count, found


def compare_multiset(source, target, table, columns, names):
    """A table without key: the same rows the same number of times, in any order."""
    rows = list(source.rows(table, columns))
    documents = [doc for _, doc, _ in target.documents(table, True)]
    found = []
    if len(rows) != len(documents):
        found.append(f"{table.name}: {len(rows)} rows, {len(documents)} documents")
    for row in rows:
        for i, doc in enumerate(documents):
            if list(doc) == names and all(target.form.same(c, v, doc[n]) for c, n, v in zip(columns, names, row)):
                del documents[i]
                break
        else:
            found.append(f"{table.name} {row!r:.300}: missing in the target")
    found += [f"{table.name} {doc!r:.300}: not in the source" for doc in documents[:10]]
    return len(rows), found[:20]


def compare(source, target, tables):
    """All differences, and the number of rows compared."""
    total, found = 0, []
    for table in tables:
        try:
            n, differences = compare_table(source, target, table)
        except (LookupError, sqlite3.Error) as e:
            n, differences = 0, [f"{table.name}: {e}"]
        total += n
        found += differences
    return total, found


def main(args):
    if len(args) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    kind, _, rest = args[0].partition(":")
    if kind == "mysql":
        socket, _, database = rest.rpartition(":")
        source = MySqlSource(database, unix_socket=socket, user="root")
    elif kind == "postgres":
        host, port, database = rest.rsplit(":", 2)
        source = PostgresSource(database, host=host, port=port, user="postgres")
    else:
        source = SqliteSource(rest)
    kind, _, rest = args[1].partition(":")
    if kind == "mongodb":
        import pymongo
        client = pymongo.MongoClient(args[1])
        target = MongoTarget(client, client.get_default_database().name)
    elif kind == "redis":
        import redis
        target = RedisTarget(redis.Redis.from_url(args[1]))
    else:
        target = EmbeddedTarget(rest)
    tables = []
    for word in args[2:]:
        name, _, key = word.partition(":")
        name, _, to = name.partition("=")
        tables.append(Table(name, [k for k in key.split(",") if k], to=to))
    total, found = compare(source, target, tables)
    print("\n".join(found) or f"equal: {total} rows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
