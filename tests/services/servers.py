#!/usr/bin/env python3
"""Real servers for tests, on free loopback ports, ended by the pid that was started.

In a test:       with MariaDb() as db: ...          with Mongod() as mongo: ...
By hand:         servers.py mariadb | postgres | mongod | redis   starts one, prints how to reach it, ends it on Ctrl+C

A server that cannot be had raises Missing with the reason, which becomes a named skip.
"""
import atexit
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Missing(Exception):
    """The server cannot be had on this machine; the text says why."""


def cache():
    folder = pathlib.Path(os.environ.get("MILLRACE_TEST_CACHE") or ROOT / "build" / "services")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, seconds, what):
    """Waits for a condition; the last exception or `what` is the failure."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except Exception as e:                       # not up yet
            last = e
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s{f' ({last})' if last else ''}")
        time.sleep(0.05)


class Server:
    """One private server process with its folder."""

    name = "server"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"millrace-{self.name}-"))
        self.port = free_port()
        self.process = None
        atexit.register(self.close)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def spawn(self, command):
        with open(self.folder / "output", "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.note()

    def note(self):
        """tests/run ends what a killed test left behind."""
        runs = os.environ.get("MILLRACE_TEST_PIDS")
        if runs:
            pathlib.Path(runs, f"{self.process.pid}").write_text(self.name)

    def running(self):
        if self.process.poll() is not None:
            tail = (self.folder / "output").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.name} ended with {self.process.returncode}:\n{tail}")
        return True

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        runs = os.environ.get("MILLRACE_TEST_PIDS")
        if runs:
            pathlib.Path(runs, f"{self.process.pid}").unlink(missing_ok=True)
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class MariaDb(Server):
    """MariaDB from Debian's package, with a private data folder. Users: root over the socket; `reader`/`reader` over TCP."""

    name = "mariadb"

    def __init__(self, options=()):
        self.options = list(options)
        super().__init__()
        self.socket = str(self.folder / "s")

    def template(self):
        """A data folder made once and copied: mariadb-install-db takes seconds."""
        program, install = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin"), shutil.which("mariadb-install-db")
        if not program or not install:
            raise Missing("MariaDB is not installed (package mariadb-server-core)")
        self.program = program
        version = subprocess.run([program, "--no-defaults", "--version"], capture_output=True, text=True).stdout.split("Ver ")[-1].split("-")[0]
        made = cache() / f"mariadb-{version}"
        if not made.exists():
            raw = tempfile.mkdtemp(prefix="mariadb-", dir=cache())
            os.chmod(raw, 0o755)
            done = subprocess.run([install, "--no-defaults", f"--datadir={raw}", "--auth-root-authentication-method=normal", "--skip-test-db", "--force",
                                   *self.user()], capture_output=True, text=True)
            if done.returncode:
                raise Missing(f"mariadb-install-db failed: {(done.stderr or done.stdout)[-600:]}")
            try:
                os.rename(raw, made)
            except OSError:                          # another test was faster
                shutil.rmtree(raw, ignore_errors=True)
        return made

    @staticmethod
    def user():
        return ["--user=root"] if os.geteuid() == 0 else []

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            shutil.copytree(self.template(), data)
        self.spawn([self.program, "--no-defaults", *self.user(), f"--datadir={data}", f"--socket={self.socket}", f"--port={self.port}",
                    "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=128M", "--innodb-flush-log-at-trx-commit=2", "--character-set-server=utf8mb4",
                    f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}", "--max-allowed-packet=256M", "--skip-log-bin", "--log-warnings=1",
                    *self.options])
        until(lambda: self.running() and self.connect(), 60, "MariaDB accepts connections").close()
        self.execute("create user if not exists reader@'127.0.0.1' identified by 'reader'",
                     "grant select, show view, process on *.* to reader@'127.0.0.1'")

    def connect(self, **more):
        import pymysql
        return pymysql.connect(unix_socket=self.socket, user="root", charset="utf8mb4", autocommit=True, **more)

    def execute(self, *statements, database=None):
        link = self.connect(database=database)
        try:
            with link.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            link.close()

    def load(self, *files, database=None):
        """Runs files through the server's own client, which understands DELIMITER."""
        for file in files:
            with open(file, "rb") as text:
                subprocess.run([shutil.which("mariadb") or "mysql", "--no-defaults", f"--socket={self.socket}", "-uroot", "--default-character-set=utf8mb4",
                                *([database] if database else [])], stdin=text, check=True)

    def url(self, database="", user="reader"):
        return f"mysql://{user}@127.0.0.1:{self.port}/{database}"

    password = "reader"


class MySql9(MariaDb):
    """MySQL 9.7 out of its own system tree (tests/services/mysql9.sh)."""

    name = "mysql9"

    def start(self):
        script = HERE / "mysql9.sh"
        done = subprocess.run([script, "start", str(self.port)], capture_output=True, text=True)
        if done.returncode:
            raise Missing(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "mysql9.sh failed")
        facts = dict(line.split("=", 1) for line in done.stdout.split() if "=" in line)
        self.socket, self.pid = facts["socket"], int(facts["pid"])
        self.execute("create user if not exists reader@'127.0.0.1' identified by 'reader'",
                     "grant select, show view, process on *.* to reader@'127.0.0.1'")

    def stop(self, how=signal.SIGTERM):
        if getattr(self, "pid", None):
            subprocess.run([HERE / "mysql9.sh", "stop", str(self.port)], capture_output=True)
            self.pid = None


class Postgres(Server):
    """PostgreSQL from Debian's package (postgresql.sh). Users: postgres over the socket; `reader`/`reader` over TCP. It refuses to run as
    root: then it runs as the user postgres, else nobody."""

    name = "postgres"
    password = "reader"

    def __init__(self, options=()):
        self.options = list(options)
        super().__init__()
        self.socket = str(self.folder)

    @staticmethod
    def identity():
        if os.geteuid() != 0:
            return {}
        import pwd
        for name in ("postgres", "nobody"):
            try:
                found = pwd.getpwnam(name)
                return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
            except KeyError:
                pass
        raise Missing("PostgreSQL does not run as root, and this system has neither the user postgres nor nobody")

    def start(self):
        done = subprocess.run([HERE / "postgresql.sh"], capture_output=True, text=True)
        if done.returncode:
            raise Missing(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "PostgreSQL cannot be had")
        self.programs = pathlib.Path(done.stdout.strip().splitlines()[-1])
        who, data = self.identity(), self.folder / "data"
        if who:
            os.chown(self.folder, who["user"], who["group"])
        if not data.exists():
            made = subprocess.run([self.programs / "initdb", "-D", data, "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8",
                                   "--locale=C.UTF-8", "--no-sync"], capture_output=True, text=True, cwd="/", **who)
            if made.returncode:
                raise Missing(f"initdb failed: {(made.stderr or made.stdout)[-600:]}")
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "timezone=UTC", "shared_buffers=128MB", "synchronous_commit=off", "jit=off", *self.options]
        with open(self.folder / "output", "ab") as out:
            self.process = subprocess.Popen([self.programs / "postgres", "-D", data, "-k", self.folder, *(word for s in settings for word in ("-c", s))],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/", **who)
        self.note()
        until(lambda: self.running() and self.connect(), 60, "PostgreSQL accepts connections").close()
        self.execute("do $$ begin if not exists (select from pg_roles where rolname = 'reader') then create role reader login password 'reader'; end if; end $$",
                     "grant pg_read_all_data, pg_read_all_stats to reader")

    def stop(self, how=signal.SIGINT):               # fast shutdown: sessions are ended, not waited for
        super().stop(how)

    def connect(self, database="postgres", **more):
        import psycopg2
        link = psycopg2.connect(host=self.socket, port=self.port, user="postgres", dbname=database, **more)
        link.autocommit = True
        return link

    def execute(self, *statements, database="postgres"):
        link = self.connect(database)
        try:
            with link.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else None
        finally:
            link.close()

    def load(self, *files, database):
        """Runs files through the server's own client, which understands COPY FROM stdin."""
        for file in files:
            subprocess.run([self.programs / "psql", "-X", "-q", "-h", self.socket, "-p", str(self.port), "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-f", file],
                           check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PGOPTIONS": "-c client_min_messages=error"})

    def url(self, database="postgres", user="reader"):
        return f"postgres://{user}@127.0.0.1:{self.port}/{database}"


class Mongod(Server):
    """A one-node replica set of the real mongod: 6.0.5 (mongod.sh), or another version by name (mongodother.sh)."""

    name = "mongod"

    def __init__(self, version=None):
        self.version = version
        super().__init__()

    def start(self):
        script = [HERE / "mongodother.sh", self.version] if self.version else [HERE / "mongod.sh"]
        done = subprocess.run(script, capture_output=True, text=True)
        program = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
        if done.returncode or not program:
            raise Missing(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "mongod cannot be had")
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        self.spawn([program, "--dbpath", str(data), "--port", str(self.port), "--bind_ip", "127.0.0.1", "--replSet", "rs0", "--oplogSize", "64",
                    "--wiredTigerCacheSizeGB", "0.5", "--nounixsocket", "--setParameter", "enableTestCommands=1", "--quiet"])
        import pymongo
        direct = {"directConnection": True} if pymongo.version_tuple >= (3, 12) else {}
        link = pymongo.MongoClient("127.0.0.1", self.port, serverSelectionTimeoutMS=500, **direct)
        until(lambda: self.running() and link.admin.command("ping"), 60, "mongod accepts connections")
        try:
            link.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": self.member()}]})
        except pymongo.errors.OperationFailure as e:
            if e.code != 23:                         # already initialised: started again on its folder
                raise
        until(lambda: link.admin.command("isMaster").get("ismaster"), 60, "mongod is primary")
        link.close()

    def member(self):
        """The address under which clients of the replica set are sent here."""
        return f"127.0.0.1:{self.port}"

    def client(self):
        import pymongo
        return pymongo.MongoClient(f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0", tz_aware=True)

    def url(self, database):
        return f"mongodb://127.0.0.1:{self.port}/{database}?replicaSet=rs0"


class Redis(Server):
    """redis-server from Debian's redis-tools, which starts no service: it has the program under the name redis-check-rdb."""

    name = "redis"

    def __init__(self, *options):
        self.options = options
        super().__init__()

    def start(self):
        program = os.environ.get("MILLRACE_TEST_REDIS") or shutil.which("redis-server") or shutil.which("redis-check-rdb")
        if not program:
            raise Missing("redis-server is not installed (package redis-tools)")
        with open(self.folder / "output", "ab") as out:
            # the program looks at its own name
            self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "", *self.options],
                                            executable=program, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        runs = os.environ.get("MILLRACE_TEST_PIDS")
        if runs:
            pathlib.Path(runs, f"{self.process.pid}").write_text(self.name)
        link = self.client()
        until(lambda: self.running() and link.ping(), 30, "Redis accepts connections")
        link.close()

    def client(self, database=0):
        try:
            import redis
        except ImportError:
            raise Missing("python3-redis is not installed")
        return redis.Redis("127.0.0.1", self.port, db=database)

    def url(self, database=0):
        return f"redis://127.0.0.1:{self.port}/{database}"


def main():
    kinds = {"mariadb": MariaDb, "postgres": Postgres, "mongod": Mongod, "mysql9": MySql9, "redis": Redis}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with kinds[sys.argv[1]]() as server:
            print(server.url("test"), flush=True)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            signal.pause()
    except Missing as e:
        print(f"skip: {e}", file=sys.stderr)
        return 77
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
