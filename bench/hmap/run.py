#!/usr/bin/env python3
"""The table of libhmap beside its peers, measured in one interleaved run.

Usage: bench/hmap/run.py [--row TEXT] [--rounds N] [--quick] [--out FOLDER]

Builds every map with the same flags, runs each row's processes round-robin, pinned to one core, and
prints the ratio that the row is about with the interval over the rounds, what it should reach, and
whether it does.  FOLDER (build-bench) gets hmap.csv, every figure of every run, and hmap.svg.  A peer
that cannot be built ends the run: a row is never left out in silence.  --quick takes fewer rounds and
stops at 1e5 entries.  Go's maps are built with 1.19.4 and the newest release of tools/go-toolchain.sh.
"""
import argparse
import collections
import csv
import glob
import math
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FLAGS = ['-O2', '-march=native', '-DNDEBUG']
NEWEST_GO = '1.27.4'
SIZES = (1, 1.25, 1.5, 1.75)
PEERS = {'boost': [], 'absl': ['absl_hash', 'absl_raw_hash_set'], 'khash': [], 'robin': [],
         'std': [], 'glib': ['glib-2.0'], 'uthash': []}
OURS = ('typed', 'shrinking', 'generic', 'classic', 'unchecked')


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = os.path.abspath(options.out)
        self.values = collections.defaultdict(list)
        self.core = str(max(os.sched_getaffinity(0)))
        os.makedirs(self.folder, exist_ok=True)
        self.csv = open(os.path.join(self.folder, 'hmap.csv'), 'w', newline='')
        self.writer = csv.writer(self.csv)
        kernel, compiler = platform.release(), run(['gcc', '--version']).splitlines()[0]
        with open('/sys/kernel/mm/transparent_hugepage/enabled') as f:
            huge = f.read().split('[')[1].split(']')[0]
        self.writer.writerow(['# kernel', kernel, 'compiler', compiler, 'flags', ' '.join(FLAGS),
                              'huge pages', huge, 'keys', 'mixed(1..N)'])
        self.writer.writerow(['map', 'what', 'row', 'n', 'round', 'value'])

    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self):
        jobs = []
        objects = self.path('objects')
        os.makedirs(objects, exist_ok=True)
        for source in glob.glob(os.path.join(ROOT, 'src/hmap/*.c')):
            out = os.path.join(objects, os.path.basename(source)[:-2] + '.o')
            jobs.append(['gcc', '-std=gnu11', '-D_GNU_SOURCE', *FLAGS, '-I' + os.path.join(ROOT, 'include'),
                         '-I' + os.path.join(ROOT, 'src'), '-c', source, '-o', out])
        build(jobs)
        library = sorted(glob.glob(os.path.join(objects, '*.o')))
        jobs = []
        for kind in OURS:
            extra = ['-DHMAP_NO_MISUSE_CHECK'] if kind == 'unchecked' else []
            jobs.append(['g++', '-std=c++17', *FLAGS, *extra, '-DOURS_' + kind,
                         '-I' + os.path.join(ROOT, 'include'), os.path.join(HERE, 'ours.cpp'), *library,
                         '-o', self.path(kind)])
        for peer, packages in PEERS.items():
            flags = run(['pkg-config', '--cflags', '--libs', *packages]).split() if packages else []
            jobs.append(['g++', '-std=c++17', *FLAGS, '-DPEER_' + peer, os.path.join(HERE, 'peer.cpp'),
                         '-o', self.path(peer), *flags])
        build(jobs)
        for name, release in (('go119', '1.19.4'), ('go_newest', NEWEST_GO)):
            go = run([os.path.join(ROOT, 'tools/go-toolchain.sh'), release]).strip()
            subprocess.run([go, 'build', '-o', self.path(name), '.'], check=True, cwd=os.path.join(HERE, 'go'),
                           env={**os.environ, 'GOTOOLCHAIN': 'local', 'GOWORK': 'off', 'GOFLAGS': '-mod=mod',
                                'GODEBUG': 'goindex=0', 'CGO_ENABLED': '0', 'GOEXPERIMENT': ''})

    def measure(self, what, sizes, maps, rounds):
        """Round-robin over maps and sizes; values are kept by map, row, size and round."""
        for number in range(rounds):
            for n in sizes:
                for name in maps:
                    key = (name, what, n)
                    if len(self.values[key]) > number:
                        continue
                    rows = {}
                    text = run(['taskset', '-c', self.core, self.path(name), what, str(n)])
                    for line in text.splitlines():
                        row, at, value = line.split(',')
                        rows.setdefault((row, int(at)), []).append(float(value))
                        self.writer.writerow([name, what, row, at, number, value])
                    self.values[key].append(rows)
                    self.csv.flush()

    def geomean(self, name, what, row, base, pick):
        """Over the sizes from base up; pick(values of the rounds) is what counts of them."""
        logs = []
        for factor in SIZES:
            n = int(base * factor)
            values = [r[row, n][0] for r in self.values[name, what, n] if (row, n) in r]
            if values:
                logs.append(math.log(pick(values)))
        return math.exp(sum(logs) / len(logs)) if logs else math.nan

    def ratio(self, what, row, base, ours, peer):
        """Median ratio, and that of each round for the interval."""
        rounds = min(len(self.values[m, what, int(base * f)]) for m in (ours, peer) for f in SIZES)
        each = [self.geomean(ours, what, row, base, lambda v, i=i: v[i]) /
                self.geomean(peer, what, row, base, lambda v, i=i: v[i]) for i in range(rounds)]
        middle = (self.geomean(ours, what, row, base, statistics.median) /
                  self.geomean(peer, what, row, base, statistics.median))
        return middle, min(each), max(each)


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f'{command[0]}: {result.stderr.strip() or "failed"}')
    return result.stdout


def build(jobs):
    for start in range(0, len(jobs), 2):
        running = [subprocess.Popen(j, stderr=subprocess.PIPE, text=True) for j in jobs[start:start + 2]]
        for job, process in zip(jobs[start:], running):
            errors = process.communicate()[1]
            if process.returncode:
                sys.exit(f'{" ".join(job)}\n{errors}a peer is missing: tools/setup.sh bench installs it')


class Table:
    def __init__(self):
        self.rows = []

    def add(self, name, value, target, low=None, high=None, more=False, unit='x'):
        met = value >= target if more else value <= target
        interval = f' ({low:.2f} to {high:.2f})' if low is not None else ''
        self.rows.append(met)
        print(f'{name:<46}{value:>8.2f}{unit}{interval:<20} wanted {">=" if more else "<="} {target:g}{unit}'
              f'   {"met" if met else "NOT MET"}', flush=True)


def throughput_rows(bench, table, base, targets):
    sizes = [int(base * f) for f in SIZES]
    rounds = bench.options.rounds if base < 1e7 else max(2, bench.options.rounds // 2)
    maps = ['typed', 'shrinking', 'boost', 'absl']
    if base == 1e5:
        maps += ['classic', 'generic', 'khash', 'robin', 'glib', 'uthash', 'std', 'go119', 'go_newest']
    bench.measure('numbers', sizes, maps, rounds)
    for row, ours, peer, target in targets:
        table.add(f'{row} at {base:g}, {ours} / {peer}', *reorder(bench.ratio('numbers', row, base, ours, peer), target))


def reorder(ratio, target):
    return ratio[0], target, ratio[1], ratio[2]


def several(bench, name, what, n, rows):
    """Medians over rounds of named rows of one process."""
    found = {}
    for row in rows:
        values = [min(r[row, n]) if 'raw' in row else r[row, n][0] for r in bench.values[name, what, n]]
        found[row] = statistics.median(values)
    return found


def others(bench, table, quick):
    wanted = bench.options.row
    n = 92000
    if wanted in 'worn':
        bench.measure('drift', [n], ['typed'], 3)
        d = several(bench, 'typed', 'drift', n, ('fresh_hit', 'fresh_miss', 'worn_hit', 'worn_miss'))
        table.add('hit after 100 N pairs of erase and put, / fresh', d['worn_hit'] / d['fresh_hit'], 1.05)
        table.add('miss after them, / fresh', d['worn_miss'] / d['fresh_miss'], 1.15)
    if wanted in 'texts':
        sizes = [int(1e5 * f) for f in SIZES]
        bench.measure('texts', sizes, ['typed', 'boost', 'absl'], max(2, bench.options.rounds // 2))
        for row in ('hit', 'build'):
            best = min(('boost', 'absl'), key=lambda p: bench.geomean(p, 'texts', row, 1e5, statistics.median))
            table.add(f'short strings, {row} at 1e5, typed / {best}',
                      *reorder(bench.ratio('texts', row, 1e5, 'typed', best), 1.05))
    if wanted in 'misuse':
        sizes = [int(1e5 * f) for f in SIZES]
        bench.measure('numbers', sizes, ['typed', 'unchecked'], bench.options.rounds)
        table.add('misuse check, hit with / without', *reorder(bench.ratio('numbers', 'hit', 1e5, 'typed', 'unchecked'), 1.02))
    n = 1000000 if quick else 10000000
    if wanted in 'many':
        bench.measure('many', [n], ['typed'], 3)
        d = several(bench, 'typed', 'many', n, ('many', 'many_huge'))
        table.add(f'get_many by 32 at {n:g}, one by one / batch', d['many'], 1.3, more=True)
        table.add('the same with huge pages', d['many_huge'], 1.6, more=True)
    if wanted in 'tail':
        bench.measure('tail', [n], ['typed', 'shrinking'] + ([] if quick else ['boost', 'go119', 'go_newest']), 1)
        rows = ('put_max_us', 'put_p999_us', 'put_p9999_us', 'erase_max_us', 'put_raw_max_us', 'empty_max_us')
        d = several(bench, 'typed', 'tail', n, rows)
        table.add(f'worst put, 0 to {n:g}', d['put_max_us'], 30, unit=' us')
        table.add('p99.9 of puts', d['put_p999_us'], 1.5, unit=' us')
        table.add('p99.99 of puts', d['put_p9999_us'], 9, unit=' us')
        print(f'  raw worst put {d["put_raw_max_us"]:.0f} us, worst of an empty loop {d["empty_max_us"]:.2f} us')
        d = several(bench, 'shrinking', 'tail', n, rows)
        table.add('worst erase, shrinking', d['erase_max_us'], 30, unit=' us')
        for peer in () if quick else ('boost', 'go119', 'go_newest'):
            print(f'  worst put of {peer}: {several(bench, peer, "tail", n, ("put_max_us",))["put_max_us"]:.0f} us')
    if wanted in 'memory':
        bench.measure('memory', [n], ['typed', 'shrinking', 'boost'], 1)
        rows = ('peak_by_after', 'worst_peak_by_ideal', 'after_erasing_99')
        d, s, b = (several(bench, m, 'memory', n, rows) for m in ('typed', 'shrinking', 'boost'))
        table.add('peak while growing / just after', d['peak_by_after'], 1.01)
        table.add('worst peak / ideal, typed / boost', d['worst_peak_by_ideal'] / b['worst_peak_by_ideal'], 0.70)
        table.add('after erasing 99 %, shrinking, / 16 B x old N', s['after_erasing_99'], 0.07)
        picture(bench, n, quick)


def picture(bench, n, quick):
    """Memory over entries while growing, as an SVG: ours and boost's, in bytes for each pair."""
    colours = {'typed': '#0a7', 'boost': '#c40'}
    width, height, left, top = 720, 360, 60, 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             f'font-size="13"><rect width="{width}" height="{height}" fill="#fff"/>'
             f'<text x="{left}" y="24" font-size="16">Peak memory while growing, by the bytes of the pairs alone</text>']
    for y in range(0, 5):
        at = height - 40 - y * (height - 80) / 4
        parts.append(f'<line x1="{left}" x2="{width - 20}" y1="{at}" y2="{at}" stroke="#ddd"/>'
                     f'<text x="{left - 10}" y="{at + 4}" text-anchor="end">{y}x</text>')
    low = math.log(n / 10)
    for i, (name, colour) in enumerate(colours.items()):
        points = sorted((at, v[0]) for (row, at), v in bench.values[name, 'memory', n][0].items()
                        if row == 'memory_peak')
        line = ' '.join(f'{left + (math.log(at) - low) / (math.log(n) - low) * (width - left - 20):.1f},'
                        f'{height - 40 - min(v, 4) * (height - 80) / 4:.1f}' for at, v in points)
        label = 'libhmap' if name == 'typed' else name
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="{width - 150}" y="{top + 20 + 20 * i}" fill="{colour}">{label}</text>')
    parts.append(f'<text x="{left}" y="{height - 12}">{n // 10:,} entries</text>'
                 f'<text x="{width - 20}" y="{height - 12}" text-anchor="end">{n:,}</text></svg>\n')
    with open(bench.path('hmap.svg'), 'w') as f:
        f.write(''.join(parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--row', default='', help='numbers, worn, texts, misuse, many, tail or memory')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--out', default=os.path.join(ROOT, 'build-bench'))
    options = parser.parse_args()
    if options.quick:
        options.rounds = min(options.rounds, 2)
    bench, table = Bench(options), Table()
    bench.build()
    print(f'flags {" ".join(FLAGS)}, {options.rounds} rounds, geometric mean over N x {SIZES}')
    if options.row in 'numbers':
        throughput_rows(bench, table, 1e3, [('hit', 'typed', 'boost', 1.05), ('miss', 'typed', 'boost', 1.15)])
        throughput_rows(bench, table, 1e5, [
            ('hit', 'typed', 'boost', 1.05), ('miss', 'typed', 'boost', 0.95), ('build', 'typed', 'boost', 0.75),
            ('build_reserved', 'typed', 'boost', 1.10), ('churn', 'typed', 'boost', 0.65),
            ('iterate', 'typed', 'absl', 0.5), ('erase_all', 'typed', 'boost', 0.9),
            ('erase_all', 'shrinking', 'boost', 1.5), ('hit', 'typed', 'go119', 0.25),
            ('hit', 'classic', 'go119', 0.67), ('miss', 'classic', 'go119', 0.67), ('build', 'classic', 'go119', 0.67)])
        if not options.quick:
            throughput_rows(bench, table, 1e7, [
                ('hit', 'typed', 'boost', 1.05), ('miss', 'typed', 'boost', 1.15), ('build', 'typed', 'boost', 1.0),
                ('build_reserved', 'typed', 'boost', 0.9), ('churn', 'typed', 'boost', 1.0),
                ('iterate', 'typed', 'absl', 0.5)])
            table.add('dependent hit at 1e7 / latency of a line',
                      bench.geomean('typed', 'numbers', 'dependent_by_line', 1e7, statistics.median), 1.20)
    others(bench, table, options.quick)
    print(f'{sum(table.rows)} of {len(table.rows)} rows met; figures in {os.path.join(bench.folder, "hmap.csv")}')


main()
