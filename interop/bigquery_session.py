#!/usr/bin/env python3
"""A session of Google's own google-cloud-bigquery client against a BigQuery endpoint.

BIGQUERY_EMULATOR_HOST and STORAGE_EMULATOR_HOST (http://host:port) name the endpoints. Prints one line
for each step; the first one that fails ends the session with exit code 1. Every run uses a project of
its own, so it may be run again.
"""
import csv
import datetime
import decimal
import gzip
import io
import json
import os
import sys
import time
import uuid

import fastavro
import pyarrow.parquet
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

RUN = uuid.uuid4().hex[:8]
PROJECT = f'interop-{RUN}'
BUCKET = f'holdfast-bigquery-{RUN}'
UTC = datetime.timezone.utc
WAIT_S = 60


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f'{what}: {actual!r}, wanted {wanted!r}')


def expect_error(kind, action, what, reason=None):
    try:
        action()
    except kind as error:
        if reason is not None:
            expect([e.get('reason') for e in error.errors][:1], [reason], f'{what}: reason')
        return error
    raise AssertionError(f'{what}: no {kind.__name__}')


def ref(table, dataset='shop'):
    return f'{PROJECT}.{dataset}.{table}'


def rows(client, sql, **options):
    config = bigquery.QueryJobConfig(**options)
    return [tuple(row.values()) for row in client.query(sql, job_config=config).result(timeout=WAIT_S)]


def datasets(client, _):
    dataset = bigquery.Dataset(f'{PROJECT}.shop')
    dataset.location = 'US'
    dataset.description = 'a shop'
    dataset.labels = {'team': 'recovery'}
    made = client.create_dataset(dataset)
    expect(made.location, 'US', 'location')
    expect_error(exceptions.Conflict, lambda: client.create_dataset(dataset), 'again', 'duplicate')
    client.create_dataset(dataset, exists_ok=True)
    read = client.get_dataset('shop')
    expect(read.labels, {'team': 'recovery'}, 'labels')
    stale = read.etag
    read.labels = {'team': 'other', 'more': 'yes'}
    read.default_table_expiration_ms = 3_600_000 * 24
    read = client.update_dataset(read, ['labels', 'default_table_expiration_ms'])
    expect(read.default_table_expiration_ms, 86_400_000, 'default expiration')
    read._properties['etag'] = stale
    expect_error(exceptions.PreconditionFailed, lambda: client.update_dataset(read, ['labels']), 'etag')
    read = client.get_dataset('shop')
    read.default_table_expiration_ms = None
    read.labels = {'team': None}
    read = client.update_dataset(read, ['labels', 'default_table_expiration_ms'])
    expect(read.default_table_expiration_ms, None, 'cleared expiration')
    for name in ('zoo', 'attic'):
        client.create_dataset(name)
    expect([d.dataset_id for d in client.list_datasets(page_size=1)], ['attic', 'shop', 'zoo'], 'list')
    expect_error(exceptions.NotFound, lambda: client.get_dataset('absent'), 'absent', 'notFound')
    client.delete_dataset('zoo')
    client.delete_dataset('zoo', not_found_ok=True)


TYPES = [
    ('s', 'STRING', 'a"b\u00e9\U0001f4be'),
    ('b', 'BYTES', b'\x00\xff'),
    ('i', 'INT64', -(2**63)),
    ('f', 'FLOAT64', 1.5),
    ('t', 'BOOL', True),
    ('n', 'NUMERIC', decimal.Decimal('12345678901234567890.123456789')),
    ('bn', 'BIGNUMERIC', decimal.Decimal('0.00000000000000000000000000000000000001')),
    ('ts', 'TIMESTAMP', datetime.datetime(2026, 3, 15, 1, 2, 3, 456789, UTC)),
    ('d', 'DATE', datetime.date(1, 1, 1)),
    ('tm', 'TIME', datetime.time(23, 59, 59, 500000)),
    ('dt', 'DATETIME', datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ('j', 'JSON', {'a': [1, None]}),
    ('g', 'GEOGRAPHY', 'POINT(1 2)'),
]


def tables_of_every_type(client, _):
    schema = [bigquery.SchemaField(name, kind, description=f'a {kind}') for name, kind, _ in TYPES]
    schema.append(bigquery.SchemaField('list', 'INT64', mode='REPEATED'))
    schema.append(bigquery.SchemaField('rec', 'RECORD', mode='REPEATED', fields=[
        bigquery.SchemaField('x', 'INT64', mode='REQUIRED'), bigquery.SchemaField('y', 'STRING')]))
    table = bigquery.Table(ref('types'), schema)
    table.description = 'every type'
    made = client.create_table(table)
    expect([f.name for f in made.schema], [f.name for f in schema], 'schema')
    expect(made.schema[0].description, 'a STRING', 'description')
    row = {name: value for name, _, value in TYPES}
    row['list'] = [1, 2]
    row['rec'] = [{'x': 1, 'y': None}]
    expect(client.insert_rows(made, [row]), [], 'insert errors')
    read = list(client.list_rows(made))
    expect(len(read), 1, 'rows')
    for name, value in row.items():
        expect(read[0][name], value, f'column {name}')
    by_query = rows(client, f'SELECT * FROM `{ref("types")}`')
    expect(by_query[0], tuple(read[0].values()), 'the same by a query')
    buffer = client.get_table(made).streaming_buffer
    expect(buffer.estimated_rows, 1, 'streaming buffer')
    expect([t.table_id for t in client.list_tables('shop')], ['types'], 'tables')


def metadata_of_tables(client, _):
    table = bigquery.Table(ref('meta'), [bigquery.SchemaField('day', 'DATE'),
                                         bigquery.SchemaField('k', 'STRING')])
    table.time_partitioning = bigquery.TimePartitioning(field='day', expiration_ms=None)
    table.clustering_fields = ['k']
    table.labels = {'a': 'b'}
    table = client.create_table(table)
    expect(table.time_partitioning.field, 'day', 'partitioning')
    expect(table.clustering_fields, ['k'], 'clustering')
    table.description = 'new'
    table.schema = [*table.schema, bigquery.SchemaField('more', 'INT64')]
    table = client.update_table(table, ['description', 'schema'])
    expect([f.name for f in table.schema], ['day', 'k', 'more'], 'grown schema')
    table.schema = table.schema[:1]
    expect_error(exceptions.BadRequest, lambda: client.update_table(table, ['schema']), 'shrink', 'invalid')
    ranged = bigquery.Table(ref('ranged'), [bigquery.SchemaField('n', 'INT64')])
    ranged.range_partitioning = bigquery.RangePartitioning(
        field='n', range_=bigquery.PartitionRange(start=0, end=100, interval=10))
    ranged = client.create_table(ranged)
    expect(ranged.range_partitioning.range_.interval, 10, 'range partitioning')
    expect_error(exceptions.NotFound, lambda: client.get_table(ref('absent')), 'absent', 'notFound')
    client.delete_table(ref('ranged'))


def loads_from_files(client, _):
    config = bigquery.LoadJobConfig(
        schema=[bigquery.SchemaField('id', 'INT64'), bigquery.SchemaField('name', 'STRING')],
        source_format='CSV', skip_leading_rows=1)
    text = 'id,name\n1,one\n2,"t,wo"\n3,\n'
    job = client.load_table_from_file(io.BytesIO(text.encode()), ref('loaded'), job_config=config,
                                      rewind=True, size=len(text))  # small: multipart
    expect(job.result(timeout=WAIT_S).output_rows, 3, 'rows of a multipart upload')
    big = 'id,name\n' + ''.join(f'{i},{"x" * 100}\n' for i in range(20_000))
    config.write_disposition = 'WRITE_TRUNCATE'
    job = client.load_table_from_file(io.BytesIO(big.encode()), ref('loaded'), job_config=config)
    expect(job.result(timeout=WAIT_S).output_rows, 20_000, 'rows of a resumable upload')
    job = client.load_table_from_json([{'id': 7, 'name': 'seven', 'tags': ['a', 'b']}], ref('from_json'),
                                      job_config=bigquery.LoadJobConfig(autodetect=True))
    job.result(timeout=WAIT_S)
    expect(rows(client, 'SELECT id, name, tags FROM shop.from_json'), [(7, 'seven', ['a', 'b'])], 'JSON')
    bad = client.load_table_from_file(io.BytesIO(b'id,name\nx,one\n'), ref('bad'), job_config=config)
    error = expect_error(exceptions.BadRequest, lambda: bad.result(timeout=WAIT_S), 'bad CSV')
    expect(bad.error_result['reason'], 'invalid', f'reason of {error}')


def extracts_and_loads_back(client, bucket):
    rows(client, 'CREATE TABLE shop.source AS SELECT x AS id, CONCAT("n", CAST(x AS STRING)) AS name, '
                 'DATE_ADD(DATE "2026-01-01", INTERVAL x DAY) AS day, x / 4 AS share '
                 'FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS x')
    wanted = rows(client, 'SELECT * FROM shop.source ORDER BY id')
    for form, codec in (('CSV', 'GZIP'), ('CSV', 'NONE'), ('NEWLINE_DELIMITED_JSON', 'NONE'),
                        ('AVRO', 'SNAPPY'), ('AVRO', 'DEFLATE'), ('PARQUET', 'ZSTD')):
        prefix = f'out/{form}-{codec}'
        uri = f'gs://{BUCKET}/{prefix}-*'
        config = bigquery.ExtractJobConfig(destination_format=form, compression=codec)
        config.use_avro_logical_types = True
        job = client.extract_table(ref('source'), uri, job_config=config)
        job.result(timeout=WAIT_S)
        names = [blob.name for blob in bucket.list_blobs(prefix=prefix)]
        expect(names, [f'{prefix}-000000000000'], 'objects')
        expect(job.destination_uri_file_counts, [1], 'file counts')
        read_back(bucket.blob(names[0]), form, codec, wanted)
        if codec == 'GZIP':
            continue
        config = bigquery.LoadJobConfig(source_format=form, write_disposition='WRITE_TRUNCATE')
        config.schema = client.get_table(ref('source')).schema
        config.use_avro_logical_types = True
        if form == 'CSV':
            config.skip_leading_rows = 1
        job = client.load_table_from_uri(uri, ref('back'), job_config=config)
        job.result(timeout=WAIT_S)
        expect(job.output_rows, 1000, f'rows loaded from {form}')
        expect(rows(client, 'SELECT * FROM shop.back ORDER BY id'), wanted, f'rows of {form}')


def read_back(blob, form, codec, wanted):
    data = blob.download_as_bytes(raw_download=True)
    if form == 'AVRO':
        read = [tuple(row.values()) for row in fastavro.reader(io.BytesIO(data))]
    elif form == 'PARQUET':
        read = [tuple(row.values()) for row in pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()]
    elif form == 'CSV' and codec == 'NONE':
        lines = list(csv.reader(io.StringIO(data.decode())))
        expect(lines[0], ['id', 'name', 'day', 'share'], 'CSV header')
        read = [(int(i), n, datetime.date.fromisoformat(d), float(s)) for i, n, d, s in lines[1:]]
    elif form == 'NEWLINE_DELIMITED_JSON':
        lines = [json.loads(line) for line in data.decode().splitlines()]
        read = [(int(r['id']), r['name'], datetime.date.fromisoformat(r['day']), r['share']) for r in lines]
    else:
        expect(data[:2], b'\x1f\x8b', 'gzip magic')
        return
    expect(sorted(read), wanted, f'{form} {codec} read by another program')


def queries_with_parameters(client, _):
    expect(rows(client, 'SELECT @a + 1, @s, @l', query_parameters=[
        bigquery.ScalarQueryParameter('a', 'INT64', 41),
        bigquery.ScalarQueryParameter('s', 'STRING', "it's"),
        bigquery.ArrayQueryParameter('l', 'DATE', [datetime.date(2026, 1, 2)])]),
           [(42, "it's", [datetime.date(2026, 1, 2)])], 'named parameters')
    expect(rows(client, 'SELECT ?, ?', query_parameters=[
        bigquery.ScalarQueryParameter(None, 'TIMESTAMP', datetime.datetime(2026, 1, 2, tzinfo=UTC)),
        bigquery.ScalarQueryParameter(None, 'NUMERIC', decimal.Decimal('1.25'))]),
           [(datetime.datetime(2026, 1, 2, tzinfo=UTC), decimal.Decimal('1.25'))], 'positional')
    result = client.query('SELECT id FROM shop.source ORDER BY id').result(page_size=300)
    pages = [len(list(page)) for page in result.pages]
    expect(pages, [300, 300, 300, 100], 'pages')
    dry = client.query('SELECT id FROM shop.source', job_config=bigquery.QueryJobConfig(dry_run=True))
    expect(dry.total_bytes_processed > 0, True, 'dry run')
    expect(list(client.query_and_wait('SELECT 5 AS five'))[0].five, 5, 'query_and_wait')
    error = expect_error(exceptions.BadRequest, lambda: rows(client, 'SELECT nope FROM shop.source'),
                         'unknown name', 'invalidQuery')
    expect('nope at [1:8]' in str(error), True, 'the place of the error')
    expect_error(exceptions.NotFound, lambda: rows(client, 'SELECT * FROM shop.absent'), 'absent table')


def streaming_inserts(client, _):
    table = client.create_table(bigquery.Table(ref('stream'), [
        bigquery.SchemaField('id', 'INT64', mode='REQUIRED'), bigquery.SchemaField('s', 'STRING')]))
    expect(client.insert_rows_json(table, [{'id': 1, 's': 'a'}, {'id': 2}], row_ids=['a', 'b']), [], 'errors')
    expect(client.insert_rows_json(table, [{'id': 1, 's': 'a'}], row_ids=['a']), [], 'repeated id')
    errors = client.insert_rows_json(table, [{'id': 3}, {'id': 4, 'x': 1}])
    expect([(e['index'], e['errors'][0]['reason']) for e in errors], [(0, 'stopped'), (1, 'invalid')], 'errors')
    errors = client.insert_rows_json(table, [{'id': 3}, {'id': 'x'}], skip_invalid_rows=True)
    expect([e['index'] for e in errors], [1], 'skipped')
    expect(rows(client, 'SELECT id FROM shop.stream ORDER BY id'), [(1,), (2,), (3,)], 'rows')
    expect(client.get_table(table).num_rows, 0, 'numRows leaves the buffer out')


def copies_snapshots_and_clones(client, _):
    client.copy_table(ref('source'), ref('copy')).result(timeout=WAIT_S)
    expect(client.get_table(ref('copy')).num_rows, 1000, 'copied rows')
    again = client.copy_table(ref('source'), ref('copy'))
    expect_error(exceptions.Conflict, lambda: again.result(timeout=WAIT_S), 'WRITE_EMPTY')
    expect(again.error_result['reason'], 'duplicate', 'reason')
    both = bigquery.CopyJobConfig(write_disposition='WRITE_TRUNCATE')
    client.copy_table([ref('source'), ref('source')], ref('copy'), job_config=both).result(timeout=WAIT_S)
    expect(client.get_table(ref('copy')).num_rows, 2000, 'rows of two sources')
    for operation, source, target in (('SNAPSHOT', 'source', 'snap'), ('RESTORE', 'snap', 'restored'),
                                      ('CLONE', 'source', 'clone')):
        config = bigquery.CopyJobConfig(operation_type=operation)
        client.copy_table(ref(source), ref(target), job_config=config).result(timeout=WAIT_S)
        expect(client.get_table(ref(target)).num_rows, 1000, operation)
    snapshot = client.get_table(ref('snap'))
    expect(snapshot.table_type, 'SNAPSHOT', 'type')
    expect(snapshot.snapshot_definition.base_table_reference.table_id, 'source', 'base table')
    expect(client.get_table(ref('clone')).clone_definition.base_table_reference.table_id, 'source', 'base')


def partitions_and_time_travel(client, _):
    rows(client, 'CREATE TABLE shop.parted (day DATE, n INT64) PARTITION BY day')
    rows(client, 'INSERT INTO shop.parted VALUES ("2026-01-01", 1), ("2026-01-02", 2), (NULL, 3)')
    expect(client.list_partitions(ref('parted')), ['20260101', '20260102', '__NULL__'], 'partitions')
    expect([r.n for r in client.list_rows(ref('parted$20260102'))], [2], 'one partition')
    config = bigquery.CopyJobConfig(write_disposition='WRITE_TRUNCATE')
    client.copy_table(ref('parted$20260102'), ref('one_day'), job_config=config).result(timeout=WAIT_S)
    expect(rows(client, 'SELECT n FROM shop.one_day'), [(2,)], 'copy of one partition')
    time.sleep(0.01)
    before = int(time.time() * 1000)
    time.sleep(0.01)
    modified = dict(rows(client, 'SELECT partition_id, last_modified_time FROM '
                                 'shop.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = "parted"'))
    rows(client, 'DELETE FROM shop.parted WHERE day = "2026-01-02"')
    client.delete_table(ref('parted$20260101'))
    expect(rows(client, 'SELECT n FROM shop.parted'), [(3,)], 'after the loss')
    after = dict(rows(client, 'SELECT partition_id, last_modified_time FROM '
                              'shop.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = "parted"'))
    expect(after, {'__NULL__': modified['__NULL__']}, 'an untouched partition keeps its time')
    client.copy_table(ref(f'parted@{before}'), ref('past')).result(timeout=WAIT_S)
    expect(rows(client, 'SELECT n FROM shop.past ORDER BY n'), [(1,), (2,), (3,)], 'time travel')


def views_and_dml(client, _):
    view = bigquery.Table(ref('small'))
    view.view_query = f'SELECT id, name FROM `{ref("source")}` WHERE id <= 3'
    view = client.create_table(view)
    expect(view.table_type, 'VIEW', 'type')
    rows(client, 'CREATE VIEW shop.smaller AS SELECT id FROM shop.small WHERE id > 1')
    expect(rows(client, 'SELECT id FROM shop.smaller ORDER BY id'), [(2,), (3,)], 'view of a view')
    job = client.query('UPDATE shop.copy SET name = "changed" WHERE id = 1')
    job.result(timeout=WAIT_S)
    expect(job.num_dml_affected_rows, 2, 'affected rows')
    expect(rows(client, 'SELECT DISTINCT name FROM shop.copy WHERE id = 1'), [('changed',)], 'update')
    job = client.query('DELETE FROM shop.copy WHERE id > 10')
    job.result(timeout=WAIT_S)
    expect(job.num_dml_affected_rows, 1980, 'deleted rows')
    expect(rows(client, 'SELECT table_id, type FROM shop.__TABLES__ WHERE table_id IN ("small", "copy") '
                        'ORDER BY table_id'), [('copy', 1), ('small', 2)], '__TABLES__')
    expect(rows(client, 'SELECT column_name, data_type FROM shop.INFORMATION_SCHEMA.COLUMNS '
                        'WHERE table_name = "types" AND column_name IN ("list", "rec") ORDER BY 1'),
           [('list', 'ARRAY<INT64>'), ('rec', 'ARRAY<STRUCT<x INT64, y STRING>>')], 'COLUMNS')


def jobs(client, _):
    job_id = f'chosen-{RUN}'
    job = client.query('SELECT 1', job_id=job_id, job_retry=None)
    job.result(timeout=WAIT_S)
    expect(client.get_job(job_id, location='US').state, 'DONE', 'state')
    expect_error(exceptions.NotFound, lambda: client.get_job(job_id, location='EU'), 'other location', 'notFound')
    expect_error(exceptions.NotFound, lambda: client.get_job('absent'), 'absent', 'notFound')
    body = {'jobReference': {'projectId': PROJECT, 'jobId': job_id, 'location': 'US'},
            'configuration': {'query': {'query': 'SELECT 1', 'useLegacySql': False}}}
    expect_error(exceptions.Conflict, lambda: client._connection.api_request(
        method='POST', path=f'/projects/{PROJECT}/jobs', data=body), 'the same id', 'duplicate')
    newest = next(iter(client.list_jobs(max_results=1)))
    expect(newest.job_id, job_id, 'newest job first')
    expect(len(list(client.list_jobs(state_filter='done', page_size=5))) > 10, True, 'all jobs by pages')
    expect(client.cancel_job(job_id, location='US').state, 'DONE', 'cancel of a done job')
    failed = client.load_table_from_uri(f'gs://{BUCKET}/absent.csv', ref('none'))
    expect_error(exceptions.NotFound, lambda: failed.result(timeout=WAIT_S), 'absent object')
    expect(failed.error_result['reason'], 'notFound', 'reason')
    client.create_dataset(bigquery.Dataset(f'{PROJECT}.europe'), exists_ok=True)
    client.delete_job_metadata(job_id, location='US')
    expect_error(exceptions.NotFound, lambda: client.get_job(job_id), 'deleted')


def rules(client, bucket):
    table = bigquery.Table(ref('limited'), schema=[bigquery.SchemaField('s', 'STRING', max_length=3),
                                                   bigquery.SchemaField('day', 'DATE')])
    table.time_partitioning = bigquery.TimePartitioning(field='day')
    table.require_partition_filter = True
    table = client.create_table(table)
    errors = client.insert_rows_json(table, [{'s': 'abcd', 'day': '2026-01-01'}])
    expect([e['errors'][0]['reason'] for e in errors], ['invalid'], 'a value that is too long')
    rows(client, 'INSERT INTO shop.limited (s, day) VALUES ("abc", DATE "2026-01-01")')
    expect_error(exceptions.BadRequest, lambda: rows(client, 'SELECT s FROM shop.limited'),
                 'no partition filter', 'invalidQuery')
    expect(rows(client, 'SELECT s FROM shop.limited WHERE day = "2026-01-01"'), [('abc',)], 'filtered')
    expect_error(exceptions.BadRequest, lambda: client.create_table(bigquery.Table(
        ref('twice'), schema=[bigquery.SchemaField('a', 'STRING'), bigquery.SchemaField('A', 'STRING')])),
        'two columns of one name', 'invalid')
    # The client has no exception for this reason of a job, and calls it an error of the server.
    expect_error(exceptions.InternalServerError, lambda: rows(client, 'SELECT s FROM shop.limited '
                 'WHERE day = "2026-01-01"', maximum_bytes_billed=1), 'bytes billed', 'bytesBilledLimitExceeded')
    expect_error(exceptions.BadRequest, lambda: rows(client, 'SELECT 1 / 0'), 'division', 'invalidQuery')
    expect_error(exceptions.NotFound, lambda: rows(
        client, 'CREATE OR REPLACE TABLE shop.copy CLONE shop.absent'), 'a source that is absent', 'notFound')
    expect(client.get_table(ref('copy')).num_rows > 0, True, 'the table that was not replaced')
    bucket.blob('packed').upload_from_string(gzip.compress(b'{"a": 1}\n{"a": 2, "b": "x"}\n'))
    config = bigquery.LoadJobConfig(source_format='NEWLINE_DELIMITED_JSON', autodetect=True)
    client.load_table_from_uri(f'gs://{BUCKET}/packed', ref('packed'), job_config=config).result(timeout=WAIT_S)
    expect(rows(client, 'SELECT a, b FROM shop.packed ORDER BY a'), [(1, None), (2, 'x')], 'gzipped JSON')
    # The load made the table and filled it: in one millisecond or in two.
    expect(client.get_table(ref('packed@0')).num_rows in (0, 2), True, 'the oldest version')


def deletion(client, bucket):
    expect_error(exceptions.BadRequest, lambda: client.delete_dataset('shop'), 'not empty', 'resourceInUse')
    for dataset in ('shop', 'attic', 'europe'):
        client.delete_dataset(dataset, delete_contents=True)
    expect(list(client.list_datasets()), [], 'datasets left')
    bucket.delete_blobs(list(bucket.list_blobs()))
    bucket.delete()


STEPS = [datasets, tables_of_every_type, metadata_of_tables, loads_from_files, extracts_and_loads_back,
         queries_with_parameters, streaming_inserts, copies_snapshots_and_clones,
         partitions_and_time_travel, views_and_dml, jobs, rules, deletion]


def main():
    for name in ('BIGQUERY_EMULATOR_HOST', 'STORAGE_EMULATOR_HOST'):
        if not os.environ.get(name):
            sys.exit(f'{name} is not set')
    client = bigquery.Client(project=PROJECT, credentials=AnonymousCredentials())
    objects = storage.Client(project=PROJECT, credentials=AnonymousCredentials())
    bucket = objects.create_bucket(BUCKET, location='US')
    for step in STEPS:
        try:
            step(client, bucket)
        except Exception as error:
            print(f'FAILED {step.__name__}: {type(error).__name__}: {error}', flush=True)
            raise SystemExit(1) from error
        print(f'ok {step.__name__}', flush=True)
    print(f'bigquery session: {len(STEPS)} steps passed')


if __name__ == '__main__':
    main()
