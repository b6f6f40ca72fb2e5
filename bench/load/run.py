#!/usr/bin/env python3
"""CSV load of the flights into the embedded warehouse beside DuckDB's own COPY, as a Markdown section.

Usage: run.py LOAD_BENCH FLIGHTS_CSV [--repeat N] [--out build/bench/load.md]

Each run is a process of its own with an empty directory, and the peers take turns, so that a busy machine
is busy for all of them. The number is the least of N runs; ratios are to DuckDB's COPY into a database file.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

PEERS = {
    "ours": "warehouse, one table",
    "ours-daily": "warehouse, partitioned by day (182 partitions)",
    "table": "DuckDB COPY into a database file",
    "memory": "DuckDB COPY into memory",
    "parquet": "DuckDB COPY to one Parquet file",
}


def run(program, peer, csv):
    with tempfile.TemporaryDirectory() as directory:
        output = subprocess.run([program, peer, csv, directory], check=True, capture_output=True,
                                text=True).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("csv")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    best = {}
    for _ in range(options.repeat):
        for peer in PEERS:
            result = run(options.program, peer, options.csv)
            kept = best.setdefault(peer, result)
            for key in ("cpu", "wall", "rss_mb"):
                kept[key] = min(kept[key], result[key])
    lines = ["## CSV load of the flights", "",
             "Ratios are to DuckDB's COPY into a database file: durable, as ours is. Least of "
             f"{options.repeat} runs; memory is the peak of the process.", "",
             "| CSV load of the flights | rows | CPU s | wall s | CPU ratio | wall ratio | memory MB |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    base = best["table"]
    for peer, title in PEERS.items():
        result = best[peer]
        lines.append(f"| {title} | {result['rows']} | {result['cpu']:.2f} | {result['wall']:.2f} | "
                     f"{result['cpu'] / base['cpu']:.2f} | {result['wall'] / base['wall']:.2f} | {result['rss_mb']:.0f} |")
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
