#!/usr/bin/env python3
"""The scan of an organization: calls beside one get per table and partition, and memory, as a Markdown section.

Usage: run.py SCAN_BENCH [--memory-tables N] [--out build/bench/scan.md]

Tables and partitions are computed, not stored; the catalog is the real one. Time is virtual: each call lasts 50 ms,
and each of 4 workers has one under way. BBQ's way is the lists and one get for each table and each partition, by as
many workers, all of them busy all the time. Memory is the peak of the process over a first scan, in which everything
is asked to be backed up.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

WORKERS = 4
PARTITIONS = 10
SHAPES = (("100,000 plain tables in 100 datasets", 100, 1_000, 0),
          ("10,000 tables of 10 partitions in 100 datasets", 100, 100, 10),
          ("10,000 tables of 10 partitions in 10 datasets", 10, 1_000, 10))


def run(program, *arguments):
    output = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def call_rows(program):
    yield "| scan and check, 1 % changed | calls | seconds | BBQ's way: calls | seconds | calls ratio |"
    yield "|---|---:|---:|---:|---:|---:|"
    for title, datasets, tables, partitions in SHAPES:
        result = run(program, "calls", datasets, tables, partitions, WORKERS)
        yield (f"| {title} | {result['calls']:,} | {result['seconds']:,.0f} | {result['bbq_calls']:,} | "
               f"{result['bbq_seconds']:,.0f} | {result['bbq_calls'] / result['calls']:.0f}× |")


def memory_rows(program, most):
    yield "| first scan | partitions | tasks | start MiB | peak MiB | wall s |"
    yield "|---|---:|---:|---:|---:|---:|"
    for count in (most // 100, most // 10, most):
        with tempfile.TemporaryDirectory() as directory:
            datasets = max(count // 10_000, 1)
            result = run(program, "memory", datasets, count // datasets, PARTITIONS, directory + "/catalog.db")
        yield (f"| {result['tables']:,} tables | {result['units']:,} | {result['tasks']:,} | {result['start_mib']} | "
               f"{result['peak_mib']} | {result['wall']} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--memory-tables", type=int, default=1_000_000)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    lines = ["## Scan of an organization", "",
             f"{WORKERS} workers, 50 ms each call, in virtual time. Peak memory is the process's, with the catalog in a "
             "file.", "", *call_rows(options.program), "", *memory_rows(options.program, options.memory_tables)]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
