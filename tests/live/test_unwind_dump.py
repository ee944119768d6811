"""A thousand goroutines unwound from outside, held frame by frame against what the program says of
itself: function, file, line, and the go statement.  It says it twice: in the profile of goroutines
(debug=2), which leaves out the runtime's own functions, and, killed by SIGQUIT, with all of them."""
import os
import re
import signal
import tempfile

import builds
import targets
from harness import add, note, require, require_none
from stack_truth import differences, parse_truth, shown, unwound_at_rest, wakes_by_itself

GOROUTINES_MIN = 1000
CHECKED = ('1.18.8', '1.22.12', '1.27.4')
# Profiles of these end a stack without a word, where later ones say how much they leave out.
FRAMES_MOST = 100
ENDS_SILENTLY = ('1.18.8', '1.19.4', '1.20.14')
LOOPS = 3  # As the program starts them.
RUNS = ('it runs', 'it went on while it was looked at')
# Innermost frame, and one further out.
PREEMPTED_AT = {'preempted': ('runtime.asyncPreempt2 ', 'main.spin '),
                'polite': ('main.step ', 'main.walk ')}
OF_MAIN = re.compile(r'\bmain\.')


def written(process, folder):
    """The profile, after all goroutines went to rest: by number."""
    path = os.path.join(folder, 'dump')
    process.send(f'dump {path}')
    require(process.line() == 'dumped', 'the program did not write its profile')
    with open(path) as f:
        return parse_truth(f.read().splitlines())


def of_loop(frame):
    """Without its line where a loop goes round in two: the two accounts were taken at two times."""
    return frame.rsplit(':', 1)[0] if frame.startswith('main.spin ') else frame


def best(number, goroutine, looks):
    """
    The differences to the look that has more.  A goroutine of the runtime may have gone on between
    a look and the profile: it has to be as at one of them.
    """
    of_main = any(OF_MAIN.search(frame) for frame in goroutine.frames())
    found = [differences(number, goroutine, look.get(number)) for look in looks]
    return max(found, key=len) if of_main else min(found, key=len)


def without_switch(read, pid):
    """A look over which the processor did not pass from one loop to the next: one at most runs."""
    def running(look):
        return [number for number, seen in look.items() if seen.ended in RUNS]

    return targets.taken_until(lambda: read(pid), lambda look: len(running(look)) <= 1,
                               lambda look: f'goroutines {running(look)} are said to run at once')


def hold(what, truth, looks, least, has_loops):
    """The problems; says how much was compared, and fails when it was too little."""
    problems, count, running, frames = [], 0, 0, 0
    for number, goroutine in truth.items():
        if goroutine.state == 'running':  # It writes this.
            continue
        if any(number in look and look[number].ended in RUNS for look in looks):
            running += 1
            continue
        goroutine.head = list(map(of_loop, goroutine.head))
        if not wakes_by_itself(goroutine):
            problems += best(number, goroutine, looks)
        frames += len(goroutine.frames())
        count += 1
    most = len(looks) if has_loops else 0  # At each, one of the loops has the processor.
    note(f'{what}: {count} goroutines, {frames} frames, {len(problems)} differences')
    require(running <= most, f'{running} goroutines ran, {most} can')
    require(count >= least - most, f'only {count} goroutines were compared')
    return problems


def same_stacks(release, variant, loops=None):
    program = builds.go_program('dump', release, variant)
    env = dict(os.environ, GOTRACEBACK='system')  # Frames of the runtime, too.
    if loops == 'polite':
        env['GODEBUG'] = 'asyncpreemptoff=1'
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'printed'), 'w+') as printed:
            with targets.Process([program, *([loops] if loops else [])], env=env,
                                 stderr=printed) as process:
                ready = process.line().split()
                require(ready[:1] == ['ready'], f'the program did not start: {ready}')
                looks = [without_switch(unwound_at_rest, process.pid)]
                profile = written(process, folder)
                looks.append(without_switch(unwound_at_rest, process.pid))
                pages = [without_switch(shown, process.pid)]
                process.child.send_signal(signal.SIGQUIT)
                process.child.wait(targets.ANSWER_TIMEOUT_S)
            printed.seek(0)
            printed = parse_truth(printed.read().splitlines())
    least = int(ready[1])
    require(least >= GOROUTINES_MIN, f'only {least} goroutines were started')
    label = f'{release} {loops or variant}'
    for seen in (seen for look in looks + pages for seen in look.values()):
        seen.frames = list(map(of_loop, seen.frames))
    most = FRAMES_MOST if release in ENDS_SILENTLY else None
    problems = hold(f'{label}, profile', profile, [
        {number: seen.of_profile(most) for number, seen in look.items()} for look in looks],
        least, bool(loops))
    problems += hold(f'{label}, page', profile, [
        {number: seen.of_profile(most) for number, seen in page.items()} for page in pages],
        least, bool(loops))
    if not loops:  # The signal would find one of them running.
        problems += hold(f'{label}, all frames', printed, looks, least, False)
    require_none(problems, 'frames that the program prints otherwise')
    if loops:
        top, text = PREEMPTED_AT[loops]
        count = sum(seen.frames[:1] != [] and seen.frames[0].startswith(top) and
                    any(frame.startswith(text) for frame in seen.frames)
                    for seen in looks[0].values())
        require(count >= LOOPS - 1, f'only {count} were preempted')


for _release in builds.RELEASES:
    _tier = 'check' if _release in CHECKED else 'long'
    add(f'unwind_dump {_release} stripped', _tier, same_stacks, _release, 'stripped')
    add(f'unwind_dump {_release} cgo', 'check' if _release == builds.NEWEST else 'long',
        same_stacks, _release, 'cgo')
    for _loops in ('preempted', 'polite'):
        add(f'unwind_dump {_release} {_loops}', 'check' if _release == builds.NEWEST else 'long',
            same_stacks, _release, 'stripped', _loops)
