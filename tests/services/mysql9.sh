#!/usr/bin/env bash
# Oracle's MySQL 9 from Debian sid in a system tree of its own: Debian 12 and 13 have MariaDB only. Needs root and debootstrap.
#   mysql9.sh fetch         makes the tree once (cached, about 650 MB)
#   mysql9.sh start PORT    makes the tree when it is not there, starts a server on 127.0.0.1:PORT, prints "socket=… pid=… port=…"
#   mysql9.sh stop PORT     ends the server that was started on PORT and removes its data
#   mysql9.sh cached        exit 0 when the tree is there
# root has no password over the socket. Exit 77 with the reason on stderr when it cannot be had.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
cache=${MILLRACE_TEST_CACHE:-$PWD/build/services}
mkdir -p "$cache"
cache=$(readlink -f "$cache")
tree=$cache/mysql9-tree
skip() { echo "MySQL 9: $*" >&2; exit 77; }

make_tree() {
    [ ! -x "$tree/usr/sbin/mysqld" ] || return 0
    [ "$(id -u)" = 0 ] || skip "making its system tree needs root"
    command -v debootstrap > /dev/null || skip "debootstrap is not installed"
    local fresh
    fresh=$(mktemp -d "$cache/mysql9-XXXXXX")
    # useradd and the server's own start run in the tree; a half made one is thrown away.
    if ! debootstrap --variant=minbase --include=mysql-server-core,mysql-client-core sid "$fresh/tree" > "$fresh/log" 2>&1; then
        local reason
        reason=$(tail -n 1 "$fresh/log")
        rm -rf "$fresh"
        skip "debootstrap of Debian sid failed: $reason"
    fi
    chroot "$fresh/tree" useradd -r mysql
    mv "$fresh/tree" "$tree"
    rm -rf "$fresh"
}

initialise() {
    [ ! -d "$tree/tmp/empty/data" ] || return 0
    rm -rf "$tree/tmp/fresh"
    mkdir -p "$tree/tmp/fresh"
    chroot "$tree" chown mysql /tmp/fresh
    chroot "$tree" mysqld --no-defaults --initialize-insecure --user=mysql --datadir=/tmp/fresh/data > "$out" 2>&1 || skip "it cannot initialise: $(tail -n 1 "$out")"
    rm -rf "$tree/tmp/empty"
    mv "$tree/tmp/fresh" "$tree/tmp/empty"
}

# Tests that run side by side make these once.
locked() { ( flock 9; "$@" ) 9> "$cache/mysql9.lock"; }

case ${1:-} in
fetch) locked make_tree ;;
cached) [ -x "$tree/usr/sbin/mysqld" ] ;;
start)
    port=${2:?port}
    locked make_tree
    [ "$(id -u)" = 0 ] || skip "chroot needs root"
    data=/tmp/m$port
    rm -rf "$tree$data"
    mkdir -p "$tree$data"
    chroot "$tree" chown mysql "$data"
    # A log that root creates would stop the server's next start: its words go to a file outside its data.
    out=$cache/mysql9-$port.out
    locked initialise
    cp -a "$tree/tmp/empty/data" "$tree$data/data"
    rm -f "$tree$data/data/auto.cnf"
    # The core package has no folder for --secure-file-priv and the server refuses to start without one.
    setsid chroot "$tree" mysqld --no-defaults --user=mysql --datadir="$data/data" --port="$port" --bind-address=127.0.0.1 --mysqlx=OFF \
        --secure-file-priv=NULL --socket="$data/s" --pid-file="$data/pid" --innodb-buffer-pool-size=128M --performance-schema=OFF \
        --max-allowed-packet=256M --disable-log-bin < /dev/null > "$out" 2>&1 &
    pid=$!
    echo $pid > "$cache/mysql9-$port.pid"
    [ -z "${MILLRACE_TEST_PIDS:-}" ] || echo mysql9 > "$MILLRACE_TEST_PIDS/$pid"
    for _ in $(seq 600); do
        kill -0 $pid 2> /dev/null || skip "it ended at the start: $(tail -n 1 "$out")"
        if chroot "$tree" mysql -uroot -S"$data/s" -e 'select 1' > /dev/null 2>&1; then
            echo "socket=$tree$data/s pid=$pid port=$port"
            exit 0
        fi
        sleep 0.1
    done
    kill $pid
    skip "it does not answer"
    ;;
stop)
    port=${2:?port}
    pid=$(cat "$cache/mysql9-$port.pid" 2> /dev/null) || exit 0
    kill "$pid" 2> /dev/null || true
    for _ in $(seq 300); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    rm -rf "$tree/tmp/m$port" "$cache/mysql9-$port.pid" "$cache/mysql9-$port.out"
    [ -z "${MILLRACE_TEST_PIDS:-}" ] || rm -f "$MILLRACE_TEST_PIDS/$pid"
    ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
