#!/usr/bin/env python3
"""Tests the tests: each mutant breaks one rule of the engine, and at least one test must fail for it.

    mutants.py [NAME ...]      builds a copy of the Qt-free core in a temporary folder; exit 1 when a mutant survives
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# name, file, original text (must stand there exactly once), mutated text, tests that must notice
MUTANTS = [
    ("checkpoint before ack", "core/engine/pipeline.cpp",
     "        if (auto written = write(lane, *work, stop); !written)\n            return written;\n        settle(work->ledgerSeq);",
     "        settle(work->ledgerSeq);\n        if (auto written = write(lane, *work, stop); !written)\n            return written;",
     ["tst_tablerun"]),
    ("maximum instead of contiguous ack", "core/engine/ackledger.h",
     "        for (; !m_open.empty() && m_open.front().parts == 0; m_open.pop_front(), ++m_first)\n            mark = Mark{m_first, std::move(m_open.front().state)};",
     "        if (m_open[seq - m_first].parts == 0)\n            mark = Mark{seq, m_open[seq - m_first].state};",
     ["tst_flow"]),
    ("ignored item errors", "core/engine/pipeline.cpp",
     "    if (auto parked = m_parts.parking.park(*work.batch, rejected); !parked)",
     "    rejected.clear();\n    if (auto parked = m_parts.parking.park(*work.batch, rejected); !parked)",
     ["tst_tablerun"]),
    ("no account of rows", "core/engine/pipeline.cpp",
     "    if (accounted != lane.payload.items.size())", "    if (accounted > lane.payload.items.size())", ["tst_pipeline"]),
    ("committer takes older marks", "core/engine/committer.cpp", "    if (slot.order > order)", "    if (false && slot.order > order)", ["tst_flow"]),
    ("> for >= in the poll", "core/source/sqlite/poll.cpp", None, None, ["tst_sqlite_poll"]),
    ("open transactions are forgotten", "core/engine/pollhorizon.cpp", "        if (endedByNewest(poll))\n", "", ["tst_pollhorizon"]),
    ("no brake", "core/engine/tablerun.cpp", "    if (m_parts.acceptDeletes || gone", "    if (true || m_parts.acceptDeletes || gone", ["tst_tablerun"]),
    ("deletes before the recheck", "core/engine/tablerun.cpp",
     "        if (auto checked = recheck(**snapshot, checkpoint, stale, stop); !checked)\n            return checked;\n",
     "        (void)stale;\n", ["tst_tablerun"]),
    ("ranges that changed are taken for copied", "core/engine/tablerun.cpp", "        if (*counted == segment.rows)\n            return true;",
     "        if (*counted)\n            return true;", ["tst_tablerun"]),
    ("rows beyond the checkpoint stay", "core/engine/tablerun.cpp",
     "    copied.emplace_back(firstVersionOf(m_parts.lease) | m_seq, 0);", "", ["tst_tablerun"]),
    ("mark after the snapshot", "core/engine/tablerun.cpp",
     "    if (fresh) {\n        // Invariant 3", "    if (fresh && false) {\n        // Invariant 3", ["tst_tablerun"]),
    ("old target taken for in step", "core/engine/tablerun.cpp",
     "    if (prepared->fresh && checkpoint.rows > 0)", "    if (false && prepared->fresh && checkpoint.rows > 0)", ["tst_tablerun"]),
    ("parked rows never stop a table", "core/engine/parking.cpp",
     "    if (m_limit > 0 && m_keys.size()", "    if (false && m_limit > 0 && m_keys.size()", ["tst_tablerun"]),
    ("a poll that was cut off ends the run", "core/engine/tablerun.cpp", "    if (checkpoint.midPoll) {", "    if (false && checkpoint.midPoll) {", ["tst_tablerun"]),
    ("name clash allowed", "core/engine/planner.cpp", "        if (!fresh)\n", "        if (false && !fresh)\n", ["tst_localengine"]),
    ("embedded overwrites newer", "core/target/embedded/session.cpp", None, None, ["tst_target_embedded"]),
]
# Mutants whose text is looked up by pattern, because it stands in SQL: file -> (original, mutated)
SQL = {
    "core/source/sqlite/poll.cpp": ('time + " >= ', 'time + " > '),
    "core/target/embedded/session.cpp": (".version<=excluded.version", ".version>=0"),
}


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def main():
    wanted = sys.argv[1:]
    work = tempfile.mkdtemp(prefix="millrace-mutants-")
    try:
        tree, build = os.path.join(work, "tree"), os.path.join(work, "build")
        for part in ("CMakeLists.txt", "core", "tests", "packaging"):
            source = os.path.join(ROOT, part)
            os.makedirs(tree, exist_ok=True)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, os.path.join(tree, part))
        os.environ.update(CCACHE_BASEDIR=tree, CCACHE_NOHASHDIR="1")      # a second run compiles only what changed
        made = run(["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DMILLRACE_CORE_ONLY=ON", "-DCMAKE_BUILD_TYPE=Debug"])
        if made.returncode:
            print(made.stdout, made.stderr)
            return 1
        tests = sorted({t for m in MUTANTS for t in m[4]})
        known = [t for t in tests if any(os.path.exists(os.path.join(tree, "tests", d, t + ".cpp")) for d in ("unit", "engine", "contract"))]
        made = run(["ninja", "-C", build, *known])
        if made.returncode:
            print(made.stdout[-3000:], "the unchanged tree does not build")
            return 1
        for test in known:
            if run([os.path.join(build, "bin", test)]).returncode:
                print(f"{test} fails without any mutant")
                return 1
        killed, survived, unusable = 0, [], []
        for name, file, original, mutated, watchers in MUTANTS:
            if wanted and name not in wanted:
                continue
            path = os.path.join(tree, file)
            text = open(path).read() if os.path.exists(path) else ""
            if original is None:
                original, mutated = SQL[file]
            watchers = [w for w in watchers if w in known]
            if original not in text or not watchers:
                unusable.append(name)
                continue
            open(path, "w").write(text.replace(original, mutated))
            built = run(["ninja", "-C", build, *watchers])
            dead = built.returncode == 0 and any(run([os.path.join(build, "bin", w)], timeout=120).returncode for w in watchers)
            open(path, "w").write(text)
            if built.returncode:
                unusable.append(name + " (does not compile)")
            elif dead:
                killed += 1
                print(f"killed    {name}", flush=True)
            else:
                survived.append(name)
                print(f"SURVIVED  {name}", flush=True)
        for name in unusable:
            print(f"UNUSABLE  {name}")
        print(f"{killed} killed, {len(survived)} survived, {len(unusable)} unusable")
        return 1 if survived or unusable else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
