#!/usr/bin/env python3
"""Backup of the whole demo organization, as a Markdown section.

Usage: run.py HOLDFAST SAMPLE_DATA [--repeat N] [--out build/bench/backup.md]

The demo fills a localcloud; then its catalog is put aside and everything is backed up again, in one
process that holds localcloud, client and engine. CPU is that process's user and system time; waiting is
the share of wall time in which the machine's cores were not used by it. There is no peer to run beside it:
the line "reading alone" is `backup verify` over the same backups, which reads and decodes every byte.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def timed(arguments):
    """Wall and CPU seconds of one process, its peak of memory in MB, and what it printed."""
    started = time.monotonic()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f'{arguments} exited with {process.returncode}')
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('holdfast')
    parser.add_argument('sample_data')
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--out', default='build/bench/backup.md')
    options = parser.parse_args()
    cores = os.cpu_count()
    lines = []
    with tempfile.TemporaryDirectory() as directory:
        program = [options.holdfast, '--data-dir', directory]
        subprocess.run([*program, 'demo', '--sample-data', options.sample_data], check=True,
                       capture_output=True)
        demo = pathlib.Path(directory) / 'demo'
        program = [options.holdfast, '--config', str(demo / 'config.yaml')]
        runs = []
        for _ in range(options.repeat):
            for file in demo.glob('catalog.sqlite*'):
                file.unlink()
            wall, cpu, memory, out = timed([*program, 'backup', 'run', '--format=json', '--workers=4'])
            runs.append((wall, cpu, memory, json.loads(out)['totals']))
        wall, cpu, memory, totals = min(runs, key=lambda r: r[0])
        rows, stored = int(totals['rows']), int(totals['bytes'])
        if rows < 3_000_000:
            sys.exit(f'only {rows} rows were backed up: {totals}')
        lines.append(('backup of everything', wall, cpu, memory, rows, stored))
        wall, cpu, memory, _ = timed([*program, 'backup', 'verify', '--format=json'])
        lines.append(('reading alone (verify L2)', wall, cpu, memory, rows, stored))
    text = ['## Backup of the demo organization', '',
            f'{cores} cores, least of {options.repeat} runs. Stored bytes are Avro with snappy. Memory is the peak of the process, which is localcloud too.', '',
            '| what | wall s | CPU s | rows/s | stored MB/s | waiting | memory MB |', '|---|---:|---:|---:|---:|---:|---:|']
    for name, wall, cpu, memory, rows, stored in lines:
        text.append(f'| {name} | {wall:.2f} | {cpu:.2f} | {rows / wall / 1e6:.2f} M | '
                    f'{stored / wall / 1e6:.1f} | {max(0.0, 1 - cpu / (wall * cores)):.0%} | {memory:.0f} |')
    path = pathlib.Path(options.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(text) + '\n', encoding='utf-8')
    print('\n'.join(text))


main()
