"""The list of proved releases says what these tests did, no more and no less."""
import os

import test_truth
from harness import ROOT, require_none, test


def proved_lines():
    """(release, kind of maps) of each line for this architecture."""
    with open(os.path.join(ROOT, 'tests', 'live', 'proved.txt')) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith('#')]
    return {(r[0], r[2]) for r in rows if r[1] == 'amd64'}


@test('proved.txt is what ran', tier='long')
def proved_is_exercised():
    listed, ran = proved_lines(), test_truth.exercised
    problems = [f'listed, but no ground-truth test of it passed: {r} {k}'
                for r, k in sorted(listed - ran)]
    problems += [f'passed, but is not listed: {r} amd64 {k}' for r, k in sorted(ran - listed)]
    require_none(problems, 'lines of proved.txt are wrong')
