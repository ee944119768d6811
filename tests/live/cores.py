"""Core files of programs that were killed or died by themselves, whoever wrote them."""
import glob
import os
import re
import resource

from harness import Skip, require


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
    The page is of the goroutine that the runtime named first, also where two met in the map at once, and
    of its error: before Go 1.24 two at once both say theirs, one in the middle of the other, and then print
    their stacks in whichever order.
    """
    named = re.search(r'^goroutine ([1-9]\d*) .*\[running', said, re.M)
    require(named and 'fatal error: ' in said, f'the program said: {said[:400]}')
    users = [(u['goroutine'], u['how']) for u in page['users']]
    require(page['goroutine'] == int(named.group(1)),
            f'goroutine {page["goroutine"]}, not {named.group(1)}; others: {users}')
    require(page['error'] and page['error'] in said, f'error {page["error"]}: {said[:400]}')
