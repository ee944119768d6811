"""Core files of programs that were killed or died by themselves, whoever wrote them."""
import glob
import os
import re
import resource

from harness import Skip, require

FATAL = {'runtime.fatal', 'runtime.throw', 'internal/runtime/maps.fatal'}  # The last is what maps call of Go 1.24.


def need_kernel_cores():
    with open('/proc/sys/kernel/core_pattern') as f:
        pattern = f.read().strip()
    if '/' in pattern or '|' in pattern:
        raise Skip(f'the kernel puts cores elsewhere: {pattern}')


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def only_core(folder, pattern='core*'):
    found = glob.glob(os.path.join(folder, pattern))
    if not found:
        raise Skip(f'no core was written here as {pattern}')
    require(len(found) == 1, f'cores: {found}')
    return found[0]


def require_named(page, said):
    """
    The page is of the goroutine that the runtime named.  Where two met in the map at once, the other one
    may stand there, if it was about to say the same.
    """
    named = re.search(r'^goroutine ([1-9]\d*) .*\[running', said, re.M)
    require(named, f'the program said: {said[:400]}')
    dead = int(named.group(1))
    met = [u['goroutine'] for u in page['users'] if u['how'] == 'in map code']
    functions = {c['function'] for c in page['stack'] or []}
    require(page['goroutine'] == dead or (dead in met and functions & FATAL),
            f'goroutine {page["goroutine"]}, not {dead}; in map code {met}, its stack {functions}')
