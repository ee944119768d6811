#!/usr/bin/env python3
"""Hold Chrome trace events on stdin against what their viewers ask for.

The format is JSON with a list of events; see "Trace Event Format" of the Chromium project.  Here:
every event has a name, a phase that is known, a process, a time of zero or more and, if it is a
slice, a duration; times rise on each track and in each counter; slices of one track do not
overlap; a track has its name before anything is on it.  Prints what is wrong, or the number of
events by phase.
"""
import collections
import json
import sys

REQUIRED = {'M': ('tid', 'args'), 'i': ('tid', 's', 'ts'), 'X': ('tid', 'ts', 'dur'),
            'C': ('ts', 'args')}


def no_constant(name):
    raise ValueError(f'{name} is not JSON')


class Checker:
    def __init__(self):
        self.problems, self.named = [], set()
        self.last, self.free = {}, {}

    def check(self, index, event):
        def fail(text):
            self.problems.append(f'event {index}: {text}')

        phase = event.get('ph')
        if phase not in REQUIRED:
            fail(f'phase {phase!r}')
            return
        for key in ('name', 'pid') + REQUIRED[phase]:
            if key not in event:
                fail(f'{key} is missing')
                return
        if not isinstance(event['name'], str) or not isinstance(event['pid'], int):
            fail('name or pid')
        track = (event['pid'], event.get('tid'))
        if phase == 'M':
            if event['name'] == 'thread_name':
                self.named.add(track)
            return
        if phase == 'C':
            track = (event['pid'], event['name'], event.get('id'))
            if not all(isinstance(v, (int, float)) for v in event['args'].values()):
                fail('a counter that is no number')
        elif track not in self.named:
            fail('its track has no name')
        if not event['ts'] >= self.last.get(track, 0):
            fail(f'{event["ts"]} after {self.last.get(track)}')
        self.last[track] = event['ts']
        if phase == 'X':
            if not event['dur'] >= 0:
                fail(f'lasts {event["dur"]}')
            if event['ts'] < self.free.get(track, 0) - 0.001:
                fail(f'begins at {event["ts"]}, but its track is taken to {self.free[track]}')
            self.free[track] = event['ts'] + event['dur']


def main():
    try:
        trace = json.loads(sys.stdin.buffer.read().decode('utf-8'), parse_constant=no_constant)
    except ValueError as e:
        sys.exit(f'not JSON: {e}')
    checker = Checker()
    for index, event in enumerate(trace['traceEvents']):
        checker.check(index, event)
    if checker.problems:
        sys.exit('\n'.join(checker.problems))
    phases = collections.Counter(e['ph'] for e in trace['traceEvents'])
    print(' '.join(f'{p}={phases[p]}' for p in sorted(phases)))


if __name__ == '__main__':
    main()
