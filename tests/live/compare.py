"""A census held against what the process says of itself."""
from collections import Counter

from harness import note, require, require_none

PROGRESS_TOLERANCE = 0.001

# A classic map without entries needs a seed of at least this much to be told from an object that
# holds two small numbers (maps/classic.c): one in a million is passed over.
CLASSIC_SEED_MIN = 4096


def index(document):
    """The maps by address; no address may come twice."""
    by_address = {}
    for m in document['maps']:
        require(m['address'] not in by_address, f'{m["address"]} is in the census twice')
        by_address[m['address']] = m
    return by_address


def short(m):
    return {k: v for k, v in m.items() if v not in (None, 0, False, '')}


def differences(truth, seen):
    """What a census row says otherwise than the program's own line."""
    want = {'entries': truth['len'], 'kind': truth['kind'], 'where': truth['where']}
    if truth['state'] == 'never_written':
        want['confidence'] = 'unverified'
    else:
        want.update(capacity=truth['capacity'], confidence='verified')
        if truth['kind'] == 'classic':
            want.update(growing=truth['growing'])
            # From B=16 on the runtime itself only estimates; while a map grows its count starts
            # anew and leaves the old array out, so that unknown is an answer, too.
            if truth['b'] < 16 and not (truth['growing'] and seen['overflow_buckets'] is None):
                want.update(overflow_buckets=truth['noverflow'])
        else:
            want.update(tables=truth['tables'], deleted_slots=truth['deleted'],
                        directory_depth=truth['depth'])
    wrong = [f'{k} {seen[k]!r}, not {v!r}' for k, v in want.items() if seen[k] != v]
    if seen['type'] is not None and seen['type'] != truth['type']:
        wrong.append(f'type {seen["type"]}, not {truth["type"]}')
    if truth.get('growing'):
        wrong += growth_differences(truth, seen['growth'])
    return wrong


def growth_differences(truth, growth):
    if growth is None:
        return ['no growth']
    progress = truth['nevacuate'] / (truth['from'] / 8)
    want = {'from': truth['from'], 'to': truth['capacity'], 'same_size': truth['same_size']}
    wrong = [f'growth.{k} {growth[k]!r}, not {v!r}' for k, v in want.items() if growth[k] != v]
    if abs(growth['progress'] - progress) > PROGRESS_TOLERANCE:
        wrong.append(f'growth.progress {growth["progress"]}, not {progress}')
    return wrong


def may_be_missing(truth):
    """An empty classic map whose random seed came out as a small number."""
    return truth['len'] == 0 and truth.get('seed', CLASSIC_SEED_MIN) < CLASSIC_SEED_MIN


def require_listed(target, by_address):
    """Every map the process owns is in the census, as it is."""
    problems = []
    for truth in target.maps:
        seen = by_address.get(truth['address'])
        if seen is None:
            if may_be_missing(truth):
                note(f'an empty map with the seed {truth["seed"]} is not in the census')
            else:
                problems.append(f'missing: {truth}')
            continue
        wrong = differences(truth, seen)
        if wrong:
            problems.append(f'{"; ".join(wrong)}\n  truth  {truth}\n  census {short(seen)}')
    require_none(problems, f'of {len(target.maps)} maps missing or wrong')


def require_no_decoys(target, by_address, collected):
    """No decoy passes for a map; dead maps may, until a collection has seen them die."""
    problems, empties = [], 0
    for address, kind in target.decoys.items():
        seen = by_address.get(address)
        if seen is None or (kind == 'garbage' and not collected):
            continue
        if kind == 'empty' and seen['confidence'] == 'unverified':
            empties += 1  # Zeros and a seed: said to be unverified, and that is all one can say.
            continue
        problems.append(f'{kind}: {short(seen)}')
    require_none(problems, f'of {len(target.decoys)} decoys taken for maps')
    return empties


def shape_of(m):
    return m['entries'], m['capacity'], m['where']


def strangers(target, by_address):
    """The rows of the census that are neither listed nor decoys: what the runtime itself has."""
    listed = {t['address'] for t in target.maps}
    return [m for a, m in by_address.items() if a not in listed and a not in target.decoys]


def require_same_strangers(target, by_address, baseline):
    """Maps nobody listed have to be those that the same program has when it owns nothing."""
    allowed = Counter(map(shape_of, baseline))
    extra = []
    for m in strangers(target, by_address):
        if allowed[shape_of(m)] > 0:
            allowed[shape_of(m)] -= 1
        elif m['confidence'] != 'unverified':
            extra.append(f'nobody\'s: {short(m)}')
    require_none(extra, 'maps that nobody owns')


def row_problems(m):
    """What cannot be true of any map."""
    problems = []

    def hold(condition, text):
        if not condition:
            problems.append(f'{text}: {short(m)}')

    full = 13 / 16 if m['kind'] == 'classic' else 1
    if m['capacity'] and m['confidence'] == 'verified':
        # A map in the middle of its growth may pass the bound before the next can start.
        hold(m['growing'] or m['entries'] <= max(8, m['capacity'] * full),
             'more entries than its load factor allows')
        hold(abs(m['load'] - m['entries'] / m['capacity']) < 0.001, 'wrong load')
    if m['total_bytes'] is not None and m['live_bytes'] is not None:
        hold(m['live_bytes'] <= m['total_bytes'], 'more live bytes than bytes')
        hold(m['slack_bytes'] == m['total_bytes'] - m['live_bytes'], 'wrong slack')
    hold((m['growth'] is not None) == m['growing'], 'growing without growth')
    if m['growth']:
        hold(0 <= m['growth']['progress'] <= 1, 'progress outside of 0 to 1')
    return problems


def require_sound(document):
    """What is true of every census, whatever the process."""
    by_address = index(document)
    require_none([p for m in document['maps'] for p in row_problems(m)], 'impossible rows')
    coverage = document['coverage']
    require(coverage['read'] == len(document['maps']), 'coverage.read is not the number of rows')
    typed = sum(m['type'] is not None for m in document['maps'])
    require(coverage['typed'] == typed, f'coverage.typed {coverage["typed"]}, not {typed}')
    require(document['cost']['stops'] == 0, 'the target was stopped')
    require(not document['partial'], f'cut short: {document["partial_reason"]}')
    return by_address
