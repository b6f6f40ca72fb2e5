"""SIGKILL at any moment, of the program and of localcloud; the same command again finishes the work
without a duplicate or a loss."""
import os
import random
import signal
import time

from harness import check, run_scenarios, sales

ROUNDS = int(os.environ.get('HOLDFAST_ROUNDS', '8'))


def count_rows(world, table):
    return int(world.query(table.split('.')[0], f'SELECT COUNT(*) FROM `{table}`')[0][0])


def kill_after(process, seconds):
    """Kills the process unless it ended first; whether it was killed."""
    try:
        process.wait(timeout=seconds)
        return False
    except Exception:  # the time is up
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True


def measure(world, *arguments):
    started = time.monotonic()
    world.run(*arguments)
    return time.monotonic() - started


def backup_is_killed(world):
    rows = sales(world, days=6)
    usual = measure(world, 'backup', 'run', '--dry-run') + 1.0
    killed = 0
    for _ in range(ROUNDS):
        world.query('acme-shop', "INSERT INTO `acme-shop.sales.people` (id, name) VALUES (7, 'more')")
        rows['acme-shop.sales.people'] += 1
        killed += kill_after(world.start('backup', 'run'), random.uniform(0, usual))
    check(killed > 0, 'no run was killed: the times are too long')
    # What was interrupted is finished, then whatever came later is taken.
    world.json('backup', 'run')
    world.json('backup', 'run')
    world.run('backup', 'verify', '--all')
    listed = world.json('backup', 'list', '--latest', '--limit', '1000')
    check(len(listed) == 8, f'8 objects have a backup, not {len(listed)}')
    total = sum(int(backup['rows']) for backup in listed)
    check(total == sum(rows.values()), f'{total} rows are backed up, {rows} are there')
    everything = world.json('backup', 'list', '--limit', '1000')
    ids = [backup['backup'] for backup in everything]
    check(len(ids) == len(set(ids)), 'a backup is listed twice')
    for backup in everything:
        bucket = backup['repository'].removeprefix('gs://')
        found = [o for o in world.objects(bucket, 'manifests/') if backup['backup'] in o['name']]
        check(len(found) == 1, f"{backup['backup']} has {len(found)} manifests")


def restore_is_killed(world):
    rows = sales(world, days=4)
    world.json('backup', 'run')
    arguments = ('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back')
    killed = 0
    for _ in range(ROUNDS):
        killed += kill_after(world.start(*arguments), random.uniform(0, 1.2))
    check(killed > 0, 'no restore was killed: the times are too long')
    world.run(*arguments, expect=None)
    # Killed after its very end, the restore is done and its target is an ordinary table again.
    check(world.last_code in (0, 13), world.last_error)
    for table, count in rows.items():
        back = table.replace('.sales.', '.back.')
        check(count_rows(world, back) == count, f'{back}: {count_rows(world, back)} rows, not {count}')


def localcloud_is_killed(world):
    rows = sales(world)
    for _ in range(3):
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


def everything_is_killed(world):
    """Backups and prunes, one after the other, each killed somewhere; rows come and go meanwhile."""
    rows = sales(world, days=3)
    world.variables.update(HOLDFAST_RETENTION='{keep_last: 2}', HOLDFAST_PRUNE_GRACE_HOURS='0',
                           HOLDFAST_PRUNE_SHARE_MAX='1')
    world.json('backup', 'run')
    commands = {('backup', 'run'): measure(world, 'backup', 'run', '--dry-run') + 0.5,
                ('backup', 'prune', '--yes'): measure(world, 'backup', 'prune') + 0.2}
    killed = {command: 0 for command in commands}
    for number in range(3 * ROUNDS):
        world.query('acme-shop', f"INSERT INTO `acme-shop.sales.people` (id, name) VALUES ({number}, 'more')")
        rows['acme-shop.sales.people'] += 1
        for command, usual in commands.items():
            killed[command] += kill_after(world.start(*command), random.uniform(0, usual))
    check(all(killed.values()), f'nothing was killed: {killed}')
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
    print(f'   killed {sum(killed.values())} of {len(killed) * 3 * ROUNDS}')


if __name__ == '__main__':
    run_scenarios(backup_is_killed, restore_is_killed, localcloud_is_killed, everything_is_killed)
