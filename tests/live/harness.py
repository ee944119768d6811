"""The runner: tests register themselves by name and tier, run in that order, and are counted."""
import os
import sys
import time
import traceback

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
TIERS = ('check', 'long')
SHOWN_PROBLEMS = 6

_tests = []
passed = []  # Names, of those that ran.


class Skip(Exception):
    """This machine lacks what the test needs."""


class Failure(Exception):
    """Something is not as it has to be."""


def add(name, tier, function, *args):
    _tests.append((name, tier, function, args))


def test(name, tier='check'):
    def register(function):
        add(name, tier, function)
        return function
    return register


def require(condition, text):
    if not condition:
        raise Failure(text)


def require_none(problems, what):
    """Fail with the first of a list of problems and their number."""
    if problems:
        shown = '\n'.join(problems[:SHOWN_PROBLEMS])
        raise Failure(f'{len(problems)} {what}\n{shown}')


def note(text):
    print(f'note: {text}', flush=True)


def selected(tier, pattern):
    """The tests of a tier, check's being part of long, with pattern in their name."""
    reach = TIERS.index(tier)
    return [t for t in _tests if TIERS.index(t[1]) <= reach and pattern in t[0]]


def run_one(name, function, args):
    """Run a test; print its line; give back which of the three counters it belongs to."""
    start = time.monotonic()
    try:
        function(*args)
    except Skip as skip:
        print(f'SKIP {name}: {skip}', flush=True)
        return 'skipped'
    except Failure as failure:
        text = str(failure).replace('\n', '\n    ')
        print(f'FAIL {name}: {text}', flush=True)
        return 'failed'
    except Exception:  # A mistake in a test must not hide the others.
        print(f'FAIL {name}: the test itself broke', flush=True)
        traceback.print_exc(file=sys.stdout)
        return 'failed'
    passed.append(name)
    print(f'ok   {name} ({time.monotonic() - start:.1f} s)', flush=True)
    return 'passed'


def run(tests):
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    for name, _, function, args in tests:
        counts[run_one(name, function, args)] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped",
          flush=True)
    return 1 if counts['failed'] or not counts['passed'] else 0
