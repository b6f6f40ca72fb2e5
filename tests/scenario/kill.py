"""SIGKILL at any moment, of the program and of localcloud; the same command again finishes the work
without a duplicate or a loss. HOLDFAST_ROUNDS: how many kills in each scenario (everything: of each
command)."""
import os
import random
import signal
import time

from harness import check, run_side_by_side, sales

ROUNDS = int(os.environ.get('HOLDFAST_ROUNDS', '50'))


def count_rows(world, table):
    return int(world.query(table.split('.')[0], f'SELECT COUNT(*) FROM `{table}`')[0][0])


class Killer:
    """Kills a command anywhere between its start and its end, of which it learns when that is."""

    def __init__(self, seconds):
        self.usual = seconds
        self.killed = 0
        self.ended = 0

    def strike(self, process):
        """Kills the process unless it ends first; whether it was killed."""
        started = time.monotonic()
        try:
            process.communicate(timeout=random.uniform(0, self.usual))
        except Exception:  # the time is up
            process.send_signal(signal.SIGKILL)
            process.communicate()
        if process.returncode == -signal.SIGKILL:
            self.killed += 1
            self.usual = min(self.usual * 1.03, 10)
            return True
        self.ended += 1
        self.usual = (self.usual + time.monotonic() - started) / 2
        return False

    def has_rounds(self):
        check(self.ended < 4 * ROUNDS + 20, f'killed {self.killed}, too late for {self.ended}')
        return self.killed < ROUNDS


def measure(world, *arguments):
    started = time.monotonic()
    world.run(*arguments)
    return time.monotonic() - started


def add_person(world, rows, number):
    world.query('acme-shop',
                f"INSERT INTO `acme-shop.sales.people` (id, name) VALUES ({number}, 'more')")
    rows['acme-shop.sales.people'] += 1


def check_each_is_there_once(world, rows, objects):
    """Each object has a good newest backup, each backup one manifest."""
    world.run('backup', 'verify', '--all')
    listed = world.json('backup', 'list', '--latest', '--limit', '1000')
    check(len(listed) == objects, f'{objects} objects have a backup, not {len(listed)}')
    total = sum(int(backup['rows']) for backup in listed)
    check(total == sum(rows.values()), f'{total} rows are backed up, {rows} are there')
    everything = world.json('backup', 'list', '--limit', '1000')
    ids = [backup['backup'] for backup in everything]
    check(len(ids) == len(set(ids)), 'a backup is listed twice')
    buckets = {backup['repository'].removeprefix('gs://') for backup in everything}
    names = [item['name'] for bucket in buckets for item in world.objects(bucket, 'manifests/')]
    check(len(names) == len(ids), f'{len(ids)} backups have {len(names)} manifests')
    for backup in ids:
        check(sum(backup in name for name in names) == 1, f'{backup} has not one manifest')


def backup_is_killed(world):
    rows = sales(world, days=3)
    killer = Killer(measure(world, 'backup', 'run', '--dry-run') + 0.3)
    number = 100
    while killer.has_rounds():
        number += 1
        if number % 3 == 0:
            add_person(world, rows, number)
        killer.strike(world.start('backup', 'run'))
    # What was interrupted is finished, then whatever came later is taken.
    world.json('backup', 'run')
    world.json('backup', 'run')
    check_each_is_there_once(world, rows, objects=5)
    return killer.killed


def restore_is_killed(world):
    rows = sales(world, days=3)
    world.json('backup', 'run')

    def check_restored(to):
        # Killed after its very end, the restore is done and its target an ordinary table again.
        for table, count in rows.items():
            back = table.replace('.sales.', f'.{to}.')
            check(count_rows(world, back) == count, f'{back}: {count_rows(world, back)} of {count}')

    killer = Killer(0.7)
    while killer.has_rounds():
        to = f'back_{killer.ended}'
        process = world.start('restore', 'run', 'acme-shop.sales', '--to-dataset', to)
        if killer.strike(process):
            continue
        check(process.returncode in (0, 13), f'the restore exited with {process.returncode}')
        check_restored(to)
    to = f'back_{killer.ended}'
    world.run('restore', 'run', 'acme-shop.sales', '--to-dataset', to, expect=None)
    check(world.last_code in (0, 13), world.last_error)
    check_restored(to)
    return killer.killed


def localcloud_is_killed(world):
    rows = sales(world)
    rounds = max(ROUNDS // 6, 3)
    for _ in range(rounds):
        process = world.start('backup', 'run')
        time.sleep(random.uniform(0.05, 0.8))
        world.kill_server()
        process.kill()
        process.communicate()
        world.start_server()
        for table, count in rows.items():
            check(count_rows(world, table) == count, f'{table} lost rows')
    report = world.json('backup', 'run')
    check(all(i['outcome'] in ('backed_up', 'unchanged') for i in report['items']), f"{report['items']}")
    world.run('backup', 'verify', '--all')
    return rounds


def everything_is_killed(world):
    """Backups and prunes, one after the other, each killed somewhere; rows come and go meanwhile."""
    rows = sales(world, days=2)
    world.variables.update(HOLDFAST_RETENTION='{keep_last: 2}', HOLDFAST_PRUNE_GRACE_HOURS='0',
                           HOLDFAST_PRUNE_SHARE_MAX='1')
    world.json('backup', 'run')
    killers = {('backup', 'run'): Killer(measure(world, 'backup', 'run', '--dry-run') + 0.3),
               ('backup', 'prune', '--yes'): Killer(measure(world, 'backup', 'prune') + 0.2)}
    number = 100
    while any([killer.has_rounds() for killer in killers.values()]):
        number += 1
        add_person(world, rows, number)
        for command, killer in killers.items():
            if killer.has_rounds():
                killer.strike(world.start(*command))
    # What was interrupted is finished, then whatever came later is taken, then what is to go goes.
    for command in [('backup', 'run'), ('backup', 'run'), ('backup', 'prune', '--yes'),
                    ('backup', 'prune', '--yes')]:
        world.run(*command)
    world.run('backup', 'verify', '--all')
    checked = world.json('catalog', 'check')
    check(checked['manifests'] == checked['records'] > 0, f'{checked}')
    world.run('audit', 'verify')
    report = world.json('restore', 'run', 'acme-shop.sales', '--to-project', 'acme-rescue')
    check(report['succeeded'], f'{report}')
    for table, count in rows.items():
        back = table.replace('acme-shop', 'acme-rescue')
        check(count_rows(world, back) == count, f'{back}: {count_rows(world, back)} rows, not {count}')
    return sum(killer.killed for killer in killers.values())


if __name__ == '__main__':
    kills = run_side_by_side(everything_is_killed, backup_is_killed, restore_is_killed,
                             localcloud_is_killed)
    check(sum(kills) >= 4 * ROUNDS, f'{kills} kills')
    print(f'{sum(kills)} kills')
