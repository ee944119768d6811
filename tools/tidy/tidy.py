#!/usr/bin/env python3
"""The house rules of docs/STYLE.md that a machine can hold.

Fails on: an include or a call that tools/tidy/layers.txt does not allow, a banned function, a
goto, printing or reading the environment below cli/, a file nothing refers to, a file name used
twice in src/, a path of one machine, a note that work is unfinished.  Prints, without failing:
long functions, files and lines, and files without an opening comment.

Usage: tidy.py [BUILD_DIR]     with a build directory, calls between layers are checked as well.
Words that must never reach the tree can be listed in .git/info/tidy-words, one a line.
"""
import collections
import fnmatch
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BANNED = ('strcpy', 'strcat', 'sprintf', 'vsprintf', 'gets', 'system', 'alloca', 'atoi', 'atol',
          'strtok')
BELOW_CLI = ('printf', 'vprintf', 'puts', 'putchar', 'perror', 'exit', 'abort', 'getenv',
             'setenv')
# Folders of programs: they print, exit and read the environment.
PROGRAMS = ('src/cli/', 'src/hmap_tools/')
# A map that two threads write ends its program, as Go's does.
ALLOWED_BELOW = {('src/hmap/misuse.c', 'abort')}
FUNCTION_LINES, FILE_LINES, HEADER_LINES, TEST_LINES, COLUMNS = 70, 800, 300, 1000, 100
# A home directory, the superuser's, a scratch directory with a name, a top-level work directory.
MACHINE_PATH = re.compile(r'(?<![\w.$}*"/-])/(?:root|home/[a-z]\w*|tmp/[a-z][\w.-]*|work)/')
# Files that a tool looks for by name, and files that are listed by their folder.
KNOWN = ('.*', '*.md', 'LICENSE', 'Makefile', '*CMakeLists.txt', 'CMakePresets.json', 'cmake/*',
         '.ci/run', 'src/*/*.c', 'tests/unit/*_test.c', 'tests/fault/*_test.c',
         'tests/support/*.c', 'tests/golden/*', 'tests/fuzz/corpus/*', 'tests/fuzz/*/*',
         'tests/programs/*', 'examples/*', 'tools/hooks/*', '*.go', '*.mod', '*.sum', '*/testdata/*')


def tracked():
    """Files of the tree, those not committed yet included; without git, all but builds."""
    git = subprocess.run(['git', '-c', f'safe.directory={ROOT}', 'ls-files', '-z', '--cached',
                          '--others', '--exclude-standard'], cwd=ROOT, capture_output=True)
    if git.returncode == 0:
        names = {n for n in git.stdout.decode().split('\0') if n}
    else:
        names = {os.path.relpath(os.path.join(folder, f), ROOT)
                 for folder, _, files in os.walk(ROOT) for f in files}
        names = {n for n in names if not n.startswith(('build', '.git/'))}
    return [n for n in sorted(names) if os.path.isfile(os.path.join(ROOT, n))]


def read(name):
    with open(os.path.join(ROOT, name), 'rb') as f:
        raw = f.read()
    return None if b'\0' in raw else raw.decode('utf-8', 'replace')


def bare(text):
    """C without comments and the contents of strings, line for line."""
    def keep_lines(m):
        return m.group(0)[0] + '\n' * m.group(0).count('\n') + m.group(0)[0] \
            if m.group(0)[0] in '"\'' else ' ' + '\n' * m.group(0).count('\n')
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', keep_lines,
                  text, flags=re.S)


class Tidy:
    """The checks over a tree: a dict from name to text, None for a binary file."""

    def __init__(self, files, words=()):
        self.problems, self.notes = [], []
        self.files, self.words = files, words
        self.layers, self.libraries = {}, {}
        for line in self.files['tools/tidy/layers.txt'].splitlines():
            if line.strip() and not line.startswith('#'):
                layer, _, rest = line.partition(':')
                words = rest.split()
                self.layers[layer] = {w for w in words if w[0] != '<'} | {layer}
                self.libraries[layer] = {w[1:-1] for w in words if w[0] == '<'}

    def fail(self, name, line, text):
        self.problems.append(f'{name}:{line}: {text}')

    def note(self, name, line, text):
        self.notes.append(f'{name}:{line}: {text}')

    def c_files(self):
        return [(n, t) for n, t in self.files.items() if t is not None and n[-2:] in ('.c', '.h')]

    def check_all(self):
        self.check_includes()
        self.check_calls()
        self.check_words()
        self.check_files()
        self.check_shape()

    def check_includes(self):
        ours = set(self.layers)
        external = set().union(*self.libraries.values())
        for name, text in self.c_files():
            layer = name.split('/')[1] if name.startswith('src/') else None
            if layer and layer not in self.layers:
                self.fail(name, 1, f'src/{layer} is not in tools/tidy/layers.txt')
                continue
            for number, line in enumerate(text.splitlines(), 1):
                m = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
                if not m:
                    continue
                quote, path = m.groups()
                folder = path.split('/')[0]
                if quote == '<':
                    if layer and layer != 'cli' and path in external - self.libraries[layer]:
                        self.fail(name, number, f'{layer} may not use <{path}>')
                elif layer and (folder not in ours or folder not in self.layers[layer]):
                    self.fail(name, number, f'{layer} may not include "{path}"')
                elif layer and path.endswith('_internal.h') and folder != layer:
                    self.fail(name, number, f'"{path}" is for {folder} and its tests only')
                elif not layer and folder == 'cli' and not name.startswith('tests/'):
                    self.fail(name, number, 'nobody includes cli')

    def check_calls(self):
        for name, text in self.c_files():
            below = name.startswith('src/') and not name.startswith(PROGRAMS)
            for number, line in enumerate(bare(text).splitlines(), 1):
                for call in re.findall(r'(?<![\w.>])(\w+)\s*\(', line):
                    if call in BANNED:
                        self.fail(name, number, f'{call}() is banned')
                    elif below and call in BELOW_CLI and (name, call) not in ALLOWED_BELOW:
                        self.fail(name, number, f'{call}() belongs to cli/')
                if below and re.search(r'\b(stdout|stderr|environ)\b', line):
                    self.fail(name, number, 'only cli/ knows the terminal and the environment')
                if re.search(r'\bgoto\b', line):
                    self.fail(name, number, 'goto: use scope-exit cleanup (base/cleanup.h)')

    def check_words(self):
        forbidden = re.compile('|'.join(rf'\b{re.escape(w)}\b' for w in self.words), re.I) \
            if self.words else None
        for name, text in self.files.items():
            if text is None:
                continue
            for number, line in enumerate(text.splitlines(), 1):
                if MACHINE_PATH.search(line):
                    self.fail(name, number, 'a path of one machine')
                if forbidden and (m := forbidden.search(line)):
                    self.fail(name, number, f'"{m.group(0)}" does not belong in the tree')
                if re.search(r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX)\b', line):
                    self.fail(name, number, 'unfinished work belongs in an issue')

    def check_files(self):
        """Every file is listed by its folder or named by another file."""
        stems = collections.defaultdict(list)
        everything = [(n, t) for n, t in self.files.items() if t is not None]
        for name in self.files:
            base = os.path.basename(name)
            if name.startswith('src/') and base != 'main.c':
                stems[base].append(name)
            if name.startswith('tests/golden/cases/'):
                stem, ending = os.path.splitext(name)
                if ending not in ('.sh', '.stdout', '.stderr', '.exit'):
                    self.fail(name, 1, 'not a golden case')
                elif stem + '.sh' not in self.files:
                    self.fail(name, 1, 'a golden without its case')
            if name.endswith('.h'):
                pattern = re.compile(rf'#\s*include\s+["<](?:[\w./]*/)?{re.escape(base)}[">]')
                if not any(pattern.search(t) for n, t in everything if n != name):
                    self.fail(name, 1, 'no file includes it')
            elif not any(fnmatch.fnmatch(name, k) for k in KNOWN) and \
                    not self.is_named(name, everything):
                self.fail(name, 1, 'no other file refers to it')
        for base, names in stems.items():
            if len({os.path.dirname(n) for n in names}) > 1 and base.endswith('.c'):
                self.fail(names[1], 1, f'the name is taken by {names[0]}')

    @staticmethod
    def is_named(name, everything):
        base = os.path.basename(name)
        stem = os.path.splitext(base)[0]
        for other, text in everything:
            if other == name:
                continue
            if base in text:
                return True
            if os.path.basename(other) == 'CMakeLists.txt' or other.endswith('.cmake'):
                inside = os.path.relpath(name, os.path.dirname(other) or '.')
                globs = re.findall(r'[\w./*-]*\*[\w./*-]*', re.sub(r'\$\{\w+\}', '*', text))
                if any(fnmatch.fnmatch(inside, g) for g in globs) or \
                        re.search(rf'\b{re.escape(stem)}\b', text):
                    return True
        return False

    def check_shape(self):
        """Aims, not rules: printed, never failed."""
        for name, text in self.c_files():
            lines = text.splitlines()
            limit = HEADER_LINES if name.endswith('.h') else FILE_LINES
            if name.startswith('tests/'):
                limit = TEST_LINES
            if 'Generated' not in text[:600] and len(lines) > limit:
                self.note(name, 1, f'{len(lines)} lines')
            if not lines or not lines[0].startswith(('//', '/*')):
                self.note(name, 1, 'no opening comment')
            start = None
            for number, line in enumerate(lines, 1):
                if 'Generated' not in text[:600] and len(line.expandtabs(8)) > COLUMNS:
                    self.note(name, number, f'{len(line.expandtabs(8))} columns')
                if line.rstrip() != line:
                    self.fail(name, number, 'space at the end of the line')
                if line == '{':
                    start = number
                elif line == '}' and start:
                    if number - start - 1 > FUNCTION_LINES:
                        self.note(name, start, f'function of {number - start - 1} lines')
                    start = None

    def check_links(self, build):
        """What one layer's objects call is defined in a layer they may include."""
        defined, wanted = {}, {}
        for layer in self.layers:
            archive = os.path.join(build, f'libms_{layer}.a')
            if not os.path.exists(archive):
                continue
            out = subprocess.run(['nm', '--format=posix', archive], check=True,
                                 capture_output=True, text=True).stdout
            for line in out.splitlines():
                parts = line.split()
                if len(parts) < 2 or len(parts[1]) != 1:
                    continue
                if parts[1] == 'U':
                    wanted.setdefault((layer, parts[0]), None)
                elif parts[1].isupper() and parts[1] not in 'WV':
                    defined[parts[0]] = layer
        for layer, symbol in wanted:
            home = defined.get(symbol)
            if home and home not in self.layers[layer]:
                self.fail(f'src/{layer}', 1, f'calls {symbol}(), which is in src/{home}')


def local_words():
    local = os.path.join(ROOT, '.git/info/tidy-words')
    if not os.path.exists(local):
        return []
    with open(local, encoding='utf-8') as f:
        return [w.strip() for w in f if w.strip()]


def main():
    tidy = Tidy({n: read(n) for n in tracked()}, local_words())
    tidy.check_all()
    if len(sys.argv) > 1:
        tidy.check_links(sys.argv[1])
    for note in tidy.notes:
        print('note:', note)
    for problem in tidy.problems:
        print(problem)
    print(f'{len(tidy.files)} files, {len(tidy.notes)} notes, {len(tidy.problems)} problems')
    return 1 if tidy.problems else 0


if __name__ == '__main__':
    sys.exit(main())
