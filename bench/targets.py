"""Programs to be measured, and the processes they become."""
import os
import re
import select
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
OUT = os.path.join(ROOT, 'build-bench')
BUILD_TIMEOUT_S = 900
READY_TIMEOUT_S = 300
ANSWER_TIMEOUT_S = 60
TARGET_CPU, TOOL_CPU = 0, (os.cpu_count() or 1) - 1

BIG_PACKAGES, BIG_FUNCTIONS = 9, 3200  # Some 100 MB.


class Unavailable(Exception):
    """Something this machine lacks: the row is left out, with the reason."""


def pin(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def go(release):
    done = subprocess.run([os.path.join(ROOT, 'tools', 'go-toolchain.sh'), release],
                          capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if done.returncode:
        raise Unavailable(f'go{release}: {done.stderr.strip()}')
    return done.stdout.strip()


def build(release, stripped=True, source=None, name='target'):
    """Build a program once, in build-bench/."""
    source = source or os.path.join(ROOT, 'bench', 'target')
    exe = os.path.join(OUT, f'{name}-{release}{"-stripped" if stripped else ""}')
    newest = max(os.path.getmtime(os.path.join(source, n)) for n in os.listdir(source))
    if os.path.exists(exe) and os.path.getmtime(exe) > newest:
        return exe
    os.makedirs(OUT, exist_ok=True)
    flags = ['-ldflags=-s -w'] if stripped else []
    env = dict(os.environ, GOTOOLCHAIN='local', GOFLAGS='', CGO_ENABLED='0', GO111MODULE='on',
               GODEBUG='goindex=0')  # Go 1.19 takes a toolchain in the module cache for a module.
    done = subprocess.run([go(release), 'build', '-trimpath', *flags, '-o', exe, '.'], cwd=source,
                          env=env, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if done.returncode:
        raise Unavailable(f'go{release} build: {done.stderr.strip()[-300:]}')
    return exe


BIG_FUNCTION = '''
type T{i} struct {{ a int; b string; c map[string]*T{i} }}

func (t *T{i}) F(m map[int]T{i}, n int) (s string) {{
	defer func() {{ recover() }}()
	for i, v := range m {{
		if v.a > n+{i} {{ s += fmt.Sprint("{i}", v.a, v.b, i); continue }}
		if w := t.c[v.b]; w != nil {{ s += strings.Repeat(w.b, n%{i}1) }}
		switch n % 7 {{
		case 1: m[n] = T{i}{{n, s, nil}}
		case 2: delete(m, n)
		case 3: s = strings.ToUpper(s) + strconv.Itoa(n+i)
		case 4: panic(fmt.Errorf("%s %d", s, n))
		case 5: t.c[s] = &v
		}}
	}}
	return s
}}
'''


def big_source():
    """A program of some 100 MB of code, types and line tables."""
    folder = os.path.join(OUT, 'big')
    if os.path.exists(os.path.join(folder, 'main.go')):
        return folder
    names = [f'p{i}' for i in range(BIG_PACKAGES)]
    for name in names:
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        with open(os.path.join(folder, name, 'code.go'), 'w') as f:
            f.write(f'package {name}\n\nimport ("fmt"; "strconv"; "strings")\n')
            f.writelines(BIG_FUNCTION.format(i=i) for i in range(1, BIG_FUNCTIONS + 1))
            f.write('\nvar All = []interface{}{\n')
            f.writelines(f'(*T{i}).F,\n' for i in range(1, BIG_FUNCTIONS + 1))
            f.write('}\n')
    with open(os.path.join(folder, 'go.mod'), 'w') as f:
        f.write('module big\n\ngo 1.18\n')
    with open(os.path.join(folder, 'main.go'), 'w') as f:
        f.write('package main\n\nimport (\n"bufio"\n"fmt"\n"os"\n')
        f.writelines(f'"big/{name}"\n' for name in names)
        f.write(')\n\nfunc main() {\n\tn := 0\n')
        f.writelines(f'\tn += len({name}.All)\n' for name in names)
        f.write('\tfmt.Println("ready", n)\n\tbufio.NewReader(os.Stdin).ReadByte()\n}\n')
    return folder


class Target:
    """A running program, pinned to its own core, ended with the block it was started in."""

    def __init__(self, exe, *args):
        self.exe = exe
        self.child = subprocess.Popen([exe, *map(str, args)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, bufsize=0, preexec_fn=pin(TARGET_CPU))
        self.pid = self.child.pid
        self.ready = self.line(READY_TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()

    def line(self, timeout=ANSWER_TIMEOUT_S):
        text = b''
        while not text.endswith(b'\n'):
            if not select.select([self.child.stdout], [], [], timeout)[0]:
                raise Unavailable(f'{os.path.basename(self.exe)} did not answer in {timeout} s')
            data = os.read(self.child.stdout.fileno(), 4096)
            if not data:
                raise Unavailable(f'{os.path.basename(self.exe)} ended: {self.child.wait()}')
            text += data
        return text.decode().strip()

    def ask(self, command):
        self.child.stdin.write(command.encode() + b'\n')
        return self.line()

    def gap_ms(self):
        """The largest time between two of its ticks since it was last asked."""
        return int(re.fullmatch(r'gap (\d+)', self.ask('gaps')).group(1)) / 1000
