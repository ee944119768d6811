"""Owners and types of maps that package-level variables hold, as the DWARF names them."""
import json
import re
import subprocess

import builds
import compare
import targets
from harness import Skip, add, require, require_none

# Old and new, classic and Swiss, DWARF 4 (up to 1.24) and 5, compressed by default.
RELEASES = ('1.19.4', '1.23.12', '1.27.4')

PLAIN = ('-compressdwarf=false',)
STRIPPED = ('-s', '-w')

# Of all that the program has, only an array of 100,000 elements is beyond a bound.
BOUND = 'package-level variable too large to look through to its end'
DAMAGED = 'debug information that is damaged or too large to name owners from'


def program(release, name, flags=(), ldflags=(), cgo='0'):
    """The globals program, built with flags of its own."""
    if cgo == '1':
        targets.need_command('gcc')
    go = builds.go_command(release)
    folder = f'{builds.PROGRAMS}/globals'
    words = [*flags, *([f'-ldflags={" ".join(ldflags)}'] if ldflags else [])]

    def make(path):
        builds.build([go, 'build', '-buildvcs=false', *words, '-o', path, '.'], folder,
                     builds.go_environment({'CGO_ENABLED': cgo}))

    return builds.once(f'globals-{release}-{name}',
                       builds.source_hash(folder, [release, cgo, *words]), make)


def listed(process):
    maps = json.loads(process.line())
    require(len(maps) > 30, f'the program lists {len(maps)} maps')
    return maps


def is_owner(path, owner):
    """Whether a row's owner is the place at the end of a path: the path itself, with elements not
    numbered, or the field of a type behind a pointer of the same variable."""
    path = re.sub(r'(\[\d+\])+', '[]', path)
    variable, _, field = path.lstrip('*').partition('.')[2].partition('.')
    variable = f'{path.lstrip("*").partition(".")[0]}.{variable}'
    return owner == path or (owner or '').endswith(f'.{field.rpartition(".")[2]} <- {variable}')


def named_wrongly(truth, seen):
    """What a row says otherwise than the program."""
    if seen is None:
        return [f'missing: {truth}']
    want = {'entries': truth['len']}
    if truth['owner']:
        if not is_owner(truth['owner'], seen['owner']):
            return [f'{truth["owner"]}: owner {seen["owner"]!r}']
        want.update(type=truth['type'], key_type=truth['key'], elem_type=truth['elem'])
        if seen['live_bytes'] is None or seen['slack_bytes'] is None:
            return [f'no bytes: {seen}']
    return [f'{truth["owner"] or truth["address"]}: {k} {seen[k]!r}, not {v!r}'
            for k, v in want.items() if seen[k] != v]


def named(release, name, flags=(), ldflags=(), cgo='0'):
    with targets.Process([program(release, name, flags, ldflags, cgo)]) as process:
        truth = listed(process)
        document = targets.census(process.pid)
        by_address = compare.require_sound(document)
        require_none([p for t in truth for p in named_wrongly(t, by_address.get(t['address']))],
                     f'of {len(truth)} maps named wrongly')
        require(document['coverage']['skipped'].get(BOUND) == 1,
                f'the array that is too large is not told: {document["coverage"]["skipped"]}')
        sources = {m['type_source'] for m in document['maps'] if m['owner']}
        require('dwarf' in sources, f'types come from {sources}')
        strangers = set(by_address) - {t['address'] for t in truth}
        owners = [by_address[a]['owner'] or '' for a in strangers]
        require_none([o for o in owners if o.startswith(('main.', 'globals/'))],
                     'owners of ours given to maps that are not')


def stripped(release):
    """Without DWARF variables have no names, and nothing else is different."""
    with targets.Process([program(release, 'stripped', ldflags=STRIPPED)]) as process:
        truth = listed(process)
        document = targets.census(process.pid)
        by_address = compare.require_sound(document)
        require_none([f'missing or wrong: {t}' for t in truth
                      if by_address.get(t['address'], {}).get('entries') != t['len']],
                     f'of {len(truth)} maps missing or wrong')
        names = {re.sub(r'(\[\d+\])+', '[]', t['owner']) for t in truth if t['owner']}
        require_none([str(m) for m in document['maps'] if m['owner'] in names],
                     'names of variables out of nowhere')
        require_none([str(m) for m in document['maps'] if m['type_source'] == 'dwarf'],
                     'types out of nowhere')
        require(BOUND not in document['coverage']['skipped'], 'a variable was told to be too large')


def damaged(release):
    """Debug information overwritten with noise: no crash, the same maps, and it is said."""
    intact = program(release, 'uncompressed', ldflags=PLAIN)

    def make(path):
        with open(intact, 'rb') as f:
            content = bytearray(f.read())
        at, size = section(intact, '.debug_info')
        for i in range(0, size, 61):
            content[at + i] ^= 0x5a
        with open(path, 'wb') as f:
            f.write(content)

    key = builds.source_hash(f'{builds.PROGRAMS}/globals', [release, 'damaged'])
    with targets.Process([builds.once(f'globals-{release}-damaged', key, make)]) as process:
        truth = listed(process)
        document = targets.census(process.pid)
        by_address = compare.require_sound(document)
        require_none([f'missing or wrong: {t}' for t in truth
                      if by_address.get(t['address'], {}).get('entries') != t['len']],
                     f'of {len(truth)} maps missing or wrong')
        skipped = document['coverage']['skipped']
        require(skipped.get(DAMAGED) == 1, f'the damage is not told: {skipped}')


def section(path, name):
    """Offset and size of a section."""
    try:
        listing = subprocess.run(['readelf', '-SW', path], capture_output=True, text=True,
                                 check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise Skip('there is no readelf')
    for line in listing.splitlines():
        words = line.replace('[ ', '[').split()
        if len(words) > 5 and words[1] == name:
            return int(words[4], 16), int(words[5], 16)
    raise Skip(f'{path} has no {name}')


def register():
    for release in RELEASES:
        add(f'globals/go{release}', 'check', named, release, 'normal')
        add(f'globals/go{release}/stripped', 'check', stripped, release)
        for name, flags, ldflags, cgo in (
                ('pie', ['-buildmode=pie'], [], '0'), ('trimpath', ['-trimpath'], [], '0'),
                ('uncompressed', [], PLAIN, '0'),
                ('external', [], ['-linkmode=external'], '1'),
                ('external-pie', ['-buildmode=pie'], ['-linkmode=external'], '1'),
                ('race', ['-race'], [], '1'), ('no-inlining', ['-gcflags=-N -l'], [], '0')):
            tier = 'check' if (release, name) == ('1.27.4', 'pie') else 'long'
            add(f'globals/go{release}/{name}', tier, named, release, name, flags, ldflags, cgo)
        add(f'globals/go{release}/damaged', 'long', damaged, release)
    for release in builds.RELEASES:
        if release not in RELEASES:
            add(f'globals/go{release}', 'long', named, release, 'normal')


register()
