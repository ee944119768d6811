"""The list of proved releases says what these tests did, no more and no less."""
import os

import test_arm64
import test_truth
from harness import ROOT, require_none, test


def proved_lines(arch):
    """(release, kind of maps) of each line for an architecture."""
    with open(os.path.join(ROOT, 'tests', 'live', 'proved.txt')) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith('#')]
    return {(r[0], r[2]) for r in rows if r[1] == arch}


@test('proved.txt is what ran', tier='long')
def proved_is_exercised():
    problems = []
    for arch, ran in (('amd64', test_truth.exercised), ('arm64', test_arm64.exercised)):
        listed = proved_lines(arch)
        problems += [f'listed, but no ground-truth test of it passed: {r} {arch} {k}'
                     for r, k in sorted(listed - ran)]
        problems += [f'passed, but is not listed: {r} {arch} {k}' for r, k in sorted(ran - listed)]
    require_none(problems, 'lines of proved.txt are wrong')
