"""sync.Map from Go 1.24 on, and package unique: hash tries, of which every one has to be found and
counted to its last entry, also where the binary has no symbols and no debug information."""
import json

import builds
import targets
from harness import add, require, require_none

RELEASES = ('1.24.6', '1.24.13', '1.25.14', '1.26.11', '1.27.4')
VARIANTS = ('normal', 'stripped', 'pie')
CHECKED = (('1.24.13', 'stripped'), (builds.NEWEST, 'normal'), (builds.NEWEST, 'stripped'))
OWN_TYPES = ('unique.canonMap', 'sync.HashTrieMap')  # Of what package unique has.


def wrong(said, row):
    """What a census says otherwise of a sync.Map than the program."""
    if row is None:
        return [f'{said["Way"]}: missing']
    seen = (row['kind'], row['type'], row['entries'], row['confidence'])
    want = ('sync_trie', 'sync.Map', said['Entries'], 'verified')
    return [] if seen == want else [f'{said["Way"]}: {seen}, not {want}']


def tries(release, variant):
    with targets.Process([builds.go_program('tries', release, variant)]) as target:
        said = json.loads(target.line(targets.READY_TIMEOUT_S))
        document = targets.census(target.pid)
        require(target.alive(), 'the target died')
    walk = document['coverage']['walk']
    require(not walk['partial'], f'the walk was cut short: {walk["partial_reason"]}')
    rows = {m['address']: m for m in document['maps'] if m['kind'] == 'sync_trie'}
    require_none([p for m in said['Maps'] for p in wrong(m, rows.get(f'0x{m["Address"]:x}'))],
                 'sync.Maps are wrong')
    others = [r for r in rows.values() if r['type'].startswith(OWN_TYPES)]
    for name, entries in said['Unique'].items():
        found = [r for r in others if r['entries'] == entries]
        require(len(found) == 1, f'{len(found)} maps of the {entries} unique values of {name}')
    # The program's types are those of its own values, and what the standard library made unique.
    index = [r for r in others if r['type'] == 'sync.HashTrieMap[*internal/abi.Type,interface {}]'
             or r['type'] == 'sync.HashTrieMap[*abi.Type,interface {}]']
    require(len(index) == 1, f'{len(index)} indices of the types that have unique values')
    require(index[0]['entries'] == len(others) - 1,
            f'{index[0]["entries"]} types, but {len(others) - 1} maps of unique values')
    listed = {f'0x{m["Address"]:x}' for m in said['Maps']}
    require_none([f'{a}: {r["owner"]}' for a, r in rows.items()
                  if r['type'] == 'sync.Map' and a not in listed and
                  ('main.' in (r['owner'] or 'main.') or r['entries'] > 100)],
                 'sync.Maps that the program does not have')


def register():
    for release in RELEASES:
        for variant in VARIANTS:
            tier = 'check' if (release, variant) in CHECKED else 'long'
            add(f'tries/go{release}/{variant}', tier, tries, release, variant)


register()
