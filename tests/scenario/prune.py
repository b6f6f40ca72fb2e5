"""Prune through the program: shown first, deleted in two phases, pins and holds respected, SIGKILL at
any moment; what is left restores."""
import time

from harness import check, run_scenarios, sales
from kill import Killer

BUCKET = 'acme-shop-holdfast-us'


def prepare(world, versions):
    """So many versions of a plain table; its backups' ids, the newest first."""
    sales(world, days=1)
    world.variables.update(HOLDFAST_RETENTION='{keep_last: 1}', HOLDFAST_PRUNE_GRACE_HOURS='0',
                           HOLDFAST_PRUNE_SHARE_MAX='1')
    for version in range(versions):
        world.query('acme-shop', 'INSERT INTO `acme-shop.sales.people` (id, name) VALUES '
                    f"({100 + version}, 'more')")
        world.json('backup', 'run')
        time.sleep(1)
    return [backup['backup'] for backup in world.json('backup', 'list', 'acme-shop.sales.people')]


def people_left(world):
    return [backup['backup'] for backup in world.json('backup', 'list', 'acme-shop.sales.people')]


def shown_first_then_deleted(world):
    ids = prepare(world, 4)
    check(len(ids) == 4, f'{ids}')
    plan = world.json('backup', 'prune')
    check(plan['dry_run'] and len(plan['items']) == 3, f'{plan}')
    check(all(verdict['reasons'] for verdict in plan['verdicts']), f'{plan}')
    check(not world.objects(BUCKET, 'tombstones/'), 'a dry run wrote something')
    world.run('backup', 'prune', '--yes', '--dry-run', expect=2)

    world.run('backup', 'pin', ids[3], '--reason', 'audit')
    world.run('backup', 'hold', ids[2], '--reason', 'case 1')
    marked = world.json('backup', 'prune', '--yes')
    check([item['backup'] for item in marked['items']] == [ids[1]], f'{marked}')
    deleted = world.json('backup', 'prune', '--yes')
    check([item['outcome'] for item in deleted['items']] == ['done'], f'{deleted}')
    check(people_left(world) == [ids[0], ids[2], ids[3]], f'{people_left(world)}')

    world.run('backup', 'unpin', ids[3], '--reason', 'done')
    world.run('backup', 'release', ids[2], '--reason', 'closed')
    world.run('backup', 'prune', '--yes')
    world.run('backup', 'prune', '--yes')
    check(people_left(world) == [ids[0]], f'{people_left(world)}')
    check(not world.objects(BUCKET, 'tombstones/'), 'a tombstone was left')
    check(len(world.objects(BUCKET, 'manifests/')) == 3,
          'one of people, one of orders, one of their dataset')
    world.run('backup', 'verify', '--all')
    report = world.json('restore', 'run', 'acme-shop.sales.people', '--to-project', 'acme-rescue')
    check(report['succeeded'] and report['tables'][0]['comparison']['equal'], f'{report}')
    world.run('backup', 'pin', ids[1], '--reason', 'too late', expect=14)


def prune_is_killed(world):
    ids = prepare(world, 6)
    started = time.monotonic()
    world.run('backup', 'prune')
    killer = Killer(time.monotonic() - started + 0.3)
    for _ in range(10):
        killer.strike(world.start('backup', 'prune', '--yes'))
        manifests = world.objects(BUCKET, 'manifests/')
        check(any(ids[0] in each['name'] for each in manifests), 'the newest one went')
    check(killer.killed > 0, 'no prune was killed: the times are too long')
    world.run('backup', 'prune', '--yes')
    world.run('backup', 'prune', '--yes')
    check(people_left(world) == [ids[0]], f'{people_left(world)}')
    check(not world.objects(BUCKET, 'tombstones/'), 'a tombstone was left')
    check(len(world.objects(BUCKET, 'data/')) == 2, 'data that no manifest names')
    world.run('backup', 'verify', '--all')


if __name__ == '__main__':
    run_scenarios(shown_first_then_deleted, prune_is_killed)
