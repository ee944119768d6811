"""The clock comes true, and memory limits are the ones that are in force.

Method: a program that adds to one map at a steady rate.  What the page foretells is waited for by
asking for the map again and again; limits are set as a user would set them.
"""
import json
import os
import resource
import time

import builds
import targets
from harness import Skip, add, note, require, test

RELEASES = ('1.19.4', '1.24.13', builds.NEWEST)
WINDOW_S = 4
TOLERANCE, TOLERANCE_S = 0.2, 1
PACE, LATE_S = 0.05, 0.5  # Either is held up when others have the processors.
MIB = 1 << 20
BALLAST = 64 * MIB
CGROUP_V1 = '/sys/fs/cgroup/memory'
CGROUP_V2 = '/sys/fs/cgroup'


class Clock(targets.Process):
    def __init__(self, release, *args, **options):
        binary = builds.go_program('clock', release, 'stripped')
        super().__init__([binary, *args], **options)
        try:
            self.settings = json.loads(self.line(targets.READY_TIMEOUT_S))
        except BaseException:
            self.__exit__()
            raise

    def ask(self, text):
        self.send(text)
        self.settings = json.loads(self.line())
        return self.settings

    def page(self, seconds=WINDOW_S):
        return targets.tool(self.pid, '--seconds', seconds, '--json').document()


def finding_of(page, entries_min):
    """The finding about the program's own map: the one with the most entries."""
    found = max(page['findings'], key=lambda f: f['map']['entries'])
    require(found['map']['entries'] >= entries_min, f'the map is not on the page: {found}')
    return found


def row_of(pid, address):
    """The map's row; a census passes over one that it met in the middle of a write, also twice."""
    return targets.taken_until(
        lambda: next((m for m in targets.census(pid)['maps'] if m['address'] == address), None),
        lambda row: row is not None, lambda _: f'there is no map at {address} any more')


def has_grown(before, now):
    return now['capacity'] > before['capacity'] or (now['tables'] or 0) > (before['tables'] or 0)


def at_its_pace(clock, start, rate):
    """What a page says that came at once and saw the program add as fast as it was told to, and when."""
    until = time.monotonic() + targets.TOOL_TIMEOUT_S
    while True:
        began = time.monotonic()
        page = clock.page()
        told_at = time.monotonic()
        found = finding_of(page, start)
        seen = found['entries_per_s']
        in_pace = seen is not None and abs(seen - rate) <= PACE * rate + 1 / WINDOW_S
        if in_pace and told_at - began < WINDOW_S + LATE_S:
            return found, told_at
        require(time.monotonic() < until, f'it adds {seen} a second, not {rate}')


def comes_true(release, start, rate, kind):
    """The next growth comes within 20 % and a second of when the page says."""
    with Clock(release, '-start', start, '-rate', rate) as clock:
        found, told_at = at_its_pace(clock, start, rate)
        require(found['verdict'] in ('growing', 'suspect'), f'it is {found["verdict"]}')
        foretold = found['clock']['next_growth_s']
        require(foretold is not None, f'nothing is foretold: {found["clock"]}')
        require(found['clock']['next_growth_kind'] == kind, f'{found["clock"]}')
        while True:
            now = row_of(clock.pid, found['map']['address'])
            waited = time.monotonic() - told_at
            if has_grown(found['map'], now):
                break
            require(waited < foretold * 2 + 10, f'foretold in {foretold:.1f} s, and nothing grew')
        note(f'go{release} {kind}: foretold in {foretold:.2f} s, came in {waited:.2f} s')
        require(abs(waited - foretold) <= TOLERANCE * foretold + TOLERANCE_S,
                f'foretold in {foretold:.1f} s, it came in {waited:.1f} s')
        if kind == 'double':
            check_bytes(found, now)


def check_bytes(found, now):
    """The table that came is as large as it was said to be."""
    new = found['clock']['next_growth_new_bytes']
    if now['total_bytes'] is None:
        return
    old = found['clock']['next_growth_bytes'] - new
    held = now['total_bytes'] - found['map']['total_bytes']
    # The old table is still there while a classic map evacuates, and gone afterwards.
    # Its overflow buckets come on top.
    require(min(abs(held - new), abs(held - (new - old))) <= 0.05 * new,
            f'{new} bytes were foretold beside {old}, {held} more are held')


def runtime_settings(release, environment, percent, limit):
    """GOGC and GOMEMLIMIT are what the runtime has now, not what they were at its start."""
    env = {k: v for k, v in os.environ.items() if k not in ('GOGC', 'GOMEMLIMIT')}
    with Clock(release, '-ballast', BALLAST, env={**env, **environment}) as clock:
        require((clock.settings['gc_percent'], clock.settings['memory_limit']) == (percent, limit),
                f'the runtime itself says {clock.settings}')
        for text in (None, str(512 * MIB), 'gogc 37', 'gogc -1', str(300 * MIB), 'gogc 100000'):
            settings = clock.ask(text) if text else clock.settings
            page = clock.page(1)
            soft = [m for m in page['limits'] if m['kind'] == 'GOMEMLIMIT']
            require(page['limits_hidden'] is None, f'after {text}: {page["limits_hidden"]}')
            require(len(soft) == (settings['memory_limit'] < 1 << 62), f'after {text}: {soft}')
            if not soft:
                continue
            require(soft[0]['limit_bytes'] == settings['memory_limit'], f'after {text}: {soft}')
            require(soft[0]['soft'], 'GOMEMLIMIT is said to be hard')
            require(0 < soft[0]['left_bytes'] < settings['memory_limit'] - BALLAST,
                    f'{soft[0]["left_bytes"]} bytes are left')
            nearest = min(page['limits'], key=lambda m: m['left_bytes'])['kind']  # The machine may have less.
            require(finding_of(page, 1000)['clock']['limit_kind'] == nearest, f'another limit than {nearest}')


class Group:
    """A memory cgroup of our own, removed with all below it."""

    def __init__(self, *names):
        targets.need_root()
        self.version = 1 if os.path.exists(f'{CGROUP_V1}/memory.limit_in_bytes') else 2
        root = CGROUP_V1 if self.version == 1 else CGROUP_V2
        self.paths = [os.path.join(root, f'mapscope-{os.getpid()}', *names[:n])
                      for n in range(len(names) + 1)]

    def __enter__(self):
        try:
            for path in self.paths:
                os.mkdir(path)
            if self.version == 2:
                for path in (CGROUP_V2, *self.paths[:-1]):
                    with open(os.path.join(path, 'cgroup.subtree_control'), 'w') as f:
                        f.write('+memory')
            self.limit(0, None)
        except OSError as refused:
            self.__exit__()
            raise Skip(f'no memory cgroup can be made here: {refused.strerror}')
        return self

    def __exit__(self, *_):
        deadline = time.monotonic() + 5
        for path in reversed(self.paths):
            while os.path.isdir(path):
                try:
                    os.rmdir(path)
                except OSError:  # The kernel lets go of the last process a little later.
                    if time.monotonic() > deadline:
                        raise

    def limit(self, index, limit):
        name = 'memory.limit_in_bytes' if self.version == 1 else 'memory.max'
        none = '-1' if self.version == 1 else 'max'
        with open(os.path.join(self.paths[index], name), 'w') as f:
            f.write(str(limit or none))

    def enter(self):
        """Called in the child before it runs: what it used before would not be counted here."""
        with open(os.path.join(self.paths[-1], 'cgroup.procs'), 'w') as f:
            f.write(str(os.getpid()))

    @property
    def kind(self):
        return f'cgroup v{self.version}'


def in_cgroup(release):
    """The group's limit, and that of the one above it when that leaves less."""
    with Group('inner') as group, Clock(release, '-start', 100000, '-rate', 1000,
                                        preexec_fn=group.enter) as clock:
        for index, limit in ((1, 400 * MIB), (0, 200 * MIB)):
            group.limit(index, limit)
            page = clock.page(2)
            first = page['limits'][0]
            require(first['kind'] == group.kind and first['limit_bytes'] == limit, f'{first}')
            require(0 < first['left_bytes'] < limit, f'{first}')
            found = finding_of(page, 100000)
            require(found['clock']['limit_bytes'] == limit, f'{found["clock"]}')
            text = targets.tool(clock.pid, '--seconds', 1).out
            require("the container's limit leaves" in ' '.join(text.split()), text)
        note(f'go{release} in {group.kind}: {first["left_bytes"] / MIB:.0f} of '
             f'{limit / MIB:.0f} MiB left')


def reaches_the_limit(release):
    """A limit that the next doubling does not fit under is said to be too near."""
    with Group() as group, Clock(release, '-start', 1600000, '-rate', 4000,
                                 preexec_fn=group.enter) as clock:
        group.limit(0, 1024 * MIB)
        page = clock.page(1)
        of_group = next(m for m in page['limits'] if m['limit_bytes'] == 1024 * MIB)
        used = 1024 * MIB - of_group['left_bytes']
        new = finding_of(page, 1600000)['clock']['next_growth_new_bytes']
        group.limit(0, used + new // 2)
        found = finding_of(clock.page(), 1600000)
        require(found['clock']['will_not_fit'], f'{found["clock"]}')
        require(found['clock']['limit_s'] is not None, f'{found["clock"]}')
        require('split it into' in found['advice']['text'], f'{found["advice"]}')
        require(clock.alive(), 'the service died')
        note(f'go{release}: needs {new / MIB:.0f} MiB in {found["clock"]["next_growth_s"]:.0f} s, '
             f'{found["clock"]["limit_left_bytes"] / MIB:.0f} MiB are left')


@test('limits/rlimit')
def under_rlimit():
    """RLIMIT_DATA, which counts memory of the process alone."""
    limit = 2048 * MIB
    with Clock(builds.NEWEST, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_DATA, (limit, limit))) as clock:
        limits = [m for m in clock.page(1)['limits'] if m['kind'] == 'rlimit']
        require(len(limits) == 1 and limits[0]['limit_bytes'] == limit, f'{limits}')


for _release in RELEASES:
    _classic = _release == '1.19.4'
    _newest = 'check' if _release == '1.27.4' else 'long'
    add(f'clock/go{_release}/doubling', 'check' if _classic else 'long', comes_true, _release,
        *((50000, 300) if _classic else (400, 4)), 'double')
    if not _classic:
        # Well behind the splits of 64 tables and before those of 128: when the first comes spreads
        # by some percent, and by much more the nearer it is.
        add(f'clock/go{_release}/split', _newest, comes_true, _release, 66000, 3000, 'split')
    add(f'limits/go{_release}/environment', _newest, runtime_settings, _release,
        {'GOMEMLIMIT': '700MiB', 'GOGC': '60'}, 60, 700 * MIB)
    add(f'limits/go{_release}/defaults', 'long', runtime_settings, _release, {}, 100, (1 << 63) - 1)
    add(f'limits/go{_release}/cgroup', 'long', in_cgroup, _release)
add('limits/go1.19.4/too near', 'check', reaches_the_limit, '1.19.4')
