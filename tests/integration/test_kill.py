#!/usr/bin/env python3
"""`kill -9` at seeded moments during a load of 500,000 rows and during incremental runs: after the restart both sides are equal, and
what was done is not done again. 10 kills, 100 with --long. MILLRACE_TEST_SEED picks another row of moments."""
import random
import time
from harness import *
from compare import MongoTarget, MySqlSource, Table, compare

ROWS = int(os.environ.get("MILLRACE_TEST_KILL_ROWS", 500_000))
KILLS = 100 if LONG else 10
SEED = int(os.environ.get("MILLRACE_TEST_SEED", 20261121))
# What a kill may cost: what was in flight. Written but not yet in a durable checkpoint (commits are grouped); sent by the server but not
# yet written (a chunk of up to 50,000 rows, the queues of the pipeline, the socket's buffers). Copied ranges are not read again.
REWRITTEN_PER_KILL = 60_000
RESENT_PER_KILL = 180_000
TABLES = [Table("orders", ["id"]), Table("lines", ["order_id", "line"]), Table("loose", [])]


def shop(server):
    server.execute("drop database if exists shop", "create database shop character set utf8mb4")
    server.execute(
        "create table orders (id int primary key, customer int not null, amount decimal(10,2), note varchar(60), placed datetime,"
        " changed timestamp(3) not null default current_timestamp(3) on update current_timestamp(3), key(changed))",
        "create table `lines` (order_id int, line smallint, sku varchar(20), changed timestamp(3) not null default current_timestamp(3) on update"
        " current_timestamp(3), primary key(order_id, line), key(changed))",
        "create table loose (a int, b varchar(20))",
        f"insert into orders select seq, seq % 977, (seq % 100000) / 100, concat('order ', seq, ' ü'), '2024-01-01' + interval seq second, '2024-01-01'"
        f" + interval seq second from seq_1_to_{ROWS}",
        f"insert into `lines` select seq div 3, seq % 3, concat('sku', seq % 97), '2024-01-01' from seq_1_to_{ROWS // 20}",
        "insert into loose select seq % 100, concat('row ', seq % 10) from seq_1_to_500", database="shop")


def sent(server):
    return int(server.execute("show global status like 'Rows_sent'")[0][1])


def written(client):
    d = client.admin.command("serverStatus")["metrics"]["document"]
    return d["inserted"] + d["updated"]


class Job:
    """One home and one target database."""

    def __init__(self, server, mongo, number):
        self.server, self.mongo, self.name = server, mongo, f"kill{number}"
        self.cli = Cli(folder())
        self.path = self.cli.file("job.yaml", sync_file(mysql(server, "shop"), mongo.url(self.name), ["*"]))

    def run(self):
        began = time.monotonic()
        answer = self.cli.json("run", self.path)["syncs"]["job"]
        equal(answer["status"], "success", "status of the run after the kills")
        return answer, time.monotonic() - began

    def killed(self, after):
        """Starts a run and kills it after so many seconds. False: it had ended by itself."""
        process = self.cli.start("run", self.path)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
        check(process.returncode == 0, f"the run ended by itself with {process.returncode}")
        return False

    def compared(self):
        source = MySqlSource("shop", unix_socket=self.server.socket, user="root")
        total, found = compare(source, MongoTarget(self.mongo.client(), self.name), TABLES)
        source.link.close()
        no_differences(found)
        return total

    def forget(self):
        self.mongo.client().drop_database(self.name)
        shutil.rmtree(self.cli.folder, ignore_errors=True)


@case
def kills_while_loading_and_following():
    seed = random.Random(SEED)
    with Mongod() as mongo, MariaDb() as server:
        shop(server)
        client = mongo.client()
        first = Job(server, mongo, 0)
        before_sent, before_written = sent(server), written(client)
        _, seconds = first.run()
        plain_sent, plain_written = sent(server) - before_sent, written(client) - before_written
        total = first.compared()
        first.forget()
        print(f"seed {SEED}: {total} rows load in {seconds:.1f} s without a kill ({plain_sent} rows sent, {plain_written} documents written)", flush=True)

        kills, loads, number = 0, 0, 0
        want = KILLS * 6 // 10
        resent = rewritten = 0
        job = None
        while kills < want:
            number += 1
            job and job.forget()
            job = Job(server, mongo, number)
            before_sent, before_written = sent(server), written(client)
            here = 0
            for _ in range(3):
                if kills < want and job.killed(seed.uniform(0.02, 0.7) * seconds):
                    kills, here = kills + 1, here + 1
            answer, _ = job.run()
            more_sent, more_written = sent(server) - before_sent - plain_sent, written(client) - before_written - plain_written
            equal(job.compared(), total, "rows")
            loads += 1
            resent, rewritten = resent + more_sent, rewritten + more_written
            print(f"load {number}: {here} kills, {more_written} documents written and {more_sent} rows sent more than without", flush=True)
            check(more_written <= here * REWRITTEN_PER_KILL, f"{more_written} documents were written again after {here} kills")
            check(more_sent <= here * RESENT_PER_KILL, f"{more_sent} rows were read again after {here} kills")

        follow = KILLS - kills
        changed = 0
        while follow > 0:
            ids = [seed.randint(1, ROWS) for _ in range(3000)]
            server.execute(f"update orders set amount=amount+1, note=concat('turn {follow} ', id) where id in ({','.join(map(str, ids))})",
                           f"insert into orders(id,customer,amount,note) select {ROWS * 2 + changed * 10_000} + seq, 1, 2, 'new' from seq_1_to_2000",
                           f"update `lines` set sku='turn{follow}' where order_id % 50 = {follow % 50}", "insert into loose values (1,'again')", database="shop")
            changed += 1
            if job.killed(seed.uniform(0.0, 0.6) * 2.0):
                follow, kills = follow - 1, kills + 1
            if changed > KILLS * 4:
                raise AssertionError("incremental runs end too soon to be killed")
            if seed.random() < 0.5 or follow == 0:
                job.run()
                job.compared()
        equal(job.cli.json("verify", "job")["status"], "identical", "verify")
        print(f"{kills} kills in {loads} loads and {changed} rounds of changes: 0 missing, extra or different rows; "
              f"{rewritten} documents written again, {resent} rows sent again in all", flush=True)


main()
