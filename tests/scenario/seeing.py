"""What can be seen of backups: reports, metrics, service levels, the log."""
import json
import os
import signal
import time
import urllib.request

from harness import DEADLINE_SECONDS, check, run_scenarios, sales


def samples(text):
    """The values of Prometheus' text form, by name with labels."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith('#'):
            name, value = line.rsplit(' ', 1)
            check(name not in found, f'{name} comes twice')
            found[name] = float(value)
    return found


def a_report_tells_of_every_object(world):
    world.run('backup', 'report', expect=14)
    sales(world)
    world.run('backup', 'run')
    document = world.json('backup', 'report')
    check(document['schema'] == 'holdfast.backup_run.v1', document['schema'])
    totals = document['totals']
    check(len(document['items']) == totals['objects'], totals)
    outcomes = ['backed_up', 'unchanged', 'metadata_only', 'unsupported', 'failed', 'vanished',
                'excluded', 'not_due']
    check(sum(totals[name] for name in outcomes) == totals['objects'], totals)
    check(totals['rows'] == 63, totals)
    page = world.root / 'page.html'
    world.run('backup', 'report', document['run']['id'], '-o', str(page))
    html = page.read_text(encoding='utf-8')
    check('acme-shop.sales.orders$20260101' in html and html.endswith('</body></html>\n'), html[-200:])
    check(f'{totals["objects"]} objects in all sections, as in the totals.' in html, html[-300:])
    check('Run ' + document['run']['id'] in world.run('backup', 'report'), 'the words')
    world.run('backup', 'report', 'nothing', expect=14)


def service_levels_see_what_no_run_did(world):
    sales(world)
    levels = world.json('report', 'service-levels')
    check(levels['tables'] == 2 and levels['unprotected'][0] == {'days': 0, 'tables': 2}, levels)
    check({miss['object'] for miss in levels['misses']}
          == {'acme-shop.sales.orders', 'acme-shop.sales.people'}, levels)
    world.run('backup', 'run')
    levels = world.json('report', 'service-levels')
    check(levels['unprotected'][0]['tables'] == 0 and not levels['misses'], levels)
    world.query('acme-shop', 'INSERT INTO `acme-shop.sales.people` (id) VALUES (4)')
    levels = world.json('report', 'service-levels')
    check([miss['object'] for miss in levels['misses']] == ['acme-shop.sales.people'], levels)


def metrics_are_printed_and_served(world):
    zero = samples(world.run('metrics'))
    check(zero['holdfast_backup_attempt_total{policy="default"}'] == 0, zero)
    check(zero['holdfast_backup_failure_total{policy="default"}'] == 0, zero)
    sales(world)
    world.run('backup', 'run')
    world.run('report', 'service-levels', '--json')
    after = samples(world.run('metrics'))
    check(after['holdfast_backup_attempt_total{policy="default"}'] == 1, after)
    check(after['holdfast_backup_success_total{policy="default"}'] == 1, after)
    check(after['holdfast_service_level_unprotected_tables{days="0"}'] == 0, after)
    check(after['holdfast_recovery_point_age_seconds{dataset="acme-shop.sales"}'] < 600, after)
    os.environ['HOLDFAST_METRICS_ADDRESS'] = '127.0.0.1:0'
    up = world.start('up')
    try:
        url, end = None, time.monotonic() + DEADLINE_SECONDS
        while url is None:
            line = up.stderr.readline()
            check(line and time.monotonic() < end, f'up does not say where: {line}')
            if line.startswith('Metrics at '):
                url = line.split()[-1]
        served = samples(urllib.request.urlopen(url, timeout=60).read().decode())
        check(served['holdfast_backup_attempt_total{policy="default"}'] == 1, served)
        live = urllib.request.urlopen(url.replace('/metrics', '/livez'), timeout=60)
        check(live.read() == b'ok\n', 'livez')
    finally:
        os.environ.pop('HOLDFAST_METRICS_ADDRESS')
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=DEADLINE_SECONDS)
    check(up.returncode == 0, f'up ended with {up.returncode}')


def each_stage_leaves_one_entry(world):
    sales(world)
    os.environ.update(HOLDFAST_LOG_FORMAT='json', HOLDFAST_LOG_LEVEL='info')
    try:
        world.run('backup', 'run')
    finally:
        os.environ.pop('HOLDFAST_LOG_FORMAT')
        os.environ.pop('HOLDFAST_LOG_LEVEL')
    lines = [json.loads(line) for line in world.last_error.splitlines() if line.startswith('{')]
    stages = {(line['stage'], line['object']) for line in lines if line.get('message') == 'stage done'}
    check(stages >= {('projects', 'organization'), ('scan', 'acme-shop'),
                     ('backup', 'acme-shop.sales.orders'), ('backup', 'acme-shop.sales.people')},
          f'{stages}: {world.last_error}')
    check(all(line['run'] and line['ts'] and line['level'] for line in lines if 'stage' in line), lines)


if __name__ == '__main__':
    run_scenarios(a_report_tells_of_every_object, service_levels_see_what_no_run_did,
                  metrics_are_printed_and_served, each_stage_leaves_one_entry)
