"""Collections as a watcher sees them, held against what the program and its runtime say of them."""
import json
import os
import re
import select
import signal
import tempfile
import time

import builds
import targets
from harness import Failure, Skip, add, require, require_none

CHECK_RELEASES = ('1.19.4', '1.23.12', '1.27.4')
MB = 1 << 20
WATCHER = os.path.join(os.path.dirname(targets.TOOL), 'collections')
BLAME_TRIES = 10
MISSING = 'there is no program that watches collections beside the tool'


class Program(targets.Process):
    """The program under test, obeying commands."""

    def __init__(self, release, **options):
        super().__init__([builds.go_program('collections', release, 'stripped')], **options)
        require(self.line() == 'ready', 'the program did not start')

    def ask(self, command):
        self.send(command)
        return json.loads(self.line())


class Watcher(targets.Process):
    """One that looks on from its first line until it is told to stop."""

    def __init__(self, pid, *args):
        if not os.access(WATCHER, os.X_OK):
            raise Skip(MISSING)
        super().__init__([WATCHER, pid, *args])
        require(self.line() == 'watching', 'the watcher did not start')

    def finish(self):
        """Its lines, and its figures by name."""
        self.child.stdin.close()
        lines = []
        while not lines or not lines[-1].startswith('cycles '):
            lines.append(self.line())
        require(self.child.wait(targets.ANSWER_TIMEOUT_S) == 0, 'the watcher failed')
        return lines, fields(lines[-1])


def fields(line):
    words = line.split()
    return {name: float(value) if re.search(r'[.n]', value) else int(value)
            for name, value in zip(words[::2], words[1::2])}


def cycles_of(lines):
    return [fields(line) for line in lines if line.startswith('cycle ')]


def heap_of(lines):
    return next(fields(line[5:]) for line in lines if line.startswith('heap '))


def counted(release, commands):
    """Collections and pauses agree exactly with the program's own, whoever asked for them.

    The last one is forced: runtime.GC returns when a cycle is over, and no other is under way.
    """
    with Program(release) as program:
        before = program.ask('stats')
        with Watcher(program.pid) as watcher:
            for command in [*commands, 'force 1']:
                after = program.ask(command)
            lines, figures = watcher.finish()
    cycles = cycles_of(lines)
    count = after['NumGC'] - before['NumGC']
    require(count > 0, 'the program did not collect')
    require(figures['cycles'] == count, f'{figures["cycles"]} collections, not {count}')
    numbers = [c['cycle'] for c in cycles]
    require(numbers == list(range(before['NumGC'] + 1, after['NumGC'] + 1)),
            f'{len(numbers)} cycles from {numbers[0]} to {numbers[-1]}')
    pauses = after['PauseTotalNs'] - before['PauseTotalNs']
    require(figures['pause_ns'] == pauses, f'paused {figures["pause_ns"]} ns, not {pauses}')
    require(sum(c['pause_ns'] for c in cycles) == pauses, 'pauses do not add up')
    known = [c for c in cycles if c['forced_known']]
    forced = after['NumForcedGC'] - before['NumForcedGC']
    require(sum(c['forced'] for c in known) <= forced, f'more were forced than {forced}')
    if len(known) == len(cycles):
        require(sum(c['forced'] for c in known) == forced, f'not {forced} were forced')
    require_none([c for c in cycles if not cycle_is_sane(c, after['MaxProcs'])], 'cycles cannot be')
    ends = [c['end'] for c in cycles]
    require(ends == sorted(ends) and ends[-1] < figures['window_s'], 'ends are not in order')


def cycle_is_sane(c, procs):
    if c['procs'] == 0:  # One of several between two looks.
        return c['end'] > 0 and c['heap_start'] == -1
    took = (c['end'] - c['start']) * 1e9 + 1000
    return (c['procs'] == procs and 0 < took and c['pause_ns'] <= took and
            c['pause_ns'] <= c['sweep_ns'] + c['mark_ns'] <= took and
            0 < c['heap_marked'] <= c['heap_end'] and c['heap_start'] <= c['heap_end'] and
            0 <= c['assist_ns'] + c['background_ns'] + c['idle_ns'] <= took * procs)


def first_cycle(release):
    """A program that has not collected yet: the counts begin at none."""
    counted(release, [])


def by_force(release):
    counted(release, ['force 1', 'force 30'])


def by_itself(release):
    counted(release, ['keep 8', 'churn 200', 'keep 4', 'churn 200'])


def close_together(release):
    """A small heap that is collected many times between two looks."""
    counted(release, ['percent 20', 'churn 1000'])


def goal(release):
    """Between two cycles, the goal is the one that the runtime's own metric says."""
    commands = ['force 1', 'keep 24', 'force 1', 'percent 50', 'force 1', 'percent 300', 'churn 40',
                'force 1']
    with Program(release) as program:
        for command in commands:
            said = program.ask(command)['HeapGoal']
            if command.startswith(('keep', 'churn')):
                continue  # A cycle may be under way.
            with Watcher(program.pid) as watcher:
                seen = heap_of(watcher.finish()[0])
            require(seen['goal'] == said, f'after {command}: a goal of {seen["goal"]}, not {said}')


def goal_with_limit(release):
    """Far below a memory limit the goal is the same; near it nothing is said."""
    with Program(release) as program:
        program.ask('keep 32')
        program.ask('force 2')
        for limit, known in ((65536, True), (70, False)):
            said = program.ask(f'limit {limit}')['HeapGoal']
            with Watcher(program.pid) as watcher:
                seen = heap_of(watcher.finish()[0])['goal']
            require(seen == (said if known else -1), f'limit {limit} MB: {seen}, not {said}')


class Tracer(targets.Process):
    """mapscope trace, from the first growth that it saw until it is told to stop."""

    def __init__(self, program, folder):
        self.file = os.path.join(folder, 'trace.json')
        self.said = os.path.join(folder, 'stderr')
        with open(self.said, 'w', encoding='utf-8') as said:
            super().__init__([targets.TOOL, 'trace', program.pid, '--gctrace', '-o', self.file],
                             stderr=said)
        for _ in range(targets.ANSWER_TIMEOUT_S * 10):
            program.ask('map 1000')  # Grows while nobody looks yet, too.
            if select.select([self.child.stdout], [], [], 0.1)[0] and 'map[' in self.line():
                return
        raise Failure('no growth was seen')

    def finish(self):
        self.child.send_signal(signal.SIGINT)
        self.child.communicate(timeout=targets.ANSWER_TIMEOUT_S)
        with open(self.said, encoding='utf-8', errors='replace') as said:
            require(self.child.returncode == 0,
                    f'the trace ended with {self.child.returncode}: {said.read()[-400:]}')
        with open(self.file) as f:
            return json.load(f)


def trace(release, before, commands):
    """The document of a trace of a program that obeys."""
    with tempfile.TemporaryDirectory() as folder, Program(release) as program:
        for command in before:
            program.ask(command)
        with Tracer(program, folder) as tracer:
            for command in commands:
                program.ask(command)
            document = tracer.finish()
    if document['source'] != 'probes':
        raise Skip(f'no probes: {document["no_probes_reason"]}')
    return document


def blame_is_sane(event, cycles):
    """No growth takes more than was left, or anything while a cycle is under way."""
    runway, sooner, at = event['gc_runway_bytes'], event['gc_sooner_bytes'], event['time_s']
    if any(c['start_s'] and c['end_s'] and c['start_s'] < at < c['end_s'] for c in cycles):
        return runway is None and sooner is None and not event['brought_gc']
    if runway is not None and sooner != min(runway, event['to_bytes']):
        return False
    if not event['brought_gc']:
        return True
    behind = [c for c in cycles if c['start_s'] and c['start_s'] > at]
    return (behind and behind[0]['forced'] is False and behind[0]['start_s'] - at < 1 and
            behind[0]['heap_start_bytes'] - event['to_bytes'] < behind[0]['goal_bytes'])


def blamed(release):
    """A table that is larger than what is left to the goal brings a cycle.

    On a machine that is busy with other things, looks may be too far apart to show it.
    """
    for _ in range(BLAME_TRIES):
        if was_blamed(trace(release, ['keep 24', 'force 1'], ['map 3000000'] * 3)):
            return
    raise Failure('no growth took of what was left and brought a cycle')


def was_blamed(document):
    large = [e for e in document['events'] if (e['to_bytes'] or 0) >= 16 * MB]
    require(large, 'no large growth was seen')
    require_none([e for e in document['events'] if not blame_is_sane(e, document['gc'])],
                 'growths are blamed wrongly')
    return any(e['brought_gc'] for e in large) and any(e['gc_sooner_bytes'] for e in large)


def not_blamed(release):
    """Without a goal, cycles come when they are asked for, and no growth is blamed for one."""
    commands = ['map 300000', 'force 3', 'map 300000', 'force 3']
    document = trace(release, ['percent -1'], commands)
    require(document['gc_cycles'] == 6, f'{document["gc_cycles"]} collections, not 6')
    require_none([c for c in document['gc'] if not LINE.match(c['gctrace'])], 'lines are odd')
    require_none([e for e in document['events'] if e['brought_gc'] or
                  e['gc_sooner_bytes'] is not None], 'growths are blamed')


LINE = re.compile(
    r'^gc (\d+) @([\d.?]+)s ([\d?]+)%: ([^ ]+)\+([^ ]+)\+([^ ]+) ms clock, '
    r'([^ +]+)\+([^ /]+)/([^ /]+)/([^ +]+)\+([^ ]+) ms cpu, ([\d?]+)->([\d?]+)->([\d?]+) MB, '
    r'([\d?]+) MB goal, ([\d?]+) MB stacks, ([\d?]+) MB globals, ([\d?]+) P(| \(forced.*\))$')
STACKS, FORCED = 16, 19  # Places among the groups.
MARK_CPU = (8, 9, 10)  # Workers may still book theirs while the runtime prints.


def traced(release):
    """The line of each cycle is, word for word, the one that the runtime prints itself."""
    with tempfile.TemporaryFile('w+') as printed:
        env = dict(os.environ, GODEBUG='gctrace=1')
        with Program(release, env=env, stderr=printed) as program:
            program.ask('keep 16')
            with Watcher(program.pid, '--lines') as watcher:
                for _ in range(5):  # So far apart that each is seen whole, whoever else is at work.
                    program.ask('force 1')
                    time.sleep(0.1)
                for command in ('force 3', 'churn 100', 'keep 16', 'force 2', *['churn 60'] * 8):
                    program.ask(command)
                lines, _ = watcher.finish()
            seen = [m for m in map(LINE.match, lines) if m]
            # The runtime prints a cycle's line a while after its end, which is what we see.
            deadline = time.monotonic() + 10
            while True:
                # By a file description of our own: the program's must stay where it writes.
                with open(f'/proc/self/fd/{printed.fileno()}', encoding='utf-8') as text:
                    own = {m[1]: m for m in map(LINE.match, text.read().splitlines()) if m}
                if all(m[1] in own for m in seen) or time.monotonic() > deadline:
                    break
                time.sleep(0.01)
    require(len(seen) == sum(line.startswith('gc ') for line in lines), f'odd lines in {lines}')
    full = [m for m in seen if m[2] != '?']
    require(len(full) >= 3, f'only {len(full)} of {len(seen)} cycles were seen whole')
    problems = []
    for m in seen:
        require(m[1] in own, f'cycle {m[1]} was never printed')
        problems += [f'field {i} is {m[i]}, not {own[m[1]][i]}: {m[0]} / {own[m[1]][0]}'
                     for i in range(1, 20) if not same(release, m, own[m[1]], i)]
    require_none(problems, 'figures differ')


def same(release, seen, own, i):
    if seen[i] == own[i] or (i == FORCED and seen[i] == ' (forced?)'):
        return True
    if seen[2] == '?':
        return seen[i] in ('?', ' (forced?)')
    if i == STACKS and release.startswith(('1.18', '1.19')):
        return seen[i] == '?'
    return i in MARK_CPU and abs(float(seen[i]) - float(own[i])) <= 0.1 + 0.02 * float(own[i])


for _release in builds.RELEASES:
    _tier = 'check' if _release in CHECK_RELEASES else 'long'
    add(f'trace_gc/go{_release}/first', _tier, first_cycle, _release)
    add(f'trace_gc/go{_release}/forced', _tier, by_force, _release)
    add(f'trace_gc/go{_release}/by_itself', _tier, by_itself, _release)
    add(f'trace_gc/go{_release}/close_together', _tier, close_together, _release)
    add(f'trace_gc/go{_release}/goal', _tier, goal, _release)
    add(f'trace_gc/go{_release}/gctrace', _tier, traced, _release)
    add(f'trace_gc/go{_release}/not_blamed', _tier, not_blamed, _release)
    if _release < '1.24':  # Swiss tables grow in pieces of some kilobytes.
        add(f'trace_gc/go{_release}/blamed', _tier, blamed, _release)
    if _release != '1.18.8':
        add(f'trace_gc/go{_release}/goal_with_limit', _tier, goal_with_limit, _release)
