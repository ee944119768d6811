"""Targets that are not what the tool is for, or that make reading hard."""
import os
import shutil
import struct
import tempfile

import builds
import compare
import targets
from harness import Skip, require, test

UNSUPPORTED = 3
ODD_TIMEOUT_S = 20
PT_LOAD = 1


def require_refused(pid):
    """Every command refuses it with the code and one sentence, and prints nothing else."""
    for verb in ((), ('maps',)):
        result = targets.tool(*verb, pid, timeout=ODD_TIMEOUT_S)
        require(result.code == UNSUPPORTED,
                f'exit code {result.code}, not {UNSUPPORTED}: {result.err.strip()[-300:]}')
        said = result.err.strip()
        require(said and '\n' not in said, f'not one sentence: {said!r}')
        require(not result.out.strip(), f'a page was printed: {result.out[:200]!r}')


def odd_is_refused(mode):
    with targets.Process([builds.c_program('odd'), mode]) as target:
        said = target.line()
        if said.startswith('cannot'):
            raise Skip(said)
        require_refused(target.pid)
        require(target.alive(), 'the target died')


@test('odd/C program')
def c_program():
    odd_is_refused('sleep')


@test('odd/C program with a mapping that blocks reads')
def blocked_c_program():
    odd_is_refused('userfault')


@test('odd/C program that unmaps')
def unmapping_c_program():
    odd_is_refused('unmap')


@test('odd/python')
def python():
    code = 'import sys; print("ready", flush=True); sys.stdin.read()'
    with targets.Process([targets.need_command('python3'), '-c', code]) as target:
        target.line()
        require_refused(target.pid)


@test('odd/Go 1.16')
def too_old():
    with targets.Process([builds.go_program('old', builds.TOO_OLD)]) as target:
        target.line()
        require_refused(target.pid)
        result = targets.tool('maps', target.pid, timeout=ODD_TIMEOUT_S)
        require('go1.18' in result.err, f'the oldest release is not named: {result.err.strip()}')


@test('odd/no such process')
def nobody():
    with targets.Process([targets.need_command('true')]) as target:
        target.child.wait()
        result = targets.tool('maps', target.pid, timeout=ODD_TIMEOUT_S)
    require(result.code == 4, f'exit code {result.code}, not 4: {result.err.strip()}')


@test('odd/kernel thread')
def kernel_thread():
    if not os.path.isdir('/proc/2') or os.path.exists('/proc/2/exe'):
        raise Skip('process 2 is no kernel thread')
    result = targets.tool('maps', 2, timeout=ODD_TIMEOUT_S)
    require(result.code in (2, UNSUPPORTED), f'exit code {result.code}: {result.err.strip()}')


def loaded_end(binary):
    """The end in the file of what the program needs to run."""
    with open(binary, 'rb') as f:
        head = f.read(64)
        offset, = struct.unpack_from('<Q', head, 32)
        size, count = struct.unpack_from('<HH', head, 54)
        f.seek(offset)
        rows = [struct.unpack_from('<IIQQQQ', f.read(size)) for _ in range(count)]
    return max(row[2] + row[5] for row in rows if row[0] == PT_LOAD)


@test('odd/truncated Go binary')
def truncated():
    """Cut behind what is loaded: sections, symbols and debug information are lost, not the maps."""
    for release in ('1.19.4', builds.NEWEST):
        whole = builds.go_program('truth', release, 'normal')
        with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
            cut = os.path.join(folder, 'cut')
            shutil.copy(whole, cut)
            require(os.path.getsize(cut) > loaded_end(cut), 'there is nothing to cut off')
            os.truncate(cut, loaded_end(cut))
            with targets.Truth(cut, '-maps', 300) as target:
                result = targets.tool('maps', target.pid, '--json', '--all', timeout=ODD_TIMEOUT_S)
                if result.code == UNSUPPORTED:
                    require(result.err.strip(), 'refused in silence')
                    continue
                compare.require_listed(target, compare.require_sound(result.document()))
                target.finish()


@test('odd/deleted Go binary')
def deleted():
    whole = builds.go_program('truth', builds.NEWEST, 'stripped')
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        copy = os.path.join(folder, 'gone')
        shutil.copy(whole, copy)
        with targets.Truth(copy, '-maps', 300) as target:
            os.unlink(copy)
            compare.require_listed(target, compare.require_sound(targets.census(target.pid)))
            target.finish()


@test('odd/heap that was large once')
def shrunk():
    """Nearly every mspan is dead, which is no reason to refuse the process."""
    for release in ('1.19.4', builds.NEWEST):
        with targets.Process([builds.go_program('shrunk', release, 'stripped')]) as target:
            entries = int(target.line())
            document = targets.tool('maps', target.pid, '--json', '--all',
                                    timeout=ODD_TIMEOUT_S).document()
            require(any(m['entries'] == entries for m in document['maps']),
                    f'go{release}: no map of {entries} entries was seen')


@test('odd/Go map on pages that block reads')
def blocked_map():
    """Nobody answers page faults on the table of one map; the others are read all the same."""
    binary = builds.go_program('truth', '1.23.12', 'stripped')
    with targets.Truth(binary, '-maps', 1000, '-blocked') as target:
        if not target.ready['blocked']:
            raise Skip('the kernel lets no one register a userfaultfd')
        document = targets.tool('maps', target.pid, '--json', '--all',
                                timeout=ODD_TIMEOUT_S).document()
        by_address = compare.index(document)
        blocked = [m for m in target.maps if m['label'] == 'blocked']
        target.maps = [m for m in target.maps if m['label'] != 'blocked']
        compare.require_listed(target, by_address)
        skipped = sum(document['coverage']['skipped'].values())
        require(skipped or blocked[0]['address'] in by_address,
                'the map with the blocked table is neither listed nor counted as skipped')
        require(target.alive(), 'the target died')
