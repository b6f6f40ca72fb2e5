"""What a restore gives back when the last run was not of everything, failed, or saw rows vanish."""
import csv
import io

from harness import check, run_scenarios, sales

PEOPLE = '/bigquery/v2/projects/acme-shop/datasets/sales/tables/people'


def count(world, table):
    return int(world.query(table.split('.')[0], f'SELECT COUNT(*) FROM `{table}`')[0][0])


def newest(world, table):
    return world.json('backup', 'list', table)[0]


def a_run_of_one_table_does_not_shrink_the_dataset(world):
    rows = sales(world)
    world.json('backup', 'run')
    world.query('acme-shop', "INSERT INTO `acme-shop.sales.people` (id, name) VALUES (4, 'Barbara')")
    world.json('backup', 'run', 'acme-shop.sales.people')
    report = world.json('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back')
    check(len(report['tables']) == 3 and report['succeeded'], f'{report}')
    check(count(world, 'acme-shop.back.orders') == rows['acme-shop.sales.orders'], 'orders')
    check(count(world, 'acme-shop.back.people') == 4, 'people')


def a_table_that_was_denied_comes_back_and_one_without_a_backup_is_listed(world):
    rows = sales(world)
    world.json('backup', 'run')
    world.create_table('acme-shop.sales.late', [('id', 'INT64')])
    for table in ('orders', 'late'):
        world.fault(path=f'/bigquery/v2/projects/acme-shop/datasets/sales/tables/{table}*',
                    method='GET', status=403, reason='accessDenied', count=-1)
    world.query('acme-shop', "INSERT INTO `acme-shop.sales.orders` (day, id, note) "
                "VALUES (DATE '2026-01-02', 9999, 'late')")
    world.json('backup', 'run', expect=3)
    world.clear_faults()
    plan = world.json('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back', '--dry-run',
                      expect=3)
    check([m['object'] for m in plan['missing']] == ['acme-shop.sales.late'], f'{plan}')
    check(any('could not read' in note for t in plan['tables'] for note in t['notes']), f'{plan}')
    report = world.json('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back', expect=3)
    check([m['object'] for m in report['missing']] == ['acme-shop.sales.late'], f'{report}')
    check(count(world, 'acme-shop.back.orders') == rows['acme-shop.sales.orders'], 'orders')


def an_emptied_table_comes_back_from_the_good_backup(world):
    sales(world)
    world.json('backup', 'run')
    world.query('acme-shop', 'DELETE FROM `acme-shop.sales.people` WHERE TRUE')
    world.json('backup', 'run', expect=3)
    suspect = newest(world, 'acme-shop.sales.people')
    check(suspect['state'] == 'suspect', f'{suspect}')
    report = world.json('restore', 'run', 'acme-shop.sales.people', '--to-dataset', 'back')
    check(report['tables'][0]['rows'] == 3, f'{report}')
    check('is suspect' in report['tables'][0]['notes'][0], f'{report}')
    named = world.json('restore', 'run', 'acme-shop.sales.people', '--to-dataset', 'as_named',
                       '--backup', suspect['backup'])
    check(named['tables'][0]['rows'] == 0, f'{named}')
    check('is suspect' in named['tables'][0]['notes'][0], f'{named}')


def a_dataset_with_default_expirations_does_not_eat_what_is_restored(world):
    rows = sales(world)
    world.json('backup', 'run')
    world.create_dataset('acme-shop', 'back')
    world.call('PATCH', '/bigquery/v2/projects/acme-shop/datasets/back',
               {'defaultPartitionExpirationMs': '86400000', 'defaultTableExpirationMs': '3600000'})
    report = world.json('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back')
    check(report['succeeded'], f'{report}')
    for table in ('orders', 'people'):
        check(count(world, f'acme-shop.back.{table}') == rows[f'acme-shop.sales.{table}'], table)
        resource = world.call('GET', f'/bigquery/v2/projects/acme-shop/datasets/back/tables/{table}')
        check('expirationTime' not in resource, f'{resource}')
        check('expirationMs' not in resource.get('timePartitioning', {}), f'{resource}')


def a_target_that_cannot_be_filled_is_taken_away(world):
    sales(world)
    world.json('backup', 'run')
    command = ('restore', 'run', 'acme-shop.sales.people', '--to-dataset', 'back')
    world.fault(path='/bigquery/v2/projects/acme-shop/jobs', method='POST', status=403,
                reason='accessDenied', count=-1)
    world.run(*command, expect=15)
    check('taken away again' in world.last_error, world.last_error)
    world.clear_faults()
    check(world.json(*command)['succeeded'], 'the same command must do')


def mistakes_are_answered_with_the_right_form(world):
    sales(world)
    world.json('backup', 'run')
    people = newest(world, 'acme-shop.sales.people')['backup']
    cases = [
        (('acme-shop.sales', '--to-dataset', 'bad-name'), '--to-dataset sales_rescued'),
        (('acme-shop.sales.people', '--to-table', 'a.b'), '--to-table orders_rescued'),
        (('acme-shop.sales.people', '--as-of', 'yesterday'), 'RFC 3339'),
        (('acme-shop.sales.orders', '--backup', people), 'acme-shop.sales.people'),
        (('acme-shop.sales.people', '--backup', people, '--as-of', '2026-01-01T00:00:00Z'), '--as-of'),
    ]
    for arguments, text in cases:
        world.run('restore', 'run', *arguments, expect=2)
        check(text in world.last_error, f'{arguments}: {world.last_error}')


def csv_has_a_row_for_each_table(world):
    sales(world)
    world.json('backup', 'run')
    for more in (('--dry-run',), ()):
        text = world.run('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back',
                         '--format=csv', *more)
        rows = list(csv.DictReader(io.StringIO(text)))
        check([row['source'] for row in rows] == ['acme-shop.sales.orders', 'acme-shop.sales.people',
                                                  'acme-shop.sales.dataset:definition'], text)
    check([(row['outcome'], row['equal']) for row in rows] ==
          [('restored', 'true'), ('restored', 'true'), ('restored', '')], text)


def days_of_arrival(world, dataset):
    return world.query('acme-shop', "SELECT partition_id, total_rows FROM `acme-shop." + dataset +
                       "`.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'arrivals' ORDER BY 1")


def days_of_arrival_and_the_whole_definition_come_back(world):
    sales(world)
    people = {'projectId': 'acme-shop', 'datasetId': 'sales', 'tableId': 'people'}
    labels = {f'label{i}': str(i) for i in range(64)}
    world.create_table(
        'acme-shop.sales.arrivals', [('id', 'INT64'), ('name', 'STRING')],
        timePartitioning={'type': 'DAY'}, requirePartitionFilter=True, labels=labels,
        tableConstraints={
            'primaryKey': {'columns': ['id']},
            'foreignKeys': [{'name': 'to_people', 'referencedTable': people, 'columnReferences': [
                {'referencingColumn': 'id', 'referencedColumn': 'id'}]}]})
    for day, times in (('20260101', 1), ('20260102', 2)):
        world.call('POST', '/bigquery/v2/projects/acme-shop/jobs', {'configuration': {'copy': {
            'sourceTables': [people] * times, 'writeDisposition': 'WRITE_APPEND',
            'destinationTable': {**people, 'tableId': f'arrivals${day}'}}}})
    world.json('backup', 'run')
    check(days_of_arrival(world, 'sales') == [['20260101', '3'], ['20260102', '6']], 'before')
    report = world.json('restore', 'run', 'acme-shop.sales', '--to-dataset', 'back')
    check(report['succeeded'], f'{report}')
    check(days_of_arrival(world, 'back') == days_of_arrival(world, 'sales'), 'days')
    resource = world.call('GET', '/bigquery/v2/projects/acme-shop/datasets/back/tables/arrivals')
    check(resource['labels'] == labels, f'{resource}')
    check(resource['requirePartitionFilter'], f'{resource}')
    check(resource['tableConstraints'] == {'primaryKey': {'columns': ['id']}}, f'{resource}')
    check(['REFERENCES `acme-shop.back.people` (`id`)' in key for t in report['tables']
           for key in t['foreign_keys_left_out']] == [True], f'{report}')


if __name__ == '__main__':
    run_scenarios(a_run_of_one_table_does_not_shrink_the_dataset,
                  a_table_that_was_denied_comes_back_and_one_without_a_backup_is_listed,
                  an_emptied_table_comes_back_from_the_good_backup,
                  a_dataset_with_default_expirations_does_not_eat_what_is_restored,
                  a_target_that_cannot_be_filled_is_taken_away,
                  mistakes_are_answered_with_the_right_form,
                  csv_has_a_row_for_each_table,
                  days_of_arrival_and_the_whole_definition_come_back)
