#!/usr/bin/env python3
"""A session of Google's own google-cloud-storage client against a Cloud Storage endpoint.

STORAGE_EMULATOR_HOST (http://host:port) names the endpoint. Prints one line for each step; the first
one that fails ends the session with exit code 1.
"""
import base64
import datetime
import io
import json
import os
import sys
import urllib.error
import urllib.request
import uuid

import google_crc32c
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

CHUNK = 256 * 1024
RUN = uuid.uuid4().hex[:8]
HOST = os.environ.get('STORAGE_EMULATOR_HOST', '')


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f'{what}: {actual!r}, wanted {wanted!r}')


def expect_error(kind, action, what):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f'{what}: no {kind.__name__}')


def pattern(size):
    block = bytes(range(251)) * 4096
    return (block * (size // len(block) + 1))[:size]


def crc32c(data):
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def bucket_name(word):
    return f'holdfast-{RUN}-{word}'


def buckets(client):
    bucket = client.bucket(bucket_name('plain'))
    bucket.labels = {'team': 'recovery'}
    bucket.storage_class = 'NEARLINE'
    client.create_bucket(bucket, location='europe-west3')
    read = client.get_bucket(bucket.name)
    expect(read.location, 'EUROPE-WEST3', 'location')
    expect(read.location_type, 'region', 'location type')
    expect(read.labels, {'team': 'recovery'}, 'labels')
    expect(read.storage_class, 'NEARLINE', 'storage class')
    read.labels = {'team': 'data', 'tier': 'one'}
    read.add_lifecycle_delete_rule(age=30, matches_prefix=['tmp/'])
    read.patch()
    again = client.get_bucket(bucket.name)
    expect(again.labels, {'team': 'data', 'tier': 'one'}, 'patched labels')
    expect([dict(rule)['condition'] for rule in again.lifecycle_rules],
           [{'age': 30, 'matchesPrefix': ['tmp/']}], 'lifecycle')
    expect(again.metageneration, 2, 'metageneration')
    client.create_bucket(bucket_name('plain-2'))
    names = [b.name for b in client.list_buckets(prefix=bucket_name('plain'), page_size=1)]
    expect(names, [bucket.name, bucket_name('plain-2')], 'listed buckets')
    expect_error(exceptions.Conflict, lambda: client.create_bucket(bucket.name), 'second creation')
    expect_error(exceptions.NotFound, lambda: client.get_bucket(bucket_name('absent')), 'absent')
    policy = again.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({'role': 'roles/storage.objectViewer', 'members': {'user:a@example.com'}})
    again.set_iam_policy(policy)
    expect(again.get_iam_policy().bindings[0]['role'], 'roles/storage.objectViewer', 'IAM policy')
    client.get_bucket(bucket_name('plain-2')).delete()
    return f'{len(names)} buckets with labels, lifecycle and policy'


def uploads(client):
    bucket = client.bucket(bucket_name('plain'))
    small = bucket.blob('small.txt')
    small.metadata = {'origin': 'test'}
    small.cache_control = 'no-store'
    small.upload_from_string('multipart upload', content_type='text/plain')
    read = bucket.get_blob('small.txt')
    expect(read.content_type, 'text/plain', 'content type')
    expect(read.metadata, {'origin': 'test'}, 'metadata')
    expect(read.cache_control, 'no-store', 'cache control')
    expect(read.crc32c, crc32c(b'multipart upload'), 'crc32c')
    expect(read.download_as_text(), 'multipart upload', 'content')
    for checksum in ('md5', 'crc32c', None):
        blob = bucket.blob(f'checked-{checksum}')
        blob.upload_from_string(b'checked', checksum=checksum)
        expect(blob.download_as_bytes(checksum=checksum), b'checked', f'content with {checksum}')
    empty = bucket.blob('empty')
    empty.upload_from_string(b'')
    expect(empty.download_as_bytes(), b'', 'empty object')
    return 'multipart, with md5, with crc32c, empty'


def resumable_upload(client):
    bucket = client.bucket(bucket_name('plain'))
    data = pattern(9 * 1024 * 1024 + 4321)
    blob = bucket.blob('large.bin', chunk_size=4 * CHUNK)
    blob.upload_from_file(io.BytesIO(data), size=len(data), checksum='crc32c')
    expect(blob.size, len(data), 'size')
    expect(blob.crc32c, crc32c(data), 'crc32c')
    expect(blob.download_as_bytes() == data, True, 'content')
    unknown = bucket.blob('unknown-size.bin', chunk_size=4 * CHUNK)
    with unknown.open('wb', chunk_size=4 * CHUNK) as writer:
        for at in range(0, len(data), 700_001):
            writer.write(data[at:at + 700_001])
    expect(unknown.download_as_bytes() == data, True, 'content of a streamed upload')
    return f'{len(data)} bytes in chunks, with and without a known size'


def put(uri, body, content_range):
    request = urllib.request.Request(uri, data=body, method='PUT',
                                     headers={'Content-Range': content_range})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def interrupted_upload(client):
    bucket = client.bucket(bucket_name('plain'))
    data = pattern(3 * CHUNK + 100)
    uri = bucket.blob('interrupted.bin').create_resumable_upload_session(size=len(data))
    status, headers, _ = put(uri, data[:CHUNK + 5000], f'bytes 0-{CHUNK + 4999}/{len(data)}')
    expect((status, headers.get('Range')), (308, f'bytes=0-{CHUNK - 1}'), 'first range')
    status, headers, _ = put(uri, b'', f'bytes */{len(data)}')
    expect((status, headers.get('Range')), (308, f'bytes=0-{CHUNK - 1}'), 'question')
    status, _, body = put(uri, data[CHUNK:], f'bytes {CHUNK}-{len(data) - 1}/{len(data)}')
    expect(status, 200, 'last range')
    expect(json.loads(body)['crc32c'], crc32c(data), 'crc32c')
    expect(bucket.blob('interrupted.bin').download_as_bytes() == data, True, 'content')
    status, _, _ = put(uri, b'', f'bytes */{len(data)}')
    expect(status, 200, 'question after the end')
    return 'resumed where the service said it was'


def downloads(client):
    bucket = client.bucket(bucket_name('plain'))
    data = pattern(3 * 1024 * 1024)
    bucket.blob('ranges.bin').upload_from_string(data)
    blob = bucket.get_blob('ranges.bin')
    for start, end in ((0, 0), (5, 9), (1_000_000, 2_000_000), (len(data) - 3, None)):
        wanted = data[start:] if end is None else data[start:end + 1]
        got = blob.download_as_bytes(start=start, end=end)
        expect(got == wanted, True, f'bytes {start}-{end}')
    chunked = bucket.blob('ranges.bin', chunk_size=2 * CHUNK)
    expect(chunked.download_as_bytes() == data, True, 'chunked download')
    with blob.open('rb') as reader:
        reader.seek(1_234_567)
        expect(reader.read(1000), data[1_234_567:1_235_567], 'reader after seek')
    expect_error(exceptions.RequestRangeNotSatisfiable,
                 lambda: blob.download_as_bytes(start=len(data)), 'range beyond the end')
    expect_error(exceptions.NotFound, bucket.blob('absent').download_as_bytes, 'absent object')
    return 'whole, ranges, chunks, seek'


def checksum_mismatch(client):
    bucket = client.bucket(bucket_name('plain'))
    blob = bucket.blob('mismatch')
    blob.md5_hash = base64.b64encode(b'0' * 16).decode()
    expect_error(exceptions.BadRequest,
                 lambda: blob.upload_from_string(b'bytes', checksum=None), 'wrong md5')
    expect(bucket.blob('mismatch').exists(), False, 'object after a wrong md5')
    return 'refused, and nothing was stored'


def listing(client):
    bucket = client.create_bucket(bucket_name('list'))
    names = ['a/1', 'a/2', 'a/b/3', 'c', 'd/4', 'z']
    for name in names:
        bucket.blob(name).upload_from_string(name)
    expect([b.name for b in bucket.list_blobs(page_size=2)], names, 'all pages')
    pages = bucket.list_blobs(delimiter='/', page_size=2)
    top = [b.name for b in pages]
    expect((top, sorted(pages.prefixes)), (['c', 'z'], ['a/', 'd/']), 'top level')
    inner = bucket.list_blobs(prefix='a/', delimiter='/')
    expect(([b.name for b in inner], sorted(inner.prefixes)), (['a/1', 'a/2'], ['a/b/']), 'a/')
    offsets = bucket.list_blobs(start_offset='a/2', end_offset='d/4')
    expect([b.name for b in offsets], ['a/2', 'a/b/3', 'c'], 'offsets')
    expect([b.name for b in bucket.list_blobs(max_results=3)], names[:3], 'max_results')
    return 'pages, prefix, delimiter, offsets'


def hostile_names(client):
    bucket = client.create_bucket(bucket_name('names'))
    names = ['../../etc/passwd', '/absolute', 'a//b', '%2e%2e/x', "it's \"quoted\"; --", 'a?b#c&d=e',
             'spaced name ', 'ünïcödé/日本/🙂', 'x' * 1024, 'star*', 'back\\slash', '+plus+']
    for name in names:
        bucket.blob(name).upload_from_string(name.encode())
    expect({b.name for b in bucket.list_blobs()}, set(names), 'listed names')
    for name in names:
        expect(bucket.blob(name).download_as_bytes().decode(), name, 'content of ' + name[:40])
    for name in ('..', 'x' * 1025, 'line\nfeed', 'nul\0'):
        expect_error(exceptions.BadRequest, lambda: bucket.blob(name).upload_from_string(b''),
                     'name ' + repr(name[:20]))
    bucket.delete_blobs(list(bucket.list_blobs()))
    bucket.delete()
    return f'{len(names)} names came back as they went in'


def versions(client):
    bucket = client.bucket(bucket_name('versions'))
    bucket.versioning_enabled = True
    client.create_bucket(bucket)
    generations = []
    for text in ('one', 'two', 'three'):
        blob = bucket.blob('doc')
        blob.upload_from_string(text)
        generations.append(blob.generation)
    expect(sorted(generations), generations, 'order of generations')
    listed = list(bucket.list_blobs(versions=True))
    expect([b.generation for b in listed], generations, 'listed versions')
    expect([b.time_deleted is None for b in listed], [False, False, True], 'noncurrent versions')
    expect(bucket.blob('doc', generation=generations[0]).download_as_text(), 'one', 'first version')
    bucket.blob('doc').delete()
    expect(bucket.get_blob('doc'), None, 'live object after delete')
    bucket.copy_blob(bucket.blob('doc'), bucket, 'doc', source_generation=generations[1])
    expect(bucket.blob('doc').download_as_text(), 'two', 'restored version')
    for blob in list(bucket.list_blobs(versions=True)):
        blob.delete()
    expect(list(bucket.list_blobs(versions=True)), [], 'versions after deletes')
    bucket.delete()
    return '3 generations kept, one restored, all deleted'


def compose_and_rewrite(client):
    bucket = client.bucket(bucket_name('plain'))
    parts = []
    for number in range(3):
        part = bucket.blob(f'part-{number}')
        part.upload_from_string(f'part {number};')
        parts.append(part)
    whole = bucket.blob('whole')
    whole.content_type = 'text/x-parts'
    whole.compose(parts)
    expect(whole.download_as_text(), 'part 0;part 1;part 2;', 'composed content')
    expect((whole.component_count, whole.md5_hash), (3, None), 'composite object')
    target = client.create_bucket(bucket_name('target'))
    copy = target.blob('copied')
    token, rewritten, total = copy.rewrite(whole)
    expect((token, rewritten, total), (None, whole.size, whole.size), 'rewrite')
    copy.reload()
    expect((copy.crc32c, copy.content_type), (whole.crc32c, 'text/x-parts'), 'rewritten object')
    copy.update_storage_class('COLDLINE')
    copy.reload()
    expect(copy.storage_class, 'COLDLINE', 'storage class')
    expect(copy.download_as_text(), 'part 0;part 1;part 2;', 'content in the new class')
    renamed = target.rename_blob(copy, 'renamed')
    expect(renamed.download_as_text(), 'part 0;part 1;part 2;', 'renamed content')
    expect(target.blob('copied').exists(), False, 'old name')
    target.delete(force=True)
    return 'composed, rewritten into another bucket, renamed'


def preconditions(client):
    bucket = client.bucket(bucket_name('plain'))
    blob = bucket.blob('once')
    blob.upload_from_string('first', if_generation_match=0)
    failed = exceptions.PreconditionFailed
    expect_error(failed, lambda: bucket.blob('once').upload_from_string(
        'second', if_generation_match=0), 'second create-only write')
    expect_error(failed, lambda: blob.delete(if_generation_match=1), 'delete of another generation')
    expect_error(failed, lambda: blob.reload(if_metageneration_match=7), 'metageneration')
    expect_error(exceptions.NotModified, lambda: blob.reload(
        if_generation_not_match=blob.generation), 'not modified')
    blob.metadata = {'a': '1'}
    blob.patch(if_metageneration_match=1)
    expect(blob.metageneration, 2, 'metageneration after a patch')
    expect_error(failed, lambda: blob.patch(if_metageneration_match=1), 'stale patch')
    other = bucket.blob('once-copy')
    expect_error(failed, lambda: other.rewrite(blob, if_source_generation_match=1), 'source')
    other.rewrite(blob, if_generation_match=0, if_source_generation_match=blob.generation)
    expect_error(failed, lambda: other.rewrite(blob, if_generation_match=0), 'second copy')
    blob.upload_from_string('replaced', if_generation_match=blob.generation)
    expect(bucket.blob('once').download_as_text(), 'replaced', 'content')
    bucket.blob('once').delete(if_generation_match=blob.generation)
    expect(bucket.blob('once').exists(), False, 'object after its delete')
    return 'create-only, by generation, by metageneration, of a source'


def retention(client):
    bucket = client.bucket(bucket_name('locked'))
    bucket.retention_period = 3600
    client.create_bucket(bucket)
    blob = bucket.blob('evidence')
    blob.upload_from_string('keep me')
    blob.reload()
    kept_for = blob.retention_expiration_time - blob.time_created
    expect(kept_for, datetime.timedelta(hours=1), 'retention')
    expect_error(exceptions.Forbidden, blob.delete, 'delete under retention')
    expect_error(exceptions.Forbidden, lambda: bucket.blob('evidence').upload_from_string('other'),
                 'overwrite under retention')
    bucket.reload()
    bucket.lock_retention_policy()
    expect(bucket.retention_policy_locked, True, 'lock')
    bucket.retention_period = 60
    expect_error(exceptions.Forbidden, bucket.patch, 'a shorter period')
    bucket.reload()
    bucket.retention_period = 7200
    bucket.patch()
    expect(client.get_bucket(bucket.name).retention_period, 7200, 'extended period')
    expect_error(exceptions.Conflict, bucket.delete, 'delete of a bucket with objects')
    expect(bucket.blob('evidence').download_as_text(), 'keep me', 'content')
    return 'enforced, locked, extended only'


def holds(client):
    bucket = client.bucket(bucket_name('plain'))
    blob = bucket.blob('held')
    blob.upload_from_string('held')
    blob.temporary_hold = True
    blob.patch()
    expect(bucket.get_blob('held').temporary_hold, True, 'hold')
    refused = expect_error(exceptions.Forbidden, blob.delete, 'delete under a hold')
    expect(refused.errors[0]['reason'], 'objectUnderActiveHold', 'reason')
    blob.temporary_hold = False
    blob.event_based_hold = True
    blob.patch()
    expect_error(exceptions.Forbidden, blob.delete, 'delete under an event-based hold')
    blob.event_based_hold = False
    blob.patch()
    blob.delete()
    expect(blob.exists(), False, 'object after the release')
    return 'temporary and event-based'


def batches(client):
    bucket = client.bucket(bucket_name('plain'))
    names = [f'batch/{n}.csv' for n in range(3)]
    for name in names:
        bucket.blob(name).upload_from_string('x')
    expect([b.name for b in bucket.list_blobs(match_glob='batch/[01].*')], names[:2], 'glob')
    with client.batch():
        for name in names:
            bucket.blob(name).delete()
    expect(list(bucket.list_blobs(prefix='batch/')), [], 'objects after the batch')
    with client.batch(raise_exception=False) as batch:
        bucket.blob('never').delete()
    expect([response.status_code for response in batch._responses], [404], 'a call of a batch that fails')
    return 'deletes in one request, one failure by itself'


def deletes(client):
    bucket = client.get_bucket(bucket_name('plain'))
    expect_error(exceptions.Conflict, bucket.delete, 'delete of a bucket with objects')
    expect_error(exceptions.NotFound, bucket.blob('never').delete, 'delete of an absent object')
    for name in (bucket.name, bucket_name('list')):
        client.get_bucket(name).delete(force=True)
        expect(client.bucket(name).exists(), False, 'bucket after its delete')
    return 'objects, then buckets'


STEPS = [buckets, uploads, resumable_upload, interrupted_upload, downloads, checksum_mismatch, listing,
         hostile_names, versions, compose_and_rewrite, preconditions, retention, holds, batches, deletes]


def main():
    if not HOST:
        print('STORAGE_EMULATOR_HOST is not set', file=sys.stderr)
        return 2
    client = storage.Client(project='interop-storage', credentials=AnonymousCredentials())
    for step in STEPS:
        name = step.__name__.replace('_', ' ')
        try:
            print(f'ok    {name}: {step(client)}', flush=True)
        except Exception as error:  # any failure of a step, whatever its kind, ends the session
            print(f'FAIL  {name}: {type(error).__name__}: {error}', flush=True)
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
