"""Targets that change under the look: they start processes or become others all day, or lie about themselves."""
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile

import builds
import compare
import targets
from harness import Skip, note, require, test

GONE, UNSUPPORTED, PARTIAL = 4, 3, 5
ENTRIES = 5000
LOOKS = 25
TIMEOUT_S = 20


def ledger(document):
    """The rows of main.ledger as the program fills it: nothing else there has a map of ints to strings."""
    return [m for m in document['maps'] if m['type'] == 'map[int]string']


@test(f'hostile/children all day/{builds.NEWEST}/normal')
def forks():
    with targets.Process([builds.go_program('children', builds.NEWEST), 'fork']) as program:
        program.line()
        for _ in range(LOOKS):
            maps = ledger(targets.census(program.pid, timeout=TIMEOUT_S))
            require(len(maps) == 1 and maps[0]['entries'] == ENTRIES, f'{maps}')
        require(program.alive(), 'it died')


@test(f'hostile/another program all day/{builds.NEWEST}/stripped')
def execs():
    """Each look has a census of one life, or says that this life is over: never a mixture."""
    codes = {}
    with targets.Process([builds.go_program('children', builds.NEWEST, 'stripped'), 'exec', 400]) as program:
        program.line()
        for _ in range(LOOKS):
            result = targets.tool('maps', program.pid, '--json', '--all', timeout=TIMEOUT_S)
            codes[result.code] = codes.get(result.code, 0) + 1
            if result.code == 0:
                require(all(m['entries'] <= ENTRIES for m in ledger(result.document())), 'more entries than there are')
            else:
                said = result.err.strip()
                require(said and '\n' not in said and not result.out.strip().endswith('}') or result.code == PARTIAL,
                        f'{result.code}: {said!r}')
                require(result.code in (GONE, UNSUPPORTED, PARTIAL), f'{result.code}: {said}')
    note(f'exit codes of {LOOKS} looks at a process that execs every 30 ms: {dict(sorted(codes.items()))}')
    require(codes.get(GONE), 'no look met an exec')


# --- What it says of itself is forged. ---

def module_data(binary):
    """Where runtime.firstmoduledata is, and how long."""
    found = subprocess.run(['nm', '-S', binary], capture_output=True, text=True)
    line = next((x for x in found.stdout.splitlines() if x.endswith(' runtime.firstmoduledata')), None)
    if not line:
        raise Skip('nm does not say where the module data is')
    return int(line.split()[0], 16), int(line.split()[1], 16)


@test(f'hostile/forged module data/{builds.NEWEST}/normal')
def forged():
    """Each word of the module data in turn is a lie: the tool ends in time, with a page or with one sentence."""
    binary = builds.go_program('truth', builds.NEWEST)
    address, size = module_data(binary)
    lies = (0, 1, 1 << 63, (1 << 64) - 8, 0x7fffffffe000, 0xc000000000)
    numbers = random.Random(1)
    codes = {}
    with targets.Truth(binary, '-maps', 500) as target:
        os.kill(target.pid, signal.SIGSTOP)  # It must not stumble over it itself.
        with open(f'/proc/{target.pid}/mem', 'r+b', buffering=0) as memory:
            for at in range(address, address + min(size, 640), 8):
                memory.seek(at)
                was = memory.read(8)
                lie = numbers.choice((*lies, struct.unpack('<Q', was)[0] + 4096 & (1 << 64) - 1))
                memory.seek(at)
                memory.write(struct.pack('<Q', lie))
                result = targets.tool('maps', target.pid, '--json', '--all', timeout=TIMEOUT_S)
                codes[result.code] = codes.get(result.code, 0) + 1
                require(result.code in (0, UNSUPPORTED, PARTIAL), f'word {at - address} is {lie:#x}: {result.err}')
                if result.code == 0:
                    compare.require_listed(target, compare.require_sound(result.document()))
                else:
                    require(result.err.strip() and '\n' not in result.err.strip(), result.err)
                memory.seek(at)
                memory.write(was)
        target.kill()
    note(f'exit codes of {sum(codes.values())} looks with a forged word: {dict(sorted(codes.items()))}')


def say_release(path, release):
    """Change what the linker's build info says, in as many bytes."""
    with open(path, 'r+b') as f:
        data = f.read()
        at = data.index(b'\xff Go buildinf:') + 32
        require(data[at] == len(release), f'{data[at]} bytes are not {release}')
        f.seek(at + 1)
        f.write(release.encode())


@test('hostile/another release than it says/1.24.13/normal')
def other_release():
    """A process that does not look like its release's row is read by its own DWARF, or refused."""
    for variant in ('normal', 'stripped'):
        with tempfile.TemporaryDirectory(prefix='mapscope-release-') as folder:
            binary = shutil.copy(builds.go_program('truth', '1.24.13', variant), folder)
            say_release(binary, 'go1.23.11')
            with targets.Truth(binary, '-maps', 500) as target:
                result = targets.tool('maps', target.pid, '--json', '--all')
                if variant == 'stripped':
                    require(result.code == UNSUPPORTED and 'does not look like it' in result.err, result.err)
                    continue
                document = result.document()
                compare.require_listed(target, compare.require_sound(document))
                require(document['target']['layout_source'] == 'dwarf' and not document['target']['proved'],
                        f'{document["target"]}')
