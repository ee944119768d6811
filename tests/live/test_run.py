"""A command under observation: its output, its exit code, its budget, its children."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import builds
import targets
from harness import ROOT, Failure, require, test
from test_reach import NOBODY, PublicCopy, as_nobody

BUDGET_BROKEN, NOT_STARTED, PARTIAL = 10, 125, 5
PROGRAM = os.path.join(builds.PROGRAMS, 'budget')
SCHEMA_CHECK = os.path.join(ROOT, 'tests', 'golden', 'schema_check.py')


def test_binary():
    """A compiled Go test with debug information, as `go test -c` makes it."""
    go = builds.go_command(builds.NEWEST)

    def make(path):
        builds.build([go, 'test', '-c', '-buildvcs=false', '-o', path, '.'], PROGRAM,
                     builds.go_environment({}))

    return builds.once(f'budget-test-{builds.NEWEST}',
                       builds.source_hash(PROGRAM, [builds.NEWEST, 'test']), make)


def program(variant='normal'):
    return builds.go_program('budget', builds.NEWEST, variant)


def run_json(*words, budget=None, wrapper=()):
    """Run a command with the page as a document: the result, and the document from stderr."""
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        options = ['--json', '--all']
        if budget is not None:
            path = os.path.join(folder, 'budget')
            with open(path, 'w') as f:
                f.write(budget)
            options += ['--budget', path]
        result = targets.tool('run', *options, '--', *words, wrapper=wrapper)
    try:
        document = json.loads(result.err[result.err.index('{\n"schema"'):])
    except ValueError as bad:
        raise Failure(f'stderr is not a document: {bad}: {result.err[-300:]}')
    check = subprocess.run([sys.executable, '-B', SCHEMA_CHECK, '--closed',
                            os.path.join(ROOT, 'docs', 'formats', 'run.schema.json'), '-'],
                           input=json.dumps(document), capture_output=True, text=True)
    require(check.returncode == 0, f'not to its schema: {check.stdout[-300:]}')
    return result, document


def owner(document, ending):
    found = [o for o in document['owners'] if (o['owner'] or '').endswith(ending)]
    require(len(found) == 1, f'{len(found)} owners end in {ending}')
    return found[0]


@test('run/a test within its budget, and over it')
def budget_of_a_test():
    binary = test_binary()
    result, document = run_json(binary, budget='budget\\.cache$ entries<=20000\n* bytes<=1GB\n')
    require(result.code == 0, f'exit code {result.code}: {document["budget"]}')
    require('PASS' in result.out, f'the output of the test is missing: {result.out}')
    require(owner(document, 'budget.cache')['entries'] == 20000, 'the peak is not what the test filled')
    require(document['budget']['broken'] == 0, 'a kept budget is called broken')
    result, document = run_json(binary, budget='budget\\.cache$ entries<=19999\nnobody maps<=0\n')
    require(result.code == BUDGET_BROKEN, f'exit code {result.code}')
    first, second = document['budget']['rules']
    require(first['broken'] and first['entries']['worst'] == 20000, f'the rule: {first}')
    require(first['entries']['owner'].endswith('budget.cache'), f'the owner: {first}')
    require(first['entries']['pid'] == document['processes'][0]['pid'], 'another process')
    require(not second['matched'] and not second['broken'], f'an unused rule: {second}')


@test('run/the last look is close to the end')
def last_look():
    _, document = run_json(program(), '-hold', '6s')
    process = document['processes'][0]
    require(process['censuses'] >= 3, f'{process["censuses"]} looks in six seconds')
    require(owner(document, 'main.cache')['entries'] == 50000, 'the cache was not seen whole')
    ended = process['gone_s'] or document['ran_s']
    require(ended - process['last_s'] < document['ran_s'] / 4, f'the last look was {ended - process["last_s"]} s early')


@test('run/children of go run')
def children():
    go = builds.go_command(builds.NEWEST)
    env = ['env'] + [f'{k}={v}' for k, v in builds.go_environment({}).items()
                     if k.startswith('GO') or k == 'CGO_ENABLED']
    _, document = run_json(go, 'run', '-C', PROGRAM, '-buildvcs=false', '.', '-hold', '5s',
                           wrapper=env)
    require(document['exit_code'] == 0, f'go run ended with {document["exit_code"]}')
    read = [p for p in document['processes'] if os.path.basename(p['exe']) == 'budget']
    require(read and read[0]['censuses'] > 0, f'the program was not seen: {document["processes"]}')
    require(read[0]['maps'] >= 102, f'{read[0]["maps"]} maps of 102')
    require(document['processes_seen'] >= 2, 'go itself was not seen')


@test('run/exit codes and signals')
def codes():
    binary = program()
    result, document = run_json(binary, '-hold', '300ms', '-exit', '3', budget='* maps<=0\n')
    require(result.code == 3, f'the code of the command was lost: {result.code}')
    require(document['exit_code'] == 3, 'the document has another code')
    result, document = run_json(binary, '-hold', '300ms', '-kill')
    require(result.code == 128 + signal.SIGTERM, f'exit code {result.code}')
    require(document['exit_signal'] == signal.SIGTERM, 'the document has no signal')
    result = targets.tool('run', '--', os.path.join(PROGRAM, 'nothing'))
    require(result.code == NOT_STARTED, f'exit code {result.code}: {result.err}')
    for _ in range(5):  # It may end at any point of being opened.
        result, document = run_json(binary, '-entries', '0', '-sessions', '0', '-hold', '0s')
        require(result.code == 0, f'exit code {result.code}: {result.err[-200:]}')


class Run(targets.Process):
    """The tool running a command in a process group of its own, as a terminal would have it."""

    def __init__(self, *words):
        super().__init__([targets.TOOL, 'run', '--json', '--', *words], stderr=subprocess.PIPE,
                         start_new_session=True)

    def end(self):
        err = self.child.stderr.read().decode(errors='replace')
        return self.child.wait(targets.ANSWER_TIMEOUT_S), json.loads(err[err.index('{\n"schema"'):])


@test('run/Ctrl-C is the business of the command')
def interrupt():
    with Run(program(), '-hold', '30s', '-polite') as run:
        require(run.line().startswith('uid'), 'the output of the command is missing')
        time.sleep(3)  # It shows no sign of having seen enough.
        os.killpg(run.pid, signal.SIGINT)
        code, document = run.end()
        require(code == 7, f'exit code {code}')
        require(document['ran_s'] < 20 and not document['partial'], 'the page is cut short')
        require(document['processes'][0]['maps'] >= 102, 'what was seen is missing')


@test('run/SIGTERM ends the looking, not the command')
def terminate():
    with Run(program(), '-hold', '4s') as run:
        require(run.line().startswith('uid'), 'the output of the command is missing')
        time.sleep(0.3)
        run.child.terminate()
        code, document = run.end()
        require(code == PARTIAL and document['partial'], f'exit code {code}')
        require(run.line().startswith('entries'), 'the command was ended too')


@test('run/without privileges, and as the user of sudo')
def users():
    with PublicCopy(program(), targets.TOOL) as (binary, tool):
        if os.geteuid() == 0:
            result = targets.tool('run', '--json', '--', binary, '-hold', '4s', copy=tool, wrapper=as_nobody())
            require(f'uid {NOBODY}' in result.out and as_nobody(), f'it ran as {result.out}')
            require('"entries":50000' in result.err, f'the cache was not seen: {result.err[-300:]}')
            result, document = run_json(binary, '-hold', '4s', wrapper=['env', f'SUDO_UID={NOBODY}',
                                                         f'SUDO_GID={NOBODY}'])
            require(f'uid {NOBODY}' in result.out, f'it ran as {result.out}')
        else:
            _, document = run_json(binary, '-hold', '4s')
        require(owner(document, 'main.cache')['entries'] == 50000, 'the cache was not seen')


@test('run/a share of one core')
def share():
    _, document = run_json(program(), '-entries', '400000', '-sessions', '100000', '-hold', '8s')
    require(document['own_cpu_s'] < 2.5 + 0.06 * document['ran_s'] + 0.5,
            f'{document["own_cpu_s"]} s of processor time in {document["ran_s"]} s')
    require(document['censuses'] >= 2, f'{document["censuses"]} looks in eight seconds')
