"""C programs that use libhmap are looked into as Go programs are, by name, stripped or not.

Method: a program says which maps it has and puts in entries when it is told to; its maps on each page
have to be those, and the line that fills one the line that does.
"""
import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import builds
import targets
from harness import ROOT, Skip, require, test
from test_reach import only_child
from test_trace import Trace, need_probes, own_calls

SMALL = 300


GCC = ['gcc', '-std=c11', '-D_GNU_SOURCE', '-O2', '-g', f'-I{ROOT}/include', f'-I{ROOT}/src', '-pthread']


def hash_of_library():
    return builds.source_hash(f'{ROOT}/src/hmap', [builds.source_hash(f'{ROOT}/include/hmap', [])])


def library():
    """Words to link libhmap with, which is built from its own sources as an archive."""
    if not shutil.which('gcc'):
        raise Skip('there is no C compiler')

    def make(path):
        folder = os.path.dirname(path)
        sources = sorted(glob.glob(f'{ROOT}/src/hmap/*.c'))
        objects = [os.path.join(folder, os.path.basename(source) + '.o') for source in sources]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for done in [pool.submit(builds.build, [*GCC, '-fPIC', '-fvisibility=hidden', '-c', source, '-o', object],
                                     folder, dict(os.environ, LC_ALL='C'))
                         for source, object in zip(sources, objects)]:
                done.result()
        builds.build(['ar', 'rcs', path, *objects], folder, dict(os.environ))

    archive = builds.once('libhmap.a', hash_of_library(), make)
    return ['-Wl,--whole-archive', archive, '-Wl,--no-whole-archive']


def c_program(name, stripped=False):
    """A program of one file, with libhmap in it."""
    folder = os.path.join(builds.PROGRAMS, name)
    key = builds.source_hash(folder, [hash_of_library(), str(stripped)])
    linked = library()

    def make(path):
        builds.build([*GCC, os.path.join(folder, f'{name}.c'), *linked, '-o', path], folder,
                     dict(os.environ, LC_ALL='C'))
        if stripped:
            builds.build(['strip', path], folder, dict(os.environ))

    return builds.once(f'{name}-stripped' if stripped else name, key, make)


def sessions(stripped=False):
    return c_program('sessions', stripped)


def maps_by_address(pid):
    page = targets.census(pid)
    require(page['coverage']['seen'] == page['coverage']['read'] == SMALL + 2,
            f'coverage: {page["coverage"]}')
    return page, {m['address']: m for m in page['maps']}


def check_maps(stripped):
    with targets.Process([sessions(stripped), SMALL]) as program:
        cache, cached, seen, seen_count = program.line().split()[1:]
        page, maps = maps_by_address(program.pid)
        target = page['target']
        require(target['libhmap'] and target['go_version'] is None and
                target['stripped'] == stripped, f'target: {target}')
        require((maps[cache]['owner'], maps[cache]['entries'], maps[cache]['kind'],
                 maps[cache]['type']) == ('session_cache', int(cached), 'hmap', 'sessions'),
                f'the cache: {maps[cache]}')
        require(maps[seen]['entries'] == int(seen_count) and
                maps[seen]['kind'] == 'hmap_classic', f'the one without a name: {maps[seen]}')
        made_by = 'made by sessions-stripped' if stripped else 'made by make_seen sessions.c:'
        require(maps[seen]['owner'].startswith(made_by), f'its owner: {maps[seen]["owner"]}')
        require(sum(m['owner'] == 'small' for m in maps.values()) == SMALL, 'small maps are missing')
        program.send('5000')
        now = int(program.line())
        require(maps_by_address(program.pid)[1][cache]['entries'] == now,
                'entries that came since are not seen')


@test('C programs/maps')
def maps():
    check_maps(False)


@test('C programs/maps, stripped')
def maps_stripped():
    check_maps(True)


@test('C programs/one map opened')
def opened():
    with targets.Process([sessions(), SMALL]) as program:
        cache, cached = program.line().split()[1:3]
        for word in ('session_cache', cache):
            seen = targets.tool('inspect', program.pid, word, '--json').document()
            require(seen['map']['address'] == cache and seen['map']['entries'] == int(cached) and
                    seen['look']['read'], f'{seen["map"]} {seen["look"]}')
        page = targets.tool('inspect', program.pid, cache).out
        require(page.startswith(f'sessions (len={cached}, blocks='), page)
        checked = targets.tool('inspect', program.pid, cache, '--check')
        require(checked.code == 0, f'{checked.code}: {checked.out}')
        several = targets.tool('inspect', program.pid, 'small')
        require(several.code == 1 and f'{SMALL} maps are called small' in several.err, several.err)


@test('C programs/what is about Go is refused')
def refused():
    with targets.Process([sessions(), 0]) as program:
        program.line()
        for verb in ('heap', 'goroutines'):
            result = targets.tool(verb, program.pid)
            require(result.code == 3 and 'C program that uses libhmap' in result.err,
                    f'{verb}: {result.code}, {result.err}')


def doctor_of(program):
    """The document, and its checks by name."""
    page = targets.tool('doctor', program.pid, '--json').document()
    checker = os.path.join(ROOT, 'tests', 'golden', 'schema_check.py')
    checked = subprocess.run([sys.executable, '-B', checker, '--closed',
                              os.path.join(ROOT, 'docs', 'formats', 'doctor.schema.json'), '-'],
                             input=json.dumps(page), capture_output=True, text=True)
    require(checked.returncode == 0, f'{checked.stdout}{checked.stderr}'[:600])
    return page, {c['name']: c for c in page['checks']}


@test('C programs/doctor')
def doctor():
    with targets.Process([sessions(), SMALL]) as program:
        program.line()
        page, checks = doctor_of(program)
        require(page['target']['libhmap'] and page['target']['go_version'] is None and
                page['target']['arch'], f'target: {page["target"]}')
        require(f'list of maps has {SMALL + 2}' in checks['libhmap']['text'] and
                f'{SMALL + 1} of {SMALL + 2} maps' in checks['names']['text'], f'{checks}')
        # Growths depend on sys/sdt.h where this was built, probes on who looks.
        require(all(checks[name]['state'] == 'ok' for name in
                    ('memory', 'executable', 'program', 'libhmap', 'names', 'lines')), f'{checks}')
        require('go program' not in checks and page['verdict'].startswith('maps and diagnose will'),
                f'{page["verdict"]}')


@test('C programs/doctor, stripped')
def doctor_stripped():
    with targets.Process([sessions(stripped=True), SMALL]) as program:
        program.line()
        page, checks = doctor_of(program)
        require(checks['lines']['state'] == 'limited' and '-g' in checks['lines']['fix'],
                f'lines: {checks["lines"]}')
        if all(c['state'] == 'ok' for name, c in checks.items() if name != 'lines'):
            require(page['change'] == checks['lines']['fix'], f'the one change: {page["change"]}')


def page_while_it_grows(program, *options):
    """A page over a window in which entries are put in."""
    with tempfile.TemporaryFile('w+') as out:
        tool = subprocess.Popen([targets.TOOL, str(program.pid), '--seconds', '3', '--json', *options], stdout=out)
        until, more = time.monotonic() + targets.TOOL_TIMEOUT_S, 2000
        while tool.poll() is None and time.monotonic() < until:
            program.send(str(more))
            # By so large a share that it doubles in every second, whenever the window may begin.
            more = min(max(int(program.line()) // 12, 2000), 10**6)
            time.sleep(0.1)
        require(tool.poll() == 0, f'exit code {tool.returncode}')
        out.seek(0)
        return targets.Result(0, out.read(), '').document()


@test('C programs/a map that grows, and who fills it')
def grows():
    targets.need_root()
    with targets.Process([sessions(), SMALL]) as program:
        cache = program.line().split()[1]
        page = page_while_it_grows(program)
        finding = page['findings'][0]
        require(finding['map']['address'] == cache and finding['verdict'] in ('suspect', 'growing'),
                f'the first finding: {finding["verdict"]} {finding["map"]}')
        require(finding['advice'], 'there is no advice')
        if finding['growths_traced'] is None:
            raise Skip('no probes can be placed here')
        require(finding['fillers'], 'nobody is said to fill it')
        own = next(c for c in finding['fillers'][0]['stack'] if not c['runtime'])
        require(own['function'] == 'log_in' and own['file'].endswith('sessions.c'),
                f'it is filled by another line: {own}')
        require(finding['advice']['file'].endswith('sessions.c'), f'{finding["advice"]}')


@test('C programs/growths without probes')
def polls():
    with targets.Process([sessions(), SMALL]) as program:
        program.line()
        page = page_while_it_grows(program, '--no-probes')
        require(page['findings'][0]['map']['owner'] == 'session_cache' and
                page['findings'][0]['growths_seen'] > 0, f'{page["findings"][0]}')


@test('C programs/maps being made are listed or counted')
def creations():
    """More are made at once than are sent one by one: the others stay in the count."""
    need_probes()
    made = 5000
    with targets.Process([sessions(), SMALL]) as program:
        program.line()
        with Trace(program.pid, '--creations', '--json') as trace:
            program.send(f'make {made}')
            program.line()
            page = trace.end()
        require(page['creations_counted'] == made, f'{page["creations_counted"]} of {made} counted')
        require(page['creations'] and page['creations_dropped'] and
                len(page['creations']) + page['creations_dropped'] == made,
                f'{len(page["creations"])} listed, {page["creations_dropped"]} dropped')
        require(all(own_calls(c)[:1] and own_calls(c)[0].startswith('make_short_lived')
                    for c in page['creations']), f'made elsewhere: {page["creations"][0]}')


START = 'int sessions_main(int, char **); int main(int c, char **v) { return sessions_main(c, v); }'


def own_root(folder):
    """A root with a program, libhmap and the program's own library, which the system has not."""
    lib = os.path.join(folder, 'lib')
    os.mkdir(lib)
    start = os.path.join(folder, 'start.c')
    with open(start, 'w') as f:
        f.write(START)
    for command in (
            ['-shared', '-Wl,-soname,libhmap.so.0', *library(), '-o', f'{lib}/libhmap.so'],
            ['-fPIC', '-shared', '-Dmain=sessions_main', '-Wl,-soname,libsessions.so',
             os.path.join(builds.PROGRAMS, 'sessions', 'sessions.c'), '-lhmap',
             '-o', f'{lib}/libsessions.so'],
            [start, '-lsessions', '-lhmap', '-Wl,-rpath,/lib', '-o', f'{folder}/program']):
        builds.build([*GCC, f'-L{lib}', *command], folder, dict(os.environ, LC_ALL='C'))
    os.rename(f'{lib}/libhmap.so', f'{lib}/libhmap.so.0')
    linked = subprocess.run(['ldd', f'{folder}/program'], capture_output=True, text=True,
                            env=dict(os.environ, LD_LIBRARY_PATH=lib)).stdout
    for word in linked.split():
        if word.startswith('/') and not word.startswith(folder):
            os.makedirs(folder + os.path.dirname(word), exist_ok=True)
            shutil.copy(word, folder + word)


@test('C programs/in a root of its own')
def in_own_root():
    """Names and lines come from files that only the program sees, through /proc/PID/root."""
    targets.need_root()
    if not shutil.which('gcc') or not shutil.which('ldd'):
        raise Skip('there is no C compiler, or no ldd')
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as built, \
            tempfile.TemporaryDirectory(prefix='mapscope-live-') as inside:
        own_root(built)
        script = 'mount -t tmpfs none "$1" && cp -a "$0/." "$1" && exec chroot "$1" /program "$2"'
        command = [targets.need_command('unshare'), '-pfm', 'sh', '-c', script, built, inside, SMALL]
        with targets.Process(command) as program:
            cache, cached, seen, _ = program.line().split()[1:]
            shutil.rmtree(os.path.join(built, 'lib'))
            require(not os.listdir(inside), 'its files are to be seen')
            page, maps = maps_by_address(only_child(program.pid))
            require(page['target']['libhmap'], f'target: {page["target"]}')
            require((maps[cache]['owner'], maps[cache]['entries']) == ('session_cache', int(cached)),
                    f'the cache: {maps[cache]}')
            require(maps[seen]['owner'].startswith('made by make_seen sessions.c:'),
                    f'the one without a name: {maps[seen]["owner"]}')
