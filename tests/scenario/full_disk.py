"""A disk without space, of localcloud and of the program: each command says so, names what it could
not do and what to do next, and does it once there is space, without a duplicate or a loss."""
import base64
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time
import urllib.error
import urllib.request

from harness import Failure, check, run_scenarios, sales

# Every process that a scenario starts has the library of tests/support/full_disk.cc preloaded.
FLAG = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-full-disk-')) / 'directory'
os.environ['LD_PRELOAD'] = os.path.abspath(sys.argv[2])
os.environ['HOLDFAST_FULL_DISK'] = str(FLAG)

DISK_FULL = 'X0006'


@contextlib.contextmanager
def no_space(world, directory):
    """While it lasts, nothing can be written below that directory of the world's."""
    ready = FLAG.with_suffix('.new')
    ready.write_text(os.path.realpath(world.root / directory))
    ready.rename(FLAG)
    try:
        yield
    finally:
        FLAG.unlink()


def refused(world, method, path, **arguments):
    """The message of a call that must be answered with 507."""
    try:
        answer = world.call(method, path, **arguments)
    except Failure as failure:
        check(': 507 ' in str(failure), f'not 507: {failure}')
        check('insufficientStorage' in str(failure), f'{failure}')
        return str(failure)
    raise Failure(f'{method} {path} succeeded on a full disk: {answer}')


def check_explained(world, *words):
    """The error that the program ended with: what, whether data is safe, what next."""
    check(world.last_code not in (0, None), 'the command must fail')
    for word in (DISK_FULL, 'Your data', 'Next', *words):
        check(word in world.last_error, f'"{word}" is not in:\n{world.last_error}')


def check_backed_up(world, rows):
    """Each object has one newest good backup that verifies, each backup one manifest."""
    world.run('backup', 'verify', '--all')
    newest = world.json('backup', 'list', '--latest', '--limit', '1000')
    total = sum(int(backup['rows']) for backup in newest)
    check(total == sum(rows.values()), f'{total} rows are backed up, {rows} are there')
    ids = [backup['backup'] for backup in world.json('backup', 'list', '--limit', '1000')]
    check(len(ids) == len(set(ids)), f'a backup is listed twice: {ids}')
    for backup in newest:
        bucket = backup['repository'].removeprefix('gs://')
        manifests = [o['name'] for o in world.objects(bucket, 'manifests/')]
        check(len(manifests) == len(ids), f'{len(ids)} backups have {len(manifests)} manifests')


def count_rows(world, table):
    return int(world.query(table.split('.')[0], f'SELECT COUNT(*) FROM `{table}`')[0][0])


def run_job(world, job_id, configuration):
    """The status of a job that was run to its end."""
    job = world.call('POST', '/bigquery/v2/projects/acme-shop/jobs', {
        'jobReference': {'projectId': 'acme-shop', 'jobId': job_id, 'location': 'US'},
        'configuration': configuration})
    end = time.monotonic() + 60
    while job['status']['state'] != 'DONE':
        check(time.monotonic() < end, f'the job does not end: {job}')
        time.sleep(0.05)
        job = world.call('GET', f'/bigquery/v2/projects/acme-shop/jobs/{job_id}?location=US')
    return job['status']


def a_load_takes_all_or_nothing(world):
    rows = sales(world)['acme-shop.sales.people']
    world.call('POST', '/storage/v1/b?project=acme-shop', {'name': 'acme-in', 'location': 'US'})
    lines = '\n'.join(json.dumps({'id': i, 'name': f'name {i}'}) for i in range(5000))
    world.replace_object('acme-in', 'people.json', lines.encode())
    load = {'load': {'sourceUris': ['gs://acme-in/people.json'],
                     'sourceFormat': 'NEWLINE_DELIMITED_JSON',
                     'destinationTable': {'projectId': 'acme-shop', 'datasetId': 'sales',
                                          'tableId': 'people'}}}
    for place in ('staging', 'files'):
        with no_space(world, f'cloud/warehouse/{place}'):
            error = run_job(world, place, load).get('errorResult')
            check(error, f'the load succeeded without space for {place}')
            check(error['reason'] == 'insufficientStorage', f'{error}')
            check(str(world.root) in error['message'], f'the place is not named: {error}')
        check(count_rows(world, 'acme-shop.sales.people') == rows, f'{place}: the rows changed')
    with no_space(world, 'cloud/warehouse/catalog.db-wal'):
        refused(world, 'POST', '/bigquery/v2/projects/acme-shop/jobs', body={
            'jobReference': {'projectId': 'acme-shop', 'jobId': 'unrecorded', 'location': 'US'},
            'configuration': load})
    check(count_rows(world, 'acme-shop.sales.people') == rows, 'the rows changed')
    check('errorResult' not in run_job(world, 'with-space', load), 'there is space again')
    check(count_rows(world, 'acme-shop.sales.people') == rows + 5000, 'rows are missing or twice')
    # What failed leaves nothing: neither files nor a job that a restart would run again.
    world.kill_server()
    world.start_server()
    check(count_rows(world, 'acme-shop.sales.people') == rows + 5000, 'rows came back or went')


def an_upload_is_refused_and_can_go_on(world):
    world.call('POST', '/storage/v1/b?project=acme-shop', {'name': 'acme-in', 'location': 'US'})
    world.replace_object('acme-in', 'kept', b'before')
    upload = '/upload/storage/v1/b/acme-in/o?uploadType='
    for directory in ('cloud/storage', 'cloud/storage/blobs', 'cloud/storage/storage.sqlite-wal'):
        with no_space(world, directory):
            refused(world, 'POST', f'{upload}media&name=kept', raw=b'after' * 1000,
                    content_type='application/octet-stream')
            check(world.read_object('acme-in', 'kept') == b'before', 'the object was changed')
    content = bytes(range(256)) * 4096
    half = len(content) // 2
    request = urllib.request.Request(f'{world.http}{upload}resumable&name=large', data=b'{}',
                                     method='POST', headers={'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=60) as answer:
        session = answer.headers['Location']

    def send(first, last):
        part = urllib.request.Request(session, data=content[first:last], method='PUT', headers={
            'Content-Range': f'bytes {first}-{last - 1}/{len(content)}'})
        try:
            with urllib.request.urlopen(part, timeout=60) as answer:
                return answer.status, answer.headers.get('Range')
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get('Range')

    check(send(0, half) == (308, f'bytes=0-{half - 1}'), 'the first half was not taken')
    with no_space(world, 'cloud/storage'):
        status, _ = send(half, len(content))
        check(status == 507, f'the second half was answered with {status}')
    status, _ = send(half, len(content))
    check(status == 200, f'the second half was answered with {status}')
    check(world.read_object('acme-in', 'large') == content, 'the object is not what was sent')
    world.kill_server()
    world.start_server()
    check(world.read_object('acme-in', 'kept') == b'before', 'the object was lost')
    check(world.read_object('acme-in', 'large') == content, 'the object was lost')


def a_publish_that_was_answered_is_kept(world):
    topic = '/v1/projects/acme-shop/topics/work'
    subscription = '/v1/projects/acme-shop/subscriptions/work'
    world.call('PUT', topic, {})
    world.call('PUT', subscription, {'topic': 'projects/acme-shop/topics/work'})

    def message(text):
        return {'messages': [{'data': base64.b64encode(text.encode()).decode()}]}

    world.call('POST', f'{topic}:publish', message('before'))
    with no_space(world, 'cloud/pubsub'):
        refused(world, 'POST', f'{topic}:publish', body=message('lost'))
    world.call('POST', f'{topic}:publish', message('after'))
    world.kill_server()
    world.start_server()
    received = world.call('POST', f'{subscription}:pull', {'maxMessages': 10})['receivedMessages']
    texts = sorted(base64.b64decode(m['message']['data']).decode() for m in received)
    check(texts == ['after', 'before'], f'{texts}')


def localcloud_is_full_during_a_backup(world):
    rows = sales(world)
    # Where extracts are written to: every object fails, each with its reason, in a whole report.
    with no_space(world, 'cloud/storage/blobs'):
        report = world.json('backup', 'run', expect=3)
        failed = {item['object']: item for item in report['items']}
        check(len(failed) == 5, f'{failed}')
        for item in failed.values():
            check((item['outcome'], item['error_id']) == ('failed', DISK_FULL), f'{item}')
    # Where messages are kept, and everywhere.
    for directory in ('cloud/pubsub', 'cloud'):
        with no_space(world, directory):
            world.run('backup', 'run', expect=None)
            check_explained(world)
    world.json('backup', 'run')
    check_backed_up(world, rows)
    again = world.json('backup', 'run')['items']
    check({item['outcome'] for item in again} == {'unchanged'}, f'{again}')


def the_catalog_is_full_during_a_backup(world):
    rows = sales(world, days=6)
    world.run('backup', 'run', '--dry-run')
    with no_space(world, 'data'):
        world.run('backup', 'run', expect=None)
        check_explained(world, 'catalog.sqlite')
    # In the middle: once the first manifest is there, while jobs take their time.
    world.fault(path='/bigquery/v2/projects/*/jobs', method='POST', effect='delay', delayMs=300,
                count=-1)
    running = world.start('backup', 'run')
    end = time.monotonic() + 60
    while not has_manifest(world):
        check(time.monotonic() < end and running.poll() is None, 'no manifest was written')
        time.sleep(0.02)
    with no_space(world, 'data'):
        _, world.last_error = running.communicate(timeout=60)
        world.last_code = running.returncode
        check_explained(world, 'catalog.sqlite')
    world.clear_faults()
    world.json('backup', 'run')
    check_backed_up(world, rows)


def has_manifest(world):
    buckets = world.call('GET', '/storage/v1/b?project=acme-shop').get('items', [])
    return any(world.objects(bucket['name'], 'manifests/') for bucket in buckets)


def a_restore_goes_on_once_there_is_space(world):
    rows = sales(world)
    world.json('backup', 'run')
    restore = ('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back')
    for directory in ('cloud/warehouse/files', 'cloud/storage', 'cloud', 'data'):
        with no_space(world, directory):
            world.run(*restore, expect=None)
            check(world.last_code != 0, f'{directory}: the restore must fail')
            check('Next' in world.last_error and 'Your data' in world.last_error, world.last_error)
    report = world.json(*restore)
    check(report['succeeded'], f'{report}')
    compared = [table for table in report['tables'] if 'comparison' in table]
    check(len(compared) == len(rows) and all(t['comparison']['equal'] for t in compared), f'{report}')
    for table, count in rows.items():
        back = count_rows(world, table.replace('.sales.', '.back.'))
        check(back == count, f'{table}: {back} rows came back of {count}')


if __name__ == '__main__':
    run_scenarios(a_load_takes_all_or_nothing, an_upload_is_refused_and_can_go_on,
                  a_publish_that_was_answered_is_kept, localcloud_is_full_during_a_backup,
                  the_catalog_is_full_during_a_backup, a_restore_goes_on_once_there_is_space)
