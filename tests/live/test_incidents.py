"""The gallery of incidents: each page must lead with the right owner and the right line."""
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import builds
import targets
import test_real
from harness import add, require, require_none

HERE = os.path.dirname(os.path.abspath(__file__))
GALLERY = os.path.join(HERE, '..', '..', 'examples', 'incidents')
sys.path.insert(0, GALLERY)
import generate  # noqa: E402
import services  # noqa: E402

RELEASES = ('1.19.4', builds.NEWEST)
CHECK = ('unbounded_cache', 'session_maps', 'rwmutex_readers')
SEEDS = ('1', '2', '3')
READY_TIMEOUT_S = 60
SETTLE_S = 20
WINDOW_S, HUNG_S = 11, 60  # Ten are asked for; the second look may come late.
OWN_CPU_S = 5  # Nobody else's work is in it.


def service(incident, seed, kind, release, variant):
    """The program, and what is expected of it."""
    folder = os.path.join(builds.CACHE, 'incidents', f'{incident}-{seed}-{kind}-go{release}')
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


def listed(finding):
    """Every line of code that the page lists for it."""
    yield from lines_of(finding)
    for calls in finding["sites"].values():
        if calls["lines"] <= len(calls["first"]):
            yield from ((os.path.basename(c["file"] or ""), c["line"]) for c in calls["first"])


def describe(finding):
    return (f'{finding["verdict"]} {finding["kind"]} {finding["owner"]} at '
            f'{next(lines_of(finding), None)}')


def own_cpu_s():
    """What children that have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def page_of(incident, seed, kind, release, variant):
    binary, expected = service(incident, seed, kind, release, variant)
    with targets.Process([binary]) as process:
        require(process.line(READY_TIMEOUT_S) == 'ready', 'the service did not start')
        began, before = time.monotonic(), own_cpu_s()
        page = targets.tool(process.pid, '--json').document()
        took, used = time.monotonic() - began, own_cpu_s() - before
        require(process.alive(), 'the service ended')
    require(page['window_s'] <= WINDOW_S, f'the window is {page["window_s"]} s')
    require(took < HUNG_S and used < OWN_CPU_S, f'the page took {took:.1f} s, {used:.1f} s of a processor')
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
    require(any(line in lines for line in listed(first)),
            f'the line is wrong: {describe(first)}, not {lines}')


def check_healthy(incident, seed, release, variant):
    page, _ = page_of(incident, seed, 'healthy', release, variant)
    require_none([describe(f) for f in page['findings'] if f['verdict'] != 'stable'],
                 'findings of a healthy service')


def quiet_service(service, path):
    """A real service at work: nothing that it does not do is said of it."""
    stop = threading.Event()

    def load(url):
        while not stop.is_set():
            try:
                urllib.request.urlopen(url, timeout=5).read()
            except OSError:
                pass
            time.sleep(0.002)

    with service() as process:
        threads = [threading.Thread(target=load, args=(process.url + path,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(SETTLE_S)  # What is filled at the start is filled by then.
            findings = targets.tool(process.pid, '--json').document()['findings']
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    # Prometheus swaps and clears two maps with each scrape: a sawtooth, and one it is.
    require_none([describe(f) for f in findings if f['verdict'] not in ('stable', 'sawtooth')],
                 'findings of a service that only works')


def forms():
    """Profiles that go tool pprof reads, pictures, one page, and conditions, all at once."""
    binary, _ = service('unbounded_cache', '1', 'fault', builds.NEWEST, 'stripped')
    with targets.Process([binary]) as process, tempfile.TemporaryDirectory() as folder:
        require(process.line(READY_TIMEOUT_S) == 'ready', 'the service did not start')
        files = {ending: os.path.join(folder, 'x' + ending) for ending in
                 ('.pprof.gz', '.html', '.svg', '.perfetto-trace', '.folded', '.json')}
        outputs = [word for path in files.values() for word in ('-o', path)]
        done = targets.tool(process.pid, '--seconds', 10, '--fail-if', 'verdict=suspect',
                            '--fail-if', 'entries>100000000', *outputs)
        require(done.code == 10, f'exit code {done.code}: {done.err}')
        require('verdict=suspect' in done.err and 'entries>' not in done.err, done.err)
        plain = targets.tool('maps', process.pid, '--fail-if', 'growth>1B/min')
        require(plain.code == 1 and 'takes a window' in plain.err, plain.err)
        for index in ('live_bytes', 'slack_bytes', 'entries', 'maps'):
            top = subprocess.run([builds.go_command(builds.NEWEST), 'tool', 'pprof', '-top',
                                  f'-sample_index={index}', files['.pprof.gz']],
                                 capture_output=True, text=True, timeout=60)
            require(top.returncode == 0 and f'Type: {index}' in top.stdout, top.stderr)
        require(os.path.getsize(files['.html']) < 2_000_000, 'the page is too large')
        for ending, path in files.items():
            require(os.path.getsize(path) > 0, f'{ending} is empty')


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
add('incidents/forms', 'check', forms)
for _service, _path in ((test_real.prometheus, '/api/v1/query?query=up'), (test_real.etcd, '/health'),
                        (test_real.caddy, '/')):
    add(f'incidents/quiet/{_service.__name__}', 'long', quiet_service, _service, _path)
