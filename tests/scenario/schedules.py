"""Schedules: what `holdfast up` begins by itself, and that only one process does."""
import json
import os
import pathlib
import signal
import time

from harness import DEADLINE_SECONDS, check, run_scenarios, sales


def write_policy(world, text):
    path = pathlib.Path(world.root) / 'policy.yaml'
    path.write_text(text, encoding='utf-8')
    os.environ['HOLDFAST_POLICY_FILE'] = str(path)


def wait_for_backups(world, table, count):
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        listed = world.run('backup', 'list', table, '--format=json', expect=None)
        if listed.strip() and len(json.loads(listed)) >= count:
            return
        check(time.monotonic() < end, f'no backup of {table} came')
        time.sleep(0.2)


def stop(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    check(process.returncode == 0, f'up ended with {process.returncode}: {out}\n{err}')
    return err


def up_begins_what_is_due_and_leaves_out_what_is_not(world):
    sales(world)
    world.run('backup', 'run', 'acme-shop.sales.people')
    write_policy(world, 'tables:\n'
                 '  acme-shop.sales.people: {schedule: "0 2 * * *", forced_full_days: 0}\n'
                 '  acme-shop.sales.orders: {schedule: "0 3 1 1 *"}\n'
                 'datasets: {acme-shop.sales: {schedule: "0 3 1 1 *"}}\n')
    up = world.start('up')
    try:
        wait_for_backups(world, 'acme-shop.sales.orders', 1)
        # The one that is up has the schedules; another process is told so.
        world.run('backup', 'run', '--due', expect=11)
        time.sleep(1)
    finally:
        err = stop(up)
    check('not due' not in err and 'unchanged' in err, err)
    world.run('backup', 'run', '--due')
    check('Nothing is due; next at' in world.last_error, world.last_error)


def a_policy_with_a_mistake_stops_a_run_and_no_restore(world):
    os.environ.pop('HOLDFAST_POLICY_FILE')
    sales(world)
    world.run('backup', 'run')
    write_policy(world, 'defaults: {codec: ZIP}\n')
    world.run('backup', 'run', expect=2)
    check('line 1, column 19' in world.last_error, world.last_error)
    report = world.json('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back')
    check(report['succeeded'], json.dumps(report))


if __name__ == '__main__':
    run_scenarios(up_begins_what_is_due_and_leaves_out_what_is_not,
                  a_policy_with_a_mistake_stops_a_run_and_no_restore)
