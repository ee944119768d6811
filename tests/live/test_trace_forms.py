"""Every form of one trace, read back by who reads it: all say the same of the same growths."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom

import builds
import targets
from harness import ROOT, Failure, Skip, add, require, test
from test_trace import Trace, ask, check_document, kinds_of, line_of, start

FILES = ('t.json', 't.csv', 't.txt', 't.maptrace', 't.chrome.json', 't.pb.gz', 't.folded', 't.svg')
PPROF_TIMEOUT_S = 120  # It builds itself when it is first asked.


def check_schema(path):
    checker = os.path.join(ROOT, 'tests', 'golden', 'schema_check.py')
    schema = os.path.join(ROOT, 'docs', 'formats', 'trace.schema.json')
    done = subprocess.run([sys.executable, '-B', checker, '--closed', schema, path],
                          capture_output=True, text=True)
    require(done.returncode == 0, done.stdout[-500:])


def check_chrome(path, document):
    checker = os.path.join(ROOT, 'tests', 'golden', 'chrome_check.py')
    with open(path, 'rb') as f:
        done = subprocess.run([sys.executable, '-B', checker], stdin=f, capture_output=True,
                              text=True)
    require(done.returncode == 0, done.stderr[-500:])
    with open(path, encoding='utf-8') as f:
        events = [e for e in json.load(f)['traceEvents'] if e['name'] == 'grow_start']
    require(len(events) == len(document['events']), f'{len(events)} grow_start events')
    for e, row in zip(events, document['events']):
        args = e['args']
        require((args['map'], args.get('old_bytes'), args.get('new_bytes')) ==
                (row['map'], row['from_bytes'], row['to_bytes']), f'{args} is not {row}')
        require(abs(e['ts'] - row['time_s'] * 1e6) < 1, f'{e["ts"]} us is not {row["time_s"]} s')
        require(args['stack'][0].startswith(row['stack'][0]['function']), args['stack'][0])


def check_maptrace(path, document):
    """The lines, computed again from the document."""
    with open(path, encoding='utf-8') as f:
        lines = [line for line in f.read().splitlines() if ' bucket migration: ' not in line]
    require(len(lines) == len(document['events']), f'{len(lines)} lines')
    for line, e in zip(lines, document['events']):
        loads = re.search(r'\(load factor: (.*)/8 → (.*)/8\)$', line)
        require(line.startswith(f'map[{e["map"]}] ') and loads, line)
        after = e['capacity'] - e['from'] + e['to']
        want = f'{e["entries"] * 8 / e["capacity"]:.1f}', f'{(e["entries"] + 1) * 8 / after:.1f}'
        require(loads.groups() == want, f'{line} is not {want}')
        if e['map_kind'] == 'classic':
            require(f'grows from {e["from"] // 8} to {e["to"] // 8} buckets' in line, line)


def check_folded(path, document):
    counted = 0
    with open(path, encoding='utf-8') as f:
        for line in f:
            stack, _, count = line.rstrip('\n').rpartition(' ')
            require(stack.startswith('main.main;'), line)
            require(stack.endswith(';main.fillMaps;main.fill;main.put'), line)
            counted += int(count)
    require(counted == document['counted'], f'{counted} growths in folded stacks')


def check_csv(path, document):
    with open(path, newline='', encoding='utf-8') as f:
        rows = list(csv.DictReader(f))
    require([r['map'] for r in rows] == [e['map'] for e in document['events']], 'rows of the table')
    require(all(int(r['line']) == line_of('put') for r in rows), 'lines in the table')


def check_pprof(path, document):
    go = shutil.which('go')
    if not go:
        raise Skip('there is no go for go tool pprof')
    done = subprocess.run([go, 'tool', 'pprof', '-raw', path], capture_output=True, text=True,
                          timeout=PPROF_TIMEOUT_S)
    require(done.returncode == 0, done.stderr[-500:])
    samples = re.findall(r'^ +(\d+) +(\d+): [\d ]+$', done.stdout, re.M)
    require(sum(int(s[0]) for s in samples) == document['counted'], 'growths in the profile')
    allocated = sum(s['to_bytes'] for s in document['sums'])
    require(sum(int(s[1]) for s in samples) == allocated, 'bytes in the profile')
    require('growths/count[dflt] allocated/bytes' in done.stdout, done.stdout[:500])
    require(re.search(rf' main\.put \S+/main\.go:{line_of("put")}', done.stdout),
            done.stdout[-800:])


def all_forms(release):
    maps, entries = 40, 300
    with tempfile.TemporaryDirectory() as folder, start(release) as process:
        files = [os.path.join(folder, name) for name in FILES]
        options = [word for name in files for word in ('-o', name)]
        with Trace(process.pid, '--format', 'json', *options) as trace:
            ask(process, f'fill {maps} {entries}')
            printed = trace.end()
        with open(files[0], encoding='utf-8') as f:
            document = check_document(json.load(f))
        require(document == printed, 'the file is not what was printed')
        require(document['counted'] == maps * len(kinds_of(release, entries)),
                f"{document['counted']} growths")
        check_schema(files[0])
        check_csv(files[1], document)
        with open(files[2], encoding='utf-8') as f:
            text = f.read()
        require(text.count('; main.put main.go:') == len(document['events']), text[:300])
        check_maptrace(files[3], document)
        check_chrome(files[4], document)
        check_folded(files[6], document)
        xml.dom.minidom.parse(files[7])
        check_pprof(files[5], document)


for _release in builds.RELEASES:
    _tier = 'check' if _release in ('1.19.4', builds.NEWEST) else 'long'
    add(f'trace/every form go{_release}', _tier, all_forms, _release)


@test('trace/maptrace comes as it happens')
def maptrace():
    with start('1.19.4') as process:
        with Trace(process.pid, '--format', 'maptrace') as trace:
            ask(process, 'fill 1 53')
            lines = [trace.child.stdout.readline() for _ in range(3)]
            address = re.match(r'map\[0x[0-9a-f]+\] ', lines[0])
            if not address:
                raise Failure(lines[0])
            want = [f'{address[0]}grows from {n} to {2 * n} buckets (load factor: {a}/8 → {b}/8)\n'
                    for n, a, b in ((1, '8.0', '4.5'), (2, '6.5', '3.5'), (4, '6.5', '3.4'))]
            require(lines == want, f'{lines} are not {want}')
            trace.child.terminate()
            trace.wait()


@test('trace/a reader that goes away')
def reader_goes():
    with start('1.27.4') as process:
        command = [targets.TOOL, 'trace', str(process.pid), '--format', 'maptrace', '--seconds', '2']
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        require('tracing process' in child.stderr.readline(), 'the trace did not begin')
        child.stdout.close()
        ask(process, 'fill 5 100')
        code = child.wait(targets.TOOL_TIMEOUT_S)
        errors = child.stderr.read()
        child.stderr.close()
        require(code in (0, 5), f'exit code {code}: {errors}')
