"""Two censuses of one process, and of two: what grew is what the program says it filled."""
import json
import os
import tempfile

import builds
import targets
from harness import ROOT, require, test


def saved(folder, name, *pid):
    path = os.path.join(folder, name)
    result = targets.tool('maps', *pid, '--all', '-o', path)
    require(result.code == 0, f'exit code {result.code}: {result.err}')
    return path


def difference(*sides, code=0):
    return targets.tool('diff', *sides, '--json', '--all').document(code)


@test('diff/a process with itself')
def itself():
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        binary = builds.go_program('truth', builds.NEWEST, 'normal')
        with targets.Truth(binary, '-maps', 2000) as target:
            before = saved(folder, 'before.json', target.pid)
            document = difference(before, target.pid)
            require(document['same_process'], 'it is not known for the same')
            require(not document['warnings'], f'warnings: {document["warnings"]}')
            require(document['total_before']['maps'] >= 2000, 'maps are missing')
            require(abs(document['appeared']) <= 20 and abs(document['vanished']) <= 20,
                    f'{document["appeared"]} appeared, {document["vanished"]} vanished')
            both = difference(before, before)
            require(both['appeared'] == both['vanished'] == 0, 'a document differs from itself')
            require(all(o['change_bytes'] in (0, None) for o in both['owners']),
                    'a document differs from itself')
            target.finish()


@test('diff/what grew')
def growth():
    """The demo's orders grow by themselves."""
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        binary = builds.go_program(os.path.join(ROOT, 'examples', 'demo'), builds.NEWEST, 'normal')
        with targets.Process([binary]) as demo:
            demo.line(targets.READY_TIMEOUT_S)
            before = saved(folder, 'before.json', demo.pid)
            after = saved(folder, 'after.json', demo.pid)
            document = difference(before, after)
            later = difference(after, demo.pid)
        with open(before) as a, open(after) as b:
            entries = [sum(o['entries'] for o in json.load(f)['owners']) for f in (a, b)]
    require(document['total_before']['entries'] == entries[0], 'the first sum is another')
    require(document['total_after']['entries'] == entries[1], 'the second sum is another')
    changes = [abs(o['change_bytes']) for o in document['owners'] if o['change_bytes'] is not None]
    require(changes == sorted(changes, reverse=True), 'the rows are not in order')
    require(later['total_after']['entries'] >= entries[1], 'the orders do not grow')


@test('diff/two programs')
def programs():
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        paths = []
        for release in ('1.22.12', builds.NEWEST):
            binary = builds.go_program('budget', release)
            with targets.Process([binary, '-hold', '1m']) as target:
                require(target.line().startswith('uid'), 'the program did not start')
                paths.append(saved(folder, release + '.json', target.pid))
        document = difference(*paths)
        warnings = ' '.join(document['warnings'])
        require('executable differs' in warnings and 'Go release differs' in warnings, warnings)
        require(not document['same_process'] and document['appeared'] is None, 'it is the same')
        cache = [o for o in document['owners'] if o['owner'] == 'main.cache']
        require(len(cache) >= 1, 'the cache has no row')
