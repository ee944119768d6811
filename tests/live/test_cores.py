"""Core files of the kernel, gcore and dlv say what the living process did, and why it died.

Method: a program that holds known maps is dumped in each way, and each core's census has to be that of
the process; one that dies of concurrent use is held against the runtime's own message, which names the
error and the goroutine.  Damaged and foreign files are refused in one sentence.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import builds
import cores
import targets
import test_c_programs
from harness import Skip, note, require, test

RELEASES = ('1.19.4', '1.23.12', '1.24.13', builds.NEWEST)
ERRORS = {'writes': 'concurrent map writes', 'read': 'concurrent map read and map write',
          'iterate': 'concurrent map iteration and map write'}
DIES_OF = {'writes': ('main.post', 'main.settle'), 'read': ('main.look',), 'iterate': ('main.sum', 'main.first')}
# How it dies alone: what it is called by, the type of the map that it was at, and the function it was in.
ENDS = {'nil': ('panic', 'assignment to entry in nil map', 'map[string]uint16', 'main.note'),
        'unhashable': ('panic', 'hash of unhashable type', 'map[interface {}]bool', 'main.mark'),
        'fault': ('panic', 'a fault of the processor (SIGSEGV, SIGBUS or SIGFPE)', None, 'main.follow'),
        'own': ('panic', None, None, 'main.alone'),
        'memory': ('fatal error', 'the words of the program', 'map[int]int', 'main.hoard'),
        'deadlock': ('fatal error', 'the words of the program', None, None),
        'overflow': ('fatal error', 'the words of the program', None, 'main.descend')}
BETWEEN_COLLECTIONS_S = 0.1  # The program sleeps for twice that.
TIMEOUT_S = 60


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix='mapscope-core-') as path:
        yield path


def rows(document):
    """What does not depend on how the process was read."""
    return sorted((m['address'], str(m['type']), str(m['owner']), m['entries'], m['capacity'],
                   json.dumps(m['growth']))
                  for m in document['maps'])


def core_census(core, *options, code=0):
    return targets.tool('maps', core, '--json', '--all', *options).document(code)


def killed(path, binary, *args):
    """A core by the kernel of a process that was held, and its census before."""
    with targets.Process([binary, *args], cwd=path, preexec_fn=cores.allow_cores,
                         env=dict(os.environ, GOTRACEBACK='crash')) as program:
        program.line()
        living = targets.census(program.pid)
        waited = waits(targets.tool('goroutines', str(program.pid), '--json').document())
        os.kill(program.pid, signal.SIGABRT)
        program.child.wait(TIMEOUT_S)
    return cores.only_core(path), living, waited


def waits(document):
    return {g['id']: g['waited_s'] for g in document['goroutines']
            if g['wait_reason'] == 'select (no cases)' and g['waited_s'] is not None}


def same_waits(living, core):
    """A core has no clock: its goroutines waited up to the last collection, and longer."""
    require(len(core) >= 20, f'{len(core)} goroutines are known to wait')
    for id, waited in core.items():
        require(BETWEEN_COLLECTIONS_S < waited < living[id], f'goroutine {id}: {waited} s, then {living[id]} s')


def same(living, core):
    require(core['target']['core'] and core['target']['go_version'] == living['target']['go_version'] and
            core['target']['pid'] == living['target']['pid'], f'target: {core["target"]}')
    a, b = rows(living), rows(core)
    require(a == b, f'{len(a)} maps and {len(b)}: {sorted(set(a) ^ set(b))[:4]}')


def counts(document):
    """What a census knows of its maps without their types: a sync.Map since Go 1.24 is none."""
    return sorted((m['address'], m['entries'], m['capacity'], m['tables'], m['deleted_slots'],
                   json.dumps(m['growth'])) for m in document['maps'] if m['kind'] != 'sync_trie')


def without_program(path, core, living):
    """The kernel leaves the program out: where that is gone, maps have their counts, and nothing else has anything."""
    nowhere = f'{path}/nowhere'
    os.mkdir(nowhere)
    moved = shutil.move(core, f'{nowhere}/core')
    alone = core_census(moved, '--sysroot', nowhere, code=5)
    require(alone['partial'] and '--exe FILE' in alone['partial_reason'] and
            alone['target']['stripped'] is None and alone['target']['lacks_program'], f'{alone["target"]}')
    require(all(m['type'] is None and m['owner'] is None for m in alone['maps']), 'a type without a program')
    require(counts(alone) == counts(living), 'other counts without the program')
    for verb in ([], ['goroutines'], ['inspect']):
        refused = targets.tool(*verb, moved, *(['0xc000000000'] if verb == ['inspect'] else []), '--sysroot', nowhere)
        require(refused.code == 3 and '--exe FILE' in refused.err and 'mapscope maps' in refused.err, refused.err)
    shutil.move(moved, core)


def add_kernel(release, variant):
    @test(f'cores/kernel/{release}/{variant}')
    def kernel():
        cores.need_kernel_cores()
        binary = builds.go_program('crash', release, variant)
        with folder() as path:
            core, living, waited = killed(path, binary, 'hold')
            same(living, core_census(core))
            same_waits(waited, waits(targets.tool('goroutines', core, '--json').document()))
            beside = shutil.copy(binary, path)
            same(living, core_census(core, '--exe', beside))
            page = targets.tool(core, '--json').document()
            require(page['error'] is None and page['signal'] == 'ABRT' and page['threads'] > 1,
                    f'end: {page["error"]} {page["signal"]} {page["threads"]}')
            without_program(path, core, living)
            refused = targets.tool('maps', core, '--exe', shutil.which('sh'))
            require(refused.code == 3 and 'build id' in refused.err, refused.err)


def add_crash(release, variant, how):
    @test(f'cores/{how}/{release}/{variant}')
    def crash():
        cores.need_kernel_cores()
        binary = builds.go_program('crash', release, variant)
        with folder() as path:
            said = cores.died(binary, how, path, TIMEOUT_S)
            page = targets.tool(cores.only_core(path), '--json').document()
            text = targets.tool(cores.only_core(path)).out
        cores.require_named(page, said)
        # A write may meet another first, whatever else was asked for.
        kind = next((k for k, e in ERRORS.items() if e == page['error']), None)
        functions = [c['function'] for c in page['stack'] or []]
        require(any(f in functions for f in DIES_OF[kind]), f'its stack: {functions}')
        require(page['error'] in text.replace('\n  ', ' '), text[:300])
        require(page['map_address'] and page['map_from'] in ('argument', 'caller'),
                f'the map: {page["map_address"]} from {page["map_from"]}')
        if page['map']:  # The census passes over one that was left in the middle of a write.
            require(page['map']['type'] == 'map[string]int' and
                    (variant == 'stripped' or page['map']['owner'] == 'main.book.totals'), f'map: {page["map"]}')
        users = [(u['goroutine'], u['how']) for u in page['users']]
        require(page['goroutine'] not in [u[0] for u in users], 'it is its own second user')
        note(f'{how} {release} {variant}: map known from its {page["map_from"]}, users {users}')


def add_end(release, variant, how):
    @test(f'cores/alone/{how}/{release}/{variant}')
    def end():
        cores.need_kernel_cores()
        ended_by, words, map_type, function = ENDS[how]
        binary = builds.go_program('crash', release, variant)
        with folder() as path:
            said = cores.died(binary, how, path, TIMEOUT_S)
            page = targets.tool(cores.only_core(path), '--json').document()
            text = targets.tool(cores.only_core(path)).out
        if ended_by == 'fatal error':
            words = re.search('^fatal error: (.*)$', said, re.M).group(1)
        require((page['ended_by'], page['words'], page['map_type']) == (ended_by, words, map_type),
                f'{page["ended_by"]}, {page["words"]}, {page["map_type"]}; it said: {said[:300]}')
        require(page['error'] in (None, 'other') and (page['raised_in'] == function or how != 'own'),
                f'{page["error"]}, raised in {page["raised_in"]}')
        require(text.startswith(f'{ended_by}: {words}' if words else f'panic raised in {function}') and
                'secret-of' not in text + json.dumps(page), text[:300])
        require(page['goroutine'] == cores.named_goroutine(said), f'goroutine {page["goroutine"]}')
        functions = [c['function'] for c in page['stack'] or []]
        require(function in functions if function else not functions, f'its stack: {functions}')


for release in RELEASES:
    for variant in ('normal', 'stripped'):
        add_kernel(release, variant)
for release, variant in (('1.19.4', 'normal'), ('1.23.12', 'stripped'), ('1.24.13', 'normal'),
                         (builds.NEWEST, 'stripped')):
    for how in ENDS:
        add_end(release, variant, how)
for release, variant in (('1.19.4', 'normal'), ('1.23.12', 'stripped'), ('1.24.13', 'stripped'),
                         (builds.NEWEST, 'normal'), (builds.NEWEST, 'stripped')):
    for how in (*ERRORS, 'begin'):
        add_crash(release, variant, how)


@test('cores/gcore')
def gcore():
    if not shutil.which('gcore'):
        raise Skip('there is no gcore')
    for release in ('1.19.4', builds.NEWEST):
        binary = builds.go_program('crash', release, 'stripped')
        with folder() as path, targets.Process([binary, 'hold']) as program:
            program.line()
            living = targets.census(program.pid)
            done = subprocess.run(['gcore', '-o', f'{path}/core', str(program.pid)], capture_output=True, text=True,
                                  timeout=TIMEOUT_S)
            if done.returncode:
                raise Skip(f'gcore may not: {done.stderr.strip().splitlines()[-1:]}')
            same(living, core_census(cores.only_core(path)))
            require(targets.tool(cores.only_core(path), '--json').document()['signal'] is None,
                    'nobody killed it')


@test('cores/dlv')
def dlv():
    if not shutil.which('dlv'):
        raise Skip('there is no dlv')
    binary = builds.go_program('crash', '1.19.4', 'normal')  # Debian's dlv knows no newer ones.
    with folder() as path, targets.Process([binary, 'hold']) as program:
        program.line()
        living = targets.census(program.pid)
        with open(f'{path}/words', 'w') as f:
            f.write(f'dump {path}/core\nexit -c\n')
        done = subprocess.run(['dlv', 'attach', str(program.pid), '--init', f'{path}/words',
                               '--allow-non-terminal-interactive=true'], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT_S)
        if not os.path.exists(f'{path}/core'):
            raise Skip(f'dlv wrote none: {(done.stderr or done.stdout).strip()[-200:]}')
        same(living, core_census(f'{path}/core', '--exe', binary))
        # It leaves no page out: without the program there are no names of variables, and no more is missing.
        alone = core_census(f'{path}/core')
        require(alone['target']['stripped'] is None, 'it says whether a program is stripped that has no file')
        require([m['entries'] for m in alone['maps']] == [m['entries'] for m in living['maps']],
                'another census without the program')


@test('cores/damaged')
def damaged():
    cores.need_kernel_cores()
    binary = builds.go_program('crash', builds.NEWEST, 'normal')
    with folder() as path:
        core, _, _ = killed(path, binary, 'hold')
        size = os.path.getsize(core)
        for tenth in range(10):
            cut = shutil.copy(core, f'{path}/cut')
            os.truncate(cut, size * tenth // 10 + 100)
            result = targets.tool('maps', cut)
            require(result.code in (3, 5) and len(result.err.strip().splitlines()) == 1,
                    f'cut at {tenth} tenths: {result.code} {result.err}')
        moved = f'{path}/elsewhere'
        os.mkdir(moved)
        shutil.copy(core, f'{moved}/core')
        lost = targets.tool(f'{moved}/core', '--sysroot', moved)
        require(lost.code == 3 and '--exe FILE' in lost.err, lost.err)
        shutil.copy(binary, os.path.join(moved, os.path.basename(binary)))
        require(core_census(f'{moved}/core', '--sysroot', moved)['maps'], 'the program beside the core is not found')
        live = targets.tool('trace', core)
        require(live.code == 3 and 'mapscope maps' in live.err, live.err)


@test('cores/C program, in the middle of a growth')
def c_program():
    cores.need_kernel_cores()
    with folder() as path:
        with targets.Process([test_c_programs.sessions(), 50], cwd=path, preexec_fn=cores.allow_cores) as program:
            cache = program.line().split()[1]
            for _ in range(2000):
                living = targets.census(program.pid)
                if next(m for m in living['maps'] if m['address'] == cache)['growing']:
                    break
                program.send('700')
                program.line()
            else:
                raise Skip('no look met a growth')
            os.kill(program.pid, signal.SIGABRT)
            program.child.wait(TIMEOUT_S)
        core = core_census(cores.only_core(path))
        require(rows(core) == rows(living), 'another census')
        require(next(m for m in core['maps'] if m['address'] == cache)['growing'], 'it does not grow')
