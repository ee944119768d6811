"""The live screen, driven through tmux as a user would: it shows what the program does, keys do what
they say, and the terminal is given back on every way out.  The log and the documents beside it.
"""
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
from harness import Skip, require, test

SOON_S = 30


class Screen:
    """A command in a tmux of its own; what is on the screen is text."""

    def __init__(self, *command, width=80, height=24, term='xterm-256color'):
        if not shutil.which('tmux'):
            raise Skip('there is no tmux')
        self.folder = tempfile.mkdtemp(prefix='mapscope-top-')
        self.base = ['tmux', '-S', os.path.join(self.folder, 'socket'), '-f', '/dev/null']
        words = ' '.join(f"'{w}'" for w in command)
        # The shell behind it takes it up again when it was stopped, and says how it ended, and that the
        # terminal is as it was.
        self.do('new-session', '-d', '-x', str(width), '-y', str(height),
                f'set -m; TERM={term} {words}; code=$?; [ $code = 148 ] && {{ echo stopped; fg; code=$?; }}; '
                f'echo "code $code"; stty -a | grep -o -w -e "-\\?icanon" -e "-\\?echo"; cat')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.base, 'kill-server'], check=False, capture_output=True)
        shutil.rmtree(self.folder)

    def do(self, *words):
        subprocess.run([*self.base, *words], check=True, env=dict(os.environ, LC_ALL='C.UTF-8'))

    def keys(self, *keys):
        self.do('send-keys', *keys)

    def text(self):
        return subprocess.run([*self.base, 'capture-pane', '-p'], check=True, capture_output=True,
                              text=True).stdout

    def press_until(self, key, pattern, what):
        """Of a key that may be pressed twice: one that comes while the tool is stopped is nobody's."""
        return self.wait(pattern, what, key)

    def wait(self, pattern, what, key=None):
        end = time.monotonic() + SOON_S
        while time.monotonic() < end:
            if key:
                self.keys(key)
            text = self.text()
            if re.search(pattern, text, re.M):
                return text
            time.sleep(0.05)
        raise AssertionError(f'{what}: no {pattern!r} on\n{text}')

    def wait_ended(self, code):
        text = self.wait(r'^code \d+', 'the tool does not end')
        require(f'code {code}' in text, f'not {code}: {text}')
        text = self.wait(r'echo', 'stty says nothing')
        require('-icanon' not in text and '-echo' not in text, f'the terminal is not as it was:\n{text}')
        return text


def first_row(text):
    return text.splitlines()[4]


def screen_of(release):
    binary = builds.go_program('truth', release, 'normal')
    with targets.Truth(binary, '-maps', 300, '-growing', '-churn', 1) as target:
        with Screen(targets.TOOL, 'top', str(target.pid), '--every', '0.5s') as screen:
            text = screen.wait(r'^by growth', 'the first look')
            lines = text.splitlines()
            require(re.search(r'\(%d\): RSS .* maps' % target.pid, lines[0]), lines[0])
            require('entries' in lines[3] and '+/s' in lines[3], lines[3])
            screen.wait(r'^ +[\d,]+ +\+\d', 'a map that grows')
            screen.keys('b')
            screen.wait(r'^by bytes', 'sorted by bytes')
            screen.keys('>')
            screen.wait(r'^by slack', 'the next sort')
            screen.keys('g')
            screen.wait(r'^by growth', 'sorted by growth')
            screen.keys('/')
            screen.keys('-l', 'GlobalConfig')
            screen.wait(r'^filter .*GlobalConfig_', 'the filter is shown while it is typed')
            screen.keys('Enter')
            text = screen.wait(r'only GlobalConfig', 'the filter')
            require('main.GlobalConfig' in first_row(text) and not text.splitlines()[5].strip(), text)
            screen.keys('Enter')
            text = screen.wait(r'^map\[string\]string \(len=37', 'the map is opened')
            screen.keys('q')
            screen.wait(r'only GlobalConfig', 'back')
            screen.keys('/')
            screen.keys('-l', '(')
            screen.keys('Enter')
            screen.wait(r'regular expression', 'a wrong filter is refused')
            screen.keys('/', 'C-h')  # What was typed before is there: nothing is lost.
            screen.keys('Escape')
            screen.keys('Space')
            screen.wait(r'^FROZEN', 'frozen')
            frozen = screen.text()
            screen.keys('Space')
            screen.wait(r'^by growth', 'goes on')
            require(frozen, 'nothing was shown')
            screen.keys('?')
            screen.wait(r'^Keys of mapscope top', 'the help')
            screen.keys('q')
            screen.do('resize-window', '-x', '130', '-y', '30')
            screen.wait(r'^ +entries .* type ', 'wide enough for types')
            screen.do('resize-window', '-x', '30', '-y', '6')
            screen.wait(r'too small', 'too small')
            screen.do('resize-window', '-x', '60', '-y', '12')
            screen.wait(r'^ +entries .*owner', 'large enough again')
            screen.keys('q')
            screen.wait_ended(0)
        target.finish()


def ends(how):
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    with targets.Truth(binary, '-maps', 50) as target:
        with Screen(targets.TOOL, 'top', str(target.pid), '--every', '0.5s') as screen:
            screen.wait(r'^by growth', 'the first look')
            tool = int(subprocess.run(['pgrep', '-f', f'^{re.escape(targets.TOOL)} top {target.pid}'], check=True,
                                      capture_output=True, text=True).stdout.split()[0])
            if how == 'the target exits':
                target.kill()
                screen.wait(r'^mapscope: ', 'the sentence')
                screen.wait_ended(4)
            elif how == 'suspended':
                os.kill(tool, signal.SIGTSTP)
                screen.press_until('b', r'^by bytes', 'it goes on')
                screen.keys('q')
                require('stopped' in screen.wait_ended(0), 'it was not stopped')
            else:
                os.kill(tool, how)
                screen.wait_ended(0 if how == signal.SIGTERM else 128 + how)


def add(how, name):
    @test(f'top/ends/{name}')
    def ended():
        ends(how)


for _release in ('1.23.12', builds.NEWEST):
    test(f'top/screen/{_release}')(lambda release=_release: screen_of(release))
add('the target exits', 'the target exits')
add('suspended', 'suspended')
add(signal.SIGTERM, 'SIGTERM')
add(signal.SIGSEGV, 'a crash of ours')


@test('top/poor terminals')
def poor_terminals():
    binary = builds.go_program('truth', builds.NEWEST, 'stripped')
    with targets.Truth(binary, '-maps', 50) as target:
        with Screen(targets.TOOL, 'top', str(target.pid), term='vt100') as screen:
            screen.wait(r'^by growth', 'no colours, and no second screen')
            screen.keys('q')
            screen.wait_ended(0)
        with Screen(targets.TOOL, 'top', str(target.pid), term='dumb') as screen:
            screen.wait(r'cannot show a screen; type mapscope', 'what to type')
            screen.wait_ended(1)
        refused = targets.tool('top', str(target.pid))
        require(refused.code == 1 and '--batch' in refused.err, refused.err)


@test('top/log')
def log():
    binary = builds.go_program('truth', '1.24.13', 'normal')
    with targets.Truth(binary, '-maps', 300, '-growing', '-churn', 1) as target:
        plain = targets.tool('top', str(target.pid), '--batch', '--count', '3', '--every', '0.5s', '--top', '4')
        require(plain.code == 0, plain.err)
        pages = plain.out.strip().split('\n\n')
        require(len(pages) == 3 and all(len(p.splitlines()) == 8 for p in pages), plain.out)
        out = targets.tool('top', str(target.pid), '--json', '--count', '3', '--every', '0.5s',
                           '--sort', 'entries', '--owner', 'GlobalConfig').out
        decoder, looks = json.JSONDecoder(), []
        while out.strip():
            document, end = decoder.raw_decode(out.lstrip())
            looks.append(document)
            out = out.lstrip()[end:]
        require([d['look'] for d in looks] == [1, 2, 3], looks)
        require(all(d['schema'] == 'mapscope.top/1' for d in looks), 'schema')
        require(all(len(d['rows']) == 1 and d['rows'][0]['entries'] == 37 for d in looks), looks)
        require(looks[0]['rows'][0]['entries_per_s'] is None and looks[2]['rows'][0]['entries_per_s'] == 0, looks)
        require(looks[2]['maps'] > 300 and looks[2]['gc'] and looks[2]['waiting_unknown'] is None, looks[2])
        target.finish()


@test('top/inspect again and again')
def inspect_again():
    binary = builds.go_program('truth', '1.23.12', 'normal')
    with targets.Truth(binary, '-maps', 100) as target:
        done = targets.tool('inspect', str(target.pid), 'main.GlobalConfig', '--every', '0.5s', '--count', '2')
        require(done.code == 0 and done.out.count('map[string]string (len=37') == 2, done.out)
        require(re.search(r'^[\d.]+ s later: \+0 entries$', done.out, re.M), done.out)
        target.finish()
