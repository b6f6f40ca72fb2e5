#!/usr/bin/env python3
"""The catalog at a million backups: what is asked of all of it at once, as a Markdown section.

Usage: run.py CATALOG_BENCH [--postgres POSTGRES_SERVER] [--backups N,N] [--repeat N] [--out build/bench/catalog.md]

Each catalog is built once, 20 backups of each object with records as manifests give them, by a process of its own;
each question is then asked by a process that did nothing else, several times, and the number is the median. With
--postgres (the test suite's server program) one is built in PostgreSQL as well.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

QUESTIONS = {"latest": "the newest good backup of every object", "as-of": "the same as of a month ago",
             "retention": "retention planned: days, weeks, months", "bbq": "retention planned: preset bbq"}
LIMIT_SECONDS = 10
LIMIT_MEBIBYTES = 1_024


@contextlib.contextmanager
def postgres_url(program):
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def measure(program, store, backups, repeat):
    """{question: the medians of its runs}, and how long the catalog took to build."""
    started = time.monotonic()
    subprocess.run([program, "build", store, str(backups)], check=True)
    built = time.monotonic() - started
    runs = {question: [] for question in QUESTIONS}
    for _ in range(repeat):
        for question in QUESTIONS:
            output = subprocess.run([program, question, store], check=True, capture_output=True, text=True).stdout
            runs[question].append(json.loads(output))
    for question, results in runs.items():
        wanted = backups if question in ("retention", "bbq") else backups // 20
        if any(result["backups"] != wanted for result in results):
            sys.exit(f"{question} looked at {results}, not at {wanted} backups")
    return {question: {key: statistics.median(result[key] for result in results) for key in results[0]}
            for question, results in runs.items()}, built


def rows(title, backups, medians):
    for question, result in medians.items():
        yield (f"| {title} | {backups:,} | {QUESTIONS[question]} | {result['wall']:.1f} | {result['cpu']:.1f} | "
               f"{result['peak_mib']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--postgres")
    parser.add_argument("--postgres-backups", type=int, default=100_000)
    parser.add_argument("--backups", default="100000,1000000")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    sizes = [int(size) for size in options.backups.split(",")]
    load = os.getloadavg()[0]
    table, worst = [], (0, 0, 0)
    notes = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as directory:
            file = directory + "/catalog.sqlite"
            medians, built = measure(options.program, file, size, options.repeat)
            megabytes = os.path.getsize(file) / 1e6
        table += rows("SQLite", size, medians)
        notes.append(f"{size:,} backups are a file of {megabytes:,.0f} MB, written in {built:.0f} s.")
        worst = max((result["wall"], result["cpu"], result["peak_mib"]) for result in medians.values())
    if options.postgres:
        with postgres_url(options.postgres) as url:
            medians, built = measure(options.program, url, options.postgres_backups, 1)
        table += rows("PostgreSQL", options.postgres_backups, medians)
        notes.append(f"PostgreSQL was asked once; its own time and memory are its server's, and not in CPU and memory "
                     f"here. It took {built:.0f} s to fill.")
    within = worst[2] < LIMIT_MEBIBYTES
    kept = ("kept" if within and worst[0] < LIMIT_SECONDS else
            "kept by CPU time, and not by wall time on a machine that others used too"
            if within and worst[1] < LIMIT_SECONDS else "NOT kept")
    lines = ["## Catalog and retention", "",
             f"20 backups of each object, each record as a manifest gives it. Medians of {options.repeat} runs, each a "
             f"process of its own; load average {load:.1f} before them. Retention is `PlanPrune`, which is what `backup "
             "prune` runs and shows; the repositories hold no pins. Memory is the peak of the process.", "",
             "| catalog | backups | what is asked | wall s | CPU s | peak MiB |", "|---|---:|---|---:|---:|---:|", *table, "",
             f"Aim: each under {LIMIT_SECONDS} s and {LIMIT_MEBIBYTES} MiB at 1,000,000: {kept} (the slowest in SQLite: "
             f"{worst[0]:.1f} s wall, {worst[1]:.1f} s CPU, {worst[2]:.0f} MiB). " + " ".join(notes)]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
