"""Growths and evacuations without probes: what reading headers tells is what the program did.

Method: a program that fills maps on command and notes each growth by its own look at the header,
on the clock that the tool uses too.  Every time it gives is a pair, before and after the insertion.
"""
import json
import os
import signal
import subprocess
import time

import builds
import targets
from harness import Skip, add, note, require, require_none

POLLS = os.path.join(os.path.dirname(targets.TOOL), 'polls')
TIMEOUT_S = 120
REBUILD_TRIES = 5
CLASSIC = ('1.19.4', '1.23.12')
SWISS = ('1.27.4',)
CPU_SHARE_MAX = 0.12  # Of one core: a twentieth for headers, and what a census in between costs.


class Evacuation(targets.Process):
    def __init__(self, release, variant='stripped', **options):
        super().__init__([builds.go_program('evacuation', release, variant)], **options)
        try:
            self.ready = json.loads(self.line(targets.READY_TIMEOUT_S))
        except BaseException:
            self.__exit__()
            raise

    def ask(self, text):
        self.send(text)
        answer = json.loads(self.line(TIMEOUT_S))
        answer['growths'] = answer['growths'] or []
        return answer


class Polls:
    """The tool at work on a process, until it is ended."""

    def __init__(self, pid, *args, wrapper=()):
        self.child = subprocess.Popen([*wrapper, POLLS, str(pid), *args], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.began_s = json.loads(self.child.stdout.readline() or '{"began_s": 0}')['began_s']
        require(self.began_s > 0, 'the tool did not begin')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()

    def end(self):
        out = self.child.communicate('', TIMEOUT_S)[0]
        rows = [json.loads(line) for line in out.splitlines()]
        require(self.child.returncode == 0 and rows, 'the tool failed')
        self.events = [r for r in rows if 'event' in r]
        self.migrations = [r for r in rows if 'migration' in r]
        self.figures = rows[-1]
        return self

    def of(self, address):
        return [e for e in self.events if e['map'] == address]


def bracket_problem(began_s, event, growth):
    """A growth lies in its event's bracket; what the program says is a bracket itself."""
    low, high = (t / 1e9 - began_s for t in growth['at_ns'])
    if low > event['time_s'] or high < event['earliest_s']:
        return f'{growth} is not between {event["earliest_s"]} and {event["time_s"]}'
    return None


def duration_problem(event, growth):
    if event['duration_s'] is None or not growth['ended_ns'][0]:
        return None
    least = (growth['ended_ns'][0] - growth['at_ns'][1]) / 1e9
    most = (growth['ended_ns'][1] - growth['at_ns'][0]) / 1e9
    low = event['duration_s'] - event['duration_error_s']
    high = event['duration_s'] + event['duration_error_s']
    if low > most + 1e-6 or high < least - 1e-6:
        return f'it took {least} to {most} s, not {low} to {high}'
    return None


def steps_of(rows):
    return [(r['kind'], r['from'], r['to']) for r in rows if r['kind'] != 'to_small']


def check_classic(events, growths, began_s):
    require(steps_of(events) == steps_of(growths),
            f'{steps_of(events)} were seen, {steps_of(growths)} came')
    problems = []
    for event, growth in zip(events, growths):
        problems += [bracket_problem(began_s, event, growth), duration_problem(event, growth)]
        if event['entries'] not in (None, growth['entries']):
            problems.append(f'{event} began with {growth["entries"]} entries')
    require_none([p for p in problems if p], 'growths are not as the program says')


def classic(release):
    """Every growth of a map that is filled slowly, one by one; then a burst; then a rebuild."""
    with Evacuation(release) as program, Polls(program.pid) as polls:
        numbers, words = program.ready['maps']['numbers'], program.ready['maps']['words']
        slow = program.ask('slow numbers 140000')['growths']
        program.ask('burst words 200000')
        rebuilt = program.ask('overfill small')['growths']
        small = program.ready['maps']['small']
        polls.end()
        check_classic(polls.of(numbers), slow, polls.began_s)
        known = [e for e in polls.of(numbers) if e['duration_s'] is not None]
        require(known and known[-1]['to'] == slow[-1]['to'], f'the last has no duration: {known}')
        require(all(e['together_bytes'] == e['from_bytes'] + e['to_bytes'] for e in known),
                f'{known}')
        require(steps_of(polls.of(words)) == [('double', 8 << n, 16 << n) for n in range(15)],
                f'a burst is {steps_of(polls.of(words))}')
        require(rebuilt[0]['kind'] == 'same_size', f'{rebuilt}')
        require([s for s in steps_of(polls.of(small)) if s[0] == 'same_size'],
                f'no rebuild among {steps_of(polls.of(small))}')
        seconds = max(e['time_s'] - e['earliest_s'] for e in known)
        note(f'go{release}: {len(slow)} growths, brackets up to {seconds * 1000:.1f} ms, '
             f'{share(polls):.1%} of a core')
        check_cost(polls)


def share(polls):
    return polls.figures['cpu_s'] / polls.figures['window_s']


def check_cost(polls):
    require(share(polls) < CPU_SHARE_MAX, f'it took {share(polls):.1%} of a core')
    require(polls.figures['dropped'] == 0, 'events were dropped')
    require(polls.figures['not_followed'] == 0, 'maps were not followed')


def swiss(release):
    """Every growth of every table: first table, doublings, splits; slowly and in a burst."""
    with Evacuation(release) as program, Polls(program.pid) as polls:
        numbers, words = program.ready['maps']['numbers'], program.ready['maps']['words']
        slow = program.ask('slow numbers 60000')['growths']
        burst = program.ask('add words 400000')['growths']
        polls.end()
        problems = []
        for address, growths in ((numbers, slow), (words, burst)):
            events = polls.of(address)
            require(sorted(steps_of(events)) == sorted(steps_of(growths)),
                    f'{len(events)} growths were seen, {len(growths)} came')
            # In one look the order of tables is not known: each growth has an event of its kind.
            left = list(growths)
            for event in (e for e in events if e['kind'] != 'to_small'):
                mine = [g for g in left if steps_of([g]) == steps_of([event])
                        and not bracket_problem(polls.began_s, event, g)]
                if mine:
                    left.remove(mine[0])
            problems += [f'{g} is in no bracket' for g in left]
        require_none(problems, 'growths')
        require(polls.figures['to_small'] == 2, f'{polls.figures}')
        check_cost(polls)
        note(f'go{release}: {len(slow)} and {len(burst)} growths, {share(polls):.1%} of a core')


def new_maps(release):
    """A map made after the first census is found by a further one, and followed from then on."""
    with Evacuation(release) as program, Polls(program.pid) as polls:
        address = program.ask('make later')['address']
        program.ask('burst later 100')
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            growths = program.ask('slow later 4000')['growths']
            if time.monotonic() > polls.began_s + 5 and growths:
                break
            require(time.monotonic() < deadline, 'the map does not grow')
        polls.end()
        last = growths[-1]
        require(steps_of([last])[0] in steps_of(polls.of(address)), f'{last} was not seen')


def own_tags(program, name):
    return {row[0]: row for row in program.ask(f'dump {name}')['dump'] or [] if row[3]}


def settle(program, address):
    """Time for the tool to take a census, if a collection came, and for a few passes."""
    time.sleep(2.5)
    rows = targets.census(program.pid)['maps']
    return next(m for m in rows if m['address'] == address)


def migration(release, name):
    """At rest in the middle of an evacuation, totals and buckets are the program's own; at its
    end all entries are accounted for, exactly where buckets hold no pointers."""
    with Evacuation(release) as program:
        address = program.ready['maps'][name]
        program.ask(f'add {name} 50000')
        with Polls(program.pid, '--migrations') as polls:
            half = program.ask(f'half {name} 50')
            entries = half['growths'][-1]['entries']
            tags = own_tags(program, name)
            row = settle(program, address)
            at_rest = time.monotonic() - polls.began_s
            require(row['growth'] and round(row['growth']['progress'] * half['old'])
                    == half['frontier'], f'the census says {row["growth"]}')
            program.ask(f'slow {name} 20000')
            time.sleep(0.1)
            polls.end()
    rows = [m for m in polls.migrations if m['migration'] == address and m['of'] == half['old']]
    totals = [m for m in rows if m['bucket'] is None]
    buckets = [m for m in rows if m['bucket'] is not None]
    rested = [m['moved'] for m in totals if m['time_s'] < at_rest]
    require(rested and rested[-1] == len(tags), f'{rested[-1:]} of {len(tags)} were said to move')
    require(rested[-1] >= half['frontier'] and rested == sorted(rested), f'{rested}')
    check_buckets(buckets, tags, half, at_rest)
    require(totals[-1]['moved'] == half['old'], f'the end is {totals[-1]}')
    require(len(buckets) == half['old'], f'{len(buckets)} of {half["old"]} buckets were told')
    keys = sum(m['keys_x'] + m['keys_y'] for m in buckets)
    at_least = sum(m['at_least'] for m in buckets)
    if name == 'numbers':
        require(at_least == 0, f'{at_least} buckets of numbers are "at least"')
    require(keys == entries if not at_least else keys < entries,
            f'{keys} keys moved, {entries} were there, {at_least} buckets at least')
    note(f'go{release} {name}: {keys} of {entries} keys, {at_least} buckets at least')


def check_buckets(buckets, tags, half, at_rest):
    require(len({m['bucket'] for m in buckets}) == len(buckets), 'a bucket was told twice')
    problems = []
    for m in buckets:
        if (m['to_x'], m['to_y']) != (m['bucket'], m['bucket'] + half['old']):
            problems.append(f'{m}')
        own = tags.get(m['bucket'])
        if m['time_s'] > at_rest:
            continue
        if not own:
            problems.append(f'{m} has not moved')
        # The program looks after links were cleared: then it sees less than the tool saw before.
        elif (m['keys_x'], m['keys_y']) != (own[1], own[2]) and (
                m['at_least'] or m['keys_x'] < own[1] or m['keys_y'] < own[2]
                or own[1] + own[2] > 8):
            problems.append(f'{m}, and the program says {own}')
    require_none(problems, 'buckets are not as the program says')


def rebuild(release):
    """A growth in the same size moves all to X; a machine that is busy elsewhere may miss it once."""
    buckets = []
    for _ in range(REBUILD_TRIES):
        with Evacuation(release) as program, Polls(program.pid, '--migrations') as polls:
            address = program.ready['maps']['small']
            grown = program.ask('overfill small')
            require(grown['growing'], 'the rebuild is over already')
            time.sleep(0.3)
            polls.end()
        buckets = [m for m in polls.migrations if m['migration'] == address
                   and m['bucket'] is not None and m['to_y'] is None]
        if buckets:
            break
    require(buckets and not any(m['keys_y'] for m in buckets), f'{buckets[:3]}')


def swiss_has_none(release):
    with Evacuation(release) as program, Polls(program.pid, '--migrations') as polls:
        program.ask('add numbers 5000')
        polls.end()
        require(not polls.migrations, 'there are migrations')
        require('no old array' in polls.figures['migrations_unknown'], f'{polls.figures}')


def without_rights(release):
    """The same user may poll: no capability is needed."""
    targets.need_root()
    setpriv = targets.need_command('setpriv')
    drop = [setpriv, '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all',
            '--no-new-privs']
    program = targets.Process([*drop, builds.go_program('evacuation', release, 'stripped')])
    with program:
        ready = json.loads(program.line(targets.READY_TIMEOUT_S))
        require_polled(program, drop, ready['maps']['numbers'])


def require_polled(program, drop, address):
    with Polls(program.pid, wrapper=drop) as polls:
        program.send('slow numbers 30000')
        growths = json.loads(program.line(TIMEOUT_S))['growths']
        polls.end()
        check_classic(polls.of(address), growths, polls.began_s)


def with_probes(release):
    """Growths come from probes, and the polls beside them tell how long each was moved."""
    with Evacuation(release) as program:
        tool = subprocess.Popen([targets.TOOL, 'trace', str(program.pid), '--json'],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with tool:
            begun = tool.stderr.readline()
            growths = program.ask('slow numbers 140000')['growths']
            tool.send_signal(signal.SIGINT)
            document = json.loads(tool.communicate(timeout=TIMEOUT_S)[0])
        if document['source'] != 'probes':
            raise Skip(f'no probes: {document["no_probes_reason"]}')
        require('with probes' in begun, begun)
        events = [e for e in document['events'] if e['map'] == program.ready['maps']['numbers']]
        require(steps_of(events) == steps_of(growths),
                f'{steps_of(events)} were seen, {steps_of(growths)} came')
        require_none([p for p in map(duration_problem, events, growths) if p], 'durations')
        last = events[-1]
        require(last['duration_s'] is not None, f'the last has no duration: {last}')
        require(last['together_bytes'] == last['from_bytes'] + last['to_bytes'], f'{last}')
        note(f'go{release}: {last["duration_s"]:.4f} s, give or take '
             f'{last["duration_error_s"]:.4f} s')


def goes_away(release):
    """A process that ends leaves what was seen of it."""
    with Evacuation(release) as program, Polls(program.pid) as polls:
        program.ask('slow numbers 20000')
        program.kill()
        out = polls.child.stdout.read()
        rows = [json.loads(line) for line in out.splitlines()]
        require(polls.child.wait(TIMEOUT_S) == 0, 'the tool failed')
        require('went away' in rows[-1]['partial'], f'{rows[-1]}')
        require(len(rows) > 5, 'what was seen is lost')


for _release in CLASSIC:
    add(f'polls/go{_release}/growths', 'check', classic, _release)
    add(f'polls/go{_release}/new maps', 'check' if _release == CLASSIC[0] else 'long', new_maps,
        _release)
    add(f'polls/go{_release}/migration/numbers', 'check', migration, _release, 'numbers')
    add(f'polls/go{_release}/migration/words', 'check', migration, _release, 'words')
    add(f'polls/go{_release}/with probes', 'check', with_probes, _release)
    add(f'polls/go{_release}/rebuild', 'check', rebuild, _release)
for _release in SWISS:
    add(f'polls/go{_release}/growths', 'check', swiss, _release)
    add(f'polls/go{_release}/no migration', 'check', swiss_has_none, _release)
add(f'polls/go{CLASSIC[1]}/no rights', 'check', without_rights, CLASSIC[1])
add(f'polls/go{CLASSIC[1]}/goes away', 'check', goes_away, CLASSIC[1])
