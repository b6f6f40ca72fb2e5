"""The catalog in a dataset, and the log in Cloud Logging: what anyone may ask of backups."""
import os

from harness import check, run_scenarios, sales

DATASET = 'acme-ops.holdfast'


def ask(world, sql):
    return world.query('acme-ops', sql.replace('@', DATASET + '.'))


def export(world, expect=0):
    return world.json('catalog', 'export', '--to', DATASET, expect=expect)


def levels_of_views(world):
    """The service levels as the views have them."""
    by_days = [ask(world, f'SELECT COUNT(*) FROM `@unprotected_objects` WHERE days_since_change >= {days}')
               for days in (0, 4, 5, 7)]
    different = ask(world, 'SELECT COUNT(*) FROM `@differing_objects`')
    return [int(rows[0][0]) for rows in by_days] + [int(different[0][0])]


def levels_of_report(levels):
    return [at['tables'] for at in levels['unprotected']] + [levels['different']]


def a_catalog_of_nothing_is_empty_tables(world):
    plan = world.json('catalog', 'export', '--to', DATASET, '--dry-run', '--location', 'EU')
    check(plan['creates_dataset'] and plan['location'] == 'EU', plan)
    check(all(item['action'] == 'create' for item in plan['items']), plan)
    report = export(world)
    rows = {table['table']: table['rows'] for table in report['tables']}
    check(rows.pop('export') == 1 and rows.pop('audit') == 1 and not any(rows.values()), rows)
    for table in list(rows) + report['views']:
        check(ask(world, f'SELECT COUNT(*) FROM `@{table}`') == [['0']], table)


def the_catalog_can_be_asked(world):
    sales(world)
    world.query('acme-shop', 'CREATE VIEW `acme-shop.sales.it_s` AS SELECT "it\'s" AS q')
    world.run('backup', 'run')
    run = world.json('backup', 'report')
    world.run('backup', 'verify', 'acme-shop.sales.people')
    backups = world.json('backup', 'list')
    backup = ask_id = None
    export(world)
    for row in ask(world, "SELECT backup_id, row_count, state, policy, UNIX_MILLIS(consistent_through) "
                          "FROM `@backups` WHERE table_id = 'people'"):
        backup, ask_id = row, row[0]
    check(backup[1:4] == ['3', 'good', 'default'] and int(backup[4]) > 0, backup)
    check(len(ask(world, 'SELECT backup_id FROM `@backups`')) == len(backups), len(backups))
    outcomes = ask(world, 'SELECT outcome, COUNT(*), SUM(row_count) FROM `@outcomes` GROUP BY outcome')
    check(sum(int(row[1]) for row in outcomes) == run['totals']['objects'], outcomes)
    check(sum(int(row[2]) for row in outcomes) == run['totals']['rows'], outcomes)
    check(ask(world, f"SELECT passed FROM `@verifications` WHERE backup_id = '{ask_id}'")
          == [['true']], 'verifications')
    check(ask(world, "SELECT state FROM `@runs`") == [['finished']], 'runs')
    check(ask(world, "SELECT COUNT(*) FROM `@audit` WHERE action = 'backup.run'") == [['1']], 'audit')
    reason = 'it\'s "held" `here`'
    world.run('backup', 'hold', ask_id, '--reason', reason)
    export(world)
    check(ask(world, 'SELECT backup_id, kind, reason FROM `@pins`') == [[ask_id, 'hold', reason]],
          ask(world, 'SELECT * FROM `@pins`'))
    check(len(ask(world, 'SELECT backup_id FROM `@backups`')) == len(backups), 'replaced, not added to')
    # One of each partition, though a second run of changed rows made more.
    world.query('acme-shop', "INSERT INTO `acme-shop.sales.people` (id) VALUES (4)")
    world.run('backup', 'run')
    export(world)
    check(ask(world, "SELECT row_count FROM `@latest_backups` WHERE table_id = 'people'") == [['4']],
          'latest')
    check(len(ask(world, "SELECT 1 FROM `@latest_backups` WHERE table_id = 'orders'")) == 3, 'orders')


def views_measure_what_the_report_measures(world):
    sales(world)
    os.environ['HOLDFAST_POLICY_SCOPE_EXCLUDE'] = 'acme-ops'
    try:
        check(levels_of_report(world.json('report', 'service-levels')) == [2, 0, 0, 0, 0], 'two')
        report = export(world)
        check(levels_of_views(world) == [2, 0, 0, 0, 0], levels_of_views(world))
        check(levels_of_report(report['service_levels']) == levels_of_views(world), report)
        world.run('backup', 'run')
        export(world)
        check(levels_of_views(world) == [0, 0, 0, 0, 0], levels_of_views(world))
        world.query('acme-shop', "INSERT INTO `acme-shop.sales.people` (id) VALUES (4)")
        levels = world.json('report', 'service-levels')
        export(world)
        check(levels_of_views(world) == levels_of_report(levels) == [1, 0, 0, 0, 0], levels)
        check(ask(world, 'SELECT table_id FROM `@unprotected_objects`') == [['people']], 'people')
    finally:
        os.environ.pop('HOLDFAST_POLICY_SCOPE_EXCLUDE')


def a_table_of_someone_else_is_left_alone(world):
    world.create_dataset('acme-ops', 'holdfast')
    world.create_table(DATASET + '.runs', [('id', 'INT64')])
    world.run('catalog', 'export', '--to', DATASET, expect=None)
    check(world.last_code != 0 and 'O0006' in world.last_error, world.last_error)
    world.run('catalog', 'export', expect=2)
    check('--to' in world.last_error, world.last_error)


def the_log_reaches_cloud_logging(world):
    sales(world)
    os.environ['HOLDFAST_LOG_CLOUD_PROJECT'] = 'acme-ops'
    try:
        world.run('backup', 'run')
        listed = world.call('POST', '/v2/entries:list', {
            'resourceNames': ['projects/acme-ops'], 'pageSize': 1000,
            'filter': 'jsonPayload.message="stage done"'})
        entries = listed['entries']
        stages = {(entry['jsonPayload']['stage'], entry['jsonPayload']['object']) for entry in entries}
        check(stages >= {('projects', 'organization'), ('scan', 'acme-shop'),
                         ('backup', 'acme-shop.sales.orders'), ('backup', 'acme-shop.sales.people')},
              stages)
        check(all(entry['severity'] == 'INFO' and entry['labels']['run'] and
                  entry['logName'] == 'projects/acme-ops/logs/holdfast' for entry in entries), entries)
        # A service that is down fails no backup, and is told of once.
        world.query('acme-shop', "INSERT INTO `acme-shop.sales.people` (id) VALUES (4)")
        world.fault(path='/v2/entries:write', status=403, count=-1)
        world.run('backup', 'run')
        check(world.last_error.count('does not take log entries') == 1, world.last_error)
    finally:
        os.environ.pop('HOLDFAST_LOG_CLOUD_PROJECT')


if __name__ == '__main__':
    run_scenarios(a_catalog_of_nothing_is_empty_tables, the_catalog_can_be_asked,
                  views_measure_what_the_report_measures, a_table_of_someone_else_is_left_alone,
                  the_log_reaches_cloud_logging)
