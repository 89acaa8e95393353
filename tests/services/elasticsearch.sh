#!/usr/bin/env bash
# Prints the home of a real Elasticsearch 8.19.13, put together once and kept under $MILLRACE_TEST_CACHE (default: build/services). For
# tests only: the server's licence (Elastic License 2.0) keeps it out of what is shipped. scaled_float and unsigned_long are modules that
# this one lacks. Needs python3, Maven (for the address of its repository) and a JDK. Exit 77 with the reason when it cannot be had.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
tools=$PWD/tests/services/elasticsearch
skip() { echo "Elasticsearch: $*" >&2; exit 77; }

mkdir -p "${MILLRACE_TEST_CACHE:-build/services}"
cache=$(readlink -f "${MILLRACE_TEST_CACHE:-build/services}")
home=$cache/elasticsearch-8.19.13
exec 9> "$cache/elasticsearch.lock"
flock 9                                                # two tests may ask at once
[ ! -d "$home" ] || { echo "$home"; exit 0; }
command -v mvn > /dev/null || skip "maven is not installed"
command -v javac > /dev/null || skip "no JDK is installed"
work=$(mktemp -d "$cache/elasticsearch-XXXXXX")
trap 'rm -rf "$work"' EXIT

echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>millrace.tests</groupId><artifactId>none</artifactId>
<version>1</version><packaging>pom</packaging></project>' > "$work/pom.xml"
for what in pom settings; do
    mvn -B -q -f "$work/pom.xml" help:effective-$what -Doutput="$work/effective-$what" > "$work/log" 2>&1 || skip "Maven says: $(tail -n 1 "$work/log")"
done
python3 "$tools/fetch.py" "$work/home" "$work/effective-pom" "$work/effective-settings" > "$work/log" 2>&1 || skip "it cannot be fetched: $(tail -n 1 "$work/log")"
javac -cp "$work/home/lib/*" -d "$work/home/start" "$tools/Start.java" > "$work/log" 2>&1 || skip "its starter does not compile: $(tail -n 1 "$work/log")"
# The server refuses root, so it runs as somebody who must be able to read it.
chmod -R a+rX "$work/home"
mv "$work/home" "$home"
echo "$home"
