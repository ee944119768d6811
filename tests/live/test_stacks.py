"""The frames of goroutines that rest, held against what the runtime prints of them itself."""
import os
import re
import signal
import subprocess
import tempfile

import builds
import targets
from harness import Skip, add, require, require_none

RELEASES = ('1.18.8', '1.19.4', '1.20.14', '1.23.12', '1.24.13', '1.27.4')
VARIANTS = ('stripped', 'pie')
GOROUTINES_MIN = 20
MISSING = 'there is no program that prints stacks beside the tool'

ELIDED = re.compile(r'^\.\.\.(additional|\d+) frames elided\.\.\.$')
STACKS = os.path.join(os.path.dirname(targets.TOOL), 'stacks')


class Truth:
    """One goroutine as the runtime prints it: frames before and after those it leaves out."""

    def __init__(self, state):
        self.state, self.head, self.tail, self.is_cut = state, [], [], False

    def add(self, name, place):
        (self.tail if self.is_cut else self.head).append(f'{name} {place}')


def parse_truth(lines):
    goroutines, current, name = {}, None, None
    for line in lines:
        header = re.match(r'^goroutine (\d+) .*\[([^\],]*)', line)
        if header:
            current = Truth(header[2])
            if header[1] != '0':  # A thread's own stack.
                goroutines[int(header[1])] = current
        elif ELIDED.match(line):
            current.is_cut = True
        elif line.startswith('\t') and name:
            current.add(name, line.strip().split(' ')[0])
            name = None
        elif line.startswith('created by '):
            name = None
        elif '(' in line:
            name = line.rsplit('(', 1)[0]
            name = 'runtime.gopanic' if name == 'panic' else name
    return goroutines


def unwound(pid):
    """By goroutine: how its stack ended, and its frames."""
    if not os.access(STACKS, os.X_OK):
        raise Skip(MISSING)
    done = subprocess.run([STACKS, str(pid), '--print'], capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, done.stderr)
    goroutines, current = {}, None
    for line in done.stdout.splitlines():
        if line.startswith('goroutine '):
            _, number, ended = line.split(' ', 2)
            current = goroutines[int(number)] = (ended, [])
        elif line.startswith('\t'):
            current[1].append(' '.join(line.strip().split('\t')))
    return goroutines


def differences(number, truth, seen):
    if seen is None:
        return [f'goroutine {number} [{truth.state}] is missing']
    ended, frames = seen
    if ended != 'complete':
        return [f'goroutine {number} [{truth.state}]: {ended} after {frames[-1:]}']
    tail = frames[len(frames) - len(truth.tail):] if truth.is_cut else []
    head = frames[:len(truth.head)] if truth.is_cut else frames
    return [f'goroutine {number} [{truth.state}] frame {i}: {b}, not {a}'
            for i, (a, b) in enumerate(zip(truth.head + truth.tail, head + tail)) if a != b] + (
                [] if len(truth.head) == len(head) else
                [f'goroutine {number} [{truth.state}]: {len(head)} frames, not {len(truth.head)}'])


def same_stacks(release, variant):
    program = builds.go_program('stacks', release, variant)
    env = dict(os.environ, GOTRACEBACK='system')  # Frames of the runtime, too.
    with tempfile.TemporaryFile('w+') as printed:
        with targets.Process([program], env=env, stderr=printed) as process:
            require(process.line().strip() == 'ready', 'the program did not start')
            seen = unwound(process.pid)
            process.child.send_signal(signal.SIGQUIT)
            process.child.wait(targets.ANSWER_TIMEOUT_S)
        printed.seek(0)
        truth = parse_truth(printed.read().splitlines())
    problems = []
    for number, goroutine in truth.items():
        problems += differences(number, goroutine, seen.get(number))
    require(len(truth) >= GOROUTINES_MIN, f'only {len(truth)} goroutines were printed')
    require_none(problems, 'frames that the program prints otherwise')


for _release in RELEASES:
    for _variant in VARIANTS:
        if _variant == 'stripped' or _release == RELEASES[-1]:
            add(f'stacks {_release} {_variant}', 'check' if _release in ('1.19.4', '1.27.4') else
                'long', same_stacks, _release, _variant)
