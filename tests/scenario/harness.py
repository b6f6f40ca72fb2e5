"""What the scenario tests share: a localcloud of their own, the program, and plain REST calls.

Only the standard library, so that nothing has to be installed. Each scenario is a script of its own;
it gets the program's path as its argument and exits non-zero with a reason on failure.
"""
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else 'build/release/bin/holdfast'
DEADLINE_SECONDS = 120


class Failure(Exception):
    """A scenario that did not go as it must."""


def check(condition, message):
    if not condition:
        raise Failure(message)


class World:
    """A data directory, a localcloud that serves from it, and commands of the program."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-scenario-'))
        self.server = None
        self.http = None
        self.start_server()

    def start_server(self):
        log = open(self.root / 'localcloud.log', 'w+', encoding='utf-8')
        self.server = subprocess.Popen(
            [PROGRAM, 'localcloud', '--data', str(self.root / 'cloud'), '--http-port', '0',
             '--grpc-port', '0'], stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + DEADLINE_SECONDS
        while True:
            text = (self.root / 'localcloud.log').read_text(encoding='utf-8')
            variables = dict(line[len('export '):].split('=', 1) for line in text.splitlines()
                             if line.startswith('export '))
            if 'RESOURCE_MANAGER_EMULATOR_HOST' in variables:
                break
            check(self.server.poll() is None, f'localcloud ended: {text}')
            check(time.monotonic() < end, f'localcloud does not start: {text}')
            time.sleep(0.05)
        self.variables = variables
        self.http = variables['BIGQUERY_EMULATOR_HOST']

    def kill_server(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def environment(self):
        return {**os.environ, **self.variables, 'HOLDFAST_DATA_DIR': str(self.root / 'data'),
                'NO_COLOR': '1'}

    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, *arguments], env=self.environment(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, expect=0):
        """Runs the program; its stdout. `expect`: the exit code, or None for any."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        self.last_error = err
        self.last_code = process.returncode
        if expect is not None:
            check(process.returncode == expect,
                  f'{arguments} exited with {process.returncode}, not {expect}:\n{out}\n{err}')
        return out

    def json(self, *arguments, expect=0):
        return json.loads(self.run(*arguments, '--format=json', expect=expect))

    def call(self, method, path, body=None, raw=None, content_type='application/json'):
        """One REST call; the answer's JSON ({} when empty)."""
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        request = urllib.request.Request(self.http + path, data=data, method=method,
                                         headers={'Content-Type': content_type})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Failure(f'{method} {path}: {error.code} {error.read().decode()}') from error
        return json.loads(text) if text else {}

    def query(self, project, sql):
        """The rows of a query, each a list of texts."""
        answer = self.call('POST', f'/bigquery/v2/projects/{project}/queries',
                           {'query': sql, 'useLegacySql': False, 'timeoutMs': 60000})
        check(answer.get('jobComplete'), f'the query did not end: {sql}')
        return [[cell['v'] for cell in row['f']] for row in answer.get('rows', [])]

    def create_dataset(self, project, dataset, location='US'):
        self.call('POST', f'/bigquery/v2/projects/{project}/datasets',
                  {'datasetReference': {'projectId': project, 'datasetId': dataset},
                   'location': location})

    def create_table(self, name, fields, **members):
        project, dataset, table = name.split('.')
        self.call('POST', f'/bigquery/v2/projects/{project}/datasets/{dataset}/tables',
                  {'tableReference': {'projectId': project, 'datasetId': dataset, 'tableId': table},
                   'schema': {'fields': [{'name': n, 'type': t} for n, t in fields]}, **members})

    def fault(self, **rule):
        self.call('POST', '/_localcloud/faults', rule)

    def clear_faults(self):
        self.call('DELETE', '/_localcloud/faults')

    def objects(self, bucket, prefix=''):
        """Every object below a prefix, all pages."""
        found, token = [], ''
        while True:
            answer = self.call('GET', f'/storage/v1/b/{bucket}/o?prefix={urllib.parse.quote(prefix)}'
                               f'&pageToken={urllib.parse.quote(token)}')
            found += answer.get('items', [])
            token = answer.get('nextPageToken', '')
            if not token:
                return found

    def delete_object(self, bucket, name):
        self.call('DELETE', f'/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe="")}')

    def read_object(self, bucket, name):
        path = f'/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe="")}?alt=media'
        with urllib.request.urlopen(self.http + path, timeout=60) as answer:
            return answer.read()

    def replace_object(self, bucket, name, content):
        self.call('POST', f'/upload/storage/v1/b/{bucket}/o?uploadType=media&name='
                  f'{urllib.parse.quote(name, safe="")}', raw=content,
                  content_type='application/octet-stream')

    def close(self):
        if self.server.poll() is None:
            self.server.terminate()
            self.server.wait()
        shutil.rmtree(self.root, ignore_errors=True)


def sales(world, days=3, rows_per_day=20):
    """A project with a table partitioned by day and a plain one; their row counts by name."""
    world.create_dataset('acme-shop', 'sales')
    world.create_table('acme-shop.sales.orders',
                       [('day', 'DATE'), ('id', 'INT64'), ('note', 'STRING')],
                       timePartitioning={'type': 'DAY', 'field': 'day'}, description='Orders by day')
    values = ', '.join(f"(DATE '2026-01-{day + 1:02d}', {day * 1000 + i}, 'note {i}')"
                       for day in range(days) for i in range(rows_per_day))
    world.query('acme-shop', f'INSERT INTO `acme-shop.sales.orders` (day, id, note) VALUES {values}')
    world.create_table('acme-shop.sales.people', [('id', 'INT64'), ('name', 'STRING')])
    world.query('acme-shop', "INSERT INTO `acme-shop.sales.people` (id, name) VALUES "
                "(1, 'Ada'), (2, 'Grace'), (3, NULL)")
    return {'acme-shop.sales.orders': days * rows_per_day, 'acme-shop.sales.people': 3}


def run_scenario(function):
    """Runs one scenario in a world of its own and says how it went; what it returned."""
    world = World()
    try:
        result = function(world)
    except Failure as failure:
        print(f'FAILED {function.__name__}: {failure}')
        print((world.root / 'localcloud.log').read_text(encoding='utf-8')[-2000:])
        sys.exit(1)
    finally:
        world.close()
    print(f'ok {function.__name__}', flush=True)
    return result


def run_side_by_side(*functions, at_once=2):
    """Runs scenarios in processes of their own, that many at a time; what they returned."""
    context = multiprocessing.get_context('fork')
    results = context.SimpleQueue()

    def run(function):
        random.seed(function.__name__)
        results.put(run_scenario(function))

    waiting, running, failed = list(functions), {}, []
    while (waiting and not failed) or running:
        if waiting and not failed and len(running) < at_once:
            process = context.Process(target=run, args=(waiting.pop(0),))
            process.start()
            running[process.sentinel] = process
            continue
        for sentinel in multiprocessing.connection.wait(list(running)):
            process = running.pop(sentinel)
            process.join()
            failed += [process] if process.exitcode != 0 else []
    check(not failed, f'{len(failed)} scenarios failed')
    return [results.get() for _ in functions]


def run_scenarios(*functions):
    check(functions, 'no scenario was given')
    random.seed(1)
    for function in functions:
        run_scenario(function)
