"""Core files of programs that were killed or died by themselves, whoever wrote them."""
import glob
import os
import re
import resource
import subprocess

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


def died(binary, how, folder, timeout_s):
    """What a program said that died there in a way of its own, and left a core."""
    return subprocess.run([binary, how], cwd=folder, preexec_fn=allow_cores, text=True, timeout=timeout_s,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors='replace',
                          env=dict(os.environ, GOTRACEBACK='crash')).stderr


def named_goroutine(said):
    """The one that the runtime named first as it died; None: it named none."""
    named = re.search(r'^goroutine ([1-9]\d*) .*\[running', said, re.M)
    return int(named.group(1)) if named else None


def require_named(page, said):
    """
    The page is of the goroutine that the runtime named first, also where two met in the map at once, and
    of its error: before Go 1.24 two at once both say theirs, one in the middle of the other, and then print
    their stacks in whichever order.  Of these a core shows who ended the process, which the first does too
    if it was held up after its stack: then it is enough that both are on the page.
    """
    named = named_goroutine(said)
    require(named and 'fatal error: ' in said, f'the program said: {said[:400]}')
    users = [(u['goroutine'], u['how']) for u in page['users']]
    both = said.count('fatal error: ') > 1 and (named, 'in map code') in users
    require(page['goroutine'] == named or both,
            f'goroutine {page["goroutine"]}, not {named}; others: {users}')
    require(page['error'] and page['error'] in said, f'error {page["error"]}: {said[:400]}')
