"""Core files that were cut off (a full disk, ulimit -c): what is left of them, and nothing else.

Method: a core is cut at several places, and each map of what is left is held against the row of the
whole core at the same address.  A map that the whole core does not have, and a number, type or owner
that is another one, fail; a value that is not known does not.  How many of the maps were found is
printed.
"""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile

import builds
import cores
import targets
from harness import Skip, note, require, test

CUTS = (10, 30, 60, 80, 95, 98)
RELEASES = ('1.19.4', '1.23.12', '1.24.13', builds.NEWEST)
NUMBERS = ('entries', 'capacity', 'grow_at', 'overflow_buckets', 'deleted_slots', 'live_bytes', 'total_bytes',
           'slack_bytes', 'tables', 'directory_depth', 'type', 'key_type', 'elem_type')
ALWAYS = ('kind', 'where', 'growing', 'growth')
PARTIAL, REFUSED = 5, 3
TIMEOUT_S = 300
WAITING = 20  # Goroutines of the program crash that select nothing.


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix='mapscope-cut-') as path:
        yield path


def cut_at(core, percent):
    """A copy that ends there; holes stay holes."""
    path = f'{core}-{percent}'
    subprocess.run(['cp', '--sparse=always', core, path], check=True)
    os.truncate(path, os.path.getsize(core) * percent // 100)
    return path


def held_against(whole, left, what):
    """How many maps of the whole core the page of what is left has; all that it says is right."""
    rows = {m['address']: m for m in whole['maps']}
    for m in left['maps']:
        at = f'{what}: the map at {m["address"]} ({m["type"]}, {m["owner"]})'
        require(m['address'] in rows, f'{at} is none of the whole core')
        true = rows[m['address']]
        for key in NUMBERS:
            # What the whole core has no type for may have one here, by another way to it.
            known = m[key] is not None and true[key] is not None
            require(not known or m[key] == true[key], f'{at}: {key} {m[key]!r}, not {true[key]!r}')
        for key in ALWAYS:
            require(m[key] == true[key], f'{at}: {key} {m[key]!r}, not {true[key]!r}')
        require(m['confidence'] in (true['confidence'], 'changed'), f'{at}: {m["confidence"]}')
    require(left['partial'] and 'is cut off' in left['partial_reason'], f'{what} is not marked: {left["partial_reason"]}')
    return len(left['maps'])


def all_cuts(core, least, *options):
    """Each cut of the core; at the last of them so large a share of its maps is found."""
    whole = targets.tool('maps', core, '--json', '--all').document()
    found = []
    for percent in CUTS:
        path = cut_at(core, percent)
        result = targets.tool('maps', path, '--json', '--all', *options)
        if result.code == REFUSED:  # Of position-independent programs the data lies behind the heap.
            require('cut off' in result.err and len(result.err.strip().splitlines()) == 1, result.err)
            found.append('refused')
        else:
            found.append(held_against(whole, result.document(PARTIAL), f'{percent} %'))
        os.unlink(path)
    count = len(whole['maps'])
    require(isinstance(found[-1], int) and found[-1] >= least * count,
            f'of {count} maps these were found: {dict(zip(CUTS, found))}')
    return f'{count} maps, found at ' + ', '.join(f'{p} %: {n}' for p, n in zip(CUTS, found))


def dumped(path, binary, *args):
    """A core by the kernel of a program that says when it is ready."""
    with targets.Process([binary, *args], cwd=path, preexec_fn=cores.allow_cores,
                         env=dict(os.environ, GOTRACEBACK='crash')) as program:
        program.line(targets.READY_TIMEOUT_S)
        os.kill(program.pid, 6)
        program.child.wait(TIMEOUT_S)
    return cores.only_core(path)


def add_maps(program, release, variant, least, *args, tier='check'):
    @test(f'cut_cores/{program}/{release}/{variant}', tier)
    def maps():
        cores.need_kernel_cores()
        binary = builds.go_program(program, release, variant)
        with folder() as path:
            said = ['-truth', f'{path}/said'] if program != 'crash' else []
            note(f'{program} {release} {variant}: {all_cuts(dumped(path, binary, *args, *said), least)}')


# The truth program holds most of its maps in one goroutine's frames, by words without a type.
TRUTH = ('-maps', 2000, '-growing', '-stack', 50, '-big', 20000, '-decoys', 500, '-garbage', 100)

for at in RELEASES:
    add_maps('crash', at, 'normal', 0.8, 'hold')
    add_maps('truth', at, 'normal', 0.6, *TRUTH)
for at in ('1.19.4', builds.NEWEST):
    add_maps('truth', at, 'stripped', 0, *TRUTH)
    add_maps('owners', at, 'stripped', 0.99, tier='check' if at == builds.NEWEST else 'long')
add_maps('owners', '1.24.13', 'normal', 0.99, tier='long')
add_maps('truth', '1.23.12', 'pie', 0, *TRUTH)


def goroutines_of(document):
    return {g['id']: g for g in document['goroutines']}


def stacks_of(document):
    """Each goroutine's stack as text, and whether it was followed to its end."""
    stacks = document['stacks']
    return {g['id']: ([c['function'] for c in stacks[g['stack']]['stack']], stacks[g['stack']]['stack_cut'])
            for g in document['goroutines'] if g['stack'] is not None}


def add_goroutines(release, variant):
    @test(f'cut_cores/goroutines/{release}/{variant}')
    def goroutines():
        cores.need_kernel_cores()
        with folder() as path:
            core = dumped(path, builds.go_program('crash', release, variant), 'hold')
            whole = targets.tool('goroutines', core, '--json').document()
            true, counts = stacks_of(whole), []
            for percent in CUTS:
                cut = cut_at(core, percent)
                result = targets.tool('goroutines', cut, '--json')
                os.unlink(cut)
                if result.code == REFUSED:
                    require('cut off' in result.err, result.err)
                    counts.append('refused')
                    continue
                left = result.document(PARTIAL)
                here = stacks_of(left)
                require(set(goroutines_of(left)) <= set(goroutines_of(whole)), f'{percent} %: goroutines that were none')
                for id, (functions, ended_by) in here.items():
                    require(functions == true[id][0][:len(functions)], f'{percent} %: goroutine {id}: {functions}')
                    require(ended_by or functions == true[id][0], f'{percent} %: goroutine {id} ends in silence')
                missing = len(whole['goroutines']) - len(left['goroutines'])
                require(missing <= left['coverage']['unread'], f'{percent} %: {missing} are missing and not counted')
                counts.append(len(left['goroutines']))
            require(counts[-1] == len(whole['goroutines']) > WAITING, f'goroutines by cut: {counts}')
            note(f'{release} {variant}: {len(whole["goroutines"])} goroutines, by cut {counts}')


for at in RELEASES:
    for kind in ('normal', 'stripped'):
        add_goroutines(at, kind)


def add_crash(release, variant, how):
    @test(f'cut_cores/{how}/{release}/{variant}')
    def crash():
        cores.need_kernel_cores()
        binary = builds.go_program('crash', release, variant)
        with folder() as path:
            said = cores.died(binary, how, path, TIMEOUT_S)
            core = cores.only_core(path)
            whole = targets.tool(core, '--json').document()
            page = targets.tool(cut_at(core, 80), '--json').document(PARTIAL)
        cores.require_named(page, said)
        for key in ('error', 'goroutine', 'map_address', 'map_type', 'stack'):
            require(page[key] == whole[key] or (key.startswith('map') and page[key] is None),
                    f'{key}: {page[key]}, not {whole[key]}')
        if page['map'] and whole['map']:
            for key in NUMBERS:
                require(None in (page['map'][key], whole['map'][key]) or page['map'][key] == whole['map'][key],
                        f'{key}: {page["map"][key]}')
        note(f'{how} {release} {variant}: map {page["map_address"]} from {page["map_from"]}, row {bool(page["map"])}')


for at, kind in (('1.19.4', 'normal'), ('1.23.12', 'stripped'), ('1.24.13', 'stripped'), (builds.NEWEST, 'normal'),
                 (builds.NEWEST, 'stripped')):
    for died_of in ('writes', 'read'):
        add_crash(at, kind, died_of)


@test('cut_cores/what is refused')
def refused():
    cores.need_kernel_cores()
    with folder() as path:
        core = dumped(path, builds.go_program('crash', '1.24.13', 'normal'), 'hold')
        cut = cut_at(core, 80)
        heap = targets.tool('heap', cut)
        require(heap.code == REFUSED and 'cut off' in heap.err and 'mapscope maps' in heap.err, heap.err)
        opened = targets.tool('inspect', cut, 'main.book.other', '--json').document()
        whole = targets.tool('inspect', core, 'main.book.other', '--json').document()
        for key in ('entries', 'capacity', 'type', 'owner'):
            require(opened['map'][key] == whole['map'][key], f'{key}: {opened["map"][key]}')
        asked = targets.tool('inspect', cut, 'main.book.other', '--check')
        require(asked.code == PARTIAL and 'is in what is missing' in asked.out.replace('\n           ', ' '), asked.out)
        nobody = targets.tool('inspect', cut, 'main.nobody')
        require(nobody.code == 1 and 'cut off' in nobody.err, f'{nobody.code} {nobody.err}')
        joined = targets.tool('diff', core, cut, '--json').document(PARTIAL)
        require(joined['owners'], 'a diff of nothing')


@test('cut_cores/gcore')
def gcore():
    if not shutil.which('gcore'):
        raise Skip('there is no gcore')
    binary = builds.go_program('truth', builds.NEWEST, 'normal')
    with folder() as path:
        with targets.Process([binary, *TRUTH, '-truth', f'{path}/said']) as program:
            program.line(targets.READY_TIMEOUT_S)
            done = subprocess.run(['gcore', '-o', f'{path}/core', str(program.pid)], capture_output=True, text=True,
                                  timeout=TIMEOUT_S)
        if done.returncode:
            raise Skip(f'gcore may not: {done.stderr.strip().splitlines()[-1:]}')
        # It writes its notes last, so that nothing says which program it was.
        note(f'gcore: {all_cuts(cores.only_core(path), 0.6, "--exe", binary)}')


def add_real(command, *args):
    @test(f'cut_cores/{command}')
    def real():
        cores.need_kernel_cores()
        found = shutil.which(command)
        if not found:
            raise Skip(f'there is no {command}')
        with folder() as path:
            program = subprocess.Popen([found, *(re.sub('^DIR', path, a) for a in args)], cwd=path,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       preexec_fn=cores.allow_cores, env=dict(os.environ, GOTRACEBACK='crash', HOME=path))
            try:
                program.wait(5)
                raise Skip(f'{command} ended with {program.returncode}')
            except subprocess.TimeoutExpired:
                os.kill(program.pid, 6)
                program.wait(TIMEOUT_S)
            note(f'{command}: {all_cuts(cores.only_core(path), 0.5)}')


add_real('caddy', 'run')
add_real('etcd', '--data-dir', 'DIR/data', '--listen-client-urls', 'http://127.0.0.1:12379', '--advertise-client-urls',
         'http://127.0.0.1:12379', '--listen-peer-urls', 'http://127.0.0.1:12380')
