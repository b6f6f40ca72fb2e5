"""The catalog in PostgreSQL: backup, restore and prune with two worker processes beside the command,
each with a directory of its own; workers of different stages that share a run, and finish it when the
command is killed; a rebuild into an empty database; errors that say what to do."""
import json
import os
import signal
import subprocess
import sys
import time

from harness import DEADLINE_SECONDS, check, run_scenarios, sales

SERVER_PROGRAM = os.path.abspath(sys.argv[2])


class Server:
    """A PostgreSQL server, which ends with this process."""

    def __init__(self, world):
        self.process = subprocess.Popen([SERVER_PROGRAM], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        check(self.url.startswith('postgresql://'), 'PostgreSQL does not start')
        world.variables['HOLDFAST_CATALOG_URL'] = self.url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Workers:
    """Processes that do the work of runs, each with a data directory that no other one has. What
    each of them wrote to stderr is in `logs` once they have ended."""

    def __init__(self, world, *commands):
        self.processes = []
        self.logs = []
        for i, command in enumerate(commands):
            environment = {**world.environment(), 'HOLDFAST_DATA_DIR': str(world.root / f'worker{i}')}
            self.processes.append(subprocess.Popen(
                [os.path.abspath(sys.argv[1]), *command], env=environment, text=True,
                stdout=subprocess.DEVNULL, stderr=open(world.root / f'worker{i}.log', 'w+',
                                                       encoding='utf-8')))
            self.logs.append(world.root / f'worker{i}.log')

    def __enter__(self):
        end = time.monotonic() + DEADLINE_SECONDS
        for process, log in zip(self.processes, self.logs):
            while ' ready; ' not in log.read_text(encoding='utf-8'):
                check(process.poll() is None and time.monotonic() < end,
                      f'a worker does not start: {log.read_text(encoding="utf-8")}')
                time.sleep(0.05)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process, log in zip(self.processes, self.logs):
            process.wait(timeout=60)
            check(process.returncode == 0,
                  f'a worker exited with {process.returncode}: {log.read_text(encoding="utf-8")}')

    def done(self, worker):
        """(stage, object) of each task that the worker completed."""
        lines = self.logs[worker].read_text(encoding='utf-8').split('\n')[:-1]  # the last is under way
        entries = [json.loads(line) for line in lines if line.startswith('{')]
        return [(entry['stage'], entry['object']) for entry in entries
                if entry.get('message') == 'stage done']


def organization(world):
    """Two projects; the rows of each table by name."""
    rows = sales(world)
    world.create_dataset('acme-web', 'visits')
    for i in range(6):
        world.create_table(f'acme-web.visits.page{i}', [('id', 'INT64')])
        world.query('acme-web', f'INSERT INTO `acme-web.visits.page{i}` (id) VALUES (1), (2), (3)')
        rows[f'acme-web.visits.page{i}'] = 3
    return rows


def check_restored(world, rows, dataset):
    for project, source in (('acme-shop', 'sales'), ('acme-web', 'visits')):
        report = world.json('restore', 'run', f'{project}.{source}', '--to-dataset', dataset)
        check(report['succeeded'], f'{report}')
        compared = [table for table in report['tables'] if 'comparison' in table]
        check(compared and all(t['comparison']['equal'] for t in compared), f'{report}')
    for table, count in rows.items():
        project, _, name = table.split('.')
        back = world.query(project, f'SELECT COUNT(*) FROM `{project}.{dataset}.{name}`')
        check(back == [[str(count)]], f'{table}: {back} rows came back of {count}')


def backup_restore_and_prune_with_two_workers(world):
    rows = organization(world)
    world.variables.update(HOLDFAST_RETENTION='{keep_last: 1}', HOLDFAST_PRUNE_GRACE_HOURS='0',
                           HOLDFAST_PRUNE_SHARE_MAX='1')
    with Server(world), Workers(world, *[['up', '--workers=2']] * 2):
        report = world.json('backup', 'run')
        check(not [i for i in report['items'] if i['outcome'] != 'backed_up'], f"{report['items']}")
        world.query('acme-web', 'INSERT INTO `acme-web.visits.page0` (id) VALUES (4)')
        rows['acme-web.visits.page0'] += 1
        again = world.json('backup', 'run')['items']
        taken = [item['object'] for item in again if item['outcome'] == 'backed_up']
        check(taken == ['acme-web.visits.page0'], f'{again}')
        everything = world.json('backup', 'list', '--limit', '1000')
        ids = [backup['backup'] for backup in everything]
        check(len(ids) == len(set(ids)), f'a backup is listed twice: {ids}')
        world.run('backup', 'verify', '--all')
        check_restored(world, rows, 'back')

        world.json('backup', 'prune', '--yes')
        world.json('backup', 'prune', '--yes')
        left = world.json('backup', 'list', '--limit', '1000')
        check(len(left) == len(everything) - 1, f'one was superseded: {left}')
        world.run('catalog', 'check')
        world.run('audit', 'verify')
        check(not (world.root / 'data' / 'catalog.sqlite').exists(), 'SQLite was used')


def check_every_backup_is_one(world, rows):
    everything = world.json('backup', 'list', '--limit', '1000')
    taken = [backup['object'] for backup in everything]
    check(len(taken) == len(set(taken)), f'an object was backed up twice: {taken}')
    tables = {name.split('$')[0] for name in taken if not name.endswith('.dataset:definition')}
    check(tables == set(rows), f'{tables} are not {set(rows)}')


def workers_of_different_stages_share_a_run(world):
    rows = organization(world)
    for i in range(4):
        world.create_dataset(f'acme-more{i}', 'visits')
        rows[f'acme-more{i}.visits.page'] = 0
        world.create_table(f'acme-more{i}.visits.page', [('id', 'INT64')])
    world.variables.update(HOLDFAST_LOG_LEVEL='info', HOLDFAST_LOG_FORMAT='json')
    # So slow that the command's one worker cannot do it all before another asks for work.
    world.fault(path='/bigquery/v2/projects/*', effect='delay', delayMs=150, count=-1)
    commands = [['worker', '--stage=projects,scan', '--workers=2'],
                ['worker', '--stage=backup', '--workers=2']]
    with Server(world), Workers(world, *commands) as workers:
        report = world.json('backup', 'run', '--workers=1')
        check(not [i for i in report['items'] if i['outcome'] != 'backed_up'], f"{report['items']}")
        check_every_backup_is_one(world, rows)
    looked, backed_up = workers.done(0), workers.done(1)
    check('scan' in {stage for stage, _ in looked}, f'the first had nothing to do: {looked}')
    check({stage for stage, _ in looked} <= {'projects', 'scan'}, f'{looked}')
    check({stage for stage, _ in backed_up} == {'backup'}, f'{backed_up}')
    check(len(backed_up) == len(set(backed_up)), f'one task was completed twice: {backed_up}')


def workers_finish_what_a_killed_command_began(world):
    rows = organization(world)
    world.variables.update(HOLDFAST_LOG_LEVEL='info', HOLDFAST_LOG_FORMAT='json')
    world.fault(path='/bigquery/v2/projects/*', effect='delay', delayMs=150, count=-1)
    commands = [['worker', '--stage=projects,scan', '--workers=2'],
                ['worker', '--stage=backup', '--workers=2']]
    with Server(world), Workers(world, *commands) as workers:
        command = world.start('backup', 'run', '--workers=1')
        end = time.monotonic() + DEADLINE_SECONDS
        while not workers.done(1):
            check(time.monotonic() < end, 'no worker backs anything up')
            time.sleep(0.05)
        command.kill()
        command.communicate()
        report = world.json('backup', 'run', '--workers=1')
        check(report['continued'], f'nothing was gone on with: {report}')
        check(not [i for i in report['items'] if i['outcome'] not in ('backed_up', 'unchanged')],
              f"{report['items']}")
        check_every_backup_is_one(world, rows)
        world.clear_faults()
        check_restored(world, rows, 'back')


def a_lost_database_is_rebuilt(world):
    rows = organization(world)
    with Server(world):
        world.json('backup', 'run')
        before = world.json('backup', 'list', '--limit', '1000')
    with Server(world):
        check(world.json('backup', 'list') == [], 'the new database is empty')
        world.run('catalog', 'rebuild')
        check(world.json('backup', 'list', '--limit', '1000') == before, 'other backups came back')
        check_restored(world, rows, 'back')


def errors_say_what_to_do(world):
    with Server(world) as server:
        world.json('backup', 'list')
    world.run('backup', 'list', expect=None)
    check(world.last_code != 0 and 'C0001' in world.last_error, world.last_error)
    check('catalog.url' in world.last_error and 'Your data' in world.last_error, world.last_error)
    for url, password, part in (
            (server.url.replace('@', ':hunter2@'), '', 'holds a password'),
            ('mysql://db/holdfast', '', 'postgresql://'),
            (server.url, 'hunter2', 'env:NAME'),
            (server.url, 'env:HF_NOT_SET', 'HF_NOT_SET')):
        world.variables['HOLDFAST_CATALOG_URL'] = url
        world.variables['HOLDFAST_CATALOG_PASSWORD'] = password
        world.run('backup', 'list', expect=2)
        check(part in world.last_error, world.last_error)
        check('hunter2' not in world.last_error, world.last_error)


if __name__ == '__main__':
    run_scenarios(backup_restore_and_prune_with_two_workers,
                  workers_of_different_stages_share_a_run,
                  workers_finish_what_a_killed_command_began, a_lost_database_is_rebuilt,
                  errors_say_what_to_do)
