#!/usr/bin/env python3
"""A source that is a replica: rows arrive late there, with the time they had at its own source."""
import time
from harness import *
from compare import MongoTarget, MySqlSource, Table, compare

DELAY = 8


@case
def rows_behind_the_lag_are_not_missed():
    with Mongod() as mongo, MariaDb(["--log-bin=log", "--server-id=1"]) as main, MariaDb(["--server-id=2", "--read-only=1"]) as replica:
        main.execute("create user repl@'127.0.0.1' identified by 'repl'", "grant replication slave on *.* to repl@'127.0.0.1'")
        file, position = main.execute("show master status")[0][:2]
        replica.execute("grant slave monitor on *.* to reader@'127.0.0.1'",
                        f"change master to master_host='127.0.0.1', master_port={main.port}, master_user='repl', master_password='repl', "
                        f"master_log_file='{file}', master_log_pos={position}, master_use_gtid=no, master_delay={DELAY}", "start slave")
        main.execute("create database shop", "create table shop.t (id int primary key, v int, updated_at timestamp not null default current_timestamp "
                     "on update current_timestamp, key(updated_at))", "insert into shop.t (id, v) values (1, 1)")
        until(lambda: replica.execute("select count(*) from shop.t")[0][0], 60, "the replica has the first row")
        cli = Cli(folder())
        cli.json("run", cli.file("shop.yaml", sync_file(mysql(replica, "shop"), mongo.url("shop"), ["*"])))
        main.execute("insert into shop.t (id, v) values (2, 2)", "update shop.t set v = 9 where id = 1")
        written = time.monotonic()
        until(lambda: time.monotonic() - written > DELAY / 2, DELAY, "half of the delay")
        for _ in range(2):
            cli.json("sync", "run", "job")                     # polls well after the rows' time, and before they are there
        equal(replica.execute("select count(*) from shop.t")[0][0], 1, "rows at the replica meanwhile")
        until(lambda: replica.execute("select count(*) from shop.t")[0][0] == 2, 60, "the replica has both rows")
        cli.json("sync", "run", "job")
        source = MySqlSource("shop", unix_socket=replica.socket, user="root")
        _, found = compare(source, MongoTarget(mongo.client(), "shop"), [Table("t", ["id"])])
        no_differences(found)
        source.link.close()


main()
