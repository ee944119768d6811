"""Stacks as the runtime of a program prints them, and as they are unwound from outside."""
import os
import re
import subprocess

import targets
from harness import Skip, require

MISSING = 'there is no program that prints stacks beside the tool'

ELIDED = re.compile(r'^\.\.\.(additional|\d+) frames elided\.\.\.$')
HEADER = re.compile(r'^goroutine (\d+) .*\[([^\],]*)')
CREATED_BY = re.compile(r'^created by (.*?)(?: in goroutine (\d+))?$')
STACKS = os.path.join(os.path.dirname(targets.TOOL), 'stacks')
SHOWN_FRAMES = 3
PANICS = ('runtime.gopanic', 'runtime.sigpanic', 'runtime.panicwrap')
# The goroutine of finalizers is shown with its own function, from some release on.
FINALIZERS = ('runtime.runFinalizers', 'runtime.runCleanups')


class Truth:
    """One goroutine as the runtime prints it: frames before and after those it leaves out."""

    def __init__(self, state):
        self.state, self.head, self.tail, self.is_cut = state, [], [], False
        self.created_by, self.parent = None, None

    def add(self, name, place):
        (self.tail if self.is_cut else self.head).append(f'{name} {place}')

    def frames(self):
        return self.head + self.tail

    def compared(self, frames):
        """Of all its frames those that are in the print."""
        if not self.is_cut:
            return frames
        return frames[:len(self.head)] + frames[len(frames) - len(self.tail):]


def parse_truth(lines):
    """The goroutines of a traceback or of a profile with debug=2, by number."""
    goroutines, current, name, created = {}, None, None, None
    for line in lines:
        header = HEADER.match(line)
        creator = CREATED_BY.match(line)
        if header:
            current = Truth(header[2])
            if header[1] != '0':  # A thread's own stack.
                goroutines[int(header[1])] = current
        elif ELIDED.match(line):
            current.is_cut = True
        elif creator:
            name, created = None, creator[1]
            current.parent = int(creator[2]) if creator[2] else None
        elif line.startswith('\t') and created:
            current.created_by = f'{created} {line.strip().split(" ")[0]}'
            created = None
        elif line.startswith('\t') and name:
            current.add(name, line.strip().split(' ')[0])
            name = None
        elif '(' in line:
            name = line.rsplit('(', 1)[0]
            name = 'runtime.gopanic' if name == 'panic' else name
    return goroutines


def is_exported_by_runtime(name):
    parts = name.split('.', 1)[1].rsplit('.', 1)
    return all(part.strip('(*)')[:1].isupper() for part in parts)


def is_shown(name, is_wrapper, inner):
    """Whether a profile has a function; inner is the one that it called, None for none."""
    if is_wrapper and inner not in PANICS:
        return False
    if name == 'runtime.gopanic':
        return inner is not None
    return '.' in name and (not name.startswith('runtime.') or name in FINALIZERS or
                            is_exported_by_runtime(name))


class Seen:
    """One goroutine as it was unwound."""

    def __init__(self, ended):
        self.ended, self.frames, self.wrappers, self.created_by = ended, [], set(), None
        self.state = self.parent = None

    def of_profile(self, frames_most):
        """It without what the runtime leaves out of profiles, which is behind so many frames."""
        seen, inner = Seen(self.ended), None
        seen.state, seen.parent = self.state, self.parent
        for i, frame in enumerate(self.frames[:frames_most]):
            name = frame.split(' ')[0]
            if is_shown(name, i in self.wrappers, inner):
                seen.frames.append(frame)
            inner = name
        if self.created_by and is_shown(self.created_by.split(' ')[0], False, ''):
            seen.created_by = self.created_by
        return seen


def unwound(pid):
    """The goroutines of a process by number, with all frames, the runtime's too."""
    if not os.access(STACKS, os.X_OK):
        raise Skip(MISSING)
    done = subprocess.run([STACKS, str(pid), '--print'], capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, done.stderr)
    goroutines, current = {}, None
    for line in done.stdout.splitlines():
        if line.startswith('goroutine '):
            _, number, ended = line.split(' ', 2)
            current = goroutines[int(number)] = Seen(ended)
        elif line.startswith('\tcreated by '):
            current.created_by = line[len('\tcreated by '):].replace('\t', ' ')
        elif line.startswith('\t'):
            name, place, *wrapper = line.strip().split('\t')
            if wrapper:
                current.wrappers.add(len(current.frames))
            current.frames.append(f'{name} {place}')
    return goroutines


def wakes_by_itself(goroutine):
    """The scavenger sleeps by the clock: between a look and a print it may have gone on."""
    return any(frame.startswith('runtime.bgscavenge ') for frame in goroutine.frames())


def unwound_at_rest(pid):
    """Likewise once goroutine 1, which had said a line, waits for one again."""
    def rests(goroutines):
        main = goroutines.get(1)
        return main and main.ended == 'complete' and any(f.startswith('bufio.(*Scanner).Scan ') for f in main.frames)

    def problem(goroutines):
        main = goroutines.get(1)
        return f'goroutine 1 never rested: {main and (main.ended, main.frames)}'

    return targets.taken_until(lambda: unwound(pid), rests, problem)


def shown(pid):
    """
    Likewise by the tool's own page: without the compiler's functions and with the goroutine that
    made it; its state in the runtime's words beside it.
    """
    document = targets.tool('goroutines', pid, '--once', '--all', '--json').document()
    goroutines = {}
    for row in document['goroutines']:
        ran = row['stack'] is None
        seen = goroutines[row['id']] = Seen('it runs' if ran else 'complete')
        seen.state = row['wait_reason'] or row['state']
        seen.parent = row['parent']
        made = row['created_by']
        if made:
            seen.created_by = f"{made['function']} {made['file']}:{made['line']}"
        if not ran:
            stack = document['stacks'][row['stack']]
            seen.ended = stack['stack_cut'] or 'complete'
            seen.frames = [f"{call['function']} {call['file']}:{call['line']}"
                           for call in stack['stack']]
    return goroutines


def differences(number, truth, seen):
    """What differs between the two accounts of one goroutine, in words."""
    what = f'goroutine {number} [{truth.state}]'
    if seen is None:
        return [f'{what} is missing']
    if seen.ended != 'complete':
        return [f'{what}: {seen.ended} after {seen.frames[-SHOWN_FRAMES:]}']
    wanted, frames = truth.frames(), truth.compared(seen.frames)
    problems = [f'{what} frame {i}: {b}, not {a}'
                for i, (a, b) in enumerate(zip(wanted, frames)) if a != b]
    if len(wanted) != len(frames):
        problems.append(f'{what}: {len(frames)} frames, not {len(wanted)}: ' +
                        f'{frames[-SHOWN_FRAMES:]}, not {wanted[-SHOWN_FRAMES:]}')
    if truth.created_by != seen.created_by:
        problems.append(f'{what} created by {seen.created_by}, not {truth.created_by}')
    if seen.state is not None and seen.state != truth.state:
        problems.append(f'{what} is said to be in {seen.state}')
    if seen.parent is not None and truth.parent is not None and seen.parent != truth.parent:
        problems.append(f'{what} was made by {truth.parent}, not {seen.parent}')
    return problems
