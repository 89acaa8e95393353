#!/bin/sh
# Prints the folder with PostgreSQL's programs (initdb, postgres, psql): the newest that is installed, else one that is taken out of
# Debian's packages into $MILLRACE_TEST_CACHE (default: build/services). Installing the server's package would make a cluster and start
# it as a service; unpacked beside, it does neither.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${MILLRACE_TEST_CACHE:-$root/build/services}/postgresql

newest() { ls -d "$1"/usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k"$(($(echo "$1/usr/lib/postgresql/" | tr -cd / | wc -c) + 1))n" | tail -n 1; }
works() { [ -n "$1" ] && [ -x "$1/postgres" ] && [ -x "$1/initdb" ] && [ -x "$1/psql" ]; }

found=$(newest "")
if [ -z "${MILLRACE_TEST_POSTGRES_UNPACK:-}" ] && works "$found"; then
    echo "$found"
    exit 0
fi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9                       # two tests may ask at once
found=$(newest "$cache")
if works "$found"; then
    echo "$found"
    exit 0
fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "postgresql.sh: PostgreSQL is not installed, and this is not a Debian system" >&2; exit 3; }
version=
for candidate in 18 17 16 15 14 13; do
    case $(LC_ALL=C apt-cache policy "postgresql-$candidate" 2>/dev/null) in *"Candidate: "[0-9]*) version=$candidate; break ;; esac
done
[ -n "$version" ] || { echo "postgresql.sh: no package source of this machine has postgresql-15 or postgresql-17" >&2; exit 3; }
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
(cd "$work" && apt-get -q -o Acquire::Retries=3 download "postgresql-$version" "postgresql-client-$version" >&2) || { echo "postgresql.sh: postgresql-$version cannot be downloaded" >&2; exit 3; }
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/tree"; done
if ! "$work/tree/usr/lib/postgresql/$version/bin/postgres" --version >/dev/null 2>"$work/why"; then
    echo "postgresql.sh: postgres does not start here: $(head -n 1 "$work/why")" >&2
    exit 3
fi
chmod -R a+rX "$work/tree"
mv "$work/tree/usr" "$cache/usr"
newest "$cache"
