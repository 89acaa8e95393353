"""Real Elasticsearch and OpenSearch nodes for tests, asked by plain HTTP. See servers.py."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from servers import HERE, Missing, Server, until

# Straight to the server: a proxy of the environment is not for loopback.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def java(least):
    """The oldest Java of at least this version."""
    found = {}
    for program in [shutil.which("java"), *map(str, pathlib.Path("/usr/lib/jvm").glob("*/bin/java"))]:
        if program:
            words = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
            version = re.search(r'version "(\d+)', words)
            if version and int(version[1]) >= least:
                found.setdefault(int(version[1]), program)
    if not found:
        raise Missing(f"no Java {least} or later is installed")
    return found[min(found)]


class OpenSearch(Server):
    """One node without security."""

    name = "opensearch"

    def __init__(self, version="2.19.4", settings=(), heap=384):
        self.version, self.settings, self.heap = version, list(settings), heap
        super().__init__()

    def start(self):
        done = subprocess.run([HERE / "opensearch.sh", self.version], capture_output=True, text=True)
        if done.returncode:
            raise Missing(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "OpenSearch cannot be had")
        home = done.stdout.strip().splitlines()[-1]
        old = self.version.startswith("2.")
        from servers import free_port
        self.spawn([java(17 if old else 21), f"-Xms{self.heap}m", f"-Xmx{self.heap}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                    *(["-Djava.security.manager=allow"] if old else []), "-Djna.nosys=true", "-Djna.nounpack=true", "-Dlog4j2.disable.jmx=true",
                    "-Dlog4j.shutdownHookEnabled=false", f"-Dopensearch.path.home={home}", f"-Dopensearch.path.conf={home}/config", "-cp", f"{home}/lib/*",
                    "org.opensearch.bootstrap.OpenSearch", f"-Epath.data={self.folder}/data", f"-Epath.logs={self.folder}", "-Enetwork.host=127.0.0.1",
                    f"-Ehttp.port={self.port}", f"-Etransport.port={free_port()}", "-Ediscovery.type=single-node", "-Ecluster.name=millrace-test", "-Enode.name=n1",
                    "-Ecluster.routing.allocation.disk.threshold_enabled=false", *(f"-E{s}" for s in self.settings)])
        until(lambda: self.running() and self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s"), 180, "OpenSearch answers")

    def ask(self, method, path, body=None, raw=False):
        """The answer as JSON; numbers stay what they are. An error is an exception with the server's words."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
                                         headers={"Content-Type": "application/x-ndjson" if "_bulk" in path else "application/json"})
        try:
            with _open(request, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as e:
            raise LookupError(f"{method} {path}: {e.code} {e.read().decode(errors='replace')[:300]}") from None
        return text if raw else json.loads(text or b"null")

    def url(self):
        return f"opensearch://127.0.0.1:{self.port}"
