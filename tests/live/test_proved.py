"""The published tables say what these tests did, no more and no less."""
import os

import harness
import matrix
import test_arm64
import test_truth
from harness import ROOT, note, require_none, test

PATH = os.path.join(ROOT, 'tests', 'live', 'proved.txt')
BUILT = ('normal', 'stripped', 'pie', 'cgo', 'race')


def ran():
    """{(release, architecture, kind of maps): how the programs were built whose census was the truth}."""
    found = {}
    for arch, exercised in (('amd64', test_truth.exercised), ('arm64', test_arm64.exercised)):
        for release, kind, variant in exercised:
            built = variant.removeprefix('arm64').lstrip('-') or 'normal'
            found.setdefault((release, arch, kind), set()).add(built)
    return {key: ','.join(sorted(built, key=BUILT.index)) for key, built in found.items()}


def listed():
    with open(PATH) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith('#')]
    return {tuple(r[:3]): r[3] for r in rows}


def order(key):
    release, arch, kind = key
    return arch, [int(n) for n in release.removeprefix('go').split('.')], kind


def write(found):
    with open(PATH) as f:
        head = [line for line in f if line.startswith('#') or not line.strip()]
    with open(PATH, 'w') as f:
        f.writelines(head)
        f.writelines(' '.join((*key, found[key])) + '\n' for key in sorted(found, key=order))


@test('truth/proved.txt is what ran', tier='long')
def proved_is_exercised():
    found = ran()
    if os.environ.get('MS_PROVE'):
        write(found)
        note(f'wrote {len(found)} lines of proved.txt')
        return
    claims = listed()
    require_none([f'{key}: listed {claims.get(key, "nothing")}, passed {found.get(key, "nothing")}'
                  for key in sorted(claims.keys() | found.keys(), key=order) if claims.get(key) != found.get(key)],
                 'lines of proved.txt are wrong')


@test('truth/features.md names tests that exist')
def features_exist():
    names = [name for name, *_ in harness.selected('long', '')]
    cells, _ = matrix.tested(names)
    problems = []
    for key, cell in matrix.said().items():
        there = {r for r, _ in cells.get(key, ())}
        problems += [f'{key}: no test has {release}' for release in
                     (part.split()[0] for part in cell.split(': ', 1)[1].split(', ')) if release not in there]
    require_none(problems, 'cells of docs/features.md have no test any more')
