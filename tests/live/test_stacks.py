"""The frames of goroutines that rest, held against what the runtime prints of them itself."""
import os
import signal
import tempfile

import builds
import targets
from harness import add, require, require_none
from stack_truth import differences, parse_truth, unwound_at_rest, wakes_by_itself

RELEASES = ('1.18.8', '1.19.4', '1.20.14', '1.23.12', '1.24.13', '1.27.4')
VARIANTS = ('stripped', 'pie')
GOROUTINES_MIN = 20


def same_stacks(release, variant):
    program = builds.go_program('stacks', release, variant)
    env = dict(os.environ, GOTRACEBACK='system')  # Frames of the runtime, too.
    with tempfile.TemporaryFile('w+') as printed:
        with targets.Process([program], env=env, stderr=printed) as process:
            require(process.line().strip() == 'ready', 'the program did not start')
            seen = unwound_at_rest(process.pid)
            process.child.send_signal(signal.SIGQUIT)
            process.child.wait(targets.ANSWER_TIMEOUT_S)
        printed.seek(0)
        truth = parse_truth(printed.read().splitlines())
    problems = []
    for number, goroutine in truth.items():
        if not wakes_by_itself(goroutine):
            problems += differences(number, goroutine, seen.get(number))
    require(len(truth) >= GOROUTINES_MIN, f'only {len(truth)} goroutines were printed')
    require_none(problems, 'frames that the program prints otherwise')


for _release in RELEASES:
    for _variant in VARIANTS:
        if _variant == 'stripped' or _release == RELEASES[-1]:
            add(f'stacks {_release} {_variant}', 'check' if _release in ('1.19.4', '1.27.4') else
                'long', same_stacks, _release, _variant)
