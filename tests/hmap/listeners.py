#!/usr/bin/env python3
"""Who listens to /debug/maptrace gets each line or is told how many were lost, and holds nobody up.

Usage: listeners.py PROGRAM FOLDER, with libhmap-debug in LD_LIBRARY_PATH.

The program's lines also go to a file, which has them all: those of its own and those of a child that
it forks, which nobody listens to.  One listener has room for all that comes, one reads only when all is
over, one goes away in the middle.  Lines and losses of each have to add up to the program's own.
"""
import os
import re
import socket
import subprocess
import sys
import time

LINE = re.compile(r'map\[0x[0-9a-f]+ orders\] (created with hint 0 \(no table yet\)|grows from .+ to '
                  r'.+ \(load factor: [0-9.]+/8 → [0-9.]+/8\)|has grown to .+|freed with 60 entries in .+)')
LOST = re.compile(r'\((\d+) lines? lost: they came faster than they were read\)')
DEADLINE_S = 60


def listen(path):
    s = socket.socket(socket.AF_UNIX)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(DEADLINE_S)
    s.connect(path)
    s.sendall(b'GET /debug/maptrace HTTP/1.0\r\nHost: localhost\r\n\r\n')
    data = b''
    while b'\r\n\r\n' not in data:
        data += s.recv(4096)
    return s, data.split(b'\r\n\r\n', 1)[1]


def read_until(s, data, total):
    """Lines and losses, once they add up to the total."""
    end = time.monotonic() + DEADLINE_S
    while True:
        whole = data[:data.rfind(b'\n') + 1].decode()
        lines = [line for line in whole.splitlines() if not LOST.fullmatch(line)]
        lost = sum(int(m.group(1)) for m in map(LOST.fullmatch, whole.splitlines()) if m)
        if len(lines) + lost >= total:
            return lines, lost
        assert time.monotonic() < end, f'{len(lines)} lines and {lost} lost of {total}'
        more = s.recv(1 << 16)
        assert more, f'the stream ended after {len(lines)} lines and {lost} lost of {total}'
        data += more


class Program:
    def __init__(self, program, folder):
        self.socket, self.file = os.path.join(folder, 'listen'), os.path.join(folder, 'listened')
        words = f'maptrace=2,file={self.file},http=unix:{self.socket}'
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, 'HMAP_DEBUG': words})
        assert self.process.stdout.readline() == 'ready\n', 'it did not begin'
        assert os.path.exists(self.socket), 'nobody serves'

    def burst(self, maps):
        """How many lines the program itself wrote, and in how many milliseconds."""
        with open(self.file) as f:
            before = f.read().count('\n')
        self.process.stdin.write(f'{maps}\n')
        self.process.stdin.flush()
        took = int(self.process.stdout.readline())
        with open(self.file) as f:
            written = f.read().splitlines()[before:]
        torn = [line for line in written if not LINE.fullmatch(line)]
        assert not torn, torn[:3]
        assert len(written) % maps == 0 and len(written) >= 4 * maps, len(written)
        return len(written) // 2, took  # The other half is the child's.

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(DEADLINE_S) == 0


def hold(name, heard, total):
    lines, lost = heard
    assert len(lines) + lost == total and all(map(LINE.fullmatch, lines)), (name, len(lines), lost, total)
    print(f'{name}: {len(lines)} lines, {lost} lost, of {total}')
    return lost


def main():
    p = Program(*sys.argv[1:])
    first, late, gone = listen(p.socket), listen(p.socket), listen(p.socket)
    few, _ = p.burst(10)
    assert hold('a few', read_until(*first, few), few) == 0
    first[0].close()
    fast = listen(p.socket)
    gone[0].recv(100)
    gone[0].close()
    many, took = p.burst(4000)  # While nobody reads.
    print(f'{many} lines in {took} ms')
    hold('at once', read_until(*fast, many), many)
    assert hold('late', read_until(*late, few + many), few + many) > 0, 'a buffer without an end'
    p.end()


if __name__ == '__main__':
    main()
