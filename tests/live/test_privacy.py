"""Keys and values that were planted in maps are in no output, in no disguise."""
import base64
import gzip
import os
import re
import signal
import tempfile
import zlib

import builds
import cores
import targets
from harness import Skip, add, note, require, require_none

WORD = 'quokkasecretword'  # Sixteen bytes, as a whole array key.
NUMBER = 7316254980123456

# How each verb is run on the process; what the tool has beyond these is told by its own help.
VERBS = {
    'diagnose': ('--seconds', '1'),
    'maps': ('--all',),
    'heap': ('--all',),
    'goroutines': ('--seconds', '0.5', '--expand', '--all'),
    'trace': ('--seconds', '1', '--gctrace'),
    'top': ('--count', '2', '--every', '0.5s', '--expand', '--all'),
    'watch': ('--seconds', '1', '--every', '0.5s', '--ring', '1m'),
    'doctor': (),
}
BY_THEMSELVES = ('inspect', 'run', 'diff', 'help')
NO_FILES = ('top',)


def disguises():
    """The planted things as they might be written: raw, hex, base64, decimal."""
    word = WORD.encode()
    yield 'the word', word
    yield 'the word in hex', word.hex().encode()
    for shift in range(3):  # Base64 depends on where in the bytes it starts.
        code = base64.b64encode(b'x' * shift + word)
        yield 'the word in base64', code[4:-4]
    for value in (NUMBER, NUMBER + 4999):
        yield 'a number', str(value).encode()
        yield 'a number in hex', f'{value:x}'.encode()
        yield 'the bytes of a number', value.to_bytes(8, 'little')
        yield 'the bytes of a number in hex', value.to_bytes(8, 'little').hex().encode()


def layers(data):
    """The bytes, and what is packed inside of them."""
    yield data
    for start, unpack in ((b'\x1f\x8b', gzip.decompress), (b'\x78', zlib.decompress)):
        at = data.find(start)
        while at >= 0:
            try:
                yield unpack(data[at:])
            except (OSError, EOFError, zlib.error):
                pass
            at = data.find(start, at + 1)


def open_maps(pid, folder):
    """Each map of the program's own opened, with all that can be said of its keys."""
    outputs = {}
    picture = os.path.join(folder, 'map.svg')
    own = [m['address'] for m in targets.census(pid)['maps']
           if m['entries'] and (m['owner'] or '').startswith('main.') and m['owner'] != 'main.passing']
    require(own, 'the program has no map of its own')
    for address in own[:12]:
        for form in ('text', 'json'):
            result = targets.tool('inspect', pid, address, '--show-keys', '--bucket', 0,
                                  '--format', form, '-o', picture)
            require(result.code == 0, result.err)
            outputs[f'inspect {address} {form}'] = (result.out + result.err).encode()
        with open(picture, 'rb') as written:
            outputs[f'inspect {address} svg'] = written.read()
    return outputs


def verbs_of_the_tool():
    said = targets.tool('--help').out
    return re.findall(r'^  mapscope ([a-z]+) ', said[:said.index('Options:')], re.M)


def endings_of(verb):
    """What files of a verb end in, as its help says."""
    line = re.search(r'^Files end in (.*)$', targets.tool('help', verb).out, re.M).group(1)
    return re.split(r', | or ', line)


def written(verb, words, folder, name):
    """The verb with one file of each kind, and what it says beside: text by name of the output."""
    outputs = {}
    for ending in endings_of(verb):
        path = os.path.join(folder, name + ending)
        if verb in NO_FILES:
            result = targets.tool(verb, *words, '--format', 'json' if ending == '.json' else 'text')
        else:
            ring = [] if verb != 'watch' or ending == '.mring' else ['-o', os.path.join(folder, 'x.mring')]
            result = targets.tool(verb, *words, '-o', path, *ring)
        if ending == '.html' and result.code == 1 and 'npm' in result.err:
            note('this tool was built without its page for browsers')
            continue
        require(result.code == 0, f'{verb} {ending}: {result.code} {result.err}')
        outputs[f'{name}{ending}, said'] = (result.out + result.err).encode()
        if verb not in NO_FILES:
            with open(path, 'rb') as file:
                outputs[name + ending] = file.read()
    return outputs


def of_a_core(process, folder):
    """The same of its core, where the kernel leaves one."""
    cores.need_kernel_cores()
    os.kill(process.pid, signal.SIGABRT)
    process.child.wait(20)
    core = cores.only_core(folder)
    outputs = written('maps', (core, '--all'), folder, 'maps-of-core')
    page = targets.tool(core, '-o', os.path.join(folder, 'core.json'))
    require(page.code == 0, page.err)
    outputs['core, said'] = (page.out + page.err).encode()
    with open(os.path.join(folder, 'core.json'), 'rb') as file:
        outputs['core.json'] = file.read()
    return outputs


def of_run(binary, folder):
    """A script has the planted words, so that they are not of the command line that we typed."""
    script = os.path.join(folder, 'start')
    with open(script, 'w') as file:
        file.write(f'#!/bin/sh\nsleep 2 | exec {binary} {WORD} {NUMBER} >/dev/null\n')
    os.chmod(script, 0o755)
    outputs = {}
    for ending in endings_of('run'):
        path = os.path.join(folder, 'run' + ending)
        result = targets.tool('run', '-o', path, '--', script)
        require(result.code == 0, result.err)
        outputs[f'run{ending}, said'] = (result.out + result.err).encode()
        with open(path, 'rb') as file:
            outputs['run' + ending] = file.read()
    return outputs


def nothing_is_shown(release, variant):
    binary = builds.go_program('planted', release, variant)
    left_out = set(verbs_of_the_tool()) - set(VERBS) - set(BY_THEMSELVES)
    require(not left_out, f'verbs that nobody looks at here: {left_out}')
    with tempfile.TemporaryDirectory() as folder, \
            targets.Process([binary, WORD, str(NUMBER)], cwd=folder, preexec_fn=cores.allow_cores,
                            env=dict(os.environ, GOTRACEBACK='crash')) as process:
        require(process.line() == 'ready', 'the program did not start')
        outputs = {}
        for verb, words in VERBS.items():
            outputs.update(written(verb, (process.pid, *words), folder, verb))
        outputs.update(written('diff', (os.path.join(folder, 'maps.msnap'), process.pid), folder, 'diff'))
        outputs.update(open_maps(process.pid, folder))
        outputs.update(of_run(binary, folder))
        try:
            outputs.update(of_a_core(process, folder))
        except Skip as why:
            note(f'no core: {why}')
    empty = [name for name, data in outputs.items() if len(data) < 10 and not name.endswith('said')]
    require_none(empty, 'outputs are empty')
    require_none([f'{what} is in {name}' for name, data in outputs.items()
                  for part in layers(data) for what, bytes_ in disguises()
                  if bytes_.lower() in part.lower()], 'planted things shown')
    note(f'go{release}: {len(outputs)} outputs of {len(VERBS) + 3} verbs')


for _release in ('1.19.4', '1.24.13', builds.NEWEST):
    add(f'privacy/go{_release}', 'check' if _release == builds.NEWEST else 'long', nothing_is_shown, _release,
        'normal')
