#!/usr/bin/env python3
"""Writes libhmap as two files for those who carry it in their own tree: hmap.c and hmap.h.

Usage: hmap-amalgamate.py FOLDER

The header holds all public ones, in the order in which they need each other; the source holds every
.c file with the internal headers in front.  The same tree gives the same bytes.
"""
import os
import re
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
INCLUDE = re.compile(r'^#\s*include\s+[<"](?:hmap/)?(\w+\.h)[>"].*\n', re.M)


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding='utf-8') as f:
        return f.read()


def folded(name, folders, done):
    """The text of a header with those it includes in front, each once."""
    if name in done:
        return ''
    done.add(name)
    folder = next((f for f in folders if os.path.exists(os.path.join(ROOT, f, name))), None)
    if not folder:
        return None
    return expand(read(folder, name), folders, done)


def expand(text, folders, done):
    def one(match):
        inner = folded(match.group(1), folders, done)
        return match.group(0) if inner is None else inner
    return INCLUDE.sub(one, text).replace('#pragma once\n', '')


def private_names(text, stem):
    """Static names that several files have, made different by the file's name."""
    for name in sorted(set(re.findall(r'^(?:static|enum \{?)[^;={]*?\b(\w+)\(', text, re.M))):
        if not name.startswith(('hmap', '__')):
            text = re.sub(rf'(?<![\w.>"]){name}\b(?!")', f'{stem}_{name}', text)
    return text


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: hmap-amalgamate.py FOLDER')
    public, internal = 'include/hmap', 'src/hmap'
    done = set()
    header = '/* libhmap in one header: made by tools/hmap-amalgamate.py. */\n'
    for name in ('hmap.h', 'hmap_hash.h', 'hmap_typed.h', 'hmap_classic.h'):
        header += folded(name, [public], done) or ''
    for name in sorted(os.listdir(os.path.join(ROOT, public))):
        header += folded(name, [public], done) or ''
    source = ('/* libhmap in one source: made by tools/hmap-amalgamate.py. */\n'
              '#ifndef _GNU_SOURCE\n#define _GNU_SOURCE 1\n#endif\n#include "hmap.h"\n')
    for name in sorted(os.listdir(os.path.join(ROOT, internal))):
        if name.endswith('.h'):
            source += folded(name, [internal], done) or ''
    for name in sorted(os.listdir(os.path.join(ROOT, internal))):
        if name.endswith('.c'):
            stem = name[:-2]
            text = private_names(expand(read(internal, name), [internal], done), stem)
            constants = set(re.findall(r'^#define (\w+)', text, re.M))
            for body in re.findall(r'^enum \{([^}]*)\}', text, re.M):
                for constant in re.findall(r'\b([A-Z][A-Z_0-9]+)\b\s*=', body):
                    text = re.sub(rf'\b{constant}\b', f'{stem.upper()}_{constant}', text)
            source += text
            source += ''.join(f'#undef {c}\n' for c in sorted(constants)
                              if not c.startswith(('HMAP', '_', 'MADV')))
    # What is left of the includes of public headers is in hmap.h.
    source = re.sub(r'^#\s*include\s+<hmap/\w+\.h>\n', '', source, flags=re.M)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, text in (('hmap.h', header), ('hmap.c', source)):
        with open(os.path.join(sys.argv[1], name), 'w', encoding='utf-8') as f:
            f.write(text)


main()
