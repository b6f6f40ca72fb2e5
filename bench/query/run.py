#!/usr/bin/env python3
"""Questions to a backup of the flights table, as a Markdown section.

Usage: run.py HOLDFAST SAMPLE_DATA [--repeat N] [--out build/bench/query.md]

The demo backs up the flights table by day. Each question is one process of the program from its start to
its end, localcloud included, beside the answer of polars to the same question over the whole table as one
Parquet file. Bytes read are the program's own count of what it fetched; the bytes of a partition are those
that its backup states.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TABLE = 'acme-aviation.operations.flights'
SHARE_MAX = 1.5  # bytes read of a partition's bytes
SECONDS_MAX = 1.0


def run_program(command):
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out = process.stdout.read()
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f'{command} exited with {process.returncode}: {error}')
    return {'wall': wall, 'cpu': usage.ru_utime + usage.ru_stime, 'memory': usage.ru_maxrss / 1024,
            'answer': json.loads(out)}


def polars_answer(parquet, sql):
    code = ('import json, polars, sys, time\n'
            'started = time.monotonic()\n'
            'context = polars.SQLContext(flights=polars.scan_parquet(sys.argv[1]))\n'
            'rows = context.execute(sys.argv[2], eager=True).rows()\n'
            'print(json.dumps([time.monotonic() - started, list(rows[0])]))')
    done = subprocess.run([sys.executable, '-c', code, parquet, sql], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def measure(options, directory):
    subprocess.run([options.holdfast, '--data-dir', directory, 'demo', '--sample-data', options.sample_data],
                   check=True, capture_output=True)
    program = [options.holdfast, '--config', f'{directory}/demo/config.yaml', '--format=json', '--quiet']
    backups = run_program([*program, 'backup', 'list', TABLE, '--limit', '10000'])['answer']
    first_run = min(b['run'] for b in backups)  # a later one finds that the demo deleted a day
    backups = [b for b in backups if b['run'] == first_run]
    table = f"{TABLE}@{max(b['consistent_through'] for b in backups)}"
    day = sorted(backups, key=lambda b: b['rows'])[len(backups) // 2]
    partition = day['object'].split('$')[1]
    date = f'{partition[:4]}-{partition[4:6]}-{partition[6:]}'
    questions = {
        'count of one day': f"select count(*) as n from flights where date >= '{date} 00:00:00' "
                            f"and date <= '{date} 23:59:59'",
        'three figures of one day': 'select count(*) as a, sum(delay) as b, max(distance) as c from flights '
                             f"where date >= '{date} 00:00:00' and date <= '{date} 23:59:59'",
        'one column of the whole table': 'select sum(distance) as total from flights',
    }
    found = []
    for title, sql in questions.items():
        runs = [run_program([*program, 'backup', 'query', table, sql]) for _ in range(options.repeat)]
        peer = polars_answer(f'{options.sample_data}/flights-3m.parquet', sql)
        first = runs[0]['answer']
        if list(first['rows'][0].values()) != [round(cell) for cell in peer[1]]:
            sys.exit(f'{sql}: ours {first["rows"]}, polars {peer[1]}')
        found.append({'title': title, 'polars': peer[0], 'answer': first,
                      **{key: statistics.median(run[key] for run in runs) for key in ('wall', 'cpu', 'memory')}})
    return found, backups, day


def section(found, backups, day, repeat):
    total = sum(b['bytes'] for b in backups)
    lines = ['## Questions to a backup', '',
             f'The flights table as it was backed up: {sum(b["rows"] for b in backups):,} rows in {len(backups)} '
             f'partitions, {total / 1e6:.1f} MB of Avro; the day asked for has {day["rows"]:,} rows and '
             f'{day["bytes"] / 1e3:.1f} KB. Medians of {repeat} runs; each is a whole process, from its start to '
             'its end, with localcloud. Polars is timed without the start of its process, and reads one Parquet file of all rows.', '',
             '| question | wall s | CPU s | memory MB | partitions read | bytes read | polars over Parquet s |',
             '|---|---:|---:|---:|---:|---:|---:|']
    for one in found:
        answer = one['answer']
        lines.append(f'| {one["title"]} | {one["wall"]:.2f} | {one["cpu"]:.2f} | {one["memory"]:.0f} | '
                     f'{answer["partitions_read"]} of {answer["partitions"]} | {answer["bytes_read"]:,} | '
                     f'{one["polars"]:.2f} |')
    of_day = [one for one in found if one['answer']['partitions_read'] == 1]
    if not of_day:
        sys.exit('no question read one partition alone')
    share = max(one['answer']['bytes_read'] / day['bytes'] for one in of_day)
    slowest = max(one['wall'] for one in of_day)
    lines += ['', f'Aim: of one partition at most {SHARE_MAX} times its bytes are read ({share:.2f}: '
              f'{"met" if share <= SHARE_MAX else "not met"}), and the answer is there within {SECONDS_MAX:.0f} s '
              f'({slowest:.2f} s: {"met" if slowest < SECONDS_MAX else "not met"}).']
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('holdfast')
    parser.add_argument('sample_data')
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--out', type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        text = '\n'.join(section(*measure(options, directory), options.repeat)) + '\n'
    sys.stdout.write(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
