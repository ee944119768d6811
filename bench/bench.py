#!/usr/bin/env python3
"""What mapscope costs: beside one sequential read of the target's heap, beside a debugger, and to
the target.

Every figure is the median over interleaved rounds: in each round every way of looking is taken
once, so that whatever else the machine does befalls all of them.  The target has one core and the
looking has one other, unless a row says "unpinned".  Ratios are formed within a round.
"""
import argparse
import csv
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import targets
from targets import ROOT, TOOL_CPU, Target, Unavailable, build, pin
from trace import trace_row

BUILD = os.path.join(ROOT, 'build')
MAPSCOPE = os.path.join(BUILD, 'mapscope')
RELEASES = ('1.19.4', '1.23.12', '1.24.13', '1.27.4')
SWISS = ('1.24.13', '1.27.4')
RUN_TIMEOUT_S = 600
COLUMNS = ('row', 'release', 'way', 'wall_s', 'cpu_s', 'own_mb', 'ratio', 'syscalls', 'gap_ms',
           'note')


class Run:
    """One command run to its end: what it took."""

    def __init__(self, command, cpu=TOOL_CPU, stdin=''):
        started = time.monotonic()
        child = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 preexec_fn=pin(cpu) if cpu is not None else None)
        child.stdin.write(stdin)
        child.stdin.close()
        self.out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        self.wall_s = time.monotonic() - started
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.own_mb = usage.ru_maxrss / 1024
        if child.returncode:
            raise Unavailable(f'{os.path.basename(command[0])} failed with {child.returncode}: '
                              f'{self.out.strip()[-200:]}')

    def figure(self, name):
        """A number that one of our own measuring programs printed."""
        return float(re.search(rf'\b{name} ([\d.]+)', self.out).group(1))


class Table:
    """The rows, printed as they come."""

    def __init__(self):
        self.rows = []
        print('  '.join(f'{c:>9}' if i > 2 else f'{c:12}' for i, c in enumerate(COLUMNS)))

    def add(self, row, release, way, **figures):
        values = dict(figures, row=row, release=release, way=way)
        self.rows.append({c: values.get(c, '') for c in COLUMNS})
        cells = []
        for i, column in enumerate(COLUMNS):
            value = values.get(column, '')
            text = f'{value:.3f}' if isinstance(value, float) and column.endswith('_s') else \
                f'{value:.2f}' if isinstance(value, float) else str(value)
            cells.append(f'{text:12}' if i < 3 else text if column == 'note' else f'{text:>9}')
        print('  '.join(cells).rstrip(), flush=True)

    def write(self, path):
        with open(path, 'w', newline='') as f:
            out = csv.DictWriter(f, COLUMNS, lineterminator='\n')
            out.writeheader()
            for row in self.rows:
                out.writerow({k: round(v, 4) if isinstance(v, float) else v
                              for k, v in row.items()})


def median(values):
    return statistics.median(values)


def interleave(rounds, ways):
    """{way: results}; every other round in the opposite order."""
    results = {name: [] for name in ways}
    for i in range(rounds):
        for name in list(ways) if i % 2 == 0 else reversed(list(ways)):
            results[name].append(ways[name]())
    return results


def census(pid, cpu=TOOL_CPU, owners=False):
    """The census alone, or with types and owners."""
    return Run([MAPSCOPE, 'maps', pid, '--top', 10, '--quiet',
                *(() if owners else ('--no-owners',))], cpu)


def syscalls(pid):
    """System calls of one census, over all its threads."""
    if not shutil.which('strace'):
        return ''
    path = os.path.join(targets.OUT, 'strace.txt')
    Run(['strace', '-f', '-c', '-o', path, MAPSCOPE, 'maps', pid, '--quiet', '--no-owners'])
    with open(path) as f:
        total = [line.split() for line in f if line.rstrip().endswith('total')]
    os.unlink(path)
    return int(total[0][3]) if total else ''


def census_row(table, options, row, release, arguments):
    """Censuses beside R: the target's heap read once, sequentially, 1 MiB a call."""
    with Target(build(release), *arguments) as target:
        pid, maps = target.pid, int(target.ready.split()[1])
        census(pid)  # So that the tool's own file is in memory, too.
        results = interleave(options.rounds, {
            'R': lambda: Run([os.path.join(BUILD, 'read_heap'), pid]),
            'mapscope': lambda: census(pid),
            'unpinned': lambda: census(pid, None),
        })
        limits = [r.figure('wall_s') for r in results['R']]
        heap_mb = results['R'][0].figure('bytes') / 1e6
        table.add(row, release, 'R', wall_s=median(limits), ratio=1.0,
                  cpu_s=median([r.figure('cpu_s') for r in results['R']]),
                  note=f'{maps} maps, heap {heap_mb:.0f} MB')
        calls = syscalls(pid)
        for way in ('mapscope', 'unpinned'):
            runs = results[way]
            table.add(row, release, way, wall_s=median([r.wall_s for r in runs]),
                      cpu_s=median([r.cpu_s for r in runs]),
                      own_mb=median([r.own_mb for r in runs]), syscalls=calls,
                      ratio=median([r.wall_s / x for r, x in zip(runs, limits)]),
                      note=f'own memory {100 * median([r.own_mb for r in runs]) / heap_mb:.1f} % '
                           'of the heap')


def objects_row(table, options, release, arguments):
    """How many objects of the heap a census goes through in a second, types and owners included."""
    name = arguments[2].lstrip('-')
    with Target(build(release), *arguments) as target:
        words = target.ready.split()
        maps, objects = int(words[1]), int(words[5])
        census(target.pid)
        results = interleave(options.rounds, {
            'R': lambda: Run([os.path.join(BUILD, 'read_heap'), target.pid]),
            'mapscope': lambda: census(target.pid, owners=True),
        })
        limits = [r.figure('wall_s') for r in results['R']]
        heap_mb = results['R'][0].figure('bytes') / 1e6
        for way, runs in results.items():
            walls = limits if way == 'R' else [r.wall_s for r in runs]
            table.add(name, release, way, wall_s=median(walls),
                      cpu_s=median([r.cpu_s for r in runs]), own_mb=median([r.own_mb for r in runs]),
                      ratio=median([w / x for w, x in zip(walls, limits)]),
                      note=f'{objects / 1e6:.1f} M objects, {maps} maps, heap {heap_mb:.0f} MB: '
                           f'{objects / median(walls) / 1e6:.1f} M objects/s')


def ready_row(table, options, row, release, exe, arguments):
    with Target(exe, *arguments) as target:
        runs = [Run([os.path.join(BUILD, 'ready'), target.pid]) for _ in range(options.rounds)]
        table.add(row, release, 'mapscope', wall_s=median([r.figure('wall_s') for r in runs]),
                  cpu_s=median([r.figure('cpu_s') for r in runs]),
                  own_mb=median([r.own_mb for r in runs]), syscalls=int(runs[0].figure('reads')),
                  note=f'binary {os.path.getsize(exe) / 1e6:.0f} MB; syscalls: reads of memory')


def goroutines_row(table, options, release):
    """100,000 goroutines in eight ways of waiting: unwound, clustered and shown."""
    source = os.path.join(ROOT, 'tests', 'programs', 'goroutines')
    with Target(build(release, source=source, name='goroutines'), 12500, 12, 0) as target:
        while not target.ready.endswith('ready'):
            target.ready = target.line()
        ways = {
            'unwound': lambda: Run([os.path.join(BUILD, 'stacks'), target.pid]),
            'mapscope': lambda: Run([MAPSCOPE, 'goroutines', target.pid, '--once', '--quiet']),
        }
        for look in ways.values():
            look()
        results = interleave(options.rounds, ways)
        frames = results['unwound'][0].figure('frames')
        for way, runs in results.items():
            table.add('goroutines', release, way, wall_s=median([r.wall_s for r in runs]),
                      cpu_s=median([r.cpu_s for r in runs]), own_mb=median([r.own_mb for r in runs]),
                      note=f'{frames / 1e6:.1f} M frames')


def find_dlv():
    built = os.path.join(targets.OUT, 'dlv')
    dlv = built if os.path.exists(built) else shutil.which('dlv')
    if not dlv:
        raise Unavailable('dlv is not installed')
    return dlv


def dlv_ask(target, questions):
    """Attach, ask, and leave the target running."""
    run = Run([find_dlv(), 'attach', target.pid, target.exe, '--check-go-version=false',
               '--allow-non-terminal-interactive=true'],
              stdin=''.join(q + '\n' for q in questions) + 'quit\nn\n')
    if 'Command failed' in run.out or 'could not' in run.out:
        raise Unavailable(f'dlv: {run.out.strip()[-200:]}')
    return run


DLV_EVERY_MAP = '''
def command_lens(args):
    total = 0
    for slice in ("ints", "strs", "recs"):
        n = int(eval(None, "len(main." + slice + ")").Variable.Value)
        for i in range(n):
            total += int(eval(None, "len(main." + slice + "[" + str(i) + "])").Variable.Value)
    print("entries", total)
'''


def debugger_row(table, options, release):
    """One map and every map, asked of dlv, which needs DWARF and has to be told where they are."""
    maps = 100000 if options.full else 10000
    script = os.path.join(targets.OUT, 'lens.star')
    with open(script, 'w') as f:
        f.write(DLV_EVERY_MAP)
    with Target(build(release, stripped=False), '-maps', maps, '-heap', maps // 300) as target:
        def timed(look):
            def run():
                target.gap_ms()
                result = look()
                result.gap_ms = target.gap_ms()
                return result
            return run
        time.sleep(1)
        ways = {
            'mapscope': timed(lambda: census(target.pid)),
            'dlv, one len': timed(lambda: dlv_ask(target, ['print len(main.watched)'])),
            'dlv, one map': timed(lambda: dlv_ask(target, ['print main.watched'])),
            'dlv, all len': timed(lambda: dlv_ask(target, [f'source {script}', 'lens'])),
        }
        results = interleave(options.rounds if options.full else 3, ways)
        for way, runs in results.items():
            table.add('debugger', release, way, wall_s=median([r.wall_s for r in runs]),
                      cpu_s=median([r.cpu_s for r in runs]),
                      own_mb=median([r.own_mb for r in runs]),
                      ratio=median([r.wall_s / m.wall_s
                                    for r, m in zip(runs, results['mapscope'])]),
                      gap_ms=median([r.gap_ms for r in runs]), note=f'{maps + 1} maps; times mapscope')


def top_row(table, options, release, arguments):
    """The share of one core that a live screen takes; the ratio is that share."""
    looks = 100
    with Target(build(release), *arguments) as target:
        target.ask('churn 1')
        run = Run([MAPSCOPE, 'top', target.pid, '--batch', '--count', looks, '--top', 20])
        table.add('top', release, f'{looks} looks', wall_s=run.wall_s, cpu_s=run.cpu_s, own_mb=run.own_mb,
                  ratio=run.cpu_s / run.wall_s, note='a look every 2 s or, where that is more than 2 %, less often')


def gap_row(table, options, release, arguments, note):
    """The largest gap between two ticks of the target, with censuses in a loop and without."""
    with Target(build(release), *arguments) as target:
        def window(look):
            target.gap_ms()
            end = time.monotonic() + options.seconds
            while time.monotonic() < end:
                look()
            return target.gap_ms()
        if 'churn' in note:
            target.ask('churn 1')
        results = interleave(options.pairs, {
            'nobody': lambda: window(lambda: time.sleep(0.1)),
            'mapscope': lambda: window(lambda: census(target.pid)),
        })
        for way, gaps in results.items():
            table.add('gap', release, way, gap_ms=median(gaps),
                      note=f'{note}; {options.pairs} x {options.seconds} s, '
                           f'{min(gaps):.1f} to {max(gaps):.1f}')


def rows(options):
    """(name, release, function of the table) for everything asked for."""
    n = 1000000 if options.full else 100000
    million = ('-maps', n, '-heap', 3072 * n // 1000000)
    swiss = ('-maps', 250000, '-heap', 400, '-small')
    for r in options.release or RELEASES:
        yield 'census', r, lambda t, r=r: census_row(t, options, 'census', r, million)
    for r in options.release or SWISS:
        if r in SWISS:
            yield 'swiss', r, lambda t, r=r: census_row(t, options, 'swiss', r, swiss)
    for r in options.release or SWISS:
        for shape, count in (('-tiny', 50 * n), ('-holders', n), ('-list', 10 * n)):
            yield 'objects', r, lambda t, r=r, s=shape, c=count: objects_row(
                t, options, r, ('-maps', 0, s, c))
    for r in options.release or RELEASES:
        yield 'ready', r, lambda t, r=r: ready_row(t, options, 'ready', r, build(r), ())
    if options.full:
        for stripped, name in ((True, 'stripped'), (False, 'with DWARF')):
            r = '1.24.13'
            yield 'ready', r, lambda t, r=r, s=stripped, n=name: ready_row(
                t, options, f'ready, {n}', r, build(r, s, targets.big_source(), 'big'), ())
    for r in options.release or RELEASES:
        yield 'goroutines', r, lambda t, r=r: goroutines_row(t, options, r)
    for r in options.release or RELEASES:
        yield 'debugger', r, lambda t, r=r: debugger_row(t, options, r)
    for r in options.release or ('1.19.4', '1.27.4'):
        yield 'trace', r, lambda t, r=r: trace_row(t, options, r)
    for r in options.release or ('1.23.12', '1.27.4'):
        yield 'top', r, lambda t, r=r: top_row(t, options, r, ('-maps', n))
    for r in options.release or RELEASES:
        yield 'gap', r, lambda t, r=r: gap_row(t, options, r, million, 'idle')
        yield 'gap', r, lambda t, r=r: gap_row(t, options, r, million, 'churn')


def main():
    p = argparse.ArgumentParser(prog='bench/run.sh', description=__doc__.split('\n\n')[0])
    p.add_argument('--full', action='store_true', help='a million maps, big binaries, gaps of 10 s')
    p.add_argument('--rounds', type=int, default=5, help='rounds of every comparison (5)')
    p.add_argument('--row', action='append',
                   help='only these: census swiss objects ready goroutines debugger trace top gap')
    p.add_argument('--release', action='append', help=f'only these of {" ".join(RELEASES)}')
    p.add_argument('--csv', metavar='FILE', help='write the table here as well')
    options = p.parse_args()
    options.pairs, options.seconds = (10, 10) if options.full else (3, 3)
    table = Table()
    for name, release, measure in rows(options):
        if options.row and name not in options.row:
            continue
        try:
            measure(table)
        except Unavailable as why:
            table.add(name, release, 'skipped', note=str(why).replace('\n', ' '))
    if options.csv:
        table.write(options.csv)
    return 0


if __name__ == '__main__':
    sys.exit(main())
