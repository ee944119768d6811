"""Maps being made: each with a hint is seen, with its address, hint and line, as the program says."""
import json

import builds
import targets
from harness import add, require, test
from test_trace import CHECKED, Trace, is_swiss, load_of, need_probes, own_calls

import os

HINTS = (0, 5, 8, 9, 13, 14, 52, 1000, 5000)
COMMANDS = [f'make 3 {hint}' for hint in HINTS]


def line_of(name):
    """The line of the program's source that is marked so."""
    with open(os.path.join(builds.PROGRAMS, 'creations', 'main.go')) as f:
        return next(n for n, line in enumerate(f, 1) if line.rstrip().endswith(f'// LINE {name}'))


def bucket_shift(hint, release):
    """B as runtime.makemap computes it; None for Swiss maps."""
    if is_swiss(release):
        return None
    log2 = 0
    while hint > 8 and hint > load_of(release) * (2 ** log2 // 2):
        log2 += 1
    return log2


def start(release, variant='stripped'):
    need_probes()
    process = targets.Process([builds.go_program('creations', release, variant)])
    process.line()
    return process


def ask(process, command):
    process.send(command)
    return json.loads(process.line(targets.READY_TIMEOUT_S))


def traced(process, commands):
    """What the trace says, and what the program says it made."""
    made = []
    with Trace(process.pid, '--creations', '--json') as trace:
        for command in commands:
            made += ask(process, command)['maps'] or []
        d = trace.end()
    require(d['creations_unknown'] is None, str(d['creations_unknown']))
    require(len(d['creations']) + d['creations_dropped'] == d['creations_counted'],
            'the figures do not add up')
    return d, made


def by_line(d, name):
    line = line_of(name)
    return [c for c in d['creations']
            if c['stack'] and own_calls(c)[:1] == [f'main.{name}:{line}']]


def check_made(d, made, release):
    """One row for each map, none dropped and none besides."""
    ours = by_line(d, 'create')
    require(d['creations_nameless'] is None, str(d['creations_nameless']))
    require(d['creations_dropped'] == 0, f"{d['creations_dropped']} were dropped")
    got = sorted((c['map'], c['hint']) for c in ours)
    want = sorted((m['map'], m['hint']) for m in made)
    require(len(want) > 0 and got == want, f'{len(got)} of {len(want)} seen; first of '
            f'{[p for p in zip(got, want) if p[0] != p[1]][:2]}')
    for c in ours:
        require(c['type'] == 'map[int]int', f"type {c['type']}")
        require(c['bucket_shift'] == bucket_shift(c['hint'], release),
                f"hint {c['hint']} gives B {c['bucket_shift']}")
        require(c['stack_cut'] is None, f"the stack is cut: {c['stack_cut']}")


def each(release, variant):
    """Known hints in known numbers, then goroutines at once, then stacks that move."""
    with start(release, variant) as process:
        for commands in (COMMANDS, ['burst 20 50'], ['depths 100']):
            d, made = traced(process, commands)
            check_made(d, made, release)


for release in CHECKED:
    add(f'trace/creations go{release}', 'check', each, release, 'stripped')


def others(release):
    """A map on a stack is one of them; without a hint they are only counted."""
    with start(release) as process:
        d, _ = traced(process, ['local 100', 'small 500'])
        rows = by_line(d, 'local')
        require(len(rows) == 1 and rows[0]['hint'] == 100, f'{len(rows)} local maps')
        require(500 <= d['creations_small'] < 600, f"{d['creations_small']} small maps of 500")


for release in ('1.19.4', '1.27.4'):
    add(f'trace/creations beside go{release}', 'check', others, release)


def flood(release):
    """Beyond a rate all are counted, and ends of calls are not looked at any more."""
    with start(release) as process:
        d, _ = traced(process, ['work 1600000 20'])
        require(d['creations_counted'] >= 1600000, f"{d['creations_counted']} of 1600000")
        rows = by_line(d, 'create')
        require(rows and all(c['hint'] == 20 for c in rows), 'other hints than the program gave')
        require('20,000 a second' in (d['creations_nameless'] or ''), 'the program was slowed')
        require(rows[0]['map'] and not rows[-1]['map'], 'addresses at the end')


for release in ('1.19.4', '1.27.4'):
    add(f'trace/creations flood go{release}', 'check', flood, release)


@test('trace/creations in fixed words')
def words():
    with start('1.19.4') as process, Trace(process.pid, '--creations', '--format', 'maptrace',
                                           '--seconds', '600') as trace:
        made = ask(process, 'make 1 52')['maps'][0]
        line = f"map[{made['map']}] created with hint 52 (bucket shift: 3)\n"
        while trace.child.stdout.readline() != line:
            require(trace.child.poll() is None, 'the trace ended without the line')


@test('trace/creations without probes')
def unknown():
    with start('1.27.4') as process:
        with Trace(process.pid, '--creations', '--no-probes', '--json') as trace:
            d = trace.end()
        require(d['creations_unknown'] and d['creations_counted'] is None, 'no reason is given')
        require(not d['creations'], 'there are creations')
