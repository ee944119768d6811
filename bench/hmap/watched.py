#!/usr/bin/env python3
"""What watching costs who uses libhmap's maps: HMAP_DEBUG's words against none of them.

Usage: bench/hmap/watched.py [--pairs N] [--operations N]

Builds libhmap and libhmap-debug as users get them and runs a loop of gets, overwrites, erases and puts
with and without each word in the order A B B A, 40 times unless told otherwise.  Prints the median of the
pairs' ratios of the thread's own CPU time and its 95 % interval; the bound is met only where the whole
interval lies under it.  Audit asks for one access in 1,024, by the loop's own speed.
"""
import argparse
import os
import random
import statistics
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENTRIES = 1_000_000


def build(folder):
    steps = [['cmake', '-S', ROOT, '-B', folder, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
              '-DMS_BPF=OFF', '-DBUILD_TESTING=OFF'],
             ['cmake', '--build', folder, '--target', 'hmap', 'hmap_debug', '--', '-j2'],
             ['gcc', '-O2', '-I' + os.path.join(ROOT, 'include'), os.path.join(ROOT, 'bench/hmap/watched.c'),
              os.path.join(folder, 'libhmap.a'), '-o', os.path.join(folder, 'watched'), '-pthread']]
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(f'{" ".join(step)}:\n{done.stdout[-2000:]}')


def once(folder, words, operations):
    """Nanoseconds of CPU time an operation, and operations a second."""
    environment = {**os.environ, 'LD_LIBRARY_PATH': folder}
    environment.pop('HMAP_DEBUG', None)
    if words:
        environment['HMAP_DEBUG'] = words
    out = subprocess.run([os.path.join(folder, 'watched'), str(operations), str(ENTRIES)], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment).stdout
    cost, rate, _ = out.split()
    return float(cost), float(rate)


def interval(values):
    """The median's 95 % interval by resampling."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--pairs', type=int, default=40)
    parser.add_argument('--operations', type=int, default=6_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        rate = statistics.median(once(folder, '', options.operations)[1] for _ in range(3))
        rows = [('statistics', f'stats=1,file={folder}/lines', 3),
                ('statistics, served', f'http=unix:{folder}/socket', 3),
                (f'audit, {rate / 1024:,.0f}/s', f'audit={rate / 1024:.0f}', 2),
                ('growths traced', f'maptrace=3,file={folder}/lines', 3)]
        print(f'{rate / 1e6:.1f} M operations a second, {options.pairs} pairs A B B A')
        for name, words, bound in rows:
            ratios = []
            for _ in range(options.pairs):
                costs = [once(folder, w, options.operations)[0] for w in ('', words, words, '')]
                ratios.append(100 * ((costs[1] + costs[2]) / (costs[0] + costs[3]) - 1))
            low, high = interval(ratios)
            said = 'met' if high <= bound else 'not met' if low > bound else 'not shown'
            print(f'{name:22} {statistics.median(ratios):+6.2f} %  [{low:+.2f}, {high:+.2f}]  '
                  f'at most {bound} %: {said}', flush=True)


if __name__ == '__main__':
    main()
