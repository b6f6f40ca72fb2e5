"""Bytes that change beneath the service, which goes on telling what it told before: verification and
restore read them and see. And what is lost whole: a bucket, the catalog."""
import os
import shutil

from harness import check, run_scenarios, sales

PEOPLE = 'acme-shop.sales.people'
BUCKET = 'acme-shop-holdfast-us'


def newest(world, name):
    return world.json('backup', 'list', name, '--latest')[0]


def blob_of(world, content):
    """The file in localcloud's directory that holds exactly these bytes."""
    found = []
    for folder, _, names in os.walk(world.root / 'cloud' / 'storage'):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as file:
                if file.read() == content:
                    found.append(path)
    check(found, 'no file holds the object')
    return found


def write_all(paths, content):
    for path in paths:
        os.chmod(path, 0o600)
        with open(path, 'wb') as file:
            file.write(content)


def data_of(world, name):
    uri = world.json('backup', 'show', newest(world, name)['backup'])['data'][0]['uri']
    return uri.removeprefix(f'gs://{BUCKET}/')


def damage(world, change):
    content = world.read_object(BUCKET, data_of(world, PEOPLE))
    write_all(blob_of(world, content), change(bytearray(content)))


def flip_first(content):
    content[0] ^= 1
    return content


def flip_middle(content):
    content[len(content) // 2] ^= 1
    return content


def flip_last(content):
    content[-1] ^= 0x80
    return content


def cut(content):
    return content[:-3]


def changed_bytes_are_found_whatever_the_service_says(world):
    for number, change in enumerate((flip_first, flip_middle, flip_last)):
        if number > 0:
            world.close()
            world.__init__()
        sales(world)
        world.json('backup', 'run')
        damage(world, change)
        # The service answers with the sums that it computed when the object was written.
        world.run('backup', 'verify', PEOPLE, '--level', 'L0')
        rows = world.json('backup', 'verify', PEOPLE, '--level', 'L1', expect=4)
        check(rows[0]['result'] == 'DAMAGED' and BUCKET in rows[0]['finding'], f'{change}: {rows}')
        world.run('backup', 'verify', PEOPLE, '--level', 'L2', expect=4)
        world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue', expect=14)
        world.json('backup', 'run')
        world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue')
        check(world.query('acme-rescue', 'SELECT COUNT(*) FROM `acme-rescue.sales.people`') == [['3']],
              'the restored table')


def an_object_that_was_cut_is_damaged(world):
    sales(world)
    world.json('backup', 'run')
    damage(world, cut)
    rows = world.json('backup', 'verify', expect=4)
    check({row['name']: row['result'] for row in rows if row['result'] != 'ok'} ==
          {PEOPLE: 'DAMAGED'}, f'{rows}')
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue', expect=None)
    check(world.last_code != 0, 'an object that ends too early was restored')
    # It is known now: the next backup takes the table again, and that one is restored.
    world.json('backup', 'run')
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue')


def an_object_that_cannot_be_read_to_its_end_does_not_hide_the_others(world):
    sales(world)
    world.json('backup', 'run')
    world.fault(path='/storage/v1/b/*/o/*people*.avro', effect='truncate', count=-1)
    rows = world.json('backup', 'verify', expect=None)
    check(world.last_code != 0, 'an object that ends too early passed')
    check({row['name']: row['result'] for row in rows if row['result'] != 'ok'} ==
          {PEOPLE: 'NOT CHECKED'}, f'{rows}')
    check(len(rows) == 5 and BUCKET in [r for r in rows if r['name'] == PEOPLE][0]['finding'],
          f'{rows}')


def damage_that_was_not_verified_is_found_by_the_restore(world):
    sales(world)
    world.json('backup', 'run')
    damage(world, flip_middle)
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue', expect=None)
    check(world.last_code != 0, 'a damaged backup was restored')
    check(PEOPLE in world.last_error and 'is damaged' in world.last_error, world.last_error)
    # It is known now: the next backup takes the table again, and that one is restored.
    world.json('backup', 'run')
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue')


def a_lost_bucket_is_backed_up_again_and_never_called_unchanged(world):
    sales(world)
    world.json('backup', 'run')
    for item in world.objects(BUCKET):
        world.delete_object(BUCKET, item['name'])
    rows = world.json('backup', 'verify', expect=4)
    check(len(rows) == 5 and all(row['result'] == 'DAMAGED' for row in rows), f'{rows}')
    report = world.json('backup', 'run')
    check({i['outcome'] for i in report['items']} == {'backed_up'}, f"{report['items']}")
    world.run('backup', 'verify')


def a_lost_catalog_is_rebuilt_from_the_buckets(world):
    sales(world)
    world.json('backup', 'run')
    before = world.json('backup', 'list')
    shutil.rmtree(world.root / 'data')
    check(world.json('backup', 'list') == [], 'the catalog is gone')
    world.run('catalog', 'rebuild')
    check([r['backup'] for r in world.json('backup', 'list')] == [r['backup'] for r in before],
          'the same backups are known again')
    report = world.json('backup', 'run')
    check({i['outcome'] for i in report['items']} == {'unchanged'}, f"{report['items']}")
    world.run('restore', 'run', 'acme-shop.sales', '--to-project', 'acme-rescue')
    check(world.query('acme-rescue', 'SELECT COUNT(*) FROM `acme-rescue.sales.orders`') == [['60']],
          'the restored table')


def a_table_that_shrank_is_told_and_its_good_backup_kept_until_accepted(world):
    sales(world)
    world.json('backup', 'run')
    good = newest(world, PEOPLE)['backup']
    world.query('acme-shop', 'DELETE FROM `acme-shop.sales.people` WHERE TRUE')
    world.json('backup', 'run', expect=3)
    check('WARNING' in world.last_error and 'suspect' in world.last_error, world.last_error)
    suspect = newest(world, PEOPLE)['backup']
    check(suspect != good, 'the shrunk table was backed up')
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue')
    check(world.query('acme-rescue', 'SELECT COUNT(*) FROM `acme-rescue.sales.people`') == [['3']],
          'the good backup was restored')
    world.json('backup', 'run', expect=3)
    check(newest(world, PEOPLE)['backup'] == suspect, 'an unchanged suspect was exported again')
    world.run('backup', 'accept', suspect)
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-other')
    check(world.query('acme-other', 'SELECT COUNT(*) FROM `acme-other.sales.people`') == [['0']],
          'the accepted backup was restored')
    # A person's word is in the repository, so it survives the catalog.
    shutil.rmtree(world.root / 'data')
    world.run('catalog', 'rebuild')
    check(newest(world, PEOPLE)['backup'] == suspect, 'the rebuilt catalog')
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-third')
    check(world.query('acme-third', 'SELECT COUNT(*) FROM `acme-third.sales.people`') == [['0']],
          'the accepted backup was restored after the rebuild')


def a_partitioned_table_that_was_emptied_is_suspect_with_or_without_a_catalog(world):
    sales(world)
    world.json('backup', 'run')
    world.query('acme-shop', 'DELETE FROM `acme-shop.sales.orders` WHERE TRUE')
    world.json('backup', 'run', expect=3)
    check('WARNING' in world.last_error and 'suspect' in world.last_error, world.last_error)
    # A night's run on an empty catalog must not take it for a first good backup either.
    shutil.rmtree(world.root / 'data')
    world.query('acme-shop', 'DELETE FROM `acme-shop.sales.people` WHERE TRUE')
    report = world.json('backup', 'run', expect=3)
    suspects = {i['object'] for i in report['items'] if i.get('suspect')}
    check(suspects == {'acme-shop.sales.orders', PEOPLE}, f'{suspects}')


def a_copy_that_was_written_to_is_no_backup(world):
    sales(world)
    world.json('backup', 'run', '--method=copy')
    copy = world.json('backup', 'show', newest(world, PEOPLE)['backup'])['copy']
    world.run('backup', 'verify', PEOPLE)
    world.query('acme-shop', f"UPDATE `{copy}` SET name = 'Mallory' WHERE id = 1")
    world.run('backup', 'verify', PEOPLE, '--level', 'L0', expect=4)
    world.run('restore', 'run', PEOPLE, '--to-project', 'acme-rescue', expect=None)
    check(world.last_code != 0, 'a copy that was tampered with was restored as good')


def backup_in(name, backups):
    """The backup whose data or manifest has that name; None: it is another kind of object."""
    found = [backup for backup in backups if backup in name]
    return found[0] if found and name.startswith(('data/', 'manifests/')) else None


def expect_verify_finds(world, damaged, backups, why):
    """`backup verify` exits with 4 and calls exactly these backups damaged, by their tables' names."""
    rows = world.json('backup', 'verify', '--all', '--level', 'L1', expect=4)
    check(len(rows) == len(backups), f'{why}: {rows}')
    found = {row['backup']: row['name'] for row in rows if row['result'] == 'DAMAGED'}
    check(found == {backup: backups[backup] for backup in damaged}, f'{why}: {found}')


def expect_check_finds(world, name, why, code=4):
    out = world.run('catalog', 'check', expect=None)
    check(world.last_code == code, f'{why}: exit code {world.last_code}:\n{out}')
    check(f'gs://{BUCKET}/{name}' in out, f'{why}: {name} is not named:\n{out}\n{world.last_error}')


def of_every_kind(world):
    """Backups by id with their objects' names, and a repository that has every kind of object."""
    sales(world)
    world.json('backup', 'run')
    world.run('backup', 'verify')
    world.run('backup', 'pin', newest(world, PEOPLE)['backup'], '--reason', 'audit')
    world.run('catalog', 'check')
    return {row['backup']: row['object'] for row in world.json('backup', 'list')}


def every_object_of_a_repository_is_watched(world):
    """Bytes that were flipped, cut, exchanged or lost beneath the service, in each object in turn."""
    backups = of_every_kind(world)
    items = [item['name'] for item in world.objects(BUCKET)]
    folders = {name.partition('/')[0] for name in items}
    check(folders == {'data', 'evidence', 'manifests', 'pins', 'repository.json', 'run-items', 'runs'},
          f'{folders}')
    contents = {name: world.read_object(BUCKET, name) for name in items}
    for name, content in contents.items():
        # Another one of its folder, or the next best.
        others = sorted((other for other in contents if contents[other] != content),
                        key=lambda other: other.partition('/')[0] != name.partition('/')[0])
        for what, changed in (('flip', flip_middle(bytearray(content))), ('cut', cut(content)),
                              ('swap', contents[others[0]])):
            why = f'{what} {name}'
            paths = blob_of(world, content)
            write_all(paths, changed)
            if backup_in(name, backups):
                expect_verify_finds(world, {backup_in(name, backups)}, backups, why)
            elif name == 'repository.json':
                expect_verify_finds(world, set(backups), backups, why)
            else:
                expect_check_finds(world, name, why)
            write_all(paths, content)
    rows = world.json('backup', 'verify', '--all', '--level', 'L1')
    check(all(row['result'] == 'ok' for row in rows), f'all is as it was: {rows}')


def what_is_deleted_from_a_repository_is_missed(world):
    """Each object deleted, or overwritten by somebody with the bucket, one after the other."""
    def delete(name):
        world.delete_object(BUCKET, name)

    def overwrite(name):
        world.replace_object(BUCKET, name, other_content[name])

    for number, (harm, folder) in enumerate(((delete, 'data/'), (delete, 'manifests/'),
                                             (overwrite, 'data/'), (overwrite, 'manifests/'))):
        if number > 0:
            world.close()
            world.__init__()
        backups = of_every_kind(world)
        names = [item['name'] for item in world.objects(BUCKET)]
        contents = {name: world.read_object(BUCKET, name) for name in names}
        of_folder = [name for name in names if name.startswith(folder)]
        other_content = {name: contents[of_folder[place - 1]] for place, name in enumerate(of_folder)}
        damaged = set()
        for name in of_folder:
            harm(name)
            damaged.add(backup_in(name, backups))
            expect_verify_finds(world, damaged, backups, f'{harm.__name__} {name}')
        check(len(damaged) >= 3, f'{damaged}')
        if folder == 'data/':
            continue
        # Without a trace, by design: what was looked at or pinned is what somebody added.
        for name in names:
            if name.startswith(('evidence/', 'pins/')) and harm is delete:
                delete(name)
        for name in names:
            if name.startswith('run-items/'):
                delete(name) if harm is delete else world.replace_object(BUCKET, name, b'{}')
                expect_check_finds(world, name, f'{harm.__name__} {name}')
        delete('repository.json')
        expect_verify_finds(world, set(backups), backups, 'delete repository.json')


def a_run_file_that_is_deleted_is_missed(world):
    of_every_kind(world)
    runs = [item['name'] for item in world.objects(BUCKET, 'runs/')]
    check(runs, 'a run was kept')
    for name in runs:
        world.delete_object(BUCKET, name)
        expect_check_finds(world, name, f'delete {name}', code=3)


def a_mistyped_scope_is_an_error(world):
    sales(world)
    world.run('backup', 'run', 'acme-shop.salse', expect=14)
    check('acme-shop.salse' in world.last_error, world.last_error)


if __name__ == '__main__':
    run_scenarios(changed_bytes_are_found_whatever_the_service_says,
                  an_object_that_was_cut_is_damaged,
                  an_object_that_cannot_be_read_to_its_end_does_not_hide_the_others,
                  damage_that_was_not_verified_is_found_by_the_restore,
                  a_lost_bucket_is_backed_up_again_and_never_called_unchanged,
                  a_lost_catalog_is_rebuilt_from_the_buckets,
                  a_table_that_shrank_is_told_and_its_good_backup_kept_until_accepted,
                  a_partitioned_table_that_was_emptied_is_suspect_with_or_without_a_catalog,
                  a_copy_that_was_written_to_is_no_backup,
                  every_object_of_a_repository_is_watched,
                  what_is_deleted_from_a_repository_is_missed,
                  a_run_file_that_is_deleted_is_missed,
                  a_mistyped_scope_is_an_error)
