"""Growths that a trace shows, held against those that the program made: all of them, where they
were, and no probe left behind."""
import json
import os
import re
import signal
import subprocess
import time

import builds
import targets
from harness import Failure, Skip, add, require, test

CHECKED = ('1.19.4', '1.23.12', '1.24.13', '1.27.4')
NOSWISS = ('1.24.13', '1.25.14')
SLOTS, TABLE_SLOTS_MAX = 8, 1024
PARTIAL = 5
ATTACH_TIMEOUT_S, SETTLE_S = 60, 20

SYS_ADMIN = 21


def need_probes():
    with open('/proc/self/status') as f:
        bits = int(re.search(r'^CapEff:\s*(\w+)', f.read(), re.M)[1], 16)
    if not bits >> SYS_ADMIN & 1:
        raise Skip('placing probes takes CAP_SYS_ADMIN')
    if not os.path.exists('/sys/bus/event_source/devices/uprobe'):
        raise Skip('this kernel has no uprobes')


def is_swiss(release, experiment=''):
    return int(release.split('.')[1]) >= 24 and experiment != 'noswissmap'


def line_of(name):
    """The line of the program's source that is marked so."""
    for file in ('main.go', 'cgo.go'):
        with open(os.path.join(builds.PROGRAMS, 'growth', file)) as f:
            for number, line in enumerate(f, 1):
                if line.rstrip().endswith(f'// LINE {name}'):
                    return number
    raise Failure(f'no line is marked {name}')


def load_of(release):
    """Entries that two buckets may hold on average: loadFactorNum in runtime/map.go."""
    return 12 if release.startswith('1.21.') else 13


def classic_growths(entries, release):
    """How often a classic map doubles while so many entries are put into it."""
    log2 = 0
    while entries > 8 and entries > load_of(release) * (2 ** log2 // 2):
        log2 += 1
    return log2


def swiss_growths(entries):
    """The kinds of growth of a Swiss map that ends with one table, in their order."""
    kinds, slots = [], 2 * SLOTS
    if entries > SLOTS:
        kinds.append('to_table')
    while entries > SLOTS and entries > slots // 8 * 7:
        slots *= 2
        require(slots <= TABLE_SLOTS_MAX, 'the map would split')
        kinds.append('double')
    return kinds


def kinds_of(release, entries, experiment=''):
    if is_swiss(release, experiment):
        return swiss_growths(entries)
    return ['double'] * classic_growths(entries, release)


class Trace:
    """`mapscope trace` beside a program, from the moment its probes are there."""

    def __init__(self, pid, *args, wrapper=()):
        command = [*wrapper, targets.TOOL, 'trace', str(pid), *args]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        self.began = self.child.stderr.readline()
        if 'tracing process' not in self.began:
            self.child.kill()
            raise Failure(f'the trace did not begin: {self.began}{self.child.stderr.read()}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()

    def wait(self, code=0):
        out, err = self.child.communicate(timeout=targets.TOOL_TIMEOUT_S)
        require(self.child.returncode == code,
                f'exit code {self.child.returncode}, not {code}: {err[-300:]}')
        return out

    def document(self, code=0):
        return check_document(json.loads(self.wait(code)))

    def end(self):
        self.child.send_signal(signal.SIGINT)
        return self.document()


def check_document(d):
    """What is true of each trace by probes."""
    if d['source'] == 'probes':
        require(len(d['events']) + d['dropped'] == d['counted'],
                f"{len(d['events'])} events and {d['dropped']} dropped are not {d['counted']}")
        require(sum(s['count'] for s in d['sums']) == d['counted'], 'the sums do not add up')
    times = [e['time_s'] for e in d['events']]
    require(times == sorted(times), 'events are not in order of time')
    require([e['number'] for e in d['events']] == list(range(1, len(times) + 1)),
            'events are not numbered')
    return d


def code_of(pid):
    """The bytes of the executable's code in memory."""
    exe = os.readlink(f'/proc/{pid}/exe')
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb') as memory:
        code = b''
        for line in maps:
            if ' r-xp ' in line and line.rstrip().endswith(exe):
                start, end = (int(x, 16) for x in line.split()[0].split('-'))
                memory.seek(start)
                code += memory.read(end - start)
    require(code, f'no code of {exe} is mapped')
    return code


def wait_until(condition, text):
    end = time.monotonic() + SETTLE_S
    while not condition():
        require(time.monotonic() < end, text)
        time.sleep(0.02)


def start(release, variant='stripped', experiment='', **options):
    need_probes()
    process = targets.Process([builds.go_program('growth', release, variant, experiment)],
                              **options)
    json.loads(process.line())
    return process


def ask(process, command):
    process.send(command)
    return json.loads(process.line(targets.READY_TIMEOUT_S))


def own_calls(event):
    """The program's own calls, innermost first, as words with lines."""
    return [f"{c['function']}:{c['line']}" for c in event['stack'] if not c['runtime']]


def every_growth(release, variant, experiment=''):
    """Maps of known sizes: each growth, its sizes, its line."""
    with start(release, variant, experiment) as process:
        with Trace(process.pid, '--json') as trace:
            for maps, entries in ((50, 100), (5, 800), (1, 9)):
                ask(process, f'fill {maps} {entries}')
            d = trace.end()
        want = [k for maps, entries in ((50, 100), (5, 800), (1, 9)) for _ in range(maps)
                for k in kinds_of(release, entries, experiment)]
        require(d['counted'] == len(want), f"{d['counted']} growths, not {len(want)}")
        require(d['dropped'] == 0, f"{d['dropped']} were dropped")
        require([e['kind'] for e in d['events']] == want, 'other kinds than the program made')
        for e in d['events']:
            check_event(e, release, experiment)


def check_event(e, release, experiment):
    require(e['type'] == 'map[int]int', f"type {e['type']}")
    require(e['to'] == 2 * e['from'], f"{e['from']} to {e['to']} slots")
    require(e['capacity'] == e['from'], f"capacity {e['capacity']}")
    if is_swiss(release, experiment):
        full = e['from'] if e['from'] == SLOTS else e['from'] // 8 * 7
    else:
        full = SLOTS if e['from'] == SLOTS else load_of(release) * (e['from'] // 16)
    require(e['entries'] == full, f"{e['entries']} entries in {e['from']} slots")
    require(e['to_bytes'] > e['from_bytes'] >= e['from'] * 16, f"{e['from_bytes']} bytes")
    require(e['goroutine'] == 1, f"goroutine {e['goroutine']}")
    require(e['created_by'] is None, f"created by {e['created_by']}")
    require(e['p'] is not None and e['thread'] > 0, 'no thread or P')
    want = [f'main.put:{line_of("put")}', f'main.fill:{line_of("fill")}',
            f'main.fillMaps:{line_of("maps")}']
    require(own_calls(e)[:3] == want, f'called from {own_calls(e)}, not {want}')
    require(own_calls(e)[-1].startswith('main.main:') and e['stack_cut'] is None,
            f'the stack ends in {own_calls(e)[-1:]}: {e["stack_cut"]}')


for _release in builds.RELEASES:
    _tier = 'check' if _release in CHECKED else 'long'
    add(f'trace/every growth go{_release} stripped', _tier, every_growth, _release, 'stripped')
    add(f'trace/every growth go{_release} pie', 'check' if _release == builds.NEWEST else 'long',
        every_growth, _release, 'pie')
for _release in NOSWISS:
    add(f'trace/every growth go{_release} noswissmap', 'long', every_growth, _release, 'stripped',
        'noswissmap')


def splits(release):
    """A large Swiss map splits once for each table beyond the first."""
    with start(release, 'normal') as process:
        with Trace(process.pid, '--json') as trace:
            address = ask(process, 'owned 100000')['map']
            d = trace.end()
        tables = [m['tables'] for m in targets.census(process.pid)['maps']
                  if m['address'] == address]
        kinds = [e['kind'] for e in d['events'] if e['map'] == address]
        require(tables and kinds.count('split') == tables[0] - 1,
                f'{kinds.count("split")} splits and {tables} tables')
        require(kinds[:7] == ['to_table'] + ['double'] * 6, f'began with {kinds[:7]}')
        require(kinds.count('double') == 6, 'tables doubled after a split')
        owners = {e['owner'] for e in d['events'] if e['map'] == address}
        require(owners == {'main.registry.byNumber'}, f'owners {owners}')


for _release in ('1.24.13', '1.25.14', '1.26.11', '1.27.4'):
    add(f'trace/splits go{_release}', 'check' if _release in CHECKED else 'long', splits, _release)


def same_size(release):
    """Entries that come and go: as many growths as arrays of buckets the header named."""
    with start(release) as process:
        with Trace(process.pid, '--json') as trace:
            arrays = ask(process, 'churn 3000 40')['arrays']
            d = trace.end()
        kinds = [e['kind'] for e in d['events']]
        require(len(kinds) == arrays, f'{len(kinds)} growths, not {arrays}')
        require('same_size' in kinds, 'none kept its size')
        require(kinds.count('double') == classic_growths(3000, release), f'{kinds.count("double")} doubled')


add('trace/same size go1.19.4', 'check', same_size, '1.19.4')
add('trace/same size go1.23.12', 'long', same_size, '1.23.12')


def stack_check(release):
    """Goroutines whose stack is too short for a growth function come to the probe twice."""
    with start(release) as process:
        with Trace(process.pid, '--json') as trace:
            ask(process, 'depths 300')
            d = trace.end()
        require(d['counted'] == 301, f"{d['counted']} growths, not 301")
        if int(release.split('.')[1]) < 21:
            require(d['repeated'] > 0, 'no stack was too short: the test shows nothing')
        else:
            require(d['repeated'] == 0, 'a probe behind the check was hit twice')


for _release in ('1.19.4', '1.20.14', '1.27.4'):
    add(f'trace/stack check go{_release}', 'check' if _release in CHECKED else 'long', stack_check,
        _release)


def flood(release):
    """More growths than are sent one by one: all are counted and summed."""
    goroutines, maps, entries = 8 * os.cpu_count(), 2500, 100
    with start(release) as process:
        with Trace(process.pid, '--json') as trace:
            ask(process, f'burst {goroutines} {maps} {entries}')
            d = trace.end()
        want = goroutines * maps * len(kinds_of(release, entries))
        require(d['counted'] == want, f"{d['counted']} growths, not {want}")
        require(d['dropped'] > 0, 'nothing was dropped: the test shows nothing')
        made = {e['created_by']['line'] for e in d['events'] if e['created_by']}
        require(made == {line_of('go')}, f'made by go statements at {made}')


for _release in CHECKED:
    add(f'trace/flood go{_release}', 'check' if _release in ('1.19.4', '1.27.4') else 'long', flood,
        _release)


@test('trace/deep stacks are cut and say so')
def deep():
    with start('1.27.4') as process:
        with Trace(process.pid, '--json') as trace:
            ask(process, 'deep 40 9')
            ask(process, 'deep 400 9')
            d = trace.end()
        calls = [len(e['stack']) for e in d['events']]
        require(len(calls) == 2, f'{len(calls)} growths')
        require(d['events'][0]['stack_cut'] is None and d['events'][1]['stack_cut'],
                'a stack of 400 calls is not cut, or one of 40 is')
        below = f'main.below:{line_of("below")}'
        require(own_calls(d['events'][0]).count(below) == 40, 'not 40 calls')


@test('trace/a thread of C')
def cgo():
    for release in ('1.19.4', '1.27.4'):
        with start(release, 'cgo') as process:
            with Trace(process.pid, '--json') as trace:
                ask(process, 'calls 100')
                d = trace.end()
            want = kinds_of(release, 100)
            require([e['kind'] for e in d['events']] == want, f"{d['counted']} growths")
            for e in d['events']:
                require(f'main.fillFromC:{line_of("cgo")}' in own_calls(e), str(own_calls(e)))
                require('0x0' not in [f['function'] for f in e['stack']], 'a call at address 0')


def small(release):
    """First groups are counted, and shown only when asked for."""
    with start(release) as process:
        with Trace(process.pid, '--json') as trace:
            ask(process, 'fill 500 3')
            d = trace.end()
        require(d['counted'] == 0 and d['to_small'] >= 500, f"{d['to_small']} of 500")
        with Trace(process.pid, '--json', '--small') as trace:
            ask(process, 'fill 500 3')
            d = trace.end()
        ours = [e for e in d['events'] if e['kind'] == 'to_small' and own_calls(e)[0].startswith(
            'main.put:')]
        require(len(ours) == 500, f'{len(ours)} of 500')


add('trace/small go1.27.4', 'check', small, '1.27.4')


def leaves_nothing(release, how):
    """The code of the program is what it was, however the trace ends."""
    with start(release) as process:
        before = code_of(process.pid)
        with Trace(process.pid, '--json') as trace:
            require(code_of(process.pid) != before, 'no probe is in the code')
            process.send('spin 1')
            time.sleep(0.2)
            trace.child.send_signal(how)
            trace.child.communicate(timeout=targets.TOOL_TIMEOUT_S)
        wait_until(lambda: code_of(process.pid) == before, 'a probe was left behind')
        process.line()
        require(ask(process, 'fill 1 100')['maps'] == 1, 'the program does not go on')


for _release in ('1.19.4', '1.27.4'):
    for _how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV):
        add(f'trace/no probe is left go{_release} {_how.name}', 'check', leaves_nothing, _release,
            _how)


@test('trace/two at once')
def two():
    with start('1.27.4') as process:
        before = code_of(process.pid)
        with Trace(process.pid, '--json') as a, Trace(process.pid, '--json') as b:
            ask(process, 'fill 20 100')
            first = a.end()
            ask(process, 'fill 20 100')
            second = b.end()
        want = 20 * len(swiss_growths(100))
        require(first['counted'] == want, f"the first saw {first['counted']}, not {want}")
        require(second['counted'] == 2 * want, f"the second saw {second['counted']}")
        require(code_of(process.pid) == before, 'a probe was left behind')


@test('trace/other processes of one program are left alone')
def siblings():
    with start('1.27.4') as process, start('1.27.4') as other:
        with Trace(process.pid, '--json') as trace:
            ask(other, 'fill 20 100')
            ask(process, 'fill 1 100')
            d = trace.end()
        require(d['counted'] == len(swiss_growths(100)), f"{d['counted']} growths")


@test('trace/the process ends in the window')
def target_ends():
    with start('1.27.4') as process:
        with Trace(process.pid, '--json', '--seconds', '60') as trace:
            ask(process, 'fill 3 100')
            process.child.stdin.close()
            process.child.wait(targets.ANSWER_TIMEOUT_S)
            d = trace.document(PARTIAL)
        require(d['partial'] and d['partial_reason'], 'it is not marked')
        require(d['counted'] == 3 * len(swiss_growths(100)), f"{d['counted']} growths")
        process.child.stdin = open(os.devnull, 'wb')


@test('trace/text comes as it happens')
def text():
    with start('1.19.4') as process:
        with Trace(process.pid) as trace:
            ask(process, 'fill 1 100')
            line = trace.child.stdout.readline()
            require('map[int]int' in line, f'first came {line!r}')
            trace.child.send_signal(signal.SIGINT)
            out = trace.wait()
        require(re.search(r'1 probes? placed and removed\n$', out), out[-200:])
        require('4 growths' in out, out[-400:])


@test('trace/without the right it polls and says so')
def without_right():
    """Without any right to load programs, and, where the kernel asks for more, to place a probe."""
    targets.need_root()
    for dropped in ('-bpf,-perfmon,-sys_admin', '-sys_admin'):
        drop = [targets.need_command('setpriv'), '--bounding-set', dropped, '--inh-caps', dropped]
        with start('1.27.4') as process:
            before = code_of(process.pid)
            with Trace(process.pid, '--json', '--seconds', '0.5', wrapper=drop) as trace:
                was_placed = code_of(process.pid) != before
                d = trace.document()
            if dropped == '-sys_admin' and d['source'] == 'probes':
                continue  # The kernel is older.
            require(d['source'] == 'polling' and not was_placed, d['source'])
            for said in ('CAP_SYS_ADMIN', f'sudo mapscope trace {process.pid}'):
                require(said in d['no_probes_reason'], d['no_probes_reason'])


@test('trace/--no-probes writes nothing')
def no_probes():
    with start('1.27.4') as process:
        before = code_of(process.pid)
        with Trace(process.pid, '--json', '--seconds', '0.5', '--no-probes') as trace:
            require(code_of(process.pid) == before, 'a probe was placed')
            d = trace.document()
        require(d['source'] == 'polling' and d['cost']['probes'] == 0, d['source'])
