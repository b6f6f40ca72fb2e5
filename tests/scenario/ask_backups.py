"""Backups asked, compared and exported as they are: nothing is restored, and little is read."""
import csv
import gzip
import io
import json

from harness import check, run_scenarios, sales

ORDERS = 'acme-shop.sales.orders'
PEOPLE = 'acme-shop.sales.people'


def ask(world, table, sql, *more, expect=0):
    return world.json('backup', 'query', table, sql, *more, expect=expect)


def consistent(world, table):
    """The times through which the newest backup of each object of a table is consistent, the latest."""
    return max(b['consistent_through'] for b in world.json('backup', 'list', table, '--latest'))


def refused(world, arguments, code, *texts):
    world.run('backup', *arguments, expect=None)
    check(world.last_code != 0, f'{arguments} must fail')
    for text in (code, *texts):
        check(text in world.last_error, f'{arguments}: {text!r} is not in {world.last_error}')


def a_question_reads_what_it_needs(world):
    sales(world)
    world.json('backup', 'run')
    whole = ask(world, ORDERS, 'select count(*) as n, max(note) as last from orders')
    check(whole['rows'] == [{'n': 60, 'last': 'note 9'}], f'{whole}')
    check((whole['partitions'], whole['partitions_read']) == (3, 3), f'{whole}')
    day = ask(world, ORDERS, "select id from sales.orders where day = '2026-01-02' and id < 1002 order by id")
    check(day['rows'] == [{'id': 1000}, {'id': 1001}], f'{day}')
    check(day['partitions_read'] == 1, f'{day}')
    stored = [b['bytes'] for b in world.json('backup', 'list', ORDERS + '$20260102')][0]
    check(day['bytes_read'] == stored, f'{day}: the partition has {stored} bytes')
    joined = ask(world, ORDERS, "select p.name from orders as o join people as p on p.id = o.id "
                 "where o.day = date '2026-01-01' order by 1")
    check(joined['rows'] == [{'name': None}, {'name': 'Ada'}, {'name': 'Grace'}], f'{joined}')
    check(joined['partitions_read'] == 2, f'{joined}')
    check('1 of 3 partitions' in say(world, ORDERS, "select 1 from orders where day = '2026-01-02'"),
          world.last_error)


def say(world, table, sql, *more):
    world.run('backup', 'query', table, sql, *more)
    return world.last_error


def an_answer_comes_in_every_form_and_is_cut(world):
    sales(world)
    world.json('backup', 'run')
    world.run('backup', 'query', ORDERS, 'select id from orders', '--limit', '5')
    check('Cut after 5 rows' in world.last_error, world.last_error)
    cut = ask(world, ORDERS, 'select id from orders', '--limit', '60')
    check(not cut['is_cut'] and len(cut['rows']) == 60, f'{cut["is_cut"]}')
    text = world.run('backup', 'query', PEOPLE, 'select * from people order by id', '--format=csv')
    check(list(csv.reader(io.StringIO(text))) == [['id', 'name'], ['1', 'Ada'], ['2', 'Grace'], ['3', '']],
          text)
    lines = world.run('backup', 'query', PEOPLE, 'select * from people', '--format=jsonl').splitlines()
    check(len(lines) == 3 and json.loads(lines[0])['id'] == 1, f'{lines}')
    check('Grace' in world.run('backup', 'query', PEOPLE, 'select * from people'), 'table')
    actions = [entry['action'] for entry in world.json('audit', 'list')]
    check(actions.count('backup.query') == 5, f'{actions}')
    check(not [p for p in (world.root / 'data').iterdir() if p.name.startswith('ask-')], 'left behind')


def the_past_is_asked_as_it_was(world):
    sales(world)
    world.json('backup', 'run')
    then = consistent(world, PEOPLE)
    first = world.json('backup', 'list', PEOPLE)[0]['backup']
    world.query('acme-shop', f"INSERT INTO `{PEOPLE}` (id, name) VALUES (4, 'Barbara')")
    world.json('backup', 'run')
    count = 'select count(*) as n from people'
    check(ask(world, PEOPLE, count)['rows'] == [{'n': 4}], 'now')
    check(ask(world, f'{PEOPLE}@{then}', count)['rows'] == [{'n': 3}], 'then')
    check(ask(world, f'{PEOPLE}@{first}', count)['rows'] == [{'n': 3}], 'by backup')
    past = ask(world, PEOPLE, 'select name from people where id not in (select id from people '
               f"for system_time as of timestamp '{then}')")
    check(past['rows'] == [{'name': 'Barbara'}], f'{past}')


def mistakes_are_answered_with_what_there_is(world):
    sales(world)
    world.json('backup', 'run')
    refused(world, ('query', ORDERS, 'select nte from orders'), 'L0401', 'Unrecognized name: nte',
            'did you mean "note"')
    refused(world, ('query', ORDERS, 'select zzzzzz from orders'), 'L0401', 'day, id, note')
    refused(world, ('query', ORDERS, 'select 1 from ordrs'), 'T0001', 'acme-shop.sales.ordrs', ORDERS)
    refused(world, ('query', f'{ORDERS}@2020-01-01T00:00:00Z', 'select 1 from orders'), 'T0001',
            'not backed up yet at 2020-01-01', 'its first backup is of', f'Ask {ORDERS}@')
    refused(world, ('query', ORDERS, 'delete from orders where true'), 'Q0001', 'SELECT')
    refused(world, ('query', ORDERS, 'select * from information_schema.tables'), 'L0402')
    refused(world, ('query', f'{ORDERS}@yesterday', 'select 1'), 'U0001', 'RFC 3339')
    refused(world, ('query', 'acme-shop.sales', 'select 1'), 'U0001', 'names no table')
    refused(world, ('export', PEOPLE, '-o', str(world.root / 'x'), '--as', 'csv', '--compression', 'zstd'),
            'U0001', '--compression gzip')
    refused(world, ('diff', PEOPLE, ORDERS, '--key', 'nome'), 'Q0004', 'nome')


def a_copy_says_where_its_rows_are(world):
    sales(world)
    for method in ('copy', 'snapshot'):
        world.json('backup', 'run', PEOPLE, '--method', method, '--force')
        refused(world, ('query', PEOPLE, 'select 1 from people'), 'Q0002', f'method {method}', 'bq query')
        refused(world, ('export', PEOPLE, '-o', str(world.root / 'x')), 'Q0002')


def a_damaged_file_is_named_and_gives_no_rows(world):
    sales(world)
    world.json('backup', 'run')
    backup = world.json('backup', 'list', ORDERS + '$20260102')[0]
    bucket, _, prefix = backup['repository'].removeprefix('gs://').partition('/')
    name = next(o['name'] for o in world.objects(bucket, prefix)
                if backup['backup'] in o['name'] and o['name'].endswith('.avro'))
    blob = next(p for p in (world.root / 'cloud').rglob('*')
                if p.is_file() and p.read_bytes() == world.read_object(bucket, name))
    damaged = bytearray(blob.read_bytes())
    damaged[-20] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(damaged)
    world.run('backup', 'query', ORDERS, 'select * from orders', '--format=csv', expect=None)
    check(world.last_code == 4, f'{world.last_code}: {world.last_error}')
    for text in ('G0014', name, backup['backup'], 'backup verify'):
        check(text in world.last_error, f'{text}: {world.last_error}')
    whole = ask(world, ORDERS, "select count(*) as n from orders where day = '2026-01-01'")
    check(whole['rows'] == [{'n': 20}], 'other partitions can be asked')
    target = world.root / 'export'
    world.run('backup', 'export', ORDERS, '-o', str(target), '--as', 'csv', expect=4)
    check(not list(target.iterdir()), 'no part of an export stays')
    # Once it is known to be damaged it is left out, and the answer says that it is not whole.
    world.json('backup', 'verify', ORDERS, '--level', 'L1', expect=4)
    rest = ask(world, ORDERS, 'select count(*) as n from orders', expect=3)
    check(rest['rows'] == [{'n': 40}], f'{rest}')
    check([m['object'] for m in rest['missing']] == [ORDERS + '$20260102'], f'{rest}')


def a_large_file_is_read_by_way_of_the_disk(world):
    world.create_dataset('acme-shop', 'sales')
    world.create_table('acme-shop.sales.large', [('id', 'INT64'), ('text', 'STRING')])
    world.query('acme-shop', 'INSERT INTO `acme-shop.sales.large` (id, text) SELECT n, TO_HEX(SHA256('
                "CAST(n AS STRING))) FROM UNNEST(GENERATE_ARRAY(1, 200000)) AS n")
    world.json('backup', 'run')
    answer = ask(world, 'acme-shop.sales.large', 'select count(*) as n, count(distinct text) as t, '
                 'sum(id) as s from large')
    check(answer['rows'] == [{'n': 200000, 't': 200000, 's': 20000100000}], f'{answer}')
    check(answer['files_read'] == 1 and answer['bytes_read'] > 8 << 20, f'{answer}')
    check(not [p for p in (world.root / 'data').iterdir() if p.name.startswith('ask-')], 'left behind')


def an_export_is_whole_or_not_there(world):
    sales(world)
    world.json('backup', 'run')
    target = world.root / 'export'
    done = world.json('backup', 'export', ORDERS, '-o', str(target), '--as', 'csv', '--compression', 'gzip')
    check(done['row_count'] == 60, f'{done}')
    with gzip.open(done['files'][0], 'rt', encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    check(sorted(int(row['id']) for row in rows) == sorted(d * 1000 + i for d in range(3) for i in range(20)),
          f'{len(rows)}')
    refused(world, ('export', ORDERS, '-o', str(target), '--as', 'csv', '--compression', 'gzip'), 'Q0003')
    done = world.json('backup', 'export', ORDERS + '$20260103', '-o', str(target))
    check(done['files'] == [str(target / 'orders-20260103-00000.parquet')], f'{done}')
    check((target / 'orders-20260103-00000.parquet').read_bytes()[:4] == b'PAR1', 'parquet')
    bucket = world.json('backup', 'list', PEOPLE)[0]['repository'].removeprefix('gs://').split('/')[0]
    done = world.json('backup', 'export', PEOPLE, '-o', f'gs://{bucket}/shared', '--as', 'ndjson')
    check(done['files'] == [f'gs://{bucket}/shared/people-00000.ndjson'], f'{done}')
    text = world.read_object(bucket, 'shared/people-00000.ndjson').decode()
    check([json.loads(line).get('name') for line in text.splitlines()] == ['Ada', 'Grace', None], text)
    check(sorted(p.name for p in target.iterdir()) ==
          ['orders-00000.csv.gz', 'orders-20260103-00000.parquet'], 'nothing else')


def a_diff_tells_columns_partitions_and_rows(world):
    sales(world)
    world.json('backup', 'run')
    then = consistent(world, ORDERS)
    same = world.json('backup', 'diff', f'{ORDERS}@{then}', ORDERS)
    check(same['partition_changes'] == {'added': [], 'removed': [], 'changed': [], 'equal': 3}, f'{same}')
    check((same['bytes_read'], same['rows']['added']) == (0, 0), f'{same}')
    world.query('acme-shop', f"UPDATE `{ORDERS}` SET note = 'changed' WHERE id = 1005")
    world.query('acme-shop', f'DELETE FROM `{ORDERS}` WHERE id = 1006')
    world.query('acme-shop', f"INSERT INTO `{ORDERS}` (day, id, note) VALUES (DATE '2026-02-01', 7000, 'new')")
    world.json('backup', 'run')
    diff = world.json('backup', 'diff', f'{ORDERS}@{then}', ORDERS, '--key', 'id')
    check(diff['partition_changes'] == {'added': ['20260201'], 'removed': [], 'changed': ['20260102'],
                                        'equal': 2}, f'{diff}')
    check(diff['rows'] == {'added': 1, 'removed': 1, 'changed': 1, 'changed_by_column': {'note': 1}}, f'{diff}')
    changes = {e['change']: e for e in diff['examples']}
    check(changes['changed']['before'] == {'note': 'note 5'} and
          changes['changed']['after'] == {'note': 'changed'}, f'{diff}')
    check(changes['removed']['key'] == {'id': 1006} and changes['added']['key'] == {'id': 7000}, f'{diff}')
    check(diff['partitions_read'] == 3, f'{diff}')
    text = world.run('backup', 'diff', f'{ORDERS}@{then}', ORDERS)
    check('1 partition changed: 20260102' in text and '2 rows added, 2 removed' in text, text)
    quick = world.json('backup', 'diff', f'{ORDERS}@{then}', ORDERS, '--no-rows')
    check('rows' not in quick and quick['bytes_read'] == 0, f'{quick}')


def a_view_is_asked_over_the_backups_of_its_tables(world):
    sales(world)
    world.call('POST', '/bigquery/v2/projects/acme-shop/datasets/sales/tables',
               {'tableReference': {'projectId': 'acme-shop', 'datasetId': 'sales', 'tableId': 'second'},
                'view': {'query': "SELECT id FROM `acme-shop.sales.orders` WHERE day = '2026-01-02'",
                         'useLegacySql': False}})
    world.json('backup', 'run')
    world.query('acme-shop', f'DELETE FROM `{ORDERS}` WHERE id > 5')
    answer = ask(world, 'acme-shop.sales.second', 'select count(*) as n from second')
    check(answer['rows'] == [{'n': 20}] and answer['partitions_read'] == 1, f'{answer}')


if __name__ == '__main__':
    run_scenarios(a_question_reads_what_it_needs,
                  an_answer_comes_in_every_form_and_is_cut,
                  the_past_is_asked_as_it_was,
                  mistakes_are_answered_with_what_there_is,
                  a_copy_says_where_its_rows_are,
                  a_damaged_file_is_named_and_gives_no_rows,
                  a_large_file_is_read_by_way_of_the_disk,
                  an_export_is_whole_or_not_there,
                  a_diff_tells_columns_partitions_and_rows,
                  a_view_is_asked_over_the_backups_of_its_tables)
