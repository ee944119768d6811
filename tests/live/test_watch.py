"""The flight recorder: what it leaves when memory runs short, when asked, and when all is over."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

import builds
import targets
from harness import Failure, require, test
from test_clock import Group

LIMIT = 600 << 20
SHARE = 0.3
OWN_RSS_MAX_KB = 30000
LINE_TIMEOUT_S = 60
BALLAST = 'import sys; held = b"x" * int(sys.argv[1]); print(len(held), flush=True); input()'


class Watch(targets.Process):
    """A run of mapscope watch; its lines are those of stderr."""

    def __init__(self, pid, ring, *options):
        super().__init__([targets.TOOL, 'watch', pid, '-o', ring, *options],
                         stderr=subprocess.STDOUT)

    def line_with(self, text):
        """The next line that has text; those before it are passed over."""
        while True:
            line = self.line(LINE_TIMEOUT_S)
            if text in line:
                return line

    def end(self):
        """What it still prints, and its exit code."""
        killer = threading.Timer(LINE_TIMEOUT_S, self.child.kill)
        killer.start()
        rest = self.pending.decode() + self.child.stdout.read().decode()
        killer.cancel()
        return rest, self.child.wait()


def grower(**options):
    return targets.Process([builds.go_program('growth', builds.NEWEST)], **options)


def own(target, entries):
    target.send(f'owned {entries}')
    target.line()


def owners(path, *others):
    return targets.tool('diff', path, *others, '--json', '--all').document()['owners']


def grew(rows):
    return [r['owner'] for r in rows if (r['change_bytes'] or 0) > 0 and r['owner']]


@test('watch/near the limit of its cgroup')
def near_limit():
    with Group() as group, tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        group.limit(0, LIMIT)
        ring, dump = os.path.join(folder, 'x.mring'), os.path.join(folder, 'x-at-rss.msnap')
        with grower(preexec_fn=group.enter) as target:
            own(target, 1000)
            with Watch(target.pid, ring, '--at-rss', f'{SHARE:.0%}', '--every', '60s') as watch:
                watch.line_with('watching process')
                own(target, 200000)
                # Somebody else in its cgroup takes the rest: the target itself is idle.
                with targets.Process([sys.executable, '-c', BALLAST, int(2 * SHARE * LIMIT)],
                                     preexec_fn=group.enter) as ballast:
                    ballast.line()
                    reached = watch.line_with('its memory reached')
                require(target.alive() and os.path.exists(dump), f'killed before the dump: {reached}')
                line = watch.line_with('in ')
                require('main.registry' in line, f'the owner is not named: {line}')
                watch.child.send_signal(signal.SIGINT)
                rest, code = watch.end()
            require(code == 0, f'exit code {code}: {rest}')
            require(any('main.registry' in o for o in grew(owners(ring + '@-1h', dump))),
                    'the dump does not have the owner that grew')


@test('watch/killed')
def killed():
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        ring = os.path.join(folder, 'x.mring')
        with grower() as target:
            own(target, 1000)
            with Watch(target.pid, ring, '--every', '0.5s', '--ring', '1m') as watch:
                watch.line_with('watching process')
                own(target, 300000)
                watch.child.send_signal(signal.SIGUSR1)
                line = watch.line_with('asked for by SIGUSR1')
                require('x-signal.msnap' in line, line)
                require('main.registry' in watch.line_with('in '), 'the owner is not named')
                target.kill()
                line = watch.line_with('went away')
                require(re.search(r'keeps \d+ censuses', line), line)
                rest, code = watch.end()
        require(code == 4, f'exit code {code}')
        require('compared with' in rest and 'main.registry' in rest, f'the page says: {rest}')
        require(any('main.registry' in o for o in grew(owners(ring))), 'the ring lost what grew')
        require(os.path.exists(os.path.join(folder, 'x-signal.msnap')), 'there is no dump')


@test('watch/a condition that holds')
def condition():
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        ring = os.path.join(folder, 'x.mring')
        with grower() as target:
            own(target, 1000)
            with Watch(target.pid, ring, '--every', '0.5s', '--ring', '1m', '--fail-if',
                       'owner~main.registry:entries>=5000') as watch:
                watch.line_with('watching process')
                own(target, 6000)
                rest, code = watch.end()
        require(code == 10, f'exit code {code}: {rest}')
        require('--fail-if' in rest and 'x-fail-if.msnap' in rest, rest)


@test('watch/own memory between censuses')
def own_memory():
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        binary = builds.go_program('truth', builds.NEWEST, 'normal')
        with targets.Truth(binary, '-maps', 100000) as target, \
                Watch(target.pid, os.path.join(folder, 'x.mring')) as watch:
            watch.line_with('watching process')
            with open(f'/proc/{watch.pid}/status') as f:
                rss = int(re.search(r'VmRSS:\s+(\d+) kB', f.read())[1])
            watch.child.send_signal(signal.SIGINT)
            _, code = watch.end()
            target.finish()
    require(code == 0, f'exit code {code}')
    if rss > OWN_RSS_MAX_KB:
        raise Failure(f'it holds {rss} kB between two censuses')
