#!/usr/bin/env python3
"""What watching costs who uses libhmap's maps: HMAP_DEBUG's words against none of them.

Usage: bench/hmap/watched.py [--pairs N] [--operations N]

Builds libhmap and libhmap-debug as users get them and runs a loop of gets, overwrites, erases and puts
under callgrind: instructions of the loop with and without statistics, and with one access in 1,024 looked
at.  The bound is about these; they repeat to a few in a million.  --pairs also runs each with and without
in the order A B B A, so many times, and prints the median of the ratios of the thread's own CPU time with
its 95 % interval, which no bound is about: on a machine with neighbours it is wide.
"""
import argparse
import os
import random
import re
import statistics
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENTRIES = 1_000_000
AUDIT = 1024  # One access in so many.


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
    cost, rate = out.split()[:2]
    return float(cost), float(rate)


def instructions(folder, words, audit=0):
    """Of the loop; its own allocator's included, another thread's not."""
    environment = {**os.environ, 'LD_LIBRARY_PATH': folder,
                   'GLIBC_TUNABLES': 'glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2_Usable'}
    environment.pop('HMAP_DEBUG', None)
    if words:
        environment['HMAP_DEBUG'] = words
    done = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
                           '--collect-atstart=no', '--toggle-collect=use_map',
                           os.path.join(folder, 'watched'), '1000000', '200000', str(audit)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    found = re.search(r'Collected : (\d+)', done.stderr)
    if done.returncode or not found:
        raise SystemExit(done.stderr[-2000:])
    return int(found.group(1)), int(done.stdout.split()[3])


def interval(values):
    """The median's 95 % interval by resampling."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def count(folder):
    alone, _ = instructions(folder, '')
    for name, bound, words, audit in (('statistics', 3, 'stats=exit', 0), (f'audit of 1/{AUDIT}', 2, '', AUDIT)):
        watched, looks = instructions(folder, words, audit)
        ratio = 100 * (watched / alone - 1)
        said = 'met' if ratio <= bound else 'not met'
        print(f'{name:22} {ratio:+6.2f} % instructions{f", {looks} looks" if looks else ""}  '
              f'at most {bound} %: {said}', flush=True)


def pair(folder, options):
    rate = statistics.median(once(folder, '', options.operations)[1] for _ in range(3))
    rows = [('statistics', f'stats=1,file={folder}/lines'),
            ('statistics, served', f'http=unix:{folder}/socket'),
            (f'audit, {rate / AUDIT:,.0f}/s', f'audit={rate / AUDIT:.0f}'),
            ('growths traced', f'maptrace=3,file={folder}/lines')]
    print(f'{rate / 1e6:.1f} M operations a second, {options.pairs} pairs A B B A')
    for name, words in rows:
        ratios = []
        for _ in range(options.pairs):
            costs = [once(folder, w, options.operations)[0] for w in ('', words, words, '')]
            ratios.append(100 * ((costs[1] + costs[2]) / (costs[0] + costs[3]) - 1))
        low, high = interval(ratios)
        print(f'{name:22} {statistics.median(ratios):+6.2f} % CPU time  [{low:+.2f}, {high:+.2f}]', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--pairs', type=int, default=0)
    parser.add_argument('--operations', type=int, default=6_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        count(folder)
        if options.pairs:
            pair(folder, options)


if __name__ == '__main__':
    main()
