"""Targets that are not what the tool is for, or that make reading hard."""
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import builds
import compare
import targets
from harness import Skip, add, note, require, test

UNSUPPORTED = 3
ODD_TIMEOUT_S = 20
STUCK_TIMEOUT_S = 60
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


class MapCount:
    """The kernel lets a process have so many mappings, for a while, where we may say so."""
    PATH = '/proc/sys/vm/max_map_count'

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        with open(self.PATH) as f:
            self.before = f.read()
        self.set(self.count)

    def __exit__(self, *_):
        self.set(self.before)

    def set(self, count):
        try:
            with open(self.PATH, 'w') as f:
                f.write(str(count))
        except OSError:
            pass


def measured(target, *words):
    """A census held to the program's list: seconds, and the tool's own memory in MB."""
    before, began = targets.resident_kb(target.pid), time.monotonic()
    document = targets.tool('maps', target.pid, '--json', '--all', *words).document()
    seconds = time.monotonic() - began
    compare.require_listed(target, compare.require_sound(document))
    grown = targets.resident_kb(target.pid) - before
    require(grown < 8192, f'its resident memory grew by {grown} kB while it was looked at')
    return seconds, document['cost']['own_peak_bytes'] / 1e6


@test('odd/500 GB of addresses')
def wide():
    for release in ('1.19.4', builds.NEWEST):
        with targets.Truth(builds.go_program('truth', release, 'stripped'), '-maps', 1000, '-reserve', 500) as target:
            seconds, own = measured(target)
            note(f'go{release}: 500 GB of addresses: {seconds:.2f} s, own memory {own:.0f} MB')
            require(own < 300, f'own memory {own} MB')
            target.finish()


@test('odd/a million mappings')
def fragmented():
    with MapCount(1100000), targets.Truth(builds.go_program('truth', builds.NEWEST, 'stripped'), '-maps', 1000,
                                          '-mappings', 1000000) as target:
        require(target.ready['mappings'] > 60000, target.ready)
        for words in ((), ('--no-owners',)):
            seconds, own = measured(target, *words)
            note(f'{target.ready["mappings"]} mappings {" ".join(words)}: {seconds:.2f} s, own memory {own:.0f} MB')
            require(own < 600, f'own memory {own} MB')
        told = targets.tool('doctor', target.pid)
        require(told.code == 0, told.err)
        target.finish()


class StuckFile:
    """A folder with one program, on a file system that stops answering when it is told to."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix='mapscope-stuck-')
        self.server = targets.Process([builds.c_program('stuckfs'), self.folder, program])
        self.program = os.path.join(self.folder, 'program')

    def __enter__(self):
        self.server.__enter__()
        said = self.server.line()
        if said != 'ready':
            self.__exit__()
            raise Skip(said)
        return self

    def stop(self):
        with open('/proc/sys/vm/drop_caches', 'w') as f:  # What is not mapped is to be asked for again.
            f.write('1')
        os.kill(self.server.pid, signal.SIGUSR1)
        require(self.server.line() == 'stuck', 'it goes on answering')

    def __exit__(self, *_):
        self.server.__exit__()  # Without a server whoever waits gets an error.
        subprocess.run(['umount', '-l', self.folder], check=False, capture_output=True)
        os.rmdir(self.folder)


def stuck_file(verb, *more):
    """A program whose file can no longer be read: an end in time, with a sentence or with a result."""
    targets.need_root()
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    with StuckFile(binary) as stuck, targets.Truth(stuck.program, '-maps', 100) as target:
        compare.require_listed(target, compare.require_sound(targets.census(target.pid)))  # It answers.
        stuck.stop()
        done = targets.tool(verb, target.pid, *more, timeout=STUCK_TIMEOUT_S)
        require(done.code in (0, 3, 5), f'exit code {done.code}: {done.err}')
        said = done.err.strip() or done.out.strip()
        require(said, 'it ended in silence')
        note(f'{verb}: exit code {done.code}: {said.splitlines()[-1][:160]}')
        require(target.alive(), 'the target died')


for _verb, *_more in (('maps',), ('doctor',), ('goroutines', '--once'), ('diagnose', '--seconds', '1')):
    add(f'odd/its file system hangs/{_verb}', 'check', stuck_file, _verb, *_more)
