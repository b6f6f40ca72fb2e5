"""What goes wrong: each fault gives a clear error that names the object, or is overcome; repository
and catalog stay consistent."""
from harness import check, run_scenarios, sales


def find_backup(world, name):
    return world.json('backup', 'list', name, '--latest')[0]


def show(world, name):
    return world.json('backup', 'show', find_backup(world, name)['backup'])


def bucket_and_object(uri):
    bucket, _, name = uri.removeprefix('gs://').partition('/')
    return bucket, name


def passing_failures_are_overcome(world):
    sales(world)
    world.fault(path='/bigquery/v2/projects/*', status=503, reason='backendError', skip=2, count=2)
    world.fault(path='/storage/v1/*', status=429, reason='rateLimitExceeded', skip=3, count=2)
    world.fault(path='/bigquery/v2/projects/*/jobs', method='POST', effect='dropAnswer', skip=1, count=1)
    world.fault(path='/storage/v1/b/*/o/*', effect='reset', skip=5, count=2)
    report = world.json('backup', 'run')
    check({item['outcome'] for item in report['items']} == {'backed_up'}, f"{report['items']}")
    world.clear_faults()
    world.run('backup', 'verify')


def no_status_leaves_anything_half_done(world):
    """Each status a few times, also those that are a lie: the next run has everything, whole, once."""
    sales(world)
    for number, (path, method, status) in enumerate([
            ('/storage/v1/*', 'GET', 408), ('/upload/storage/*', 'POST', 412),
            ('/storage/v1/b/*/o/*', 'POST', 412), ('/bigquery/v2/projects/*/jobs', 'POST', 409),
            ('/upload/storage/*', 'POST', 500), ('/bigquery/v2/*', 'GET', 502),
            ('/storage/v1/*', 'POST', 504), ('/bigquery/v2/projects/*/jobs/*', 'GET', 408)]):
        world.query('acme-shop', 'INSERT INTO `acme-shop.sales.people` (id, name) VALUES '
                    f"({100 + number}, 'more')")
        world.fault(path=path, method=method, status=status, skip=1, count=2)
        world.run('backup', 'run', expect=None)
        check(world.last_code in (0, 3), f'{method} {path} {status}: {world.last_code}\n{world.last_error}')
        world.clear_faults()
        report = world.json('backup', 'run')
        check({item['outcome'] for item in report['items']} <= {'backed_up', 'unchanged'},
              f"{method} {path} {status}: {report['items']}")
    world.run('backup', 'verify', '--all')
    checked = world.json('catalog', 'check')
    check(checked['manifests'] == checked['records'] > 0, f'{checked}')


def a_service_that_stays_away_is_named(world):
    sales(world)
    world.fault(path='/v3/*', status=503, reason='backendError', count=-1)
    world.run('backup', 'run', expect=None)
    check(world.last_code != 0, 'a run without any project must not succeed')
    world.clear_faults()
    report = world.json('backup', 'run')
    check(report['items'], f'{report}')


def a_flipped_bit_is_found_and_the_object_backed_up_again(world):
    sales(world)
    world.json('backup', 'run')
    data = show(world, 'acme-shop.sales.people')['data'][0]
    bucket, name = bucket_and_object(data['uri'])
    content = bytearray(world.read_object(bucket, name))
    content[len(content) // 2] ^= 1
    world.replace_object(bucket, name, bytes(content))

    world.run('backup', 'verify', 'acme-shop.sales.people', expect=4)
    world.run('restore', 'run', 'acme-shop.sales.people', '--to-project', 'acme-rescue',
              '--backup', find_backup(world, 'acme-shop.sales.people')['backup'], expect=4)
    check('acme-shop-holdfast-us' in world.last_error, world.last_error)
    check('Your data' in world.last_error and 'Next' in world.last_error, world.last_error)

    again = {i['object']: i['outcome'] for i in world.json('backup', 'run')['items']}
    check(again['acme-shop.sales.people'] == 'backed_up', f'{again}')
    world.run('backup', 'verify', 'acme-shop.sales.people')


def a_truncated_object_is_found(world):
    sales(world)
    world.json('backup', 'run')
    data = show(world, 'acme-shop.sales.people')['data'][0]
    bucket, name = bucket_and_object(data['uri'])
    world.replace_object(bucket, name, world.read_object(bucket, name)[:-7])
    for level in ('L0', 'L1', 'L2'):
        world.run('backup', 'verify', 'acme-shop.sales.people', '--level', level, '--all', expect=4)


def an_object_deleted_under_a_backup_is_found(world):
    sales(world)
    world.json('backup', 'run')
    data = show(world, 'acme-shop.sales.people')['data'][0]
    bucket, name = bucket_and_object(data['uri'])
    world.delete_object(bucket, name)
    rows = world.json('backup', 'verify', '--level', 'L0', expect=4)
    damaged = [row['name'] for row in rows if row['result'] == 'DAMAGED']
    check(damaged == ['acme-shop.sales.people'], f'{damaged}')


def an_edited_manifest_is_refused(world):
    sales(world)
    world.json('backup', 'run')
    backup = find_backup(world, 'acme-shop.sales.people')
    bucket = backup['repository'].removeprefix('gs://')
    manifest = [o['name'] for o in world.objects(bucket, 'manifests/') if backup['backup'] in o['name']][0]
    text = world.read_object(bucket, manifest).decode()
    check('"rows"' in text, text)
    world.replace_object(bucket, manifest, text.replace('people', 'peopel', 1).encode())
    world.run('backup', 'verify', 'acme-shop.sales.people', expect=4)
    world.run('restore', 'run', '--backup', backup['backup'], '--to-project', 'acme-rescue', expect=4)
    check('R0' in world.last_error, world.last_error)


def a_denied_table_is_reported_and_the_others_are_backed_up(world):
    sales(world)
    world.fault(path='/bigquery/v2/projects/acme-shop/datasets/sales/tables/people*', method='GET',
                status=403, reason='accessDenied', count=-1)
    report = world.json('backup', 'run', expect=3)
    items = {i['object']: i for i in report['items']}
    check(items['acme-shop.sales.people']['outcome'] == 'failed', f'{items}')
    check(items['acme-shop.sales.people']['error_id'] == 'G0006', f'{items}')
    check(items['acme-shop.sales.orders$20260101']['outcome'] == 'backed_up', f'{items}')


def bad_input_is_answered_with_what_to_do(world):
    sales(world)
    world.json('backup', 'run')
    cases = [
        (('restore', 'run', 'acme-shop.sales.peple'), 14, 'acme-shop.sales.people'),
        (('restore', 'run', 'acme-shop.sales.people'), 13, '--to-'),
        (('restore', 'run', 'acme-shop.sales.people', '--as-of', 'yesterday'), 2, 'RFC 3339'),
        (('restore', 'run'), 2, 'dataset'),
        (('restore', 'run', 'acme-shop.sales.people', '--as-of', '2001-01-01T00:00:00Z'), 14, 'no good backup'),
        (('backup', 'show', 'nosuch'), 14, 'nosuch'),
        (('backup', 'list', 'a..b'), 2, 'a..b'),
        (('backup', 'run', '--method=tape'), 2, 'method'),
        (('backup', 'verify', 'acme-shop.sales.nosuch'), 14, 'no backups'),
    ]
    for arguments, code, words in cases:
        world.run(*arguments, expect=code)
        check(world.last_code != 0, f'{arguments} must fail')
        check(words in world.last_error, f'{arguments}: "{words}" is not in:\n{world.last_error}')


if __name__ == '__main__':
    run_scenarios(passing_failures_are_overcome, no_status_leaves_anything_half_done,
                  a_service_that_stays_away_is_named,
                  a_flipped_bit_is_found_and_the_object_backed_up_again, a_truncated_object_is_found,
                  an_object_deleted_under_a_backup_is_found, an_edited_manifest_is_refused,
                  a_denied_table_is_reported_and_the_others_are_backed_up,
                  bad_input_is_answered_with_what_to_do)
