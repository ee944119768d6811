"""What goroutines are parked on: locks by name, with their map and holder, and channels.

The program blocks goroutines in every way there is and prints where; what must not be said counts as
much as what must be: none of those who only look as if they held a lock may be named.
"""
import re
import time

import builds
import targets
from harness import add, require, require_none

RELEASES = ('1.18.8', '1.19.4', '1.20.14', '1.21.13', '1.22.12', '1.23.12', '1.24.13', '1.25.14',
            '1.26.11', '1.27.4')
CHECKED = ('1.19.4', '1.23.12', '1.24.13', '1.27.4')
SETTLE_S = 60
CHURN_LOOKS, CHURN_LOOKS_MAX, CHURN_CLAIMS = 20, 200, 5

LOCK = 'mutex'
READ = 'rwmutex (read)'
WRITE = 'rwmutex (write)'

# kind, lock, the map it guards, how many wait, who holds it; a holder of None must not be claimed.
LOCKS = (
    (READ, 'main.Registry.mu', 'main.Registry.m', 'main.registry', 412, 'registry'),
    (LOCK, 'main.Decoy.mu', 'main.Decoy.m', 'main.decoy', 9, None),
    (LOCK, 'main.Local.mu', 'main.Local.m', None, 7, 'local'),
    (READ, 'main.Shop.mu', 'main.Shop.orders', 'main.shop', 6, 'shop'),
    (WRITE, 'main.Shop.mu', 'main.Shop.orders', 'main.shop', 2, 'shop'),
    (LOCK, 'main.Pair.bMu', 'main.Pair.b', 'main.pair', 2, 'pair'),
    (LOCK, 'main.Duo.aMu', 'main.Duo.a', 'main.duo', 11, None),
    (READ, 'main.DuoRW.aMu', 'main.DuoRW.a', 'main.duoRW', 12, None),
    (LOCK, 'main.Box.mu', 'main.Box.items', 'main.box', 10, None),
)
# Of package-level variables, whose types only debug information knows.
VARIABLES = (
    (LOCK, 'main.shards[].mu', 'main.shards[].m', 5, 'shard'),
    (LOCK, 'main.cache.Mutex', 'main.cache.items', 4, 'cache'),
    (LOCK, 'main.plainMu', None, 3, 'plain'),
)
OTHERS = (
    ('cond', 'main.Box.cond', 4),
    ('waitgroup', 'main.Job.wg', 2),
)
CHANNELS = (  # kind, name, waiting, length, capacity
    ('channel send', 'main.full', 3, 4, 4),
    ('channel receive', 'main.empty', 2, 0, 0),
    ('select', 'main.work', 8, 0, 2),
    ('channel receive', 'main.release', 18, 0, 0),
)
STILL_WAITING = sorted([row[2] for row in OTHERS] + [row[2] for row in CHANNELS[:-1]])
WAITING = sorted([row[4] for row in LOCKS] + [row[3] for row in VARIABLES] +
                 [row[2] for row in OTHERS] + [row[2] for row in CHANNELS])


def start(process):
    """Where each that blocks on purpose does so: lines by name."""
    lines = {}
    while True:
        line = process.line().strip()
        if line == 'ready':
            return lines
        _, name, number = line.split()
        lines[name] = int(number)


def settled(pid, wanted=WAITING):
    """The places, once everything that will wait does."""
    until = time.monotonic() + SETTLE_S
    while True:
        document = targets.tool('goroutines', pid, '--once', '--json').document()
        found = sorted(p['waiting'] for p in document['places'])
        if found == wanted:
            return document['places']
        require(time.monotonic() < until, f'waiting at the places: {found}, not {wanted}')


def place_of(places, kind, waiting, name=None):
    found = [p for p in places if p['kind'] == kind and p['waiting'] == waiting and
             (name is None or p['name'] == name)]
    return found[0] if len(found) == 1 else None


def holder_problems(what, place, lines, holder):
    """A holder that is named must be the one that is; one that cannot be known must not be named."""
    if holder is None:
        return [f'{what}: goroutine {place["holder"]} is said to hold it'] if place['holder'] else (
            [] if place['holder_unknown'] else [f'{what}: no reason why its holder is not known'])
    calls = place['stack'] or []
    if not place['holder'] or not calls:
        return [f'{what}: its holder is not named: {place["holder_unknown"]}']
    if calls[0]['line'] != lines[holder] or not calls[0]['file'].endswith('main.go'):
        return [f'{what}: its holder stands at line {calls[0]["line"]}, not {lines[holder]}']
    return []


def owner_of(field, root, stripped):
    if root is None:
        return re.escape(field)
    if stripped:
        return re.escape(field) + r' <- global 0x[0-9a-f]+ \(.*\)'
    return re.escape(f'{field} <- {root}')


def lock_problems(places, lines, stripped):
    problems = []
    for kind, name, guarded, root, waiting, holder in LOCKS:
        place = place_of(places, kind, waiting, name)
        if not place:
            problems.append(f'{name}: no place "{kind}" with {waiting} waiting')
            continue
        for field, said in ((name, place['owner']), (guarded, place['map'])):
            if not re.fullmatch(owner_of(field, root, stripped), said or ''):
                problems.append(f'{name}: {said}, not {field} <- {root}')
        if not place['map_address']:
            problems.append(f'{name}: its map has no address')
        problems += holder_problems(name, place, lines, holder)
    return problems


def variable_problems(places, lines, stripped):
    problems = []
    for kind, name, guarded, waiting, holder in VARIABLES:
        place = place_of(places, kind, waiting)
        if not place:
            problems.append(f'{name}: no place "{kind}" with {waiting} waiting')
            continue
        problems += holder_problems(name, place, lines, holder)
        if stripped:  # Its name is gone; whatever is said instead must not be another's.
            said = place['name'] or 'global 0x'
            if not said.startswith('global 0x') or place['map']:
                problems.append(f'{name}: {said}, guards {place["map"]}')
        elif place['name'] != name or place['map'] != guarded:
            problems.append(f'{name}: {place["name"]}, guards {place["map"]}')
    return problems


def other_problems(places, stripped):
    problems = []
    for kind, name, waiting in OTHERS:
        if not place_of(places, kind, waiting, name):
            problems.append(f'{name}: no place "{kind}" with {waiting} waiting')
    for kind, name, waiting, length, capacity in CHANNELS:
        place = place_of(places, kind, waiting, None if stripped else name)
        if not place:
            problems.append(f'{name}: no place "{kind}" with {waiting} waiting')
        elif (place['length'], place['capacity']) != (length, capacity):
            problems.append(f'{name}: {place["length"]} of {place["capacity"]}')
    return problems


def census_problems(pid, places):
    """The maps that locks guard are maps of the census, with the same owner."""
    rows = {m['address']: m for m in targets.census(pid)['maps']}
    problems = []
    for place in places:
        row = rows.get(place['map_address']) if place['map'] else None
        if row and row['owner'].startswith('stack of '):
            continue  # A method's receiver tells the lock's type; the census asks no method.
        if place['map'] and (row is None or row['owner'] != place['map']):
            problems.append(f'{place["name"]}: guards {place["map"]}; the census has '
                            f'{row and row["owner"]}')
    return problems


def named(release, variant):
    program = builds.go_program('locks', release, variant)
    stripped = variant == 'stripped'
    with targets.Process([program]) as process:
        lines = start(process)
        places = settled(process.pid)
        problems = lock_problems(places, lines, stripped)
        problems += variable_problems(places, lines, stripped)
        problems += other_problems(places, stripped)
        problems += census_problems(process.pid, places)
    require_none(problems, 'places that are not as they are')


def collect(process):
    process.send('collect')
    require(process.line().strip() == 'collected', 'it did not collect')


def ages(release, variant):
    """How long the oldest waits: known from the second collection on, counted from the first."""
    with targets.Process([builds.go_program('locks', release, variant)]) as process:
        start(process)
        settled(process.pid)
        began = time.monotonic()
        collect(process)
        collected = time.monotonic()
        collect(process)
        asked = time.monotonic()
        places = settled(process.pid)
        now = time.monotonic()
    problems = [f'{p["name"]}: oldest {p["oldest_s"]}' for p in places if p['oldest_s'] is None or
                not asked - collected <= p['oldest_s'] <= now - began]
    require_none(problems, f'ages that are not {asked - collected:.3f} to {now - began:.3f} s')


def let_go(release, variant):
    """Once locks are free nobody waits for one, and nobody is said to hold one."""
    with targets.Process([builds.go_program('locks', release, variant)]) as process:
        start(process)
        settled(process.pid)
        process.send('release')
        require(process.line().strip() == 'released', 'it did not let go')
        places = settled(process.pid, STILL_WAITING)
    require_none([f'{p["kind"]} {p["name"]}' for p in places
                  if p['holder'] or p['kind'] in (LOCK, READ, WRITE)], 'locks that are free')


def churned(release, variant):
    """Locks that change hands all the time: whoever is said to hold one stands where it is held."""
    problems, claims = [], 0
    with targets.Process([builds.go_program('locks', release, variant), 'churn']) as process:
        lines = start(process)
        until = time.monotonic() + SETTLE_S
        for look in range(CHURN_LOOKS_MAX):
            places = targets.tool('goroutines', process.pid, '--once', '--json').document()['places']
            for place in (p for p in places if p['holder']):
                claims += 1
                call = place['stack'][0]
                if (call['function'], call['line']) != ('main.(*Decoy).churn', lines['held']):
                    problems.append(f'{place["name"]} is not held at {call}')
            if claims >= CHURN_CLAIMS and look >= CHURN_LOOKS or time.monotonic() > until:
                break
    require_none(problems, 'places that hold no lock')
    require(claims >= CHURN_CLAIMS, f'only {claims} holders were named')


def traced(release, variant):
    """The waiters of each lock that guards a map, some ten times in a window."""
    maps = {}
    with targets.Process([builds.go_program('locks', release, variant)]) as process:
        start(process)
        for place in settled(process.pid):
            if place['map_address'] and place['map']:
                name, waiting = maps.get(place['map_address'], (place['name'], 0))
                maps[place['map_address']] = (name, waiting + place['waiting'])
        trace = targets.tool('trace', process.pid, '--seconds', '6', '--json').document()
    require(len(maps) >= 5, f'only {len(maps)} maps have a lock that is waited for')
    problems = []
    for address, (name, waiting) in maps.items():
        rows = [w for w in trace['waiters'] if w['map'] == address]
        if not 2 <= len(rows) <= 11:
            problems.append(f'{name}: {len(rows)} looks')
        problems += [f'{name}: {w}' for w in rows if w['behind'] != name or
                     w['waiting'] != waiting or not 0 <= w['time_s'] <= 7]
    strangers = {w['behind'] for w in trace['waiters'] if w['map'] not in maps}
    problems += [f'{name}: guards no map' for name in strangers]
    require_none(problems, 'waiters that are not as they are')


for _release in RELEASES:
    _tier = 'check' if _release in ('1.19.4', '1.27.4') else 'long'
    add(f'locks/go{_release}/ages', _tier, ages, _release, 'stripped')
    add(f'locks/go{_release}/let_go', _tier, let_go, _release, 'normal')
    add(f'locks/go{_release}/churned', _tier, churned, _release, 'normal')
    add(f'locks/go{_release}/traced', _tier, traced, _release, 'stripped')
    for _variant in ('normal', 'stripped'):
        add(f'locks/go{_release}/{_variant}', 'check' if _release in CHECKED else 'long', named,
            _release, _variant)
