"""Maps of libhmap opened: what the tool says of a table is what the program counts in it itself.

Method: a C program has maps of both engines in each stage and prints, for each, what hmap_stats and
hmap_each_bucket count; living, in a core, stripped, and while it writes, and with something broken.
"""
import json
import os
import shutil
import subprocess
import tempfile
import time

import targets
from harness import Skip, note, require, require_none, test
from test_c_programs import c_program

STAGES = {0: 'none', 1: 'doubling', 2: 'same size', 3: 'halving'}
BUSY_S = 3
MILLION_S = 10  # To inspect a map of a million entries, whatever else the machine does.


def maps_of(program):
    """What the program says, by name."""
    return {m['name']: m for m in iter(lambda: json.loads(program.line(targets.READY_TIMEOUT_S)), None)}


def ask(program, command):
    program.send(command)
    return maps_of(program)


def inspect(target, name, *options, code=0):
    return targets.tool('inspect', target, name, '--json', *options).document(code)


def differences(truth, seen):
    """What the document says otherwise than the program."""
    table, growth, classic = seen['table'], seen['growth'], truth['engine'] == 'classic'
    want = {
        'kind': (seen['map']['kind'], 'hmap_classic' if classic else 'hmap'),
        'address': (seen['map']['address'], truth['address']),
        'entries': (seen['map']['entries'], truth['entries']),
        'slots': (seen['map']['capacity'], truth['slots']),
        'total_bytes': (seen['map']['total_bytes'], truth['total_bytes']),
        'settled': (seen['look']['settled'], True),
    }
    if truth['units']:
        want['unit'] = (table['unit'], 'bucket' if classic else 'block')
        want['units'] = (table['units'], truth['units'])
        want['overflow'] = (table['overflow_units'], truth['overflow'])
        want['longest'] = (table['chain_longest'], truth['longest'])
        # A group counts up to 254 of them: a sum that has such a group is none.
        uncounted = table['displaced_entries'] is None and truth['displaced'] >= 255
        want['displaced'] = (table['displaced_entries'],
                             None if classic or uncounted else truth['displaced'])
        want['fills'] = (table['units_by_entries'], truth['fills'])
        want['chains'] = (table['units_by_chain'], truth['chains'])
        want['tags'] = (sum(table['tags']), truth['entries'])
        want['stage'] = (growth['stage'], STAGES[truth['pass']])
        want['invariants'] = ({i['state'] for i in seen['invariants']}, {'holds'})
    else:
        want['stage'] = (growth['stage'], 'never written')
    if truth['pass']:
        unit = table['unit_slots']
        frontier = truth['of'] - truth['done'] if truth['pass'] == 3 else truth['done']
        want['in_place'] = (growth['in_place'], not classic)
        want['frontier'] = (growth['frontier'], frontier)
        want['from'] = (growth['from_units'], truth['from'] // unit)
        want['to'] = (growth['to_units'], truth['to'] // unit)
        want['old'] = (growth['old_entries'], truth['old_entries'] if classic else None)
    return [f'{truth["name"]}: {what} is {a}, the program says {b}'
            for what, (a, b) in want.items() if a != b]


def compare(target, maps):
    require_none([d for name, truth in maps.items()
                  for d in differences(truth, inspect(target, name))], 'differences')


@test('opened/maps of libhmap in each stage')
def stages():
    with targets.Process([c_program('opened')]) as program:
        maps = maps_of(program)
        require({m['pass'] for m in maps.values()} == set(STAGES), 'a stage is missing')
        require(any(m['overflow'] for m in maps.values()), 'nothing overflows')
        compare(program.pid, maps)
        for _ in range(3):
            compare(program.pid, ask(program, 'step'))


@test('opened/stripped, and in a core')
def core():
    with targets.Process([c_program('opened', stripped=True)]) as program:
        maps_of(program)
        maps = ask(program, 'step')
        compare(program.pid, maps)
        if not shutil.which('gcore'):
            raise Skip('there is no gcore')
        with tempfile.TemporaryDirectory(prefix='mapscope-live-') as path:
            done = subprocess.run(['gcore', '-o', f'{path}/core', str(program.pid)],
                                  capture_output=True, text=True, timeout=120)
            if done.returncode:
                raise Skip(f'gcore may not: {done.stderr.strip().splitlines()[-1:]}')
            compare(os.path.join(path, os.listdir(path)[0]), maps)


@test('opened/while it is written to')
def busy():
    """Each look is one that held still, or says that it is not; nothing is ever called broken."""
    with targets.Process([c_program('opened')]) as program:
        maps_of(program)
        ask(program, 'busy')
        settled, looks, entries, end = 0, 0, set(), time.monotonic() + BUSY_S
        while time.monotonic() < end or looks < 4 or len(entries) < 2 and time.monotonic() < end + 60:
            seen = inspect(program.pid, 'busy')
            require(all(i['state'] != 'broken' for i in seen['invariants']), f'{seen["invariants"]}')
            require(seen['look']['settled'] or seen['look']['unsettled_reason'], f'{seen["look"]}')
            settled += seen['look']['settled']
            entries.add(seen['map']['entries'])
            looks += 1
        require(looks > 3 and len(entries) > 1, 'it did not move')
        note(f'a map that is written to all the time: {settled} of {looks} inspections held still')


@test('opened/a broken map is told, and how')
def broken():
    with targets.Process([c_program('opened')]) as program:
        maps_of(program)
        for name, what in (('steady', 'count'), ('classic', 'count'), ('steady_grow', 'tags'),
                           ('classic_grow', 'tags')):
            require(targets.tool('inspect', program.pid, name, '--check').code == 0, f'{name} is broken')
            program.send(f'damage {name} {what}')
            require(program.line() == 'damaged', 'it was not damaged')
            seen = inspect(program.pid, name, '--check', code=7)
            states = {i['name']: i['state'] for i in seen['invariants']}
            require(states[what] == 'broken', f'{name}: {states}')


@test('opened/a block by its number, pages and pictures')
def forms():
    with targets.Process([c_program('opened')]) as program:
        maps = maps_of(program)
        unit = inspect(program.pid, 'steady', '--bucket', '7')['unit']
        require(unit['index'] == 7 and len(unit['tags']) == 56 and
                sum(t > 1 for t in unit['tags']) == unit['entries'], f'{unit}')
        unit = inspect(program.pid, 'classic', '--bucket', '7')['unit']
        require(len(unit['tags']) == 8 and unit['chain'] >= 1, f'{unit}')
        for name in maps:
            page = targets.tool('inspect', program.pid, name, '--gdb')
            require(page.code == 0 and f"hmap show {maps[name]['address']}" in page.out, page.out)
            picture = targets.tool('inspect', program.pid, name, '--format', 'svg')
            require(picture.out.startswith('<?xml') and picture.out.endswith('</svg>\n'), picture.err)
        keys = inspect(program.pid, 'steady', '--show-keys')['keys']
        require('libhmap' in keys['unknown_reason'], f'{keys}')
        if not shutil.which('gdb'):
            raise Skip('there is no gdb')
        page = targets.tool('inspect', program.pid, 'steady', '--gdb').out
        command = page[page.index('  gdb -p'):page.index('these are')].replace('\\\n', ' ')
        command = command.split(" -ex 'hmap")[0]
        shown = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
        require(shown.returncode == 0 and maps['steady']['address'] in shown.stdout, shown.stderr[-600:])


@test('opened/1,000,000 entries')
def million():
    with targets.Process([c_program('opened'), 1000000]) as program:
        maps = maps_of(program)
        for name in ('steady', 'classic'):
            seen = inspect(program.pid, name)
            require(seen['table']['units_by_entries'] == maps[name]['fills'], f'fills of {name}')
            require(seen['cost']['wall_s'] < MILLION_S, f'{seen["cost"]["wall_s"]} s for {name}')
            note(f'{name}: a map of 1,000,000 entries inspected in {seen["cost"]["wall_s"]:.2f} s, '
                 f'{seen["cost"]["read_bytes"] / 1e6:.0f} MB read')
