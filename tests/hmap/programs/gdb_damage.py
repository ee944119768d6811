"""For tests/hmap/gdb.sh, in a gdb that is attached to gdb_program and has hmap_gdb.py: overwrites
words of the registry, of maps, their types and tables, one at a time, and calls every command.  Each
must say something, soon, and without an error of Python's.  The seed is printed; DAMAGE_SEED sets it.
"""
import os
import random
import time

import gdb

ROUNDS = 500
SLOW = 10  # seconds


def says(command):
    """Why it is wrong; None: it is right."""
    began = time.monotonic()
    try:
        text = gdb.execute(command, to_string=True)
    except gdb.error as error:
        text = str(error)
    if 'Error occurred in Python' in text or not text.strip():
        return f'{command}: {text}'
    if time.monotonic() - began > SLOW:
        return f'{command}: took {time.monotonic() - began:.0f} s'
    return None


def places(process, rng):
    """(what, address, the map) of words to damage."""
    maps = process.maps()[0]
    registry = process.registries[0]
    while True:
        m = rng.choice(maps[:30])
        what, address, size = rng.choice([
            ('the registry', registry.address, 456), ('a map', m.address, 480),
            ('a type', m.field(HMAP_FIELD_TYPE) if not m.classic else m.address, 48),
            ('a classic map', m.classic or m.address, 240),
            ('tags', Record('hmap', m.address, 'little')['tags'], 64)])
        if address and (what != 'tags' or m.entries and not m.classic and m.name != 'in segments'):
            yield f'{what} {m.name}', address + rng.randrange(0, size, 4), m


def damage():
    seed = int(os.environ.get('DAMAGE_SEED', 0)) or random.randrange(1, 1 << 30)
    rng, inferior, wrong = random.Random(seed), gdb.selected_inferior(), []
    where = places(Process(), rng)
    for _ in range(ROUNDS):
        what, address, m = next(where)
        before = bytes(inferior.read_memory(address, 8))
        after = rng.choice([bytes(8), b'\xff' * 8, b'\xff' * 4 + before[4:], rng.randbytes(8),
                            before[:1] + rng.randbytes(1) + before[2:], b'\1' + bytes(7),
                            address.to_bytes(8, 'little'), m.address.to_bytes(8, 'little')])
        inferior.write_memory(address, after)
        found = [says(command) for command in (
            'hmap list', f'hmap show -keys {m.address:#x}', f'hmap chains {m.address:#x}')]
        inferior.write_memory(address, before)
        wrong += [f'{what} at {address:#x}, {before.hex()} -> {after.hex()}: {f}'
                  for f in found if f]
    print('\n'.join(wrong[:5]))
    print(f'seed {seed}: {ROUNDS} rounds, {len(wrong)} wrong')


damage()
