#!/usr/bin/env python3
"""generate.py INCIDENT SEED fault|healthy FOLDER - write one service of the gallery.

A service is a small Go program that works for itself.  Its names, types, sizes, files and call
depth are drawn from the seed.  With "fault" it has what the README's table says; with "healthy" it
does the same work without.  expected.json beside it says what is right: regular expressions of
owners, and lines, the one to edit first (marked FAULT in the source, others ALSO).

	//@fault	this line only with the fault
	//@healthy	this line only without

Services of odd seeds link runtime/pprof, and so have the runtime's memory profile; even ones do not.
"""
import json
import os
import random
import re
import string
import sys

import services

WORDS = {
    'Thing': ['Order', 'Session', 'Quote', 'Shipment', 'Ticket', 'Invoice', 'Device', 'Route'],
    'Store': ['Registry', 'Ledger', 'Index', 'Catalog', 'Depot', 'Roster', 'Board', 'Vault'],
    'field': ['byID', 'entries', 'items', 'known', 'active', 'live', 'table', 'rows'],
    'store': ['central', 'shared', 'primary', 'current', 'global', 'mainStore', 'hub', 'base'],
    'put': ['put', 'add', 'record', 'remember', 'enter', 'keep', 'insert', 'note'],
    'get': ['get', 'find', 'lookup', 'peek', 'fetch', 'load', 'see', 'ask'],
    'drop': ['drop', 'forget', 'remove', 'expire', 'evict', 'release', 'retire', 'discard'],
    'handle': ['handle', 'serve', 'accept', 'process', 'take', 'receive', 'run', 'dispatch'],
    'file': ['service', 'store', 'worker', 'engine', 'core', 'logic', 'state', 'model'],
    'step': ['validate', 'enrich', 'route', 'apply', 'commit', 'resolve', 'finish', 'settle'],
}
KEYS = {
    'uint64': 'func makeKey(i uint64) uint64 { return i * 2654435761 }',
    'string': 'func makeKey(i uint64) string { return "key-" + strconv.FormatUint(i*2654435761, 36) }',
    'keyPair': 'type keyPair struct{ a, b uint64 }\n\n'
               'func makeKey(i uint64) keyPair { return keyPair{i * 2654435761, i} }',
}

MAIN = '''// A service that makes its own load.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal" //@profile
	"runtime/pprof" //@profile
	"syscall" //@profile
	"time"
)

// pace calls f so many times a second, in small bursts.
func pace(perSecond int, f func(i uint64)) {
	const every = 5 * time.Millisecond
	started, done := time.Now(), uint64(0)
	for range time.Tick(every) {
		due := uint64(time.Since(started).Seconds() * float64(perSecond))
		for ; done < due; done++ {
			f(done)
		}
	}
}

// profileOnDemand writes a heap profile when it is asked to, as services do. //@profile
func profileOnDemand() { //@profile
	asked := make(chan os.Signal, 1) //@profile
	signal.Notify(asked, syscall.SIGUSR2) //@profile
	for range asked { //@profile
		if f, err := os.Create(os.DevNull); err == nil { //@profile
			_ = pprof.Lookup("heap").WriteTo(f, 0) //@profile
			f.Close() //@profile
		} //@profile
	} //@profile
} //@profile

func main() {
	go profileOnDemand() //@profile
	warm()
	start()
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
	}
}
'''


def chain(rng, names, receiver, argument):
    """A method for each step between the handler and the line; returns the first name, and code."""
    depth = rng.randrange(5)
    steps = rng.sample(WORDS['step'], depth)
    calls = steps + [names['put']]
    code = ''
    for step, following in zip(steps, calls[1:]):
        code += (f'//go:noinline\nfunc (s *{receiver}) {step}({argument[0]}) {{\n'
                 f'\ts.{following}({argument[1]})\n}}\n\n')
    return calls[0], code


def draw(incident, seed):
    rng = random.Random(f'{incident}/{seed}')
    names = {word: rng.choice(choices) for word, choices in WORDS.items()}
    names['K'] = rng.choice(sorted(KEYS))
    names['makeKey'] = KEYS[names['K']]
    names['pad'] = str(rng.choice([16, 40, 64, 96]))
    names['rate'] = str(rng.randrange(2000, 5000))
    names['few'] = str(rng.randrange(4000, 6000))
    names['first'], names['chain'] = chain(rng, names, names['Store'],
                                           (f'k {names["K"]}, v *{names["Thing"]}', 'k, v'))
    return names


def choose(text, kind):
    """The lines of one kind, without the words that say so."""
    lines = []
    for line in text.splitlines():
        found = re.search(r'\s*//@(\w+)$', line)
        if found and found.group(1) != kind:
            continue
        lines.append(line[:found.start()] if found else line)
    return '\n'.join(lines) + '\n'


def marked(text, word):
    return [i for i, line in enumerate(text.splitlines(), 1) if re.search(rf'// {word}\b', line)]


def generate(incident, seed, kind, folder):
    service = services.SERVICES[incident]
    names = draw(incident, seed)
    body = string.Template(service['code']).substitute(names)
    used = [p for p in ('fmt', 'math/rand', 'strconv', 'strings', 'sync', 'time')
            if re.search(rf'\b{p.split("/")[-1]}\.', body + names['makeKey'] * ('makeKey(' in body))]
    imports = ''.join(f'\t"{p}"\n' for p in used)
    text = choose(f'package main\n\nimport (\n{imports})\n\n' +
                  (names['makeKey'] + '\n\n' if 'makeKey(' in body else '') + body, kind)
    if not used:
        text = text.replace('import (\n)\n\n', '')
    text = re.sub(r'\n{3,}', '\n\n', text)
    file = f'{names["file"]}.go'
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        if old.endswith('.go'):
            os.remove(os.path.join(folder, old))
    with open(os.path.join(folder, 'go.mod'), 'w', encoding='utf-8') as f:
        f.write(f'module {incident}\n\ngo 1.18\n')
    with open(os.path.join(folder, 'main.go'), 'w', encoding='utf-8') as f:
        f.write(re.sub(r'\n{3,}', '\n\n', choose(MAIN, 'profile' if int(seed) % 2 else 'none')))
    with open(os.path.join(folder, file), 'w', encoding='utf-8') as f:
        f.write(text)
    expected = {
        'incident': incident, 'seed': seed, 'healthy': kind == 'healthy',
        'owners': [string.Template(o).substitute(names) for o in service['owners']],
        'lines': [{'file': file, 'line': n} for word in ('FAULT', 'ALSO')
                  for n in marked(text, word)],
        'until': service.get('until'),
    }
    with open(os.path.join(folder, 'expected.json'), 'w', encoding='utf-8') as f:
        json.dump(expected, f, indent=1)
    return expected


if __name__ == '__main__':
    if len(sys.argv) != 5 or sys.argv[1] not in services.SERVICES or \
            sys.argv[3] not in ('fault', 'healthy'):
        sys.exit('usage: generate.py INCIDENT SEED fault|healthy FOLDER\nincidents: ' +
                 ' '.join(services.SERVICES))
    generate(*sys.argv[1:])
