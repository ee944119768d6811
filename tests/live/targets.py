"""Processes to look into, and the tool that does."""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from harness import ROOT, Failure, Skip, require

TOOL = os.path.abspath(os.environ.get('MAPSCOPE') or os.path.join(ROOT, 'build', 'mapscope'))
READY_TIMEOUT_S = 180
ANSWER_TIMEOUT_S = 60
TOOL_TIMEOUT_S = 120


class Result:
    """What a run of the tool left behind."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def document(self, code=0):
        require(self.code == code, f'exit code {self.code}, not {code}: {self.err.strip()[-400:]}')
        try:
            return json.loads(self.out)
        except ValueError as bad:
            raise Failure(f'the output is not JSON: {bad}')


def tool(*args, wrapper=(), copy=None, timeout=TOOL_TIMEOUT_S):
    """Run the tool, or a copy of it, to its end."""
    command = [*wrapper, copy or TOOL, *map(str, args)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors='replace', timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failure(f'{" ".join(map(str, args))} did not end within {timeout} s')
    require(done.returncode not in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, 70),
            f'{" ".join(map(str, args))} crashed with {done.returncode}: {done.stderr[-400:]}')
    return Result(done.returncode, done.stdout, done.stderr)


def census(pid, **options):
    """Every map of a process: the document, checked for what is true of each."""
    return tool('maps', pid, '--json', '--all', **options).document()


def taken_until(take, is_so, problem, timeout=ANSWER_TIMEOUT_S):
    """The first that take() gives of which is_so is true; problem(last) says what was wrong of it in the end."""
    until = time.monotonic() + timeout
    while True:
        taken = take()
        if is_so(taken):
            return taken
        require(time.monotonic() < until, problem(taken))


def resident_kb(pid):
    """What a process has in memory now."""
    with open(f'/proc/{pid}/status') as f:
        return int(next(line.split()[1] for line in f if line.startswith('VmRSS:')))


class Process:
    """A child with pipes that is ended with the block it was started in."""

    def __init__(self, command, **options):
        options.setdefault('stderr', subprocess.DEVNULL)
        try:
            self.child = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, bufsize=0, **options)
        except OSError as refused:
            raise Failure(f'{command[0]}: {refused.strerror}')
        self.pid = self.child.pid
        self.pending = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.child.stdin.close()
        self.child.stdout.close()

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()

    def line(self, timeout=ANSWER_TIMEOUT_S):
        """The next line it prints; a failure when it prints none in time or ends."""
        while b'\n' not in self.pending:
            if not select.select([self.child.stdout], [], [], timeout)[0]:
                raise Failure(f'no answer within {timeout} s')
            data = os.read(self.child.stdout.fileno(), 1 << 16)
            if not data:
                raise Failure(f'the process ended with {self.child.wait()}')
            self.pending += data
        line, self.pending = self.pending.split(b'\n', 1)
        return line.decode(errors='replace')

    def send(self, text):
        self.child.stdin.write(text.encode() + b'\n')

    def alive(self):
        return self.child.poll() is None


class Truth(Process):
    """A truth program: what it says about its maps, and a way to ask it more."""

    def __init__(self, binary, *args, wrapper=(), owner=None, **options):
        self.folder = tempfile.mkdtemp(prefix='mapscope-live-')
        os.chmod(self.folder, 0o755)
        if owner is not None:
            os.chown(self.folder, owner, owner)
        self.truth_file = os.path.join(self.folder, 'truth')
        self.decoy_file = os.path.join(self.folder, 'decoys')
        command = [*wrapper, binary, *args, '-truth', self.truth_file, '-decoy-file',
                   self.decoy_file]
        super().__init__(command, **options)
        try:
            self.ready = json.loads(self.line(READY_TIMEOUT_S))
            with open(self.truth_file) as f:
                self.maps = [json.loads(line) for line in f]
            with open(self.decoy_file) as f:
                self.decoys = dict(line.rstrip('\n').split(' ', 1) for line in f)
            require(len(self.maps) == self.ready['maps'], 'the list of maps is cut short')
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *details):
        super().__exit__(*details)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, command):
        self.send(command)
        return json.loads(self.line())

    def require_intact(self):
        answer = self.ask('check')
        require(answer['intact'] == answer['maps'], f'a listed map changed: {answer}')

    def finish(self):
        """End it in order and hold it to its own account."""
        self.child.stdin.close()
        summary = json.loads(self.line())
        require(summary['intact'] == summary['maps'], f'a listed map changed: {summary}')
        require(summary['stack_moved'] == 0, f'a map on a stack moved: {summary}')
        require(self.child.wait(ANSWER_TIMEOUT_S) == 0, 'the program failed')


def need_command(name):
    path = shutil.which(name) or shutil.which(name, path='/usr/sbin:/sbin')
    if not path:
        raise Skip(f'{name} is not installed')
    return path


def need_root():
    if os.geteuid() != 0:
        raise Skip('needs root')
