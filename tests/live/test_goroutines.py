"""Goroutines in known states and numbers, held against what the program and its runtime say."""
import csv
import os
import re
import signal
import subprocess
import tempfile
import time

import builds
import targets
from harness import add, require, require_none

RELEASES = ('1.19.4', '1.23.12', '1.27.4')
VARIANTS = ('stripped', 'pie')
EACH = 25
MANY = 12500  # For each of eight ways: 100,000.
FEW = 4
OLDEST_S = 600
ROUNDS_MIN = 40

HEADER = re.compile(r'^goroutine (\d+) (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[([^\],]*(?:\(nil chan\)|'
                    r'\(no cases\)|\(idle\))?)[^\]]*\]:')
CREATOR = re.compile(r'^created by (\S+)(?: in goroutine (\d+))?')


class Program(targets.Process):
    """The program of tests/programs/goroutines: how many wait in which way."""

    def __init__(self, binary, *args):
        super().__init__([binary, *args])
        self.ways = []
        while True:
            line = self.line(targets.READY_TIMEOUT_S)
            if line == 'ready':
                return
            name, count = line.split('\t')
            self.ways.append((name, int(count)))

    def obey(self, word):
        self.send(word)
        require(self.line() == 'done', f'the program did not obey {word}')

    def dump(self):
        """By goroutine: its state, who made it, and in which goroutine, as the runtime prints."""
        self.send('dump')
        goroutines, current = {}, None
        while True:
            line = self.line()
            if line == '.':
                return goroutines
            header, creator = HEADER.match(line), CREATOR.match(line)
            if header:
                current = goroutines[int(header[1])] = [header[2], None, None]
            elif creator:
                current[1:] = creator[1], creator[2] and int(creator[2])


def look(pid, *args):
    return targets.tool('goroutines', pid, '--json', *args).document()


def start(release, variant, *args):
    return Program(builds.go_program('goroutines', release, variant), *args)


def state_of(row):
    return row['wait_reason'] if row['state'] == 'waiting' else row['state']


def check_ways(program, document):
    """As many of each way as the program made, in one cluster, all in one state."""
    problems = []
    for i, (name, count) in enumerate(program.ways):
        made = f'main.ways.func{i + 1}'
        rows = [r for r in document['goroutines'] if (r['created_by'] or {}).get('function') == made]
        clusters = {r['cluster'] for r in rows}
        states = {state_of(r) for r in rows}
        if len(rows) != count:
            problems.append(f'{name}: {len(rows)}, not {count}')
        if name != 'running' and (len(clusters) != 1 or len(states) != 1):
            problems.append(f'{name}: {len(clusters)} clusters, {sorted(states)}')
        for number in clusters if name != 'running' else ():
            cluster = document['clusters'][number]
            if cluster['count'] != count or cluster['created_by']['function'] != made:
                problems.append(f'{name}: a cluster of {cluster["count"]}, made by '
                                f'{cluster["created_by"]}')
    require_none(problems, 'ways that are seen otherwise')


def check_dump(document, truth):
    rows = {r['id']: r for r in document['goroutines'] if not r['system']}
    problems = []
    for number, (state, creator, parent) in truth.items():
        row = rows.get(number)
        if row is None:
            problems.append(f'goroutine {number} [{state}] is missing')
            continue
        made = row['created_by'] and row['created_by']['function']
        # To print, the runtime stops what runs.
        if number != 1 and state_of(row) != state and row['state'] != 'running':
            problems.append(f'goroutine {number}: {state_of(row)}, not {state}')
        if creator is not None and made != creator:  # None where it is the runtime's own.
            problems.append(f'goroutine {number}: made by {made}, not {creator}')
        if parent is not None and row['parent'] != parent:
            problems.append(f'goroutine {number}: in goroutine {row["parent"]}, not {parent}')
    missing = sorted(set(rows) - set(truth))
    if missing:
        problems.append(f'the runtime does not print goroutines {missing[:10]}')
    require(len(truth) > EACH, 'the runtime printed next to nothing')
    require_none(problems, 'goroutines that the runtime prints otherwise')


def look_at_one_that_runs(pid):
    """A look that found what never rests in no moment between two processors."""
    def running(document):
        return [r for r in document['goroutines'] if r['state'] == 'running']

    return targets.taken_until(
        lambda: look(pid, '--once'),
        lambda d: running(d) and all(r['p'] is not None for r in running(d)),
        lambda d: f'goroutines that run without a P: {running(d)}')


def check_threads(program, document):
    """What is in a system call, or runs, has a thread of the process."""
    tasks = set(map(int, os.listdir(f'/proc/{program.pid}/task')))
    rows = [r for r in document['goroutines'] if r['state'] in ('syscall', 'running')]
    require(len(rows) > FEW, f'{len(rows)} are in system calls or run')
    wrong = [f'goroutine {r["id"]} [{r["state"]}]: thread {r["thread"]}' for r in rows
             if r['thread'] not in tasks]
    require_none(wrong, 'threads that the process does not have')


def check_sums(document):
    rows, clusters, coverage = (document[k] for k in ('goroutines', 'clusters', 'coverage'))
    counts = [0] * len(clusters)
    for row in rows:
        counts[row['cluster']] += 1
    require(counts == [c['count'] for c in clusters], 'clusters do not add up to goroutines')
    require(coverage['seen'] == len(rows), 'not all that were seen are listed')
    require([r['id'] for r in rows] == sorted({r['id'] for r in rows}), 'rows are not by id')
    require(coverage['frame_pointer_differs'] == 0 and coverage['frame_pointer_agrees'] > 0,
            f'frame pointers differ: {coverage}')
    require(coverage['unwound'] + coverage['without_stack'] + coverage['cut'] >= len(rows),
            f'stacks do not add up: {coverage}')


def known_states(release, variant):
    with start(release, variant, EACH) as program:
        program.obey('final')
        program.obey('gc')
        program.obey('gc')  # A collection notes as the begin of a wait when the one before ended.
        document = look_at_one_that_runs(program.pid)
        check_sums(document)
        check_ways(program, document)
        check_threads(program, document)
        check_dump(document, program.dump())
        unknown = [r for r in document['goroutines'] if r['state'] == 'waiting' and
                   not r['system'] and r['waited_s'] is None and r['id'] != 1]
        require_none([f'goroutine {r["id"]} [{r["wait_reason"]}]' for r in unknown],
                     'waits that the collection noticed and we did not')
        require(all(r['waited_s'] is None or r['waited_s'] < OLDEST_S
                    for r in document['goroutines']), 'a wait is longer than the program lives')
        require(document['apart_s'] is None and not document['suspects'],
                'suspects from one look')


def look_while_more_start(program):
    """Two looks, and how often more were started between the begin of the tool and its end."""
    command = [targets.TOOL, 'goroutines', str(program.pid), '--seconds', '4', '--json']
    rounds = 0
    with tempfile.TemporaryFile('w+') as out:
        tool = subprocess.Popen(command, stdout=out)
        deadline = time.monotonic() + targets.TOOL_TIMEOUT_S
        while tool.poll() is None and time.monotonic() < deadline:
            program.obey('more')
            program.obey('churn')
            rounds += 1
        require(tool.wait() == 0, f'exit code {tool.returncode}')
        out.seek(0)
        return targets.Result(0, out.read(), '').document(), rounds


def suspects(release):
    """One go statement only starts goroutines while the tool looks, another starts and ends them."""
    with start(release, 'stripped', FEW, 3, 0) as program:
        for word in ('more', 'churn'):
            program.obey(word)
        until, rounds = time.monotonic() + targets.TOOL_TIMEOUT_S, 0
        while rounds < ROUNDS_MIN:  # Else the program had no processor.
            require(time.monotonic() < until, f'{rounds} rounds while the tool looked')
            document, rounds = look_while_more_start(program)
    found = {s['created_by']['function']: s for s in document['suspects']}
    require(set(found) == {'main.startMore'}, f'suspects are {sorted(found)}')
    suspect = found['main.startMore']
    require(suspect['after'] > suspect['before'] >= 10 and suspect['wait_reason'] == 'chan receive',
            f'{suspect}')
    marked = [c['created_by']['function'] for c in document['clusters'] if c['suspect']]
    require(marked == ['main.startMore'], f'marked are {marked}')
    has_proof = tuple(map(int, release.split('.')[:2])) >= (1, 26)
    require((document['leak_proof'] is not None) == has_proof, f'proof: {document["leak_proof"]}')


def files(release):
    """Each form of the same look."""
    with start(release, 'stripped', EACH, 12, 0) as program, \
            tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        paths = [os.path.join(folder, f'look.{e}') for e in ('txt', 'csv', 'folded', 'svg')]
        document = look(program.pid, '--once', *(w for p in paths for w in ('-o', p)))
        count = len(document['goroutines'])
        text, table, folded, svg = (open(p, newline='').read() for p in paths)
        rows = list(csv.DictReader(table.splitlines()))
        require(len(rows) == count, f'{len(rows)} rows in the table, not {count}')
        weights = [int(line.rsplit(' ', 1)[1]) for line in folded.splitlines()]
        require(sum(weights) == count, f'{sum(weights)} in the folded stacks, not {count}')
        require(svg.startswith('<') and 'main.receive' in svg, 'the picture lacks main.receive')
        require('main.receive main.go:' in text and text.rstrip().endswith('placed and removed'),
                f'the page is {text[-300:]}')
        stuck = targets.tool('goroutines', program.pid, '--once', '--stuck').out
        require('no goroutine is known to wait for over 5 minutes' in stuck, stuck[:400])
        one = targets.tool('goroutines', program.pid, '--once', '--expand', '--all').out
        require(one.count('\ngoroutine ') == count, 'not a goroutine each')


def ended(release):
    """The process ends, or the user does not want to wait: what the first look saw is shown.

    A process that ends before that look is gone.
    """
    with start(release, 'stripped', EACH, 12, 0) as program:
        command = [targets.TOOL, 'goroutines', str(program.pid), '--seconds', '600']
        for end, codes in ((lambda tool: tool.send_signal(signal.SIGINT), (5,)),
                           (lambda tool: program.kill(), (4, 5))):
            tool = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True)
            wait_for_handler(tool.pid)
            end(tool)
            out, err = tool.communicate(timeout=targets.TOOL_TIMEOUT_S)
            code = tool.returncode
            require(code in codes, f'exit code {code}, not one of {codes}: {err}')
            require((code == 4) == (not out) and (code == 4 or 'main.receive' in out),
                    f'the page is {out[:300]}')


def wait_for_handler(pid):
    """Until the tool takes SIGINT itself."""
    deadline = time.monotonic() + targets.ANSWER_TIMEOUT_S
    while time.monotonic() < deadline:
        with open(f'/proc/{pid}/status') as status:
            caught = re.search(r'^SigCgt:\s*(\w+)', status.read(), re.M)
        if caught and int(caught[1], 16) >> (signal.SIGINT - 1) & 1:
            return
        time.sleep(0.01)
    require(False, 'the tool takes no SIGINT')


def many(release):
    with start(release, 'stripped', MANY, 12, 1) as program:
        document = look(program.pid, '--once')
        check_sums(document)
        check_ways(program, document)


for _release in RELEASES:
    for _variant in VARIANTS:
        if _variant == 'stripped' or _release == RELEASES[-1]:
            add(f'goroutines states {_release} {_variant}', 'check', known_states, _release,
                _variant)
    add(f'goroutines suspects {_release}', 'check' if _release in ('1.19.4', '1.27.4') else 'long',
        suspects, _release)
    add(f'goroutines many {_release}', 'long', many, _release)
add('goroutines files', 'check', files, RELEASES[-1])
add('goroutines ended', 'check', ended, RELEASES[-1])
for _release in builds.RELEASES:
    if _release not in RELEASES:
        add(f'goroutines states {_release} stripped', 'long', known_states, _release, 'stripped')
