"""Programs under test, built once per release, flags and source into build-live/."""
import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile

from harness import ROOT, Failure, Skip

CACHE = os.path.join(ROOT, 'build-live')
PROGRAMS = os.path.join(ROOT, 'tests', 'programs')
BUILD_TIMEOUT_S = 900

# The newest patch release of each minor release that was tried.
RELEASES = ('1.18.8', '1.19.4', '1.20.14', '1.21.13', '1.22.12', '1.23.12', '1.24.13', '1.25.14',
            '1.26.11', '1.27.4')
NEWEST = RELEASES[-1]
TOO_OLD = '1.16.15'

# Flags that every release knows: an empty GOFLAGS would let a user's own settings through.
ANY_FLAGS = '-mod=mod'

VARIANTS = {
    'normal': ([], {}),
    'stripped': (['-ldflags=-s -w'], {}),
    'pie': (['-buildmode=pie', '-ldflags=-s -w'], {}),
    'cgo': (['-tags=withcgo'], {'CGO_ENABLED': '1'}),
    'race': (['-race'], {'CGO_ENABLED': '1'}),
    'arm64': ([], {'GOARCH': 'arm64'}),
    'arm64-stripped': (['-ldflags=-s -w'], {'GOARCH': 'arm64'}),
}


@functools.lru_cache(maxsize=None)
def go_command(release):
    """The path of that release's go, fetched if need be."""
    script = os.path.join(ROOT, 'tools', 'go-toolchain.sh')
    found = subprocess.run([script, release], capture_output=True, text=True,
                           env=dict(os.environ, GOFLAGS=ANY_FLAGS))
    if found.returncode != 0:
        lines = found.stderr.strip().splitlines()
        raise Skip(f'no Go {release}: {lines[-1] if lines else "it cannot be had"}')
    return found.stdout.strip()


def go_environment(extra):
    env = dict(os.environ)
    # goindex=0: Go 1.19 mistakes a toolchain inside the module cache for a module and fails.
    env.update({'GOTOOLCHAIN': 'local', 'GODEBUG': 'goindex=0', 'GOFLAGS': ANY_FLAGS,
                'GOWORK': 'off', 'CGO_ENABLED': '0', 'GOEXPERIMENT': ''})
    env.update(extra)
    return env


def source_hash(folder, words):
    h = hashlib.sha256('\0'.join(words).encode())
    for base, _, files in sorted(os.walk(folder)):
        for name in sorted(files):
            h.update(name.encode())
            with open(os.path.join(base, name), 'rb') as f:
                h.update(f.read())
    return h.hexdigest()[:16]


def once(name, key, make):
    """The path CACHE/name-key, made by make(path) when it is not there."""
    os.makedirs(CACHE, exist_ok=True)
    final = os.path.join(CACHE, f'{name}-{key}')
    with open(final + '.lock', 'w') as lock:  # Two runs at a time must not build into each other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(final):
            scratch = tempfile.mkdtemp(dir=CACHE)
            try:
                made = os.path.join(scratch, name)
                make(made)
                os.chmod(made, 0o755)
                os.rename(made, final)
            finally:
                shutil.rmtree(scratch)
    return final


def build(command, folder, env):
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True,
                              timeout=BUILD_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Failure(f'{command[0]} took longer than {BUILD_TIMEOUT_S} s')
    if done.returncode != 0:
        tail = '\n'.join(done.stderr.strip().splitlines()[-8:])
        if 'unknown GOEXPERIMENT' in tail:
            raise Skip(tail)
        raise Failure(f'{" ".join(command)} failed\n{tail}')


def go_program(program, release, variant='normal', experiment=''):
    """A program of tests/programs (or another folder) built by one release."""
    folder = os.path.join(PROGRAMS, program)
    flags, extra = VARIANTS[variant]
    if extra.get('CGO_ENABLED') == '1' and not shutil.which('gcc'):
        raise Skip('there is no C compiler for cgo')
    go = go_command(release)
    # Release 1.16 does not know -buildvcs; the others must not look for a repository.
    vcs = [] if release == TOO_OLD else ['-buildvcs=false']

    def make(path):
        env = go_environment(dict(extra, GOEXPERIMENT=experiment))
        build([go, 'build', *vcs, *flags, '-o', path, '.'], folder, env)

    label = '-'.join(w for w in (os.path.basename(program), release, variant, experiment) if w)
    return once(label.replace(',', '+'), source_hash(folder, [release, variant, experiment, *flags]),
                make)


def c_program(name):
    folder = os.path.join(PROGRAMS, 'hostile')
    if not shutil.which('gcc'):
        raise Skip('there is no C compiler')

    def make(path):
        build(['gcc', '-std=gnu17', '-O2', '-o', path, os.path.join(folder, name + '.c')], folder,
              dict(os.environ))

    return once(name, source_hash(folder, ['gcc']), make)


def module_program(package, version, release):
    """A program from the module proxy, at one version, by one release."""
    go = go_command(release)

    def make(path):
        scratch = tempfile.mkdtemp(dir=CACHE)
        try:
            env = go_environment({'GOBIN': scratch})
            build([go, 'install', '-ldflags=-s -w', f'{package}@{version}'], CACHE, env)
            shutil.move(os.path.join(scratch, os.listdir(scratch)[0]), path)
        finally:
            shutil.rmtree(scratch)

    key = hashlib.sha256(f'{package} {version} {release}'.encode()).hexdigest()[:16]
    return once(package.split('/')[2], key, make)
