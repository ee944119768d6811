"""One map opened: what the tool says of a table is what the program reads in it itself."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import builds
import targets
from harness import Skip, add, note, require, require_none

CHECKED = ('1.19.4', '1.23.12', '1.24.13', builds.NEWEST)
CLASSIC_DAMAGE = ('count', 'header', 'tags', 'chain_cycle', 'overflow', 'overflow_count')
SWISS_DAMAGE = ('count', 'header', 'tags', 'tables', 'directory', 'table_counts')
MOVED_TAGS = (2, 3)  # runtime/map.go to Go 1.23: evacuatedX, evacuatedY.
MILLION_S = 10  # To inspect a map of a million entries, whatever else the machine does.


class Tables(targets.Process):
    """The program, with what it says of each of its maps by name."""

    def __init__(self, release, *args, variant='normal'):
        super().__init__([builds.go_program('tables', release, variant), *args])
        self.tables = {}
        for line in iter(lambda: json.loads(self.line(targets.READY_TIMEOUT_S)), None):
            if line.get('ready'):
                self.kind = line['kind']
                break
            self.tables[line['name']] = line

    def ask(self, command):
        self.send(command)
        return json.loads(self.line())


def document(pid, name, *options, code=0):
    return targets.tool('inspect', pid, name, '--json', *options).document(code)


def number(value):
    return int(value, 16) if isinstance(value, str) else value


def differences(truth, seen):
    """What the document says otherwise than the program."""
    table, growth = seen['table'], seen['growth']
    want = {
        'entries': (seen['map']['entries'], truth['len']),
        'units': (table['units'], truth['units']),
        'unit_bytes': (seen['layout']['unit_bytes'], truth['unit_bytes']),
        'address': (seen['map']['address'], truth['address']),
    }
    for word, value in truth['header'].items():
        want[f'header.{word}'] = (number(seen['header'][word]), value)
    if truth['units']:
        want['fills'] = (table['units_by_entries'], truth['fills'])
        want['chains'] = (table['units_by_chain'], truth['chains'])
        want['tags'] = (table['tags'], truth['tags'])
        want['deleted'] = (table['deleted_slots'], truth['deleted'])
    if truth['units'] and truth['kind'] == 'classic':
        want['overflow'] = (table['overflow_units'], truth['overflow'])
        want['from'] = (growth['from_units'] or 0, truth['old_units'])
        want['moved'] = (growth['moved_units'] or 0, truth['moved'])
        want['stage'] = (growth['stage'], 'same size' if truth['same_size'] else
                         'doubling' if truth['old_units'] else 'none')
    if truth['kind'] == 'swiss':
        want['tables'] = (len(seen['tables']), truth['tables'])
    wrong = [f'{k} {a!r}, not {b!r}' for k, (a, b) in want.items() if a != b]
    wrong += [f'{v["name"]} {v["state"]}: {v["detail"]}' for v in seen['invariants']
              if v['state'] != 'holds']
    if not seen['look']['settled']:
        wrong.append('it did not hold still')
    return wrong


def tables_are_truth(release, variant):
    with Tables(release, '-big', '100000', variant=variant) as target:
        problems = []
        for name, truth in target.tables.items():
            # Without symbols a variable has no name, and the address stands for it.
            word = name if variant == 'normal' else truth['address']
            for one in {word, truth['address']}:
                wrong = differences(truth, document(target.pid, one, '--check'))
                problems += [f'{one}: {w}' for w in wrong]
        require_none(problems, 'differences')
        if target.kind == 'classic':
            require(target.tables['main.half']['old_units'], 'nothing is half grown')
            require(target.tables['main.shrunk']['same_size'], 'nothing grows at its own size')
        require(target.tables['main.deleted']['deleted'], 'nothing was deleted')


def first_lines(release):
    with Tables(release) as target:
        truth = target.tables['main.orders']
        page = targets.tool('inspect', target.pid, 'main.orders').out
        want = (f'map[uint64]string (len=20000, buckets={truth["units"]}, '
                f'overflow={truth["overflow"]})' if target.kind == 'classic' else
                f'map[uint64]string (len=20000, groups={truth["units"]}, '
                f'tables={truth["tables"]}, directory={truth["header"]["dirLen"]})')
        require(page.splitlines()[0] == want, f'the first line is {page.splitlines()[0]}')
        require(page.splitlines()[1].startswith('owner: main.orders; at 0x'), 'no owner')


def padding_is_truth(release):
    """struct { uint32; byte; float64 } by uint8: 8 keys, 8 elems of 16, and 7 bytes between."""
    with Tables(release) as target:
        layout = document(target.pid, 'main.padded')['layout']
        truth = target.tables['main.padded']
        pieces = sum(f['size_bytes'] * f['count'] for f in layout['fields'])
        require(layout['padding_bytes'] == truth['unit_bytes'] - pieces, f'{layout}')
        if target.kind == 'swiss':
            require(layout['padding_bytes'] == 8 * 7, f'{layout["padding_bytes"]} of padding')
        units = truth['units'] + truth['overflow'] + truth['old_units']
        if not truth['old_units']:
            require(layout['table_padding_bytes'] == units * layout['padding_bytes'], f'{layout}')


def damage_is_named(release):
    with Tables(release) as target:
        kinds = CLASSIC_DAMAGE if target.kind == 'classic' else SWISS_DAMAGE
        cases = [(k, 'main.orders') for k in kinds] + [('count', 'main.small')]
        if target.kind == 'classic':
            cases.append(('frontier', 'main.half'))
        for kind, name in cases:
            require(target.ask(f'damage {kind} {name}')['damaged'], f'no {kind} of {name}')
            for word in (name, target.tables[name]['address']):
                seen = document(target.pid, word, '--check', code=7)
                broken = [v['name'] for v in seen['invariants'] if v['state'] == 'broken']
                require(kind in broken, f'{kind} of {word}: broken is {broken}')
                document(target.pid, word)  # Without --check it is told, and no failure.
            target.ask('repair')
            wrong = differences(target.tables[name], document(target.pid, name, '--check'))
            require_none(wrong, f'differences after {kind} was repaired')


def writes_break_nothing(release):
    """A map that is written to all the time: nothing of it is ever called broken."""
    with Tables(release) as target:
        target.ask('churn')
        settled = 0
        for _ in range(20):
            result = targets.tool('inspect', target.pid, 'main.churned', '--json', '--check')
            require(result.code in (0, 5), f'exit code {result.code}: {result.err}')
            seen = json.loads(result.out)
            settled += seen['look']['settled']
            broken = [v for v in seen['invariants'] if v['state'] == 'broken']
            require(not broken, f'broken: {broken}')
        note(f'{settled} of 20 looks at a map under constant writes held still')


def stopped_in_a_write(release):
    """Stopped wherever it was, maybe inside a write: that is no damage."""
    with Tables(release) as target:
        target.ask('churn')
        for _ in range(15):
            os.kill(target.pid, signal.SIGSTOP)
            try:
                result = targets.tool('inspect', target.pid, 'main.churned', '--json', '--check')
            finally:
                os.kill(target.pid, signal.SIGCONT)
            require(result.code in (0, 5), f'exit code {result.code}: {result.out}')
            time.sleep(0.01)


def unit_is_truth(release):
    """--bucket: its tags are those in memory; in a growth, where it comes from."""
    with Tables(release) as target:
        name = 'main.half' if target.kind == 'classic' else 'main.orders'
        seen = document(target.pid, name, '--bucket', 3)
        unit = seen['unit']
        with open(f'/proc/{target.pid}/mem', 'rb') as memory:
            memory.seek(int(unit['address'], 16))
            require(list(memory.read(8)) == unit['tags'], 'other tags')
            if target.kind == 'classic':
                memory.seek(int(unit['old']['address'], 16))
                old_tags = list(memory.read(8))
        if target.kind == 'classic':
            require(unit['old']['moved'] == (3 < seen['growth']['frontier']), f'{unit}')
            moved = [unit['old'][name] for name in ('moved_to_same', 'moved_to_twin')]
            require(moved == [old_tags.count(tag) for tag in MOVED_TAGS], f'{unit["old"]}, tags {old_tags}')
        require(document(target.pid, name, '--bucket', 10**9)['unit'] is None, 'a bucket too many')


def words_in(text):
    """The bytes of lines like "0xc000: 0x01 0x02", of gdb or dlv, words being little-endian."""
    out = bytearray()
    for line in text.splitlines():
        match = re.match(r'^\s*(0x[0-9a-f]+)(?: <.*>)?:\s+(.*)$', line)
        if not match:
            continue
        for word in match.group(2).split():
            digits = word[2:]
            out += int(digits, 16).to_bytes((len(digits) + 1) // 2, 'little')
    return bytes(out)


def memory_of(pid, seen):
    out = b''
    with open(f'/proc/{pid}/mem', 'rb') as memory:
        for view in seen['debugger']:
            memory.seek(int(view['address'], 16))
            out += memory.read(view['size_bytes'])
    return out


def gdb_shows_the_same(release):
    if not shutil.which('gdb'):
        raise Skip('there is no gdb')
    with Tables(release) as target:
        page = targets.tool('inspect', target.pid, 'main.orders', '--gdb').out
        command = page[page.index('  gdb -p'):].split('these are')[0]
        done = subprocess.run(['sh', '-c', command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=targets.TOOL_TIMEOUT_S)
        seen = document(target.pid, 'main.orders')
        require(words_in(done.stdout) == memory_of(target.pid, seen),
                f'gdb shows other bytes: {done.stdout[-800:]} {done.stderr[-400:]}')


def dlv_shows_the_same(release):
    if not shutil.which('dlv'):
        raise Skip('there is no dlv')
    with Tables(release) as target, tempfile.NamedTemporaryFile('w', suffix='.dlv') as script:
        page = targets.tool('inspect', target.pid, 'main.orders', '--dlv').out
        commands = [line for line in page.splitlines() if line.startswith('  examinemem')]
        script.write('\n'.join(commands) + '\nexit\n')
        script.flush()
        done = subprocess.run(['dlv', 'attach', str(target.pid), '--check-go-version=false',
                               '--allow-non-terminal-interactive', '--init', script.name],
                              input='n\n', capture_output=True, text=True,
                              timeout=targets.TOOL_TIMEOUT_S)
        if 'could not attach' in done.stderr:
            raise Skip(done.stderr.strip().splitlines()[0])
        seen = document(target.pid, 'main.orders')
        require(words_in(done.stdout) == memory_of(target.pid, seen),
                f'dlv shows other bytes: {done.stdout[-800:]} {done.stderr[-400:]}')


def keys_stay_unseen(release):
    """Nothing of a key is in any form, whatever is asked for."""
    with Tables(release) as target, tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, 'a.svg')
        for name in ('main.texts', 'main.orders'):
            page = targets.tool('inspect', target.pid, name, '--show-keys', '-o', picture).out
            text = page + json.dumps(document(target.pid, name, '--show-keys'))
            with open(picture) as f:
                text += f.read()
            require('customer/' not in text and 'order-' not in text, f'a key of {name} is shown')
        keys = document(target.pid, 'main.texts', '--show-keys')['keys']
        require(keys['sampled'] > 1000 and keys['measured_in'] == 'bytes', f'{keys}')
        require(keys['shortest'] >= 15 and keys['classes'], f'{keys}')
        again = document(target.pid, 'main.texts', '--show-keys')['keys']
        require(keys['hashes'] != again['hashes'], 'two runs have one salt')
        require(document(target.pid, 'main.texts')['keys'] is None, 'keys without being asked')


def words_name_maps(release):
    with Tables(release) as target:
        several = targets.tool('inspect', target.pid, 'main.shards[]')
        require(several.code == 1 and several.err.count('\n  0x') == 4, several.err)
        none = targets.tool('inspect', target.pid, 'main.nothing')
        require(none.code == 1 and f'mapscope maps {target.pid}' in none.err, none.err)
        wrong = targets.tool('inspect', target.pid, '0x1000', '--check')
        require(wrong.code == 1 and 'there is no map at 0x1000' in wrong.err, wrong.err)


def million_entries(release):
    with Tables(release, '-big', '1000000') as target:
        began = time.monotonic()
        seen = document(target.pid, 'main.big', '--check')
        took = time.monotonic() - began
        require(not differences(target.tables['main.big'], seen), 'it differs')
        require(took < MILLION_S, f'{took:.1f} s for a million entries')
        note(f'go{release}: a map of 1,000,000 entries inspected in {took:.2f} s, '
             f'{seen["cost"]["read_bytes"] / 1e6:.0f} MB read')


def register():
    for release in CHECKED:
        add(f'inspect/go{release}/tables', 'check', tables_are_truth, release, 'normal')
        add(f'inspect/go{release}/damage', 'check', damage_is_named, release)
    add(f'inspect/go{builds.NEWEST}/stripped', 'check', tables_are_truth, builds.NEWEST, 'stripped')
    for release in ('1.23.12', builds.NEWEST):
        add(f'inspect/go{release}/first line', 'check', first_lines, release)
        add(f'inspect/go{release}/padding', 'check', padding_is_truth, release)
        add(f'inspect/go{release}/one unit', 'check', unit_is_truth, release)
        add(f'inspect/go{release}/writes', 'check', writes_break_nothing, release)
        add(f'inspect/go{release}/stopped', 'check', stopped_in_a_write, release)
        add(f'inspect/go{release}/gdb', 'check', gdb_shows_the_same, release)
        add(f'inspect/go{release}/dlv', 'check', dlv_shows_the_same, release)
        add(f'inspect/go{release}/keys', 'check', keys_stay_unseen, release)
        add(f'inspect/go{release}/words', 'check', words_name_maps, release)
        add(f'inspect/go{release}/1,000,000 entries', 'check', million_entries, release)
    for release in builds.RELEASES:
        if release not in CHECKED:
            add(f'inspect/go{release}/tables', 'long', tables_are_truth, release, 'normal')
            add(f'inspect/go{release}/damage', 'long', damage_is_named, release)


register()
