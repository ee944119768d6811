"""The scheduler's own tables, against a program that has brought its scheduler into a known state."""
import json
import os

import builds
import targets
from harness import Skip, add, note, require

CHECKED = ('1.19.4', '1.23.12', '1.27.4')
PROCESSORS = 3
NEAR_S = 0.005
RING = 256  # Goroutines; when it is full, half of it goes to the queue of all processors.


def start(release):
    program = builds.go_program('sched', release, 'stripped')
    return targets.Process([program], env=dict(os.environ, GOGC='off'))


def look(pid):
    document = targets.tool('goroutines', pid, '--once', '--sched', '--json').document()
    sched = document['sched']
    require(sched['unknown'] is None and sched['queue_unknown'] is None,
            f'the scheduler is not known: {sched["unknown"]}, {sched["queue_unknown"]}')
    require(len(sched['ps']) == PROCESSORS, f'{len(sched["ps"])} processors')
    require([p['p'] for p in sched['ps']] == list(range(PROCESSORS)), 'processors out of order')
    return document, sched


def queues(made):
    """What a processor's queue and that of all hold when its goroutine has made others ready."""
    ring, common, following = [], [], None
    for goroutine in made:
        if following and len(ring) == RING:
            common += ring[:RING // 2] + [following]
            ring = ring[RING // 2:]
        elif following:
            ring.append(following)
        following = goroutine
    return [following] + ring, common


def require_full(sched, told):
    """Each processor runs the goroutine that keeps it, and what that made waits behind it."""
    by_running = {p['running']: p for p in sched['ps']}
    loops = {made['id']: made for made in told['loops']}
    require(set(by_running) == set(loops), f'{set(by_running)} run, not {set(loops)}')
    common = []
    for made in told['loops']:
        p = by_running[made['id']]
        require(p['status'] == 'running' and p['thread'] == made['thread'] and not p['moved'],
                f'p {p["p"]}: {p["status"]} on thread {p["thread"]}, not {made["thread"]}')
        queue, spilled = queues(made['ready'])
        require(p['queue'] == queue, f'queue {p["queue"]}, not {queue}')
        common += spilled
    require(sched['queue'] == common, f'queue {sched["queue"]}, not {common}')
    require(sched['queue_size'] == len(common) and not sched['queue_moved'],
            f'{sched["queue_size"]} in the global queue, not {len(common)}')


def require_threads(sched, told):
    threads = {m['thread']: m for m in sched['ms']}
    for number, thread in zip(told['locked'], told['locked_threads']):
        m = threads.get(thread)
        require(m and m['locked'] == number and m['p'] is None and m['blocked'] and
                m['doing'] == 'waits for its goroutine', f'goroutine {number} is locked: {m}')
    for number, thread in zip(told['called'], told['called_threads']):
        m = threads.get(thread)
        require(m and m['running'] == number and m['p'] is None and
                m['doing'] == 'in a system call', f'goroutine {number} is in a system call: {m}')


def threads_of(pid):
    return {int(name) for name in os.listdir(f'/proc/{pid}/task')}


def look_with_all_threads(pid):
    """
    A look in which each thread that was there all the time is one of the scheduler's, and none is made up.
    A thread that is only just there has not written its number yet.
    """
    def take():
        before = threads_of(pid)
        seen = look(pid)
        return seen, before, {m['thread'] for m in seen[1]['ms']}, threads_of(pid)

    seen, *_ = targets.taken_until(
        take, lambda t: t[1] & t[3] <= t[2] <= t[1] | t[3], lambda t: f'threads {t[2]}, not {t[1]}, {t[3]}')
    return seen


def at_rest(pid, reader):
    """A look at which nothing runs, once that is so; reader may be in a read with a processor."""
    def rests(sched):
        return (not sched['queue_size'] and not any(p['queue'] for p in sched['ps']) and
                all(p['status'] == 'idle' and p['running'] is None or
                    p['status'] == 'syscall' and p['running'] == reader for p in sched['ps']))

    return targets.taken_until(lambda: look(pid)[1], rests, lambda sched: f'not at rest: {sched["ps"]}')


def same_state(release):
    with start(release) as process:
        require(process.line() == 'full', 'the program did not start')
        document, full = look_with_all_threads(process.pid)
        process.send('let go')
        told = json.loads(process.line())
        require_full(full, told)
        require_threads(full, told)
        rows = {row['id']: row for row in document['goroutines']}
        for p in full['ps']:
            row = rows[p['running']]
            require(row['p'] == p['p'] and row['thread'] == p['thread'], f'{row} on {p}')
        rest = at_rest(process.pid, told['loops'][0]['id'])
        require_threads(rest, told)
        note(f'{release}: {len(full["ms"])} threads, queues of '
             f'{[len(p["queue"]) for p in full["ps"]]} and {full["queue_size"]}')


def switches_near_growth(release):
    """Two goroutines that take turns on filling a map are seen to, where it grows."""
    with start(release) as process:
        require(process.line() == 'full', 'the program did not start')
        process.send('let go')
        process.line()
        process.send('grow')
        ids = set(json.loads(process.line()))
        document = targets.tool('trace', process.pid, '--sched', '--no-owners', '--seconds', 2,
                                '--json').document()
        if document['source'] != 'probes':
            raise Skip(f'no probes: {document["no_probes_reason"]}')
        require(process.alive(), 'the program ended')
    require(document['switches_unknown'] is None, document['switches_unknown'])
    growths = [event['time_s'] for event in document['events'] if event['goroutine'] in ids]
    require(growths, 'no growth was seen')
    switches = document['switches']
    far = [s for s in switches if not any(abs(s['time_s'] - t) <= NEAR_S + 1e-6 for t in growths)]
    require(not far, f'{len(far)} switches are far from any growth: {far[:3]}')
    require(all(s['from'] != s['to'] and s['p'] < PROCESSORS for s in switches), 'no switches')
    turns = [s for s in switches if ids & {s['from'], s['to']}]
    note(f'{release}: {len(growths)} growths, {len(switches)} switches, {len(turns)} of the two, '
         f'{document["switches_unseen"]} unseen')
    require(turns, f'of {len(switches)} switches none is of {ids}')


for _release in builds.RELEASES:
    add(f'sched {_release}', 'check' if _release in CHECKED else 'long', same_state, _release)
    add(f'sched trace {_release}', 'check' if _release in CHECKED else 'long',
        switches_near_growth, _release)
