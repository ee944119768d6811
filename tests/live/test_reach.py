"""Who may look, and from where: other users, other namespaces, the demo's page."""
import os
import shutil
import subprocess
import sys
import tempfile

import builds
import compare
import targets
from harness import ROOT, Skip, require, test

NOBODY = 65534
DENIED = 2
PAGE_SECONDS = 4


def yama_forbids():
    try:
        with open('/proc/sys/kernel/yama/ptrace_scope') as f:
            return f.read().strip() != '0'
    except OSError:
        return False


def as_nobody(*more):
    return [targets.need_command('setpriv'), f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', *more, '--']


class PublicCopy:
    """Binaries where every user can run them, which a checkout need not be."""

    def __init__(self, *paths):
        self.paths = paths

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='mapscope-live-')
        os.chmod(self.folder, 0o755)
        copies = [shutil.copy(p, self.folder) for p in self.paths]
        for copy in copies:
            os.chmod(copy, 0o755)
        return copies

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


@test('reach/what the walk reads is counted')
def walk_is_counted():
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    with targets.Truth(binary, '-maps', 1000) as target:
        pages = [targets.tool('maps', target.pid, *more, '--json').document()
                 for more in (('--no-owners',), ())]
        alone, whole = (page['cost']['read_bytes'] for page in pages)
        require(whole > alone, f'{whole} bytes with types and owners, {alone} without')


@test('reach/same user without privileges')
def same_user():
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    if yama_forbids():
        raise Skip('kernel.yama.ptrace_scope keeps even the same user out')
    if os.geteuid() != 0:  # Then all tests ran as a user without privileges.
        with targets.Truth(binary, '-maps', 300) as target:
            compare.require_listed(target, compare.require_sound(targets.census(target.pid)))
        return
    with PublicCopy(binary, targets.TOOL) as (program, tool):
        with targets.Truth(program, '-maps', 1000, '-stack', 20, wrapper=as_nobody(),
                           owner=NOBODY) as target:
            result = targets.tool('maps', target.pid, '--json', '--all', copy=tool, wrapper=as_nobody())
            compare.require_listed(target, compare.require_sound(result.document()))
            target.finish()


@test('reach/other user without privileges')
def other_user():
    targets.need_root()
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    with PublicCopy(targets.TOOL) as (tool,), targets.Truth(binary, '-maps', 10) as target:
        result = targets.tool('maps', target.pid, copy=tool, wrapper=as_nobody())
        require(result.code == DENIED, f'exit code {result.code}, not {DENIED}: {result.err}')
        require('sudo' in result.err or 'CAP_SYS_PTRACE' in result.err,
                f'no way out is named: {result.err.strip()}')
        require(not result.out.strip(), 'a page was printed')
        target.finish()


def only_child(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as f:
        children = f.read().split()
    require(len(children) == 1, f'process {pid} has the children {children}')
    return int(children[0])


@test('reach/other namespaces')
def namespaces():
    """The program has another number and lies on a file system that only it sees."""
    targets.need_root()
    unshare = targets.need_command('unshare')
    binary = builds.go_program('truth', '1.24.13', 'normal')
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as inside:
        script = 'mount -t tmpfs none "$1" && cp "$0" "$1/hidden" && shift && exec "$inside/hidden" "$@"'
        wrapper = [unshare, '-pfm', '--mount-proc', 'env', f'inside={inside}', 'sh', '-c', script,
                   binary, inside]
        with NamespaceTruth('-maps', 1000, '-stack', 20, wrapper=wrapper) as target:
            require(target.ready['pid'] == 1, 'the program is not in a namespace of its own')
            pid = only_child(target.pid)
            require(not os.path.exists(os.path.join(inside, 'hidden')), 'the file is to be seen')
            compare.require_listed(target, compare.require_sound(targets.census(pid)))
            target.finish()


class NamespaceTruth(targets.Truth):
    """A truth program that its wrapper starts."""

    def __init__(self, *args, wrapper):
        super().__init__(wrapper[-1], *args, wrapper=wrapper[:-1])


@test('reach/a filter forbids process_vm_readv')
def filtered():
    """Then memory is read through /proc/PID/mem, to the same end."""
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    with targets.Truth(binary, '-maps', 1000, '-stack', 20) as target:
        done = targets.tool('maps', target.pid, '--json', '--all', wrapper=[builds.c_program('forbid')])
        compare.require_listed(target, compare.require_sound(done.document()))
        told = targets.tool('doctor', target.pid, wrapper=[builds.c_program('forbid')])
        require('/proc/PID/mem' in told.out, told.out)
        target.finish()


@test('reach/gVisor')
def gvisor():
    """From outside by what its process is called, from inside by what its kernel calls itself."""
    targets.need_root()
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    named = ['bash', '-c', 'exec -a /usr/local/bin/runsc-sandbox "$0" "$@"']
    with targets.Truth(binary, '-maps', 10, wrapper=named) as target:
        told = targets.tool('doctor', target.pid).out
        require("gVisor's sandbox" in told and 'runsc exec' in told, told)
        target.finish()
    with tempfile.NamedTemporaryFile('w', prefix='mapscope-live-') as version, \
            targets.Truth(binary, '-maps', 10) as target:
        version.write('Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n')
        version.flush()
        inside = [targets.need_command('unshare'), '-m', 'sh', '-c',
                  f'mount --bind {version.name} /proc/version && exec "$0" "$@"']
        told = targets.tool('doctor', target.pid, wrapper=inside).out
        require('this is gVisor' in told, told)
        require('gVisor' not in targets.tool('doctor', target.pid).out, 'seen where it is not')
        target.finish()


@test('reach/by name')
def by_name():
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        program = shutil.copy(builds.go_program('truth', builds.NEWEST, 'stripped'),
                              os.path.join(folder, f'ms-{os.getpid()}'))
        with targets.Truth(program, '-maps', 100) as target:
            result = targets.tool('maps', '--name', os.path.basename(program), '--json', '--all')
            compare.require_listed(target, compare.require_sound(result.document()))
            target.finish()


@test('page/demo')
def demo_page():
    """The page about the demo names the order cache as growing and the offers as slack."""
    binary = builds.go_program(os.path.join(ROOT, 'examples', 'demo'), builds.NEWEST, 'stripped')
    with targets.Process([binary]) as demo:
        demo.line(targets.READY_TIMEOUT_S)
        document = targets.tool(demo.pid, '--seconds', PAGE_SECONDS, '--json').document()
        require(demo.alive(), 'the service died')
    verdicts = {}
    for finding in document['findings']:
        verdicts.setdefault(finding['verdict'], []).append(finding['map'])
    growing = verdicts.get('growing', []) + verdicts.get('suspect', [])
    require(any(m['entries'] > 1000 for m in growing), f'nothing grows: {list(verdicts)}')
    slack = verdicts.get('slack', [])
    require(any(m['entries'] == 50000 for m in slack),
            f'the emptied offers are not slack: {[m["entries"] for m in slack]}')


@test('page/documents keep to their schemas')
def schemas():
    checker = os.path.join(ROOT, 'tests', 'golden', 'schema_check.py')
    commands = {'census': ('maps', '--all'), 'heap': ('heap', '--all'),
                'doctor': ('doctor',), 'diagnosis': ('--seconds', 1)}
    for release in ('1.23.12', builds.NEWEST):
        binary = builds.go_program('truth', release, 'stripped')
        with targets.Truth(binary, '-maps', 500, '-growing', '-largest', 2000, '-churn',
                           1) as target:
            for name, words in commands.items():
                result = targets.tool(*words, target.pid, '--json')
                require(result.code == 0, f'{name}: exit code {result.code}: {result.err}')
                schema = os.path.join(ROOT, 'docs', 'formats', name + '.schema.json')
                checked = subprocess.run([sys.executable, '-B', checker, '--closed', schema, '-'],
                                         input=result.out, capture_output=True, text=True)
                require(checked.returncode == 0, f'{name}: {checked.stdout}{checked.stderr}'[:600])


@test('page/doctor')
def doctor():
    for release in ('1.19.4', builds.NEWEST):
        binary = builds.go_program('truth', release, 'stripped')
        with targets.Truth(binary, '-maps', 10) as target:
            document = targets.tool('doctor', target.pid, '--json').document()
            require(document['target']['go_version'] == f'go{release}',
                    f'go_version is {document["target"]["go_version"]}')
            require(not [c for c in document['checks'] if c['state'] == 'no'],
                    f'something does not work: {document["checks"]}')
            require('probes' in [c['name'] for c in document['checks']], 'nothing of probes')
