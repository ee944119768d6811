"""Keys and values that were planted in maps are in no output, in no disguise."""
import base64
import gzip
import os
import tempfile
import zlib

import builds
import targets
from harness import add, require, require_none

WORD = 'quokkasecretword'  # Sixteen bytes, as a whole array key.
NUMBER = 7316254980123456

FORMATS = ('txt', 'json', 'csv')
MORE_FORMATS = {'maps': ('msnap',)}


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
           if m['entries'] and (m['owner'] or '').startswith('main.')]
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


def nothing_is_shown(release, variant):
    binary = builds.go_program('planted', release, variant)
    with targets.Process([binary, WORD, str(NUMBER)]) as process, \
            tempfile.TemporaryDirectory() as folder:
        require(process.line() == 'ready', 'the program did not start')
        outputs = {}
        for verb in (['maps', '--all'], ['heap', '--all'], ['diagnose', '--seconds', '1']):
            files = [os.path.join(folder, f'{verb[0]}.{ending}')
                     for ending in FORMATS + MORE_FORMATS.get(verb[0], ())]
            words = [w for f in files for w in ('-o', f)]
            result = targets.tool(*verb, process.pid, *words)
            require(result.code == 0, result.err)
            outputs[f'{verb[0]} on the terminal'] = (result.out + result.err).encode()
            for f in files:
                with open(f, 'rb') as written:
                    outputs[os.path.basename(f)] = written.read()
        opened = open_maps(process.pid, folder)
        outputs.update(opened)
        doctor = targets.tool('doctor', process.pid)
        outputs['doctor'] = (doctor.out + doctor.err).encode()
    require(len(outputs) == 3 * (1 + len(FORMATS)) + 1 + 1 + len(opened), 'an output is missing')
    require(all(len(data) > 100 for data in outputs.values()), 'an output is empty')
    require_none([f'{what} is in {name}' for name, data in outputs.items()
                  for part in layers(data) for what, bytes_ in disguises()
                  if bytes_.lower() in part.lower()], 'planted things shown')


for _release in ('1.19.4', '1.24.13', builds.NEWEST):
    add(f'privacy/go{_release}', 'check', nothing_is_shown, _release, 'normal')
