"""Usage: run.sh [--tier check|long] [--filter TEXT] [--list]"""
import argparse
import os
import shutil
import sys
import tempfile

import harness
import matrix
import targets

# Importing a module registers its tests; they run in this order.
import test_truth  # noqa: F401
import test_inspect  # noqa: F401
import test_churn  # noqa: F401
import test_c_programs  # noqa: F401
import test_opened  # noqa: F401
import test_odd  # noqa: F401
import test_hostile  # noqa: F401
import test_reach  # noqa: F401
import test_cut_cores  # noqa: F401
import test_incidents  # noqa: F401
import test_memory_profile  # noqa: F401
import test_real  # noqa: F401
import test_hand_checked  # noqa: F401
import test_globals  # noqa: F401
import test_stacks  # noqa: F401
import test_goroutines  # noqa: F401
import test_locks  # noqa: F401
import test_samples  # noqa: F401
import test_unwind_dump  # noqa: F401
import test_sched  # noqa: F401
import test_trace_polls  # noqa: F401
import test_owners  # noqa: F401
import test_tries  # noqa: F401
import test_memory  # noqa: F401
import test_clock  # noqa: F401
import test_run  # noqa: F401
import test_trace  # noqa: F401
import test_trace_forms  # noqa: F401
import test_trace_creations  # noqa: F401
import test_diff  # noqa: F401
import test_watch  # noqa: F401
import test_top  # noqa: F401
import test_privileges  # noqa: F401
import test_arm64  # noqa: F401
import test_trace_gc  # noqa: F401
import test_cores  # noqa: F401
import test_privacy  # noqa: F401
import test_proved  # noqa: F401


def main():
    parser = argparse.ArgumentParser(description='Live tests of mapscope.')
    parser.add_argument('--tier', choices=harness.TIERS, default='check')
    parser.add_argument('--filter', default='', metavar='TEXT', help='tests with TEXT in their name')
    parser.add_argument('--matrix', metavar='FILE', help='write what passed on which release to FILE')
    parser.add_argument('--list', action='store_true', help='print the names and run nothing')
    options = parser.parse_args()
    tests = harness.selected(options.tier, options.filter)
    if options.list:
        print('\n'.join(t[0] for t in tests))
        return 0
    if not os.access(targets.TOOL, os.X_OK):
        print(f'FAIL there is no {targets.TOOL}; build it with: make build')
        print('0 passed, 1 failed, 0 skipped')
        return 1
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        # A copy: a build that goes on meanwhile must not swap the tool between two tests.
        targets.TOOL = shutil.copy(targets.TOOL, os.path.join(folder, 'mapscope'))
        status = harness.run(tests)
    if options.matrix:
        with open(options.matrix, 'w') as f:
            f.write(matrix.text(harness.passed))
    return status


sys.exit(main())
