"""The main job through the program: back up, change, back up again, lose, restore, compare."""
from harness import check, run_scenarios, sales


def outcomes(report):
    return {item['object']: item['outcome'] for item in report['items']}


def main_job(world):
    rows = sales(world)
    first = world.json('backup', 'run')
    check(len(first['items']) == 5, f'4 objects and their dataset, not {outcomes(first)}')
    check(set(outcomes(first).values()) == {'backed_up'}, f'{outcomes(first)}')

    second = world.json('backup', 'run')
    check(set(outcomes(second).values()) == {'unchanged'}, f'{outcomes(second)}')

    world.query('acme-shop', "INSERT INTO `acme-shop.sales.orders` (day, id, note) "
                "VALUES (DATE '2026-01-02', 9999, 'late')")
    world.call('DELETE', '/bigquery/v2/projects/acme-shop/datasets/sales/tables/people')
    third = outcomes(world.json('backup', 'run'))
    check(third['acme-shop.sales.orders$20260102'] == 'backed_up', f'{third}')
    check(third['acme-shop.sales.orders$20260101'] == 'unchanged', f'{third}')
    check(third['acme-shop.sales.people'] == 'vanished', f'{third}')

    report = world.json('restore', 'run', 'acme-shop.sales.people', '--to-project', 'acme-rescue')
    check(report['succeeded'], f'{report}')
    check(report['tables'][0]['comparison']['equal'], f'{report}')
    restored = world.query('acme-rescue', 'SELECT id, name FROM `acme-rescue.sales.people` ORDER BY id')
    check(restored == [['1', 'Ada'], ['2', 'Grace'], ['3', None]], f'{restored}')

    world.json('restore', 'run', 'acme-shop.sales.orders', '--to-project', 'acme-rescue')
    count = world.query('acme-rescue', 'SELECT COUNT(*) FROM `acme-rescue.sales.orders`')
    check(count == [[str(rows['acme-shop.sales.orders'] + 1)]], f'{count}')


def every_type_comes_back(world):
    """A row of every type through export, Avro, load; DATETIME at every depth among them."""
    world.create_dataset('acme-types', 'all')
    fields = [
        {'name': 's', 'type': 'STRING'}, {'name': 'b', 'type': 'BYTES'}, {'name': 'i', 'type': 'INT64'},
        {'name': 'f', 'type': 'FLOAT64'}, {'name': 'o', 'type': 'BOOL'}, {'name': 'n', 'type': 'NUMERIC'},
        {'name': 'g', 'type': 'BIGNUMERIC'}, {'name': 'ts', 'type': 'TIMESTAMP'},
        {'name': 'd', 'type': 'DATE'}, {'name': 't', 'type': 'TIME'}, {'name': 'dt', 'type': 'DATETIME'},
        {'name': 'j', 'type': 'JSON'}, {'name': 'geo', 'type': 'GEOGRAPHY'},
        {'name': 'tags', 'type': 'STRING', 'mode': 'REPEATED'},
        {'name': 'r', 'type': 'RECORD', 'mode': 'REPEATED', 'fields': [
            {'name': 'at', 'type': 'DATETIME'}, {'name': 'amount', 'type': 'NUMERIC'}]}]
    world.call('POST', '/bigquery/v2/projects/acme-types/datasets/all/tables',
               {'tableReference': {'projectId': 'acme-types', 'datasetId': 'all', 'tableId': 'one'},
                'schema': {'fields': fields}})
    row = {'s': 'naïve \U0001F600 "quoted"', 'b': 'AP8=', 'i': '-9223372036854775808', 'f': -0.5,
           'o': True, 'n': '-12345678901234567890123456789.123456789', 'g': '0.00000000000000000000000000000000000001',
           'ts': '0001-01-01T00:00:00Z', 'd': '9999-12-31', 't': '23:59:59.999999',
           'dt': '2026-11-21T10:18:44.123456', 'j': '{"a": [1, null]}', 'geo': 'POINT(1 2)',
           'tags': ['x', ''], 'r': [{'at': '1969-12-31T23:59:59', 'amount': '1.5'}, {'at': None, 'amount': None}]}
    import json
    lines = '\n'.join(json.dumps(r) for r in (row, {}))
    world.call('POST', '/storage/v1/b?project=acme-types', {'name': 'acme-types-in', 'location': 'US'})
    world.replace_object('acme-types-in', 'one.json', lines.encode())
    job = world.call('POST', '/bigquery/v2/projects/acme-types/jobs', {
        'jobReference': {'projectId': 'acme-types', 'jobId': 'load-one', 'location': 'US'},
        'configuration': {'load': {
            'sourceUris': ['gs://acme-types-in/one.json'], 'sourceFormat': 'NEWLINE_DELIMITED_JSON',
            'destinationTable': {'projectId': 'acme-types', 'datasetId': 'all', 'tableId': 'one'}}}})
    import time
    while job['status']['state'] != 'DONE':
        time.sleep(0.05)
        job = world.call('GET', '/bigquery/v2/projects/acme-types/jobs/load-one?location=US')
    check('errorResult' not in job['status'], f"{job['status']}")
    before = world.call('GET', '/bigquery/v2/projects/acme-types/datasets/all/tables/one/data')['rows']

    world.json('backup', 'run')
    report = world.json('restore', 'run', 'acme-types.all.one', '--to-dataset', 'back')
    check(report['tables'][0]['comparison']['equal'], f'{report}')
    after = world.call('GET', '/bigquery/v2/projects/acme-types/datasets/back/tables/one/data')['rows']
    order = lambda rows: sorted(rows, key=lambda r: str(r))
    check(order(before) == order(after), f'{before}\n{after}')
    check(len(after) == 2, f'{after}')


def names_with_odd_characters(world):
    """Table names that need quoting in SQL, URLs and object names come back under their own name."""
    world.create_dataset('acme-odd', 'names')
    for table in ('with space', 'dash-ed', 'ünïcode'):
        from urllib.parse import quote
        world.call('POST', '/bigquery/v2/projects/acme-odd/datasets/names/tables',
                   {'tableReference': {'projectId': 'acme-odd', 'datasetId': 'names', 'tableId': table},
                    'schema': {'fields': [{'name': 'id', 'type': 'INT64'}]}})
        world.query('acme-odd', f'INSERT INTO `acme-odd.names.{table}` (id) VALUES (1)')
        check(world.call('GET', f'/bigquery/v2/projects/acme-odd/datasets/names/tables/{quote(table)}')
              ['tableReference']['tableId'] == table, table)
    report = world.json('backup', 'run')
    check(len(report['items']) == 4 and all(i['outcome'] == 'backed_up' for i in report['items']),
          f"{report['items']}")
    restored = world.json('restore', 'run', 'acme-odd.names', '--to-dataset', 'back')
    check(restored['succeeded'] and len(restored['tables']) == 4, f'{restored}')


def what_has_no_data_comes_back(world):
    sales(world)
    dataset = '/bigquery/v2/projects/acme-shop/datasets/sales'
    named = {'projectId': 'acme-shop', 'datasetId': 'sales'}
    reader = {'role': 'READER', 'userByEmail': 'ann@example.com'}
    world.call('PATCH', dataset, {'description': 'what we sell', 'access': [reader]})
    world.call('POST', f'{dataset}/tables', {
        'tableReference': {**named, 'tableId': 'names'},
        'view': {'query': 'SELECT name FROM `acme-shop.sales.people` -- sales.people', 'useLegacySql': False}})
    world.call('POST', f'{dataset}/routines', {
        'routineReference': {**named, 'routineId': 'net'}, 'routineType': 'SCALAR_FUNCTION', 'language': 'SQL',
        'arguments': [{'name': 'x', 'dataType': {'typeKind': 'INT64'}}], 'definitionBody': 'x * 2'})
    policy = {'rowAccessPolicyReference': {**named, 'tableId': 'people', 'policyId': 'all_rows'},
              'filterPredicate': 'TRUE', 'grantees': ['serviceAccount:localcloud@localhost']}
    world.call('POST', f'{dataset}/tables/people/rowAccessPolicies', policy)
    report = world.json('backup', 'run')
    kinds = {item['object'].split('.')[-1]: item.get('kind', 'table') for item in report['items']}
    check(kinds['names'] == 'view' and kinds['routine:net'] == 'routine', f'{kinds}')
    check({item['outcome'] for item in report['items']} == {'backed_up'}, f"{report['items']}")
    check(set(outcomes(world.json('backup', 'run')).values()) == {'unchanged'}, 'nothing was edited')
    world.run('backup', 'verify')

    restored = world.json('restore', 'run', 'acme-shop.sales', '--to-project', 'acme-rescue')
    check(restored['succeeded'] and len(restored['tables']) == 5, f'{restored}')
    rescued = '/bigquery/v2/projects/acme-rescue/datasets/sales'
    check(world.call('GET', rescued)['access'][0] == reader, 'the readers')
    query = world.call('GET', f'{rescued}/tables/names')['view']['query']
    check(query == 'SELECT name FROM `acme-rescue`.`sales`.`people` -- sales.people', query)
    check(world.query('acme-rescue', 'SELECT COUNT(*) FROM `acme-rescue.sales.names`') == [['3']], 'the view')
    check(world.call('GET', f'{rescued}/routines/net')['definitionBody'] == 'x * 2', 'the routine')
    policies = world.call('GET', f'{rescued}/tables/people/rowAccessPolicies')['rowAccessPolicies']
    check([p['filterPredicate'] for p in policies] == ['TRUE'], f'{policies}')

    # Of a table whose rows may be hidden nothing is exported.
    policy['rowAccessPolicyReference']['tableId'] = 'orders'
    world.call('POST', f'{dataset}/tables/orders/rowAccessPolicies', {**policy, 'grantees': ['user:ann@example.com']})
    world.query('acme-shop', "INSERT INTO `acme-shop.sales.orders` (day, id) VALUES (DATE '2026-01-02', 1)")
    failed = [i for i in world.json('backup', 'run', expect=3)['items'] if i['outcome'] == 'failed']
    check([i['error_id'] for i in failed] == ['B0008'], f'{failed}')


if __name__ == '__main__':
    run_scenarios(main_job, every_type_comes_back, names_with_odd_characters,
                  what_has_no_data_comes_back)
