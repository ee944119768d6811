"""What a trace of growths costs the program that is traced."""
import json
import os
import signal
import statistics
import subprocess

from targets import ANSWER_TIMEOUT_S, ROOT, TARGET_CPU, TOOL_CPU, Unavailable, build, pin

MAPSCOPE = os.path.join(ROOT, 'build', 'mapscope')

# What is measured, the order of tests/programs/growth, and what is said of it.
WORKS = (
    ('each event with its stack', 'work 2000 100 0', 'flat out'),
    ('counted only', 'work 100000 3 0', 'first groups, flat out'),
    ('slowdown', 'work 1000 100 60000', 'a program that looks into its maps'),
)


class Program:
    """The program that makes maps grow on command, on one core."""

    def __init__(self, release):
        exe = build(release, True, os.path.join(ROOT, 'tests', 'programs', 'growth'), 'growth')
        self.child = subprocess.Popen([exe], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, preexec_fn=pin(TARGET_CPU))
        self.child.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def on_cpu(self):
        """Nanoseconds that its threads have run."""
        tasks, total = f'/proc/{self.child.pid}/task', 0
        for task in os.listdir(tasks):
            with open(f'{tasks}/{task}/schedstat') as f:
                total += int(f.read().split()[0])
        return total

    def nanos(self, order):
        """What an order takes of a core: not the clock's time, of which others get their share."""
        before = self.on_cpu()
        self.child.stdin.write(order + '\n')
        self.child.stdin.flush()
        self.child.stdout.readline()
        return self.on_cpu() - before


def traced(program, order):
    """The same while a trace looks on; how many growths it counted."""
    command = [MAPSCOPE, 'trace', str(program.child.pid), '--json', '--no-owners']
    tool = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=pin(TOOL_CPU))
    said = tool.stderr.readline()
    if 'with probes' not in said:
        tool.kill()
        tool.communicate()
        raise Unavailable(f'no probes: {said.strip()}')
    nanos = program.nanos(order)
    tool.send_signal(signal.SIGINT)
    out, _ = tool.communicate(timeout=ANSWER_TIMEOUT_S)
    document = json.loads(out)
    return nanos, document['counted'] + document['to_small']


def trace_row(table, options, release):
    """Pairs in both orders: the program alone, and traced."""
    is_swiss = int(release.split('.')[1]) >= 24
    for way, order, note in WORKS:
        if way == 'counted only' and not is_swiss:
            continue  # A classic map has no growth that is counted only.
        with Program(release) as program:
            program.nanos(order)
            alone, ratios, costs, rate = [], [], [], 0
            for i in range(2 * options.pairs):
                first = program.nanos(order) if i % 2 == 0 else None
                nanos, counted = traced(program, order)
                untraced = first or program.nanos(order)
                alone.append(untraced)
                ratios.append(nanos / untraced)
                costs.append((nanos - untraced) / max(counted, 1))
                rate = counted / (untraced / 1e9)
            table.add('trace', release, way, wall_s=statistics.median(alone) / 1e9,
                      ratio=statistics.median(ratios),
                      note=f'{statistics.median(costs) / 1000:.2f} us a growth, {rate:.0f} a second; '
                           f'{note}; ratio {min(ratios):.3f} to {max(ratios):.3f}')
