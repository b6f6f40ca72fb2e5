#!/usr/bin/env python3
"""Verification at level L2 beside those who only decode the same files, as a Markdown section.

Usage: run.py HOLDFAST VERIFY_BENCH SAMPLE_DATA [--avro-tools JAR] [--repeat N] [--out build/bench/verify.md]

The demo backs up the flights table; the files of its newest backups are found by the SHA-256 that their
manifests state. Ours reads them in three ways: `verify_bench` (the program's code over files, one thread),
`holdfast backup verify` over the table (a process from its start to its end, with the catalog, the REST
client, and localcloud that serves the files), and nothing else. The peers decode every row and check
nothing. Runs take turns, so that a busy machine is busy for all of them; the number is the median.
"""

import argparse
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TABLE = "acme-aviation.operations.flights"
JAVA_PASSES = 4


def report(rows, cpu, wall):
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    print(json.dumps({"rows": rows, "cpu": cpu, "wall": wall, "rss_mb": peak}))


def decode_with_fastavro(list_file):
    import fastavro
    rows = 0
    paths = [line.split("\t")[0] for line in open(list_file, encoding="utf-8")]
    cpu, wall = time.process_time(), time.perf_counter()
    for path in paths:
        with open(path, "rb") as file:
            for _ in fastavro.reader(file):
                rows += 1
    report(rows, time.process_time() - cpu, time.perf_counter() - wall)


def lines_of(command):
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_program(command):
    """One process from its start to its end. Its peak is the child's own, told by wait4."""
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f"{command} exited with {process.returncode}")
    reports = json.loads(out)
    return {"rows": sum(row["rows_read"] for row in reports), "wall": wall,
            "cpu": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024, "reports": reports}


def read_long(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def decoded_bytes(path):
    """The bytes of an Avro file's blocks before snappy, as snappy states them."""
    data = pathlib.Path(path).read_bytes()
    at = 4
    while True:
        count, at = read_long(data, at)
        if count == 0:
            break
        for _ in range(2 * count):
            size, at = read_long(data, at)
            at += size
    at += 16
    total = 0
    while at < len(data):
        _, at = read_long(data, at)
        size, at = read_long(data, at)
        shift = stated = 0
        for byte in data[at:at + 5]:
            stated |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        total += stated
        at += size + 16
    return total


def files_of(directory, reports):
    """Lines of verify_bench's list: the files of those backups, by what their manifests state."""
    backups = {row["backup"] for row in reports}
    by_hash, manifests = {}, []
    for blob in (directory / "demo/localcloud/storage/blobs").iterdir():
        data = blob.read_bytes()
        if data[:4] == b"Obj\x01":
            by_hash[hashlib.sha256(data).hexdigest()] = blob
        elif data[:1] == b"{" and b'"manifest_sha256"' in data:
            manifests.append(json.loads(data))
    lines = []
    for manifest in manifests:
        if manifest["backup"] not in backups:
            continue
        if len(manifest["objects"]) != 1:
            sys.exit(f"{manifest['object']} has {len(manifest['objects'])} files: their digests are not told apart")
        told = manifest["objects"][0]
        lines.append(f"{by_hash[told['sha256']]}\t{told['crc32c']}\t{told['sha256']}\t{manifest['content_digest']}")
    if len(lines) != len(backups):
        sys.exit(f"{len(lines)} files of {len(backups)} backups")
    return sorted(lines)


def measure(options, directory):
    directory = pathlib.Path(directory)
    subprocess.run([options.holdfast, "--data-dir", str(directory), "demo", "--sample-data", options.sample_data],
                   check=True, capture_output=True)
    verify = [options.holdfast, "--config", str(directory / "demo/config.yaml"), "backup", "verify", TABLE,
              "--level", "L2", "--format=json", "--quiet"]
    lines = files_of(directory, run_program(verify)["reports"])
    list_file = str(directory / "files.tsv")
    pathlib.Path(list_file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    runs = {}
    for _ in range(options.repeat):
        runs.setdefault("ours", []).extend(lines_of([options.verify_bench, list_file]))
        runs.setdefault("program", []).append(run_program(verify))
        runs.setdefault("fastavro", []).extend(lines_of([sys.executable, __file__, "--fastavro", list_file]))
        if options.avro_tools:
            source = str(pathlib.Path(__file__).with_name("Decode.java"))
            passes = lines_of(["java", "-cp", options.avro_tools, source, list_file, str(JAVA_PASSES)])
            runs.setdefault("java first", []).append(passes[0])
            best = min(passes, key=lambda one: one["wall"])
            runs.setdefault("java best", []).append({**best, "rss_mb": passes[-1]["rss_mb"]})
    paths = [line.split("\t")[0] for line in lines]
    return runs, sum(map(os.path.getsize, paths)), sum(map(decoded_bytes, paths)), len(paths)


TITLES = {
    "ours": "ours: L2 over the files (bytes hashed, rows digested), one thread",
    "program": "ours: `holdfast backup verify`, whole process, localcloud included",
    "fastavro": "fastavro: decode only",
    "java first": "avro-tools' library: decode only, first pass of a process",
    "java best": f"avro-tools' library: decode only, best of {JAVA_PASSES} passes in one process",
}


def section(runs, stored, decoded, files, load):
    median = {who: {key: statistics.median(run[key] for run in of) for key in ("cpu", "wall", "rss_mb", "rows")}
              for who, of in runs.items()}
    rows = median["ours"]["rows"]
    for who, of in median.items():
        if of["rows"] != rows:
            sys.exit(f"{who} read {of['rows']} rows, not {rows}")
    peers = [who for who in median if who not in ("ours", "program")]
    fastest = min(peers, key=lambda who: median[who]["wall"])
    cheapest = min(peers, key=lambda who: median[who]["cpu"])
    lines = ["## Verification at level L2 beside decoders", "",
             f"The {files} files of a backup of the flights table: {rows:,.0f} rows, {stored / 1e6:.1f} MB of Avro with "
             f"snappy, {decoded / 1e6:.1f} MB decoded. Medians of {len(runs['ours'])} runs that took turns; load "
             f"average {load} before them. The peers decode every row and check nothing; ours computes crc32c, "
             "SHA-256 and the content digest as well and compares them with the manifest. A process's start counts "
             "for `holdfast backup verify` only.", "",
             "| who | wall s | CPU s | stored MB/s | decoded MB/s | decoded MB per CPU s | memory MB |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for who, title in TITLES.items():
        if who not in median:
            continue
        one = median[who]
        lines.append(f"| {title} | {one['wall']:.2f} | {one['cpu']:.2f} | {stored / one['wall'] / 1e6:.0f} | "
                     f"{decoded / one['wall'] / 1e6:.0f} | {decoded / one['cpu'] / 1e6:.0f} | {one['rss_mb']:.0f} |")
    lines += ["",
              f"Aim: 3 times the fastest. By CPU, ours over the files is {median[cheapest]['cpu'] / median['ours']['cpu']:.1f} "
              f"times {cheapest.replace('java', 'avro-tools')}, by wall time {median[fastest]['wall'] / median['ours']['wall']:.1f} "
              f"times {fastest.replace('java', 'avro-tools')}; the whole program is "
              f"{median[cheapest]['cpu'] / median['program']['cpu']:.1f} and "
              f"{median[fastest]['wall'] / median['program']['wall']:.1f} times."]
    if "java best" not in median:
        lines += ["", "avro-tools was not measured: neither its jar nor a Java with a compiler could be had."]
    return lines


def main():
    if sys.argv[1:2] == ["--fastavro"]:
        decode_with_fastavro(sys.argv[2])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("holdfast")
    parser.add_argument("verify_bench")
    parser.add_argument("sample_data")
    parser.add_argument("--avro-tools")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        lines = section(*measure(options, directory), f"{load:.1f}")
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
