"""Where resident memory is: the parts against what the kernel and the program itself say."""
import json

import builds
import targets
from harness import add, note, require

RELEASES = ('1.19.4', '1.24.13', builds.NEWEST)
SUM_SHARE = 0.02  # The parts may differ from RSS by so much.
PART_SHARE = 0.05
PART_LEAST = 512 << 10  # Small parts may differ by so many bytes.

# Together these are the spans in use.
SPANS = ('map_live_bytes', 'map_slack_bytes', 'other_live_bytes', 'garbage_bytes',
         'span_free_bytes')


def heap(pid):
    return targets.tool('heap', pid, '--json', '--all').document()


def require_near(what, measured, told, share=PART_SHARE, least=PART_LEAST):
    require(abs(measured - told) <= max(share * told, least),
            f'{what} is {measured}, the program says {told}')


def require_sum(document, moved=0):
    """The parts, which are the whole but for a small share and what came or went meanwhile."""
    memory = document['memory']
    parts, rss = memory['parts'], memory['rss_bytes']
    known = sum(parts.values()) - parts['unknown_bytes']
    require(abs(known - rss) <= SUM_SHARE * rss + moved, f'{known} of {rss} bytes are explained: {parts}')
    require(sum(parts.values()) - memory['excess_bytes'] == rss, f'the parts are no sum: {memory}')
    return parts


def require_told(document, told, later):
    """Each part that the program knows of as well, by what it said before and says now."""
    parts = require_sum(document)
    spans = sum(parts[name] for name in SPANS)
    untouched = told['HeapInuse'] - spans  # Tables that were asked for and not yet filled.
    require(-PART_LEAST <= untouched <= 80 << 20, f'spans are {spans}, {told}')
    live = parts['map_live_bytes'] + parts['map_slack_bytes'] + parts['other_live_bytes']
    require_near('live and garbage', live + parts['garbage_bytes'],
                 told['HeapAlloc'] - max(untouched, 0))
    # Free pages are given back in the background all the while.
    most, least = (s['HeapIdle'] - s['HeapReleased'] for s in (told, later))
    free = min(max(parts['heap_free_bytes'], least), most)
    require_near('free', parts['heap_free_bytes'], free)
    require_near('stacks', parts['stack_bytes'], told['StackInuse'])
    require_near('off-heap', parts['off_heap_bytes'], told['OffHeap'] + told['CHeap'],
                 least=3 << 20)
    require(parts['runtime_bytes'] <= told['Runtime'] + PART_LEAST,
            f'the runtime holds {parts["runtime_bytes"]}, it says {told["Runtime"]}')
    rows = document['classes']
    require_near('slots in use', sum(r['live_bytes'] + r['garbage_bytes'] for r in rows),
                 told['HeapAlloc'])
    require(sum(r['span_bytes'] for r in rows) == document['memory']['heap_bytes'],
            'the size classes are no sum of the heap')


def ballast(release, variant):
    binary = builds.go_program('ballast', release, variant)
    with targets.Process([binary]) as target:
        told = json.loads(target.line(targets.READY_TIMEOUT_S))
        for command in ('stats', 'drop', 'return'):
            target.send(command)
            told = json.loads(target.line())
            document = heap(target.pid)
            target.send('stats')
            require_told(document, told, json.loads(target.line()))
        memory = document['memory']
        note(f'go{release} {variant}: {memory["rss_bytes"]} resident, '
             f'{memory["parts"]["unknown_bytes"]} unknown, measured in {memory["measured_s"]:.3f} s')
        require(memory['map_share'] > 0.1, 'the maps are not seen')
        require(target.alive(), 'the program died')


def under_churn(release):
    """Maps that come and go: every look is a sum, however much it moved."""
    binary = builds.go_program('truth', release, 'stripped')
    seen_garbage = False
    with targets.Truth(binary, '-maps', 2000, '-largest', 5000, '-churn', 4) as target:
        for _ in range(10):
            before = targets.resident_kb(target.pid)
            document = heap(target.pid)
            moved = abs(targets.resident_kb(target.pid) - before) << 10
            parts = require_sum(document, moved)
            seen_garbage = seen_garbage or parts['garbage_bytes'] > 0
    note(f'go{release}: garbage {"was" if seen_garbage else "was never"} seen before its sweep')


def tier(checked):
    """check has each kind of program once."""
    return 'check' if checked else 'long'


def register():
    for release in RELEASES:
        add(f'memory/go{release}/churn', tier(release == '1.24.13'), under_churn, release)
    for release in RELEASES:
        add(f'memory/go{release}/cgo', 'long', ballast, release, 'cgo')
    for release in builds.RELEASES:
        add(f'memory/go{release}/stripped', tier(release == '1.19.4'), ballast, release,
            'stripped')


register()
