"""A TCP proxy that breaks connections on purpose: seeded, triggered by bytes and not by the clock, so a seed gives the same cuts."""
import random
import select
import socket
import struct
import threading


class Fault:
    """What happens to the next connections: after `after` bytes in one direction.

    cut      both sides are closed                           reset    the client gets a RST
    lost     the request arrives, the reply never does       stall    nothing moves any more, the socket stays open
    """

    def __init__(self, kind, upstream, after):
        self.kind, self.upstream, self.after = kind, upstream, after

    def __repr__(self):
        return f"{self.kind} after {self.after} bytes {'to the server' if self.upstream else 'to the client'}"


class Proxy:
    def __init__(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.target = None
        self.faults = []
        self.hits = 0
        self.lock = threading.Lock()
        self.open = set()
        self.ended = False
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, faults):
        """Each fault breaks one connection: the first on which its bytes have passed."""
        with self.lock:
            self.faults, self.hits = list(faults), 0

    def clear(self):
        """No more faults; stalled connections are let go."""
        with self.lock:
            self.faults = []
            stuck = list(self.open)
        for s in stuck:
            self.shut(s)

    def close(self):
        self.ended = True
        self.shut(self.listener)
        self.clear()

    @staticmethod
    def shut(s):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()

    def accept(self):
        while not self.ended:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def due(self, passed):
        with self.lock:
            for fault in self.faults:
                if passed[fault.upstream] >= fault.after:
                    self.faults.remove(fault)
                    self.hits += 1
                    return fault
        return None

    def serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            self.shut(client)
            return
        server.settimeout(None)
        with self.lock:
            self.open |= {client, server}
        passed = {True: 0, False: 0}
        try:
            while True:
                for s in select.select([client, server], [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        return
                    upstream = s is client
                    passed[upstream] += len(data)
                    fault = self.due(passed)
                    if fault is None:
                        (server if upstream else client).sendall(data)
                        continue
                    if fault.kind == "stall":
                        select.select([], [], [client], 3600)      # until clear() closes it
                        return
                    if fault.kind == "lost":
                        if upstream:
                            server.sendall(data)
                        server.settimeout(2)
                        try:
                            server.recv(65536)                     # the server did it; nobody hears of it
                        except OSError:
                            pass
                    elif fault.kind == "cut" and data:
                        (server if upstream else client).sendall(data[:len(data) // 2])
                    elif fault.kind == "reset":
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        client.close()
                    return
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open -= {client, server}
            self.shut(client)
            self.shut(server)


def seeded(seed, most):
    """A few faults of mixed kinds at mixed depths; stalls are rare, they cost a time-out each."""
    r = random.Random(seed)
    return [Fault(r.choice(["cut", "cut", "reset", "lost", "lost"]), r.random() < 0.6, int(10 ** r.uniform(2.5, most))) for _ in range(r.randint(1, 4))]
