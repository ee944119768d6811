"""Each command with exactly the capabilities that docs/privileges.md names, and without each of them; and
what a command that was started as root has left while it reads.
"""
import glob
import os
import re
import signal
import subprocess
import tempfile
import time

import builds
import targets
from harness import require, test
from test_reach import NOBODY, PublicCopy, as_nobody

DENIED = 2
SOON_S = 30
CAPABILITIES = {'dac_override': 1, 'dac_read_search': 2, 'sys_ptrace': 19, 'sys_admin': 21, 'sys_resource': 24,
                'perfmon': 38, 'bpf': 39}
LOOK = ('sys_ptrace', 'dac_read_search')
LOOKS = (('maps',), ('heap',), ('inspect', 'main.GlobalConfig'), ('goroutines', '--once'),
         ('top', '--count', '1'), ('diagnose', '--seconds', '0.5', '--no-probes'))


def run(tool, capabilities, pid, verb, *more):
    words = ','.join(['-all', *(f'+{n}' for n in capabilities)])
    wrapper = as_nobody(f'--inh-caps={words}', f'--ambient-caps={words}', f'--bounding-set={words}')
    return targets.tool(verb, pid, *more, copy=tool, wrapper=wrapper)


@test('privileges/looks')
def looks():
    targets.need_root()
    binary = builds.go_program('truth', builds.NEWEST, 'normal')
    with PublicCopy(targets.TOOL) as (tool,), targets.Truth(binary, '-maps', 50) as target:
        for verb, *more in LOOKS:
            done = run(tool, LOOK, target.pid, verb, *more)
            require(done.code == 0 and done.out.strip(), f'{verb}: {done.code} {done.err}')
            for missing in LOOK:
                done = run(tool, set(LOOK) - {missing}, target.pid, verb, *more)
                require(done.code == DENIED and f'CAP_{missing.upper()}' in done.err and not done.out.strip(),
                        f'{verb} without {missing}: {done.code} {done.err} {done.out}')
        told = run(tool, ('sys_ptrace',), target.pid, 'doctor')
        require('CAP_DAC_READ_SEARCH, which we lack' in told.out.replace('\n', ' ').replace('  ', ' '), told.out)
        target.finish()


@test('privileges/probes')
def probes():
    targets.need_root()
    binary = builds.go_program('truth', '1.23.12', 'normal')
    with PublicCopy(targets.TOOL) as (tool,), targets.Truth(binary, '-maps', 50, '-churn', 1) as target:
        with_all = run(tool, (*LOOK, 'sys_admin'), target.pid, 'trace', '--seconds', '1', '--json')
        require(with_all.document()['cost']['probes'] > 0, 'no probe was placed')
        without = run(tool, LOOK, target.pid, 'trace', '--seconds', '1', '--json').document()
        require(without['cost']['probes'] == 0, 'a probe was placed')
        refused = run(tool, LOOK, target.pid, 'goroutines', '--burst')
        require(refused.code == DENIED and 'CAP_SYS_ADMIN' in refused.err, refused.err)
        target.finish()


def fields_of(path):
    """What a status file says, by name; None if its thread has ended meanwhile."""
    try:
        with open(path) as f:
            return dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
    except (FileNotFoundError, ProcessLookupError):
        return None


def status(tool_pid):
    """Of each thread the permitted, effective and bounding set, and whether there is a way back."""
    threads = (fields_of(path) for path in glob.glob(f'/proc/{tool_pid}/task/*/status'))
    return [(*(int(fields[name], 16) for name in ('CapPrm', 'CapEff', 'CapBnd')), fields['NoNewPrivs'].strip())
            for fields in threads if fields and 'CapPrm' in fields]


def bits(*names):
    return sum(1 << CAPABILITIES[n] for n in names)


def is_sanitized():
    """Sanitizers have a thread of their own, which is made before any code of ours runs."""
    with open(targets.TOOL, 'rb') as f:
        return b'__asan_init' in f.read()


def kept(name, verb, more, permitted, effective=None):
    @test(f'privileges/kept by {name}')
    def while_it_runs():
        targets.need_root()
        binary = builds.go_program('truth', '1.23.12', 'normal')
        with targets.Truth(binary, '-maps', 50, '-churn', 1) as target, \
                tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
            os.chown(folder, NOBODY, NOBODY)  # Root may write there by CAP_DAC_OVERRIDE alone.
            os.chmod(folder, 0o700)
            words = [w.format(folder=folder) for w in more]
            tool = subprocess.Popen([targets.TOOL, verb, str(target.pid), *words], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE)
            ours = status(os.getpid())[0][0]  # A container's root has not all of them either.
            want = (bits(*permitted) & ours, bits(*(effective or permitted)) & ours, 0, '1')
            end, seen = time.monotonic() + SOON_S, []
            while time.monotonic() < end and tool.poll() is None:
                seen = status(tool.pid)
                if want in seen and (len(set(seen)) == 1 or is_sanitized()):
                    break
                time.sleep(0.01)
            require(want in seen, f'wanted {want}, saw {seen}')
            while verb == 'watch' and not re.search(rb'a census every', os.read(tool.stderr.fileno(), 4096)):
                pass  # It has its first one.
            tool.send_signal(signal.SIGINT)
            said = tool.communicate(timeout=SOON_S)[1].decode()
            require(tool.returncode in (0, 5), f'{tool.returncode}: {said}')
            for word in words:
                require(not word.startswith(folder) or os.path.exists(word), f'{word} was not written: {said}')
            require(not re.search('could not be given up', said), said)
            target.finish()


kept('top', 'top', ('--batch',), LOOK)
kept('trace', 'trace', (), (*LOOK, 'perfmon', 'bpf'))
kept('diagnose', 'diagnose', ('--seconds', '5', '-o', '{folder}/page.json'),
     (*LOOK, 'perfmon', 'bpf', 'dac_override'), (*LOOK, 'perfmon', 'bpf'))
kept('watch', 'watch', ('-o', '{folder}/x.mring', '-o', '{folder}/diff.json'), (*LOOK, 'sys_resource', 'dac_override'),
     (*LOOK, 'sys_resource'))
