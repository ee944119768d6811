"""docs/features.md: which tests of which feature ran on which release, by the names of those that passed.

A test that is bound to a release has it in its name, and most have how the program was built:
inspect/go1.23.12/stripped.  What a table says of one run holds as long as these tests exist.
"""
import os
import re

import builds
from harness import ROOT

PATH = os.path.join(ROOT, 'docs', 'features.md')
HEAD = """# What was tested on which release

Written by `make prove` from a run of the live tests: a cell names the release, and how its programs were
built, of each test that passed.  The number in front is how many there were.  Whether a census is the truth on
a release is in [support.md](support.md), row by row; here is what else was looked at.

"""
FEATURES = {
    'truth': 'maps: the census', 'owners': 'maps: types and owners', 'globals': 'maps: variables by name',
    'churn': 'maps: under load', 'memory': 'heap', 'garbage': 'heap: garbage', 'memory_profile': 'the memory profile',
    'inspect': 'inspect', 'stacks': 'goroutines: stacks', 'unwind_dump': 'goroutines: stacks, compared with dumps',
    'goroutines': 'goroutines', 'locks': 'goroutines: locks', 'samples': 'goroutines: samples',
    'sched': 'goroutines: the scheduler', 'clock': 'goroutines: waits', 'trace': 'trace: probes',
    'polls': 'trace: polling', 'trace_gc': 'trace: the collector', 'cores': 'core files', 'arm64': 'arm64 core files',
    'incidents': 'diagnosis of planted faults', 'top': 'top', 'watch': 'watch', 'run': 'run', 'diff': 'diff',
    'cut_cores': 'core files that were cut off', 'reach': 'containers and users',
    'hostile': 'targets that fight back', 'privacy': 'no key or value in any output',
}
RELEASE = re.compile(r'\b(?:go)?(1\.(\d\d)(?:\.\d+)?)\b')


def tested(names):
    """{(feature, minor release): {(release, how it was built)}}, and how many tests each has."""
    cells, counts = {}, {}
    for name in names:
        feature = FEATURES.get(re.split(r'[/ ]', name)[0])
        found = RELEASE.search(name)
        if not feature or not found:
            continue
        words = re.split(r'[/ ]', name)
        built = next((w.split('-')[-1] for w in words if w in builds.VARIANTS), None)
        key = feature, int(found.group(2))
        cells.setdefault(key, set()).add((found.group(1), '' if built in (None, 'arm64') else built))
        counts[key] = counts.get(key, 0) + 1
    return cells, counts


def text(names):
    cells, counts = tested(names)
    minors = sorted({minor for _, minor in cells})
    lines = ['| Feature | ' + ' | '.join(f'go1.{m}' for m in minors) + ' |', '|---' * (len(minors) + 1) + '|']
    for feature in FEATURES.values():
        if not any((feature, m) in cells for m in minors):
            continue
        row = []
        for minor in minors:
            found = cells.get((feature, minor), ())
            releases = sorted({r for r, _ in found}, key=lambda r: [int(n) for n in r.split('.')])
            said = [' '.join([r, *sorted({b for x, b in found if x == r and b})]) for r in releases]
            row.append(f'{counts[feature, minor]}: {", ".join(said)}' if said else '-')
        lines.append(f'| {feature} | ' + ' | '.join(row) + ' |')
    return HEAD + '\n'.join(lines) + '\n'


def said():
    """What the table in the tree says: {(feature, minor release): the words of its cell}."""
    with open(PATH) as f:
        rows = [[c.strip() for c in line.strip().strip('|').split('|')] for line in f if line.startswith('|')]
    minors = [int(h.split('.')[1]) for h in rows[0][1:]]
    return {(row[0], m): cell for row in rows[2:] for m, cell in zip(minors, row[1:]) if cell != '-'}
