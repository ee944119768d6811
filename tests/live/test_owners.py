"""Types and owners of maps that are held in every way there is: one test for each way.

The program owners says of each of its maps which owners and types would be right; the ways are the
rows of its table.  `run.sh --filter owners/` ends in a table of the ways that fail somewhere.
"""
import functools
import json
import os
import re
import tempfile

import builds
import compare
import targets
from harness import Failure, Skip, add, note, require, require_none

# Ways that are known not to work, with the reason; a way that works must not stand here.
KNOWN_GAPS = {
    'closure_of_generic': 'generic code knows what its closures capture by shape only',
    'finalizer_queue': 'the queue is memory of the runtime that no type describes',
    'stack_struct': 'nothing describes the type of what lies on a stack',
    'stack_inner_frame': 'nothing describes the type of what lies on a stack',
}

# Ways of which a program without names need not tell everything: the type of the variable is in no
# code that could be read.  What is said must be right all the same: no other type, no owner but the
# variable itself by its address, a stack, or nothing.
NAMELESS_UNKNOWN = {
    'array_of_maps', 'array_of_structs', 'interior_pointer', 'pointer_to_map', 'static_chain', 'static_data',
    'sync_map', 'sync_map_values',
}
NAMELESS_OWNER = r'((?:near )?global 0x[0-9a-f]+ \(.+\)|stack of \S+|main\.main\.func\d+.*)(\[\])?'

CHECKED = (('1.19.4', 'stripped'), (builds.NEWEST, 'normal'))
NAMELESS = ('stripped', 'pie')  # Variants in which variables have no names.

SESSIONS = 41230
SESSION_OWNER = r'session\.Session\.attrs <- '
SHOWN = 3

outcomes = {}  # Way -> {target: 'ok', 'FAIL' or '-'}, in the order of the tests.


def ways():
    """The names in the program's own table."""
    with open(os.path.join(builds.PROGRAMS, 'owners', 'main.go')) as f:
        names = re.findall(r'^\t\{"(\w+)", (?:first|between|last), ', f.read(), re.M)
    require(len(names) > 50 and len(set(names)) == len(names), 'the table of ways cannot be read')
    return names


class Owners(targets.Process):
    """The program, with what it says of its maps."""

    def __init__(self, binary):
        super().__init__([binary, '-truth', self.new_file()])
        try:
            ready = json.loads(self.line(targets.READY_TIMEOUT_S))
            self.maps, expected = [], {}
            with open(self.path) as f:
                for text in f:
                    said = json.loads(text)
                    if 'number' in said:
                        expected[said['number']] = said
                    else:
                        self.maps.append((said, expected[said['expect']]))
            require(len(self.maps) == ready['maps'], 'the list of maps is cut short')
        except BaseException:
            self.__exit__()
            raise

    def new_file(self):
        handle, self.path = tempfile.mkstemp(prefix='mapscope-live-')
        os.close(handle)
        return self.path

    def __exit__(self, *details):
        super().__exit__(*details)
        os.unlink(self.path)

    def finish(self):
        self.child.stdin.close()
        summary = json.loads(self.line())
        require(summary['intact'] == summary['maps'], f'a listed map changed: {summary}')
        require(self.child.wait(targets.ANSWER_TIMEOUT_S) == 0, 'the program failed')


class Verdict:
    """What is wrong with each way on one target; only that is kept, the census is large."""

    def __init__(self, release, variant):
        self.problems = {}  # Way -> texts; a way without maps is missing.
        self.nameless = variant in NAMELESS
        with Owners(builds.go_program('owners', release, variant)) as target:
            document = targets.census(target.pid)
            by_address = compare.index(document)
            self.impossible = self.impossible_rows(document)
            self.judge(target.maps, by_address)
            self.strangers = self.named_strangers(target.maps, by_address)
            self.summed = [(r['owner'], r['maps']) for r in document['owners']
                           if re.match(SESSION_OWNER, r['owner'] or '')]
            target.finish()

    def impossible_rows(self, document):
        """What is wrong with the census whatever the process; a test of its own."""
        try:
            compare.require_sound(document)
        except Failure as failure:
            return str(failure)
        return None

    def judge(self, maps, by_address):
        tries = [m for m in by_address.values() if m['kind'] == 'sync_trie']
        for said, expected in maps:
            row = by_address.get(f'0x{said["address"]:x}')
            if said['kind'] == 'sync_trie' and row is None:
                row = self.trie(tries, said, expected)
            found = self.problems.setdefault(said['way'], [])
            wrong = ['not in the census'] if row is None else self.wrong(said, expected, row)
            if wrong and self.nameless and said['way'] in NAMELESS_UNKNOWN:
                wrong = self.wrong_though_unknown(said, expected, row)
            if wrong:
                found.append(f'{self.title(expected)}, {said["len"]} entries: {"; ".join(wrong)}')

    def title(self, expected):
        return (expected['owners'] or expected['patterns'])[0]

    def trie(self, tries, said, expected):
        """A trie has no header to tell it by: the one of its owner."""
        for row in tries:
            if self.owner_fits(expected, row['owner']) and row['entries'] == said['len']:
                return row
        return None

    def owner_fits(self, expected, owner):
        if owner is None:
            return False
        if self.nameless:
            return any(re.fullmatch(p, owner) for p in expected['stripped'] or [])
        return owner in (expected['owners'] or []) or \
            any(re.fullmatch(p, owner) for p in expected['patterns'] or [])

    def wrong(self, said, expected, row):
        wrong = []
        if row['entries'] != said['len']:
            wrong.append(f'{row["entries"]} entries')
        if not self.owner_fits(expected, row['owner']):
            wrong.append(f'owner {row["owner"]!r}')
        if row['type'] not in expected['types'] and not (row['type'] is None and
                                                         expected['untyped']):
            wrong.append(f'type {row["type"]!r}, not {expected["types"][0]!r}')
        if (row['type'] is None) != (row['type_source'] is None):
            wrong.append(f'type_source {row["type_source"]!r}')
        if expected['shared'] and row.get('owners') not in expected['shared']:
            wrong.append(f'{row.get("owners")} holders, not {expected["shared"][0]}')
        return wrong

    def wrong_though_unknown(self, said, expected, row):
        """The same where not everything can be known: what is unknown is not wrong."""
        if row is None:
            return [] if said['kind'] == 'sync_trie' else ['not in the census']
        wrong = []
        if row['entries'] != said['len']:
            wrong.append(f'{row["entries"]} entries')
        if row['type'] is not None and row['type'] not in expected['types']:
            wrong.append(f'type {row["type"]!r}, not {expected["types"][0]!r}')
        if row['owner'] is not None and not self.owner_fits(expected, row['owner']) and \
                not re.fullmatch(NAMELESS_OWNER, row['owner']):
            wrong.append(f'owner {row["owner"]!r}')
        return wrong

    def named_strangers(self, maps, by_address):
        """Maps that the program does not list, under the name of one that it does."""
        names = {o for _, e in maps for o in e['owners'] or []}
        listed = {f'0x{said["address"]:x}' for said, _ in maps}
        return [f'{a}: {m["owner"]}' for a, m in by_address.items()
                if m['owner'] in names and a not in listed and m['kind'] != 'sync_trie']


@functools.lru_cache(maxsize=None)
def looked(release, variant):
    """The verdict on a target, or why there is none: each is started once, not once a way."""
    try:
        return Verdict(release, variant)
    except Exception as reason:  # Whatever it is, it is the same for every way.
        return reason


def verdict(release, variant):
    found = looked(release, variant)
    if not isinstance(found, Verdict):
        raise found
    return found


def holds(way, release, variant):
    record = outcomes.setdefault(way, {})
    target = f'{release}/{variant}'
    record[target] = 'FAIL'
    problems = verdict(release, variant).problems.get(way)
    if problems is None:
        record[target] = '-'
        raise Skip('the program has no such map in this build')
    if not problems:
        record[target] = 'ok'
        require(way not in KNOWN_GAPS or variant in NAMELESS,
                'this works: take it out of the known gaps')
    elif way in KNOWN_GAPS:
        record[target] = 'gap'
        note(f'known gap {way}: {KNOWN_GAPS[way]}')
    else:
        shown = '\n'.join(problems[:SHOWN])
        raise Failure(f'{len(problems)} maps wrong\n{shown}')


def one_row(release, variant):
    """All the small maps of one owner are one row, with their number."""
    summed = verdict(release, variant).summed
    require(len(summed) == 1, f'{len(summed)} rows for the sessions: {summed[:SHOWN]}')
    require(summed[0][1] == SESSIONS, f'{summed[0][1]} maps, not {SESSIONS}: {summed[0][0]}')


def sound(release, variant):
    impossible = verdict(release, variant).impossible
    require(impossible is None, impossible)


def nobody_else(release, variant):
    require_none(verdict(release, variant).strangers, 'maps under the name of another')


def table():
    """Every way that is tested in this run, where it does not hold everywhere."""
    require(outcomes, 'no way was tested')
    columns = list(dict.fromkeys(t for record in outcomes.values() for t in record))
    broken = {w: r for w, r in outcomes.items() if set(r.values()) & {'FAIL', 'gap'}}
    if broken:
        width = max(map(len, broken))
        print(' ' * width, *(f'{c:>16}' for c in columns))
        for way, record in broken.items():
            print(f'{way:{width}}', *(f'{record.get(c, ""):>16}' for c in columns))
    note(f'{len(outcomes) - len(broken)} of {len(outcomes)} ways hold on {len(columns)} targets')
    unknown = [w for w in KNOWN_GAPS if w not in ways()]
    require(not unknown, f'known gaps that are no ways: {unknown}')


def register():
    rest = [(r, v) for r in builds.RELEASES for v in builds.VARIANTS if (r, v) not in CHECKED]
    for tier, pairs in (('check', CHECKED), ('long', rest)):
        for release, variant in pairs:
            name = f'owners/go{release}/{variant}'
            for way in ways():
                add(f'{name}/{way}', tier, holds, way, release, variant)
            add(f'{name}/one row for {SESSIONS:,} maps', tier, one_row, release, variant)
            add(f'{name}/sound', tier, sound, release, variant)
            add(f'{name}/nobody else', tier, nobody_else, release, variant)
    add('owners/table', 'check', table)


register()
