#!/usr/bin/env python3
"""A session of Google's own google-cloud-logging client against a Cloud Logging endpoint.

BIGQUERY_EMULATOR_HOST (http://host:port) names localcloud, which serves Cloud Logging beside it.
Prints one line for each step; the first one that fails ends the session with exit code 1.
"""
import datetime
import os
import sys
import uuid

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import logging

RUN = uuid.uuid4().hex[:8]
PROJECT = 'interop-logging-' + RUN


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f'{what}: {actual!r}, wanted {wanted!r}')


def writes_and_lists_structured_entries(client):
    log = client.logger('holdfast')
    log.log_struct({'message': 'stage done', 'run': RUN, 'nested': {'a': [1, 2.5, None, True]}},
                   severity='WARNING', insert_id='one', labels={'stage': 'scan'},
                   resource=logging.Resource(type='global', labels={'project_id': PROJECT}))
    log.log_text('plain words', severity='DEBUG')
    # The client writes an entry about itself too.
    entries = [entry for entry in client.list_entries(filter_=f'logName="projects/{PROJECT}/logs/holdfast"')
               if 'logging.googleapis.com/diagnostic' not in (entry.payload or {})]
    expect(len(entries), 2, 'entries of the last day')
    first = next(entry for entry in entries if entry.insert_id == 'one')
    expect(first.severity, 'WARNING', 'severity')
    expect(first.payload['nested'], {'a': [1, 2.5, None, True]}, 'payload')
    expect(first.labels, {'stage': 'scan'}, 'labels')
    expect(first.log_name, f'projects/{PROJECT}/logs/holdfast', 'log name')
    expect(first.resource.type, 'global', 'resource')


def a_repetition_is_one_entry(client):
    at = datetime.datetime.now(datetime.timezone.utc)
    log = client.logger('repeated')
    for _ in range(3):
        log.log_struct({'n': 1}, insert_id='same', timestamp=at)
    found = list(client.list_entries(filter_=f'logName="projects/{PROJECT}/logs/repeated"'))
    expect([entry.insert_id for entry in found], ['same'], 'insert ids')
    expect(found[0].timestamp, at, 'timestamp')


def a_batch_comes_in_pages_both_ways(client):
    log = client.logger('paged')
    begin = datetime.datetime.now(datetime.timezone.utc)
    with log.batch() as batch:
        for i in range(120):
            batch.log_struct({'n': i}, timestamp=begin + datetime.timedelta(milliseconds=i))
    only = f'logName="projects/{PROJECT}/logs/paged"'
    up = [entry.payload['n'] for entry in client.list_entries(filter_=only, page_size=50)]
    expect(up, list(range(120)), 'ascending')
    down = [entry.payload['n'] for entry in client.list_entries(
        filter_=only, page_size=7, order_by=logging.DESCENDING, max_results=20)]
    expect(down, list(range(119, 99, -1)), 'descending')
    few = client.list_entries(filter_=only + ' AND jsonPayload.n="7"')
    expect([entry.payload['n'] for entry in few], [7], 'filter')


def mistakes_are_refused(client):
    try:
        list(client.list_entries(filter_='severity=LOUD'))
    except exceptions.BadRequest as error:
        expect('severity' in str(error), True, 'message')
        return
    raise AssertionError('a filter that makes no sense was taken')


def main():
    client = logging.Client(project=PROJECT, credentials=AnonymousCredentials(), _use_grpc=False,
                            client_options={'api_endpoint': os.environ['BIGQUERY_EMULATOR_HOST']})
    for step in (writes_and_lists_structured_entries, a_repetition_is_one_entry,
                 a_batch_comes_in_pages_both_ways, mistakes_are_refused):
        try:
            step(client)
        except Exception as error:  # pylint: disable=broad-except
            print(f'FAILED {step.__name__}: {type(error).__name__}: {error}')
            sys.exit(1)
        print(f'ok {step.__name__}')


if __name__ == '__main__':
    main()
