"""What the integration tests share: cases with named skips, the command line under test, waiting, and servers.

A test file defines cases and ends with `main()`:

    @case
    def loads_everything(): ...

Exit code: 0 all passed, 1 one failed, 77 nothing could run (ctest counts it as skipped).
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "services"), str(ROOT / "tests" / "integration")]
from servers import MariaDb, Missing, Mongod, MySql9, Redis, free_port, until  # noqa: E402,F401

LONG = bool(os.environ.get("MILLRACE_TEST_LONG"))
CLI = os.environ.get("MILLRACE_CLI") or str(ROOT / "build" / "release" / "bin" / "millrace-cli")
_cases = []


class Skip(Exception):
    """This case cannot run here; the text says why."""


def case(function):
    _cases.append(function)
    return function


def check(condition, words):
    if not condition:
        raise AssertionError(words() if callable(words) else words)


def equal(actual, expected, what):
    check(actual == expected, f"{what}: {actual!r} instead of {expected!r}")


def no_differences(found):
    check(not found, "source and target differ:\n    " + "\n    ".join(found[:20]))


class Cli:
    """millrace-cli on a home of its own."""

    def __init__(self, folder, **env):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = self.folder / "home"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("MILLRACE_") and k not in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
        self.env.update({"MILLRACE_HOME": str(self.home), "XDG_CONFIG_HOME": str(self.folder / "config"), "XDG_DATA_HOME": str(self.folder / "data"),
                         "XDG_RUNTIME_DIR": str(self.folder), "LC_ALL": "C.UTF-8", "SHOP_PASSWORD": "reader", **env})

    def __call__(self, *words, code=0, timeout=600, stdin=None, **env):
        """Runs to the end. `code`: the exit code, or several, that are right; None: any."""
        p = subprocess.run([CLI, *map(str, words)], capture_output=True, text=True, timeout=timeout, input=stdin,
                           stdin=None if stdin is not None else subprocess.DEVNULL, env={**self.env, **env}, cwd=self.folder)
        allowed = [code] if isinstance(code, int) else code
        check(code is None or p.returncode in allowed, lambda: f"millrace-cli {' '.join(map(str, words))}\n    exit {p.returncode} instead of {code}"
              f"\n    stdout: {p.stdout[-1500:]}\n    stderr: {p.stderr[-1500:]}")
        return p

    def json(self, *words, code=0, **more):
        p = self(*words, "--json", code=code, **more)
        try:
            return json.loads(p.stdout)
        except ValueError:
            raise AssertionError(f"millrace-cli {' '.join(map(str, words))} --json printed no JSON object: {p.stdout[:400]!r} stderr {p.stderr[-800:]!r}")

    def start(self, *words, **env):
        return subprocess.Popen([CLI, *map(str, words)], stdout=subprocess.DEVNULL, stderr=open(self.folder / "stderr", "ab"), stdin=subprocess.DEVNULL,
                                env={**self.env, **env}, cwd=self.folder)

    def file(self, name, content):
        """Writes a sync file (JSON is YAML too)."""
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path


def folder():
    made = tempfile.mkdtemp(prefix="millrace-test-")
    _folders.append(made)
    return pathlib.Path(made)


_folders = []


def sync_file(source, target, tables, **sync):
    """The usual sync file: one connection each way, one sync `job`."""
    connections = {"shop": source if isinstance(source, dict) else {"url": source}, "store": target if isinstance(target, dict) else {"url": target}}
    return {"version": 1, "connections": connections, "syncs": {"job": {"source": "shop", "target": "store", "tables": tables, **sync}}}


def mysql(server, database):
    return {"url": server.url(database), "password": {"env": "SHOP_PASSWORD"}}


def containers(cli, sync):
    """Table -> where it lands: the name that an odd table gets is the program's to say, and its plan says it."""
    return {name: facts["container"] for name, facts in cli.json("sync", "plan", sync)["tables"].items()}


def main():
    # A test told to end (ctest's time-out, Ctrl+C) still ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not os.access(CLI, os.X_OK):
        print(f"FAIL   : {CLI} is not there: build the release preset first")
        sys.exit(1)
    picked = [c for c in _cases if len(sys.argv) < 2 or c.__name__ in sys.argv[1:]]
    outcome = {"pass": 0, "fail": 0, "skip": 0}
    for c in picked:
        began = time.monotonic()
        try:
            c()
            outcome["pass"] += 1
            print(f"PASS   : {c.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except (Skip, Missing) as e:
            outcome["skip"] += 1
            print(f"SKIP   : {c.__name__}: {e}", flush=True)
        except Exception as e:
            outcome["fail"] += 1
            print(f"FAIL   : {c.__name__}: {e}", flush=True)
            if not isinstance(e, AssertionError):
                traceback.print_exc(file=sys.stdout)
    for made in _folders:
        if outcome["fail"] and os.environ.get("MILLRACE_TEST_KEEP"):
            print(f"kept: {made}")
        else:
            shutil.rmtree(made, ignore_errors=True)
    print(f"{outcome['pass']} passed, {outcome['fail']} failed, {outcome['skip']} skipped")
    sys.exit(1 if outcome["fail"] else 77 if not outcome["pass"] else 0)
