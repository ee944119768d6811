"""What running goroutines do to which map, by samples; clues of two in one map at once."""
import os
import signal
import subprocess
import time

import builds
import targets
from harness import ROOT, Skip, add, require, require_none

RELEASES = ('1.19.4', '1.23.12', '1.24.13', '1.27.4')
IN_CHECK = ('1.19.4', '1.27.4')
SAMPLES = os.path.join(os.path.dirname(targets.TOOL), 'samples')
SOURCE = os.path.join(ROOT, 'tests', 'programs', 'inside', 'main.go')
ENOUGH = 300        # Samples inside map code.
PATIENCE_S = 60     # For them.
KNOWN_MIN = 0.85    # Share of samples that tell the map.
ATTEMPTS = 15       # The runtime may notice a race before we do.
CROWD_MIN = 30      # Of a hundred, inside map code.
BUSY = 0.6          # Of a CPU: with less for each of two, no two can be seen at once.
ROLES = {'main.writeA': {'writes', 'grows'}, 'main.writeB': {'writes', 'grows'},
         'main.readC': {'reads'}, 'main.loopD': {'iterates'}, 'main.changeE': {'writes', 'grows'},
         'main.fresh': {'writes', 'grows'}}

# A session of its own that gets its CPUs also on a busy machine, where that is allowed.
OWN_SHARE = ('sh', '-c', 'echo -15 2>/dev/null >/proc/self/autogroup; exec "$@"', 'sh')


class Inside(targets.Process):
    """The program of tests/programs/inside: the maps of its functions, by name."""

    def __init__(self, release, mode):
        program = builds.go_program('inside', release, 'stripped')
        super().__init__([*OWN_SHARE, program, mode], start_new_session=True)
        self.maps = {}
        try:
            while True:
                line = self.line(targets.READY_TIMEOUT_S)
                if line == 'ready':
                    return
                name, address = line.split(' ')
                self.maps[name] = int(address, 0)
        except BaseException:
            self.__exit__()
            raise


def line_of(text):
    with open(SOURCE) as f:
        return 1 + [line.strip() for line in f].index(text)


def sampled(pid, seconds):
    """Samples inside map code: role, map, function around; and the figures."""
    if not os.access(SAMPLES, os.X_OK):
        raise Skip('there is no program that prints samples beside the tool')
    done = subprocess.run([SAMPLES, str(pid), str(seconds), '199', '--print'], capture_output=True,
                          text=True, timeout=60)
    if 'cannot be sampled' in done.stderr:
        raise Skip(done.stderr.strip())
    require(done.returncode == 0, done.stderr)
    lines = done.stdout.splitlines()
    words = lines[-1].split(' ')
    rows = [line.split(' ') for line in lines[:-1]]
    return ([(role, int(address, 0), caller) for role, address, _, caller in rows],
            dict(zip(words[::2], map(float, words[1::2]))))


def never_met(rows):
    return [name for name in ROLES if name != 'main.writeB' and not any(row[2] == name for row in rows)]


def each_map(release):
    with Inside(release, 'mix') as program:
        seen, problems, until = [], [], time.monotonic() + PATIENCE_S
        while (len(seen) < ENOUGH or never_met(seen)) and time.monotonic() < until:
            rows, figures = sampled(program.pid, 2)
            seen += rows
            if figures['pointers_agree'] < 0.95 * figures['samples']:
                problems.append(f'frame pointers differ: {figures}')
    require(len(seen) >= ENOUGH, f'only {len(seen)} samples inside map code')
    for role, address, caller in seen:
        if role not in ROLES.get(caller, ()):
            problems.append(f'{caller} {role}')
        if address and (caller not in program.maps if address in program.maps.values() else
                        caller != 'main.fresh'):
            problems.append(f'{caller} {role} {address:#x}, which is none of its maps')
        elif address and caller in program.maps and address != program.maps[caller]:
            problems.append(f'{caller} {role} {address:#x}, not {program.maps[caller]:#x}')
    require_none(problems, 'samples that are wrong')
    old = [row for row in seen if row[2] != 'main.fresh']
    known = sum(1 for row in old if row[1])
    require(known >= KNOWN_MIN * len(old), f'the map is known of {known} of {len(old)} samples')
    require_none(never_met(seen), 'functions that were never sampled')


def look(pid, seconds, code=0):
    return targets.tool('goroutines', pid, '--json', '--seconds', seconds,
                        wrapper=OWN_SHARE).document(code)


def running_row(release):
    with Inside(release, 'fill') as program:
        document = look(program.pid, 2)
        census = {int(m['address'], 0): m for m in targets.census(program.pid)['maps']}
    require(document['coverage']['no_samples_reason'] is None, str(document['coverage']))
    require(document['coverage']['samples'] > 0, 'no samples were taken')
    line = line_of('m[i&0xfffff] = i')
    rows = [g for g in document['goroutines'] if g['role'] in ('writes', 'grows')]
    require(len(rows) == 1, f'{len(rows)} goroutines write')
    row = rows[0]
    require(int(row['map'], 0) == program.maps['main.fill'], f'it writes {row["map"]}')
    owner = census[program.maps['main.fill']]['owner']
    require(row['map_owner'] == owner, f'of {row["map_owner"]}, not of {owner}')
    if row['state'] == 'running':
        require(row['stack_source'] == 'sampled', str(row))
    shown = document['stacks'][row['role_stack']]['stack']
    require(any(c['function'] == 'main.fill' for c in shown), f'{shown} does not show the role')
    require(row['samples'] > 0 and row['role_share'] > 0.5, str(row))
    frames = [c for c in document['stacks'][row['stack']]['stack'] if c['function'] == 'main.fill']
    require(frames and frames[0]['line'] == line, f'{frames}, not at line {line}')


def two_seen(document):
    """Whether both goroutines had a CPU for long enough to be seen at once."""
    return document['coverage']['samples'] > 2 * BUSY * 199 * 2


def strong_clues(document):
    return [c for c in document['clues'] if c['strength'] == 'strong']


def two_writers(release):
    busy = crashed = 0
    for _ in range(ATTEMPTS):
        with Inside(release, 'race') as program:
            result = targets.tool('goroutines', program.pid, '--json', '--seconds', 2,
                                  wrapper=OWN_SHARE)
            if not program.alive() or result.code:
                crashed += 1
                continue
            document = result.document()
            clues = strong_clues(document)
            if not clues:
                busy += not two_seen(document)
                require(not two_seen(document), 'two that write at once left no clue')
                continue
            for clue in clues:
                require(clue['kind'] == 'two writers', str(clue))
                require(int(clue['map'], 0) == program.maps['main.set'], str(clue))
                require(clue['sides'][0]['goroutine'] != clue['sides'][1]['goroutine'], str(clue))
            return
    raise Skip(f'in {ATTEMPTS} attempts the runtime noticed {crashed} times, and {busy} times the '
               'machine was too busy')


def one_at_a_time(release):
    with Inside(release, 'locked') as program:
        for _ in range(3):
            document = look(program.pid, 2)
            require(document['coverage']['samples'] > 0, 'no samples were taken')
            require(not strong_clues(document), str(document['clues']))


def asked_to_stop(release):
    """Goroutines that were asked to stop in the middle of an insert, each into its own map."""
    with Inside(release, 'crowd') as program:
        at_rest, until = [], time.monotonic() + PATIENCE_S
        while len(at_rest) < CROWD_MIN and time.monotonic() < until:  # Who rests where is the scheduler's.
            document = look(program.pid, 0.2)
            inside = [g for g in document['goroutines'] if g['role'] in ('writes', 'grows', 'iterates')]
            at_rest = [g for g in inside if g['stack_source'] == 'unwound']
    require(len(at_rest) >= CROWD_MIN, f'only {len(at_rest)} rest inside map code')
    unknown = [g['id'] for g in at_rest if g['map'] is None]
    require(len(unknown) * 20 <= len(at_rest), f'{len(unknown)} of {len(at_rest)} without a map')
    maps = [g['map'] for g in inside if g['map'] is not None]
    require(len(maps) == len(set(maps)), 'two goroutines are said to work on one map')
    require(not document['clues'], str(document['clues']))


def open_loops(release):
    with Inside(release, 'loop') as program:
        document = look(program.pid, 0.2)
    clues = document['clues']
    require(len(clues) == 1, f'{len(clues)} clues: {clues}')
    clue = clues[0]
    require(clue['kind'] == 'iterates a table that was replaced', str(clue))
    require(clue['strength'] == 'weak', str(clue))
    require(int(clue['map'], 0) == program.maps['main.writeA'], str(clue))
    loops = {int(g['map'], 0): g['id'] for g in document['goroutines']
             if g['role'] == 'iterates'}
    require(sorted(loops) == sorted((program.maps['main.writeA'], program.maps['main.writeB'])),
            f'loops over {loops}: one was left, two are open')
    require(clue['sides'][0]['goroutine'] == loops[program.maps['main.writeA']], str(clue))


def burst(release, mode, expected):
    """Writes that begin: two by turns are near each other, which is a weak clue and no more."""
    for _ in range(ATTEMPTS):
        with Inside(release, mode) as program:
            result = targets.tool('goroutines', program.pid, '--json', '--seconds', 1, '--burst',
                                  wrapper=OWN_SHARE)
            require(program.alive(), 'the target ended')
        if result.code in (2, 3) and '--burst' in result.err:
            raise Skip(result.err.strip())
        document = result.document()
        require(document['cost']['probes'] > 0, str(document['cost']))
        clues = document['clues']
        require(all(c['strength'] == 'weak' for c in clues), f'a strong clue: {clues}')
        if len(clues) >= expected:
            break  # Else the two never had a CPU each.
    require(len(clues) == expected, f'{len(clues)} clues, not {expected}')
    for clue in clues:
        require(clue['kind'] == 'two writers' and clue['apart_s'] <= 5e-6, str(clue))
        require(int(clue['map'], 0) == program.maps['main.fill'], str(clue))
        for side in clue['sides']:
            own = [c for c in side['stack'] if not c['runtime']]
            require([c['function'] for c in own] == ['main.turn'] or
                    [c['function'] for c in own][:1] == ['main.turn'] and
                    'main.turn' not in [c['function'] for c in own][1:], str(own))
            require(own[0]['line'] == line_of('m[i&0xff] = i'), str(own[0]))


def nothing_left(release):
    """A sampler that is killed leaves no event behind, and the target goes on."""
    with Inside(release, 'fill') as program:
        tool = subprocess.Popen([targets.TOOL, 'goroutines', str(program.pid), '--seconds', '30'],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + targets.ANSWER_TIMEOUT_S
        while not has_events(tool.pid) and time.monotonic() < until and tool.poll() is None:
            time.sleep(0.05)
        found = has_events(tool.pid)
        tool.send_signal(signal.SIGKILL)
        tool.wait()
        require(found, 'it never began to sample')
        require(program.alive(), 'the target ended')
        require(look(program.pid, 0.5)['coverage']['samples'] > 0, 'no samples behind it')


def has_events(pid):
    try:
        folder = f'/proc/{pid}/fd'
        return any('perf_event' in os.readlink(os.path.join(folder, fd))
                   for fd in os.listdir(folder))
    except OSError:
        return False


for _release in RELEASES:
    _tier = 'check' if _release in IN_CHECK else 'long'
    add(f'samples {_release} each map', _tier, each_map, _release)
    add(f'samples {_release} running', _tier, running_row, _release)
    add(f'samples {_release} two writers', _tier, two_writers, _release)
    add(f'samples {_release} under a lock', _tier, one_at_a_time, _release)
    add(f'samples {_release} asked to stop', _tier, asked_to_stop, _release)
    add(f'samples {_release} open loops', _tier, open_loops, _release)
for _release in IN_CHECK:
    add(f'samples {_release} burst by turns', 'check', burst, _release, 'turns', 1)
    add(f'samples {_release} burst alone', 'check', burst, _release, 'fill', 0)
add('samples killed', 'check', nothing_left, RELEASES[-1])
