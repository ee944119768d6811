"""arm64, by its core files: programs run under qemu, which writes the cores of its guests.

Method: a program that says which maps it owns is killed, and the census of its core has to be that list;
one that dies of concurrent use is held against the runtime's own message.  Such a core has neither the
pages of the program nor a list of files: where the program's file belongs is told by its headers.
"""
import os
import re
import signal
import subprocess
import tempfile

import builds
import compare
import cores
import targets
import test_truth
from harness import Skip, add, require, test

CHECKED = (('1.19.4', 'arm64'), ('1.24.13', 'arm64-stripped'), (builds.NEWEST, 'arm64-stripped'))
TIMEOUT_S = 180
GUEST_CORES = 'qemu_*.core'

exercised = set()  # (release, kind of maps, how it was built) that passed, for proved.txt.


def qemu():
    return targets.need_command('qemu-aarch64-static')


def environment():
    """Without the processor's AES: with it, the map that is to grow in its own size often never does."""
    return dict(os.environ, GOTRACEBACK='crash', GODEBUG='cpu.aes=off')


def core_is_truth(release, variant, experiment, kind):
    binary = builds.go_program('truth', release, variant, experiment)
    with tempfile.TemporaryDirectory(prefix='mapscope-arm64-') as folder:
        with targets.Truth(binary, '-maps', 3000, '-growing', '-decoys', 500, wrapper=[qemu()], cwd=folder,
                           preexec_fn=cores.allow_cores, env=environment()) as target:
            os.kill(target.pid, signal.SIGABRT)
            target.child.wait(TIMEOUT_S)
            core = cores.only_core(folder, GUEST_CORES)
            document = targets.tool('maps', core, '--exe', binary, '--json', '--all').document()
            by_address = compare.require_sound(document)
            compare.require_listed(target, by_address)
            compare.require_no_decoys(target, by_address, collected=False)
        t = document['target']
        require((t['arch'], t['go_version'], t['layout_source']) == ('arm64', f'go{release}', 'table'), t)
        require(t['stripped'] == variant.endswith('stripped'), t)
        stacks = targets.tool('goroutines', core, '--exe', binary, '--json').document()
        coverage = stacks['coverage']
        # What the runtime did by itself may have been met in the middle of a call.
        cut = [c for c in stacks['clusters'] if c['stack_cut'] and not c['system']]
        told = coverage['unwound'] + coverage['without_stack'] + coverage['cut']
        require(coverage['unwound'] > 0 and
                told == coverage['seen'] == sum(c['count'] for c in stacks['clusters']), coverage)
        require(not cut, f'stacks that end early: {cut[:3]}')
        refused = targets.tool('maps', core)
        require(refused.code == 3 and '--exe' in refused.err, refused.err)
        other = targets.tool('maps', core, '--exe', builds.go_program('crash', release, variant))
        require(other.code == 3 and 'another one' in other.err, other.err)
    exercised.add((f'go{release}', kind, variant))


ERRORS = {'writes': ('concurrent map writes', ('main.post', 'main.settle')),
          'read': ('concurrent map read and map write', ('main.look',)),
          'iterate': ('concurrent map iteration and map write', ('main.sum',))}


def crash_is_named(release, variant, how):
    binary = builds.go_program('crash', release, variant)
    with tempfile.TemporaryDirectory(prefix='mapscope-arm64-') as folder:
        said = subprocess.run([qemu(), binary, how], cwd=folder, preexec_fn=cores.allow_cores, text=True,
                              errors='replace', timeout=TIMEOUT_S, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment()).stderr
        if not re.search(r'^fatal error: .*concurrent map', said, re.M):
            raise Skip(f'it did not die of its map: {said[:200]}')
        page = targets.tool(cores.only_core(folder, GUEST_CORES), '--exe', binary, '--json').document()
    cores.require_named(page, said)
    require(page['map'] and page['map']['entries'] == 1000, f'the map: {page["map"]}')
    ours = [f['function'] for f in page['stack'] if f['function'].startswith('main.')]
    error, functions = ERRORS[how]
    require(page['error'] == error and ours and ours[0] in functions, f'{page["error"]}: {ours}')


for _release, _variant in CHECKED:
    add(f'arm64/truth/{_release}/{_variant}', 'check', core_is_truth, _release, _variant, '',
        test_truth.kind_of(_release))
for _release in builds.RELEASES:
    for _variant in ('arm64', 'arm64-stripped'):
        if (_release, _variant) not in CHECKED:
            add(f'arm64/truth/{_release}/{_variant}', 'long', core_is_truth, _release, _variant, '',
                test_truth.kind_of(_release))
for _release in test_truth.OTHER_PATCHES:
    add(f'arm64/truth/{_release}', 'long', core_is_truth, _release, 'arm64-stripped', '',
        test_truth.kind_of(_release))
for _release, _experiment, _kind in test_truth.EXPERIMENTS:
    add(f'arm64/truth/{_release}/{_experiment}', 'long', core_is_truth, _release, 'arm64', _experiment, _kind)
for _release in ('1.19.4', builds.NEWEST):
    for _how in ERRORS:
        test(f'arm64/{_how}/{_release}')(
            lambda release=_release, how=_how: crash_is_named(release, 'arm64-stripped', how))
