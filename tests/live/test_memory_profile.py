"""The memory profile as it is read from outside, held against the program's own."""
import json
import os
import subprocess

import builds
import targets
from harness import Failure, Skip, add, require, require_none

CHECK_RELEASES = ('1.19.4', '1.23.12', '1.27.4')
READER = os.path.join(os.path.dirname(targets.TOOL), 'memory_profile')


def own_records(process):
    """(in use, allocated, size, stack) of each record, as the program sees them."""
    process.send('records')
    rows = {}
    while (line := process.line()) != 'end':
        r = json.loads(line)
        stack = tuple(r['Stack'])
        size = r['AllocBytes'] // r['AllocObjects'] if r['AllocObjects'] else 0
        key = (size, stack)
        before = rows.get(key, (0, 0))
        rows[key] = (before[0] + r['InUseObjects'], before[1] + r['AllocObjects'])
    return rows


def seen_records(pid):
    done = subprocess.run([READER, str(pid)], capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, f'the reader said: {done.stderr}')
    first, *lines = done.stdout.splitlines()
    rows = {}
    for line in lines:
        counts, *stack = line.split('\t')
        in_use, allocs, size = map(int, counts.split())
        key = (size, tuple(stack))
        before = rows.get(key, (0, 0))
        rows[key] = (before[0] + in_use, before[1] + allocs)
    words = first.split()
    return rows, dict(zip(words[::2], words[1::2]))


def tail(stack):
    """Frames that both sides print alike: the runtime's own, at the bottom, are cut by Go."""
    return tuple(s for s in stack if not s.startswith(('runtime.', 'internal/runtime/')))


def folded(rows):
    sums = {}
    for (size, stack), (in_use, allocs) in rows.items():
        key = (size, tail(stack))
        before = sums.get(key, (0, 0))
        sums[key] = (before[0] + in_use, before[1] + allocs)
    return sums


def agrees(release, variant):
    """Each record of the program itself that it did not make while it spoke is seen as it is."""
    if not os.access(READER, os.X_OK):
        raise Skip('there is no program that reads memory profiles beside the tool')
    with targets.Process([builds.go_program('memprofile', release, variant)]) as process:
        require(process.line(30) == 'ready', 'the program did not start')
        own = folded(own_records(process))
        seen, figures = seen_records(process.pid)
    seen = folded(seen)
    require(figures['rate'] == '524288', f'the rate is {figures["rate"]}')
    for function in ('main.fill', 'main.drop'):
        own_rows = {k: v for k, v in own.items() if any(s.startswith(function) for s in k[1])}
        require(own_rows, f'the program has no record of {function}')
        require_none([f'{k}: {seen.get(k)} not {v}' for k, v in own_rows.items()
                      if seen.get(k) != v], f'records of {function} differ')


def left_out():
    """A program that never uses the profile has none, which is said."""
    with targets.Process([builds.go_program('collections', '1.27.4', 'stripped')]) as process:
        require(process.line() == 'ready', 'the program did not start')
        done = subprocess.run([READER, str(process.pid)], capture_output=True, text=True,
                              timeout=60)
    if done.returncode == 0:
        raise Failure('a profile was found where there is none')
    require('MemProfileRate is 0' in done.stderr, done.stderr)


for _release in builds.RELEASES:
    _tier = 'check' if _release in CHECK_RELEASES else 'long'
    for _variant in ('normal', 'stripped'):
        add(f'memory_profile/go{_release}/{_variant}', _tier, agrees, _release, _variant)
add('memory_profile/left_out', 'check', left_out)
