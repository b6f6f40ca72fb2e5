#!/usr/bin/env python3
"""Avro encode and decode of the flights table, ours beside its peers, as a Markdown section.

Usage: run.py AVRO_BENCH FLIGHTS_PARQUET [--repeat N] [--rows N] [--out build/bench/avro.md]

Each run is a process of its own, and the peers take turns, so that a busy machine is busy for all of them.
Time is the CPU (user and system) of the encoding or decoding calls alone: rows are handed over in memory,
8192 at a time, and files are in the page cache. The number is the least of N runs. Needs fastavro, cramjam,
zstandard (backports.zstd), pyarrow and polars; libavro when AVRO_BENCH was built with it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

CODECS = ("null", "snappy", "deflate", "zstandard")
# What a peer calls a codec; a missing one it cannot write.
PEERS = {
    "ours": {codec: codec for codec in CODECS},
    "libavro": {"null": "null", "snappy": "snappy", "deflate": "deflate"},
    "fastavro": {codec: codec for codec in CODECS},
    "polars": {"null": "uncompressed", "snappy": "snappy", "deflate": "deflate"},
    "parquet": {"null": "none", "snappy": "snappy", "deflate": "gzip", "zstandard": "zstd"},
}
CHUNK_ROWS = 8192
# fastavro makes a dict of each row, thirty times slower: some of the rows tell its speed as well.
FASTAVRO_ROWS = 300_000

FASTAVRO_SCHEMA = {
    "type": "record", "name": "Root", "fields": [
        {"name": "date", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
        {"name": "delay", "type": ["null", "long"]},
        {"name": "distance", "type": ["null", "long"]},
        {"name": "origin", "type": ["null", "string"]},
        {"name": "destination", "type": ["null", "string"]}]}


class Watch:
    def __init__(self):
        self.cpu = self.wall = 0.0

    def __enter__(self):
        self.cpu -= time.process_time()
        self.wall -= time.perf_counter()

    def __exit__(self, *_):
        self.cpu += time.process_time()
        self.wall += time.perf_counter()


def report(watch, rows):
    # Not getrusage: its peak includes the parent's memory from before exec.
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    print(json.dumps({"rows": rows, "cpu": watch.cpu, "wall": watch.wall, "rss_mb": peak}))


def dump_columns(parquet, folder, rows):
    """The columns as avro_bench reads them: int64 little-endian, airports of three letters."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = pq.read_table(parquet).slice(0, rows)
    for name in ("date", "delay", "distance"):
        with open(f"{folder}/{name}.bin", "wb") as file:
            for chunk in table[name].cast(pa.int64()).chunks:
                file.write(chunk.buffers()[1].to_pybytes()[chunk.offset * 8:(chunk.offset + len(chunk)) * 8])
    for name in ("origin", "destination"):
        with open(f"{folder}/{name}.bin", "wb") as file:
            for chunk in table[name].chunks:
                file.write("".join(chunk.to_pylist()).encode("ascii"))
    pq.write_table(table, f"{folder}/flights.parquet", row_group_size=CHUNK_ROWS)
    return table.num_rows


def run_fastavro(action, folder, path, codec):
    import fastavro
    import fastavro.write
    import pyarrow.parquet as pq
    watch, rows = Watch(), 0
    if action == "encode":
        with open(path, "wb") as file:
            with watch:
                writer = fastavro.write.Writer(file, FASTAVRO_SCHEMA, codec=codec, sync_interval=128 * 1024)
            for batch in pq.ParquetFile(f"{folder}/flights.parquet").iter_batches(CHUNK_ROWS):
                # Ready-made integers: without this, most of the time would be fastavro's date arithmetic.
                records = batch.set_column(0, "date", batch["date"].cast("int64")).to_pylist()
                with watch:
                    for record in records:
                        writer.write(record)
                rows += len(records)
                if rows >= FASTAVRO_ROWS:
                    break
            with watch:
                writer.flush()
    else:
        with open(path, "rb") as file, watch:
            for _ in fastavro.reader(file):
                rows += 1
    report(watch, rows)


def run_polars(action, folder, path, codec):
    import polars
    watch = Watch()
    if action == "encode":
        frame = polars.read_parquet(f"{folder}/flights.parquet")
        with watch:
            frame.write_avro(path, compression=codec)
    else:
        with watch:
            frame = polars.read_avro(path)
    report(watch, frame.height)


def run_parquet(action, folder, path, codec):
    import pyarrow
    import pyarrow.parquet as pq
    pyarrow.set_cpu_count(1)
    watch, rows = Watch(), 0
    if action == "encode":
        source = pq.ParquetFile(f"{folder}/flights.parquet")
        writer = pq.ParquetWriter(path, source.schema_arrow, compression=codec)
        tables = [pyarrow.Table.from_batches([b]) for b in source.iter_batches(CHUNK_ROWS)]
        table = pyarrow.concat_tables(tables)
        with watch:
            writer.write_table(table, row_group_size=1 << 20)
            writer.close()
        rows = table.num_rows
    else:
        with watch:
            for batch in pq.ParquetFile(path).iter_batches(CHUNK_ROWS, use_threads=False):
                rows += batch.num_rows
    report(watch, rows)


RUNNERS = {"fastavro": run_fastavro, "polars": run_polars, "parquet": run_parquet}


def run_peer(bench, peer, action, folder, path, codec):
    if peer in RUNNERS:
        command = [sys.executable, __file__, "--peer", peer, action, folder, path, codec]
    elif action == "encode":
        command = [bench, peer, action, folder, path, codec]
    else:
        command = [bench, peer, action, path]
    environment = dict(os.environ, POLARS_MAX_THREADS="1", OMP_NUM_THREADS="1")
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=environment)
    if done.returncode != 0:
        print(f"{peer} {action} {codec}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def measure(bench, folder, repeat, rows_expected):
    """{(peer, codec, action): the least CPU of the runs, with its wall, memory and file size}"""
    best = {}
    for _ in range(repeat):
        for codec in CODECS:
            for peer, names in PEERS.items():
                if codec not in names:
                    continue
                path = f"{folder}/{peer}-{codec}"
                for action in ("encode", "decode"):
                    result = run_peer(bench, peer, action, folder, path, names[codec])
                    if result is None:
                        break
                    if peer != "fastavro" and result["rows"] != rows_expected:
                        sys.exit(f"{peer} {action} {codec}: {result['rows']} rows, not {rows_expected}")
                    result["bytes"] = os.path.getsize(path)
                    key = (peer, codec, action)
                    if key not in best or result["cpu"] < best[key]["cpu"]:
                        best[key] = result
    return best


def section(best, rows, repeat):
    lines = ["## Avro: encode and decode of the flights table", "",
             f"{rows:,} rows (a timestamp, two integers, two airports; all NULLABLE), least of {repeat} runs, "
             f"{platform.machine()}, {os.cpu_count()} cores. CPU is seconds of user and system time of the codec's "
             "calls. \"× ours\" is the peer's CPU over ours: above 1, ours is faster. Memory is the peak of the "
             "process; polars holds the whole table, and Parquet is a column format: a reference point, not a peer. "
             "Each library uses its default compression level. fastavro's row is of its first "
             f"{FASTAVRO_ROWS:,} rows; its factor is per row.", ""]
    for action in ("encode", "decode"):
        lines += [f"| {action} | codec | CPU s | wall s | rows/s | × ours | memory MB | file MB |",
                  "|---|---|---:|---:|---:|---:|---:|---:|"]
        for codec in CODECS:
            for peer in PEERS:
                run = best.get((peer, codec, action))
                ours = best.get(("ours", codec, action))
                if run is None:
                    continue
                factor = run["cpu"] / run["rows"] / (ours["cpu"] / ours["rows"])
                lines.append(
                    f"| {peer} | {PEERS[peer][codec]} | {run['cpu']:.2f} | {run['wall']:.2f} | "
                    f"{run['rows'] / max(run['cpu'], 1e-9) / 1e6:.1f} M | {factor:.1f} | "
                    f"{run['rss_mb']:.0f} | {run['bytes'] / 1e6:.1f} |")
        lines.append("")
    return "\n".join(lines)


def main():
    if sys.argv[1:2] == ["--peer"]:
        RUNNERS[sys.argv[2]](*sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("parquet")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--out", default="build/bench/avro.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = dump_columns(args.parquet, folder, args.rows)
        text = section(measure(args.bench, folder, args.repeat, rows), rows, args.repeat)
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    with open(args.out, "w", encoding="utf-8") as file:
        file.write(text)
    print(text)


if __name__ == "__main__":
    main()
