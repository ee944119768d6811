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
