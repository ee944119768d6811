"""The gallery of incidents: each page must lead with the right owner and the right line."""
import os
import re
import sys
import tempfile
import time

import builds
import targets
from harness import Failure, add, require, require_none

HERE = os.path.dirname(os.path.abspath(__file__))
GALLERY = os.path.join(HERE, '..', '..', 'examples', 'incidents')
sys.path.insert(0, GALLERY)
import generate  # noqa: E402
import services  # noqa: E402

RELEASES = ('1.19.4', builds.NEWEST)
CHECK = ('unbounded_cache', 'session_maps', 'rwmutex_readers')
SEEDS = ('1', '2', '3')
READY_TIMEOUT_S = 60
PAGE_S = 11.5  # Ten, and what starting takes.


def service(incident, seed, kind, release, variant):
    """The program, and what is expected of it."""
    folder = os.path.join(tempfile.gettempdir(), f'mapscope-incidents-{os.getuid()}',
                          f'{incident}-{seed}-{kind}')
    expected = generate.generate(incident, seed, kind, folder)
    return builds.go_program(os.path.abspath(folder), release, variant), expected


def has_version(release):
    return tuple(map(int, release.split('.')[:2]))


def lines_of(finding):
    """Where a finding sends the reader: the line of its advice, then those that fill it."""
    advice = finding['advice'] or {}
    if advice.get('line'):
        yield os.path.basename(advice['file'] or ''), advice['line']
    for filler in finding['fillers'] or []:
        own = next((f for f in filler['stack'] or [] if f['function'].startswith('main.')), None)
        if own:
            yield os.path.basename(own['file'] or ''), own['line']
        return


def describe(finding):
    return (f'{finding["verdict"]} {finding["kind"]} {finding["owner"]} at '
            f'{next(lines_of(finding), None)}')


def page_of(incident, seed, kind, release, variant):
    binary, expected = service(incident, seed, kind, release, variant)
    with targets.Process([binary]) as process:
        require(process.line(READY_TIMEOUT_S) == 'ready', 'the service did not start')
        began = time.monotonic()
        page = targets.tool(process.pid, '--json').document()
        took = time.monotonic() - began
        require(process.alive(), 'the service ended')
    require(took < PAGE_S, f'the page took {took:.1f} s')
    return page, expected


def is_quiet(findings):
    return all(f['verdict'] == 'stable' for f in findings)


def check(incident, seed, release, variant):
    page, expected = page_of(incident, seed, 'fault', release, variant)
    findings = page['findings']
    if expected['until'] and has_version(release) > has_version(expected['until']):
        require(is_quiet(findings), f'a fault that Go {release} has not: {list(map(describe, findings))}')
        return
    require(findings, 'there is no finding')
    first = findings[0]
    lines = [(line['file'], line['line']) for line in expected['lines']]
    if first['kind'] != 'code':
        require(first['owner'] and any(re.search(o, first['owner']) for o in expected['owners']) or
                variant == 'stripped' and first['owner'],
                f'the owner is wrong: {describe(first)}, not {expected["owners"]}')
    require(any(line in lines for line in lines_of(first)),
            f'the line is wrong: {describe(first)}, not {lines}')


def check_healthy(incident, seed, release, variant):
    page, _ = page_of(incident, seed, 'healthy', release, variant)
    require_none([describe(f) for f in page['findings'] if f['verdict'] != 'stable'],
                 'findings of a healthy service')


for _incident in services.SERVICES:
    for _release in RELEASES:
        for _variant in ('normal', 'stripped'):
            for _seed in SEEDS:
                _tier = 'check' if (_incident in CHECK and _seed == SEEDS[0] and
                                    _variant == 'stripped') else 'long'
                add(f'incidents/{_incident}/go{_release}/{_variant}/seed{_seed}', _tier, check,
                    _incident, _seed, _release, _variant)
        add(f'incidents/{_incident}/go{_release}/healthy', 'long', check_healthy, _incident,
            SEEDS[0], _release, 'stripped')
