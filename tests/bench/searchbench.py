#!/usr/bin/env python3
"""SQLite into OpenSearch against the same documents, ready made, pushed as NDJSON bodies of 8 MB over two connections into an index with
the same mapping. As bench.py: ratios of one run, interleaved, medians.

    searchbench.py [--rows N] [--repeat N]
"""
import argparse
import http.client
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from bench import Missing, Sync, fill_sqlite, interleaved, report
from search import OpenSearch

BODY = 8 << 20


def ready_made(server):
    """Bulk bodies of what our own load has written."""
    bodies, body, size = [], [], 0
    text = server.ask("POST", "/orders/_search?scroll=5m", {"size": 5000, "sort": ["_doc"]}, raw=True)
    while True:
        page = json.loads(text, parse_float=str)
        if not page["hits"]["hits"]:
            return bodies + ([b"".join(body)] if body else [])
        for hit in page["hits"]["hits"]:
            line = b'{"index":{"_id":"%s"}}\n%s\n' % (hit["_id"].encode(), json.dumps(hit["_source"], ensure_ascii=False, separators=(",", ":")).encode())
            body.append(line)
            size += len(line)
            if size >= BODY:
                bodies.append(b"".join(body))
                body, size = [], 0
        text = server.ask("POST", "/_search/scroll", {"scroll": "5m", "scroll_id": page["_scroll_id"]}, raw=True)


def push(server, bodies):
    """Seconds for all bodies over two connections; every answer is looked at."""
    left, failed = list(reversed(bodies)), []

    def work():
        link = http.client.HTTPConnection("127.0.0.1", server.port)
        while left and not failed:
            try:
                body = left.pop()
            except IndexError:
                return
            while True:
                link.request("POST", "/peer/_bulk?filter_path=errors", body, {"Content-Type": "application/x-ndjson"})
                answer = link.getresponse()
                text = answer.read()
                if answer.status == 429:
                    time.sleep(0.1)
                    continue
                break
            if answer.status != 200 or json.loads(text)["errors"]:
                failed.append(text[:300])
        link.close()

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise RuntimeError(f"the peer's bulk failed: {failed[0]!r}")
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=250_000)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="millrace-bench-")
    fill_sqlite(f"{folder}/shop.db", args.rows)
    try:
        with OpenSearch(heap=512) as server:
            sync = Sync(f"sqlite://{folder}/shop.db", server.url())
            sync.load(args.rows)
            index = next(iter(server.ask("GET", "/orders")))
            shape = {"mappings": server.ask("GET", "/orders")[index]["mappings"]}
            bodies = ready_made(server)

            def drop(name):
                for there in server.ask("GET", f"/_alias/{name}") if name == "orders" else [name]:
                    server.ask("DELETE", f"/{there}")

            def ours_once():
                drop("orders")
                return sync.load(args.rows)

            def theirs_once():
                try:
                    drop("peer")
                except LookupError:
                    pass                                   # the first time there is none
                server.ask("PUT", "/peer", shape)
                return push(server, bodies)

            ours, theirs = interleaved(args.repeat, ours_once, theirs_once)
            for name in ("orders", "peer"):
                server.ask("POST", f"/{name}/_refresh")
                if server.ask("GET", f"/{name}/_count")["count"] != args.rows:
                    raise RuntimeError(f"{name} does not hold all rows")
            report("SQLite -> OpenSearch", ours, theirs, "prebuilt NDJSON on two connections", ">= 0.95")
            sync.close()
    except Missing as e:
        print(f"sqlite_to_opensearch: not run ({e})", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
