#!/usr/bin/env python3
"""Hold JSON documents against one of the schemas in docs/formats/.

Usage: schema_check.py [--closed] SCHEMA DOCUMENT...     a document may be - for stdin

Knows the part of JSON Schema 2020-12 that our schemas use; any other keyword in a schema is an
error, so that nothing is left unchecked by accident.  With --closed a field that the schema does
not name is an error too: what we write ourselves has to be described.
"""
import json
import re
import sys

ANNOTATIONS = {'$schema', '$defs', 'title', 'description'}
CHECKED = {'$ref', 'type', 'required', 'properties', 'additionalProperties', 'items', 'enum',
           'const', 'pattern', 'minimum', 'maximum'}


def type_name(value):
    if value is None:
        return 'null'
    return {bool: 'boolean', int: 'integer', float: 'number', str: 'string', list: 'array',
            dict: 'object'}[type(value)]


def has_type(value, name):
    return type_name(value) == name or (name == 'number' and type_name(value) == 'integer')


class Checker:
    def __init__(self, root, closed):
        self.root, self.closed, self.problems = root, closed, []

    def fail(self, where, text):
        self.problems.append(f'{where or "/"}: {text}')

    def resolve(self, ref):
        node = self.root
        if not ref.startswith('#/'):
            raise SystemExit(f'schema: {ref} is not a reference into the schema itself')
        for part in ref[2:].split('/'):
            node = node[part]
        return node

    def check(self, schema, value, where=''):
        unknown = set(schema) - ANNOTATIONS - CHECKED
        if unknown:
            raise SystemExit(f'schema: {", ".join(sorted(unknown))} at {where or "/"}: not known')
        if '$ref' in schema:
            self.check(self.resolve(schema['$ref']), value, where)
        types = schema.get('type', [])
        types = [types] if isinstance(types, str) else types
        if types and not any(has_type(value, t) for t in types):
            self.fail(where, f'{type_name(value)} instead of {" or ".join(types)}')
            return
        self.check_value(schema, value, where)
        if isinstance(value, dict):
            self.check_object(schema, value, where)
        if isinstance(value, list) and 'items' in schema:
            for i, item in enumerate(value):
                self.check(schema['items'], item, f'{where}/{i}')

    def check_value(self, schema, value, where):
        if 'enum' in schema and value not in schema['enum']:
            self.fail(where, f'{value!r} is none of {schema["enum"]}')
        if 'const' in schema and value != schema['const']:
            self.fail(where, f'{value!r} instead of {schema["const"]!r}')
        if 'pattern' in schema and isinstance(value, str) and \
                not re.search(schema['pattern'], value):
            self.fail(where, f'{value!r} does not match {schema["pattern"]}')
        if has_type(value, 'number'):
            if value < schema.get('minimum', value):
                self.fail(where, f'{value} is less than {schema["minimum"]}')
            if value > schema.get('maximum', value):
                self.fail(where, f'{value} is more than {schema["maximum"]}')

    def check_object(self, schema, value, where):
        named = schema.get('properties', {})
        others = schema.get('additionalProperties', True)
        for key in schema.get('required', []):
            if key not in value:
                self.fail(where, f'{key} is missing')
        for key, member in value.items():
            if key in named:
                self.check(named[key], member, f'{where}/{key}')
            elif isinstance(others, dict):
                self.check(others, member, f'{where}/{key}')
            elif not others or (self.closed and named):
                self.fail(where, f'{key} is not described')


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError('a key occurs twice in one object')
    return members


def no_constant(name):
    raise ValueError(f'{name} is not JSON')


def problems_of(root, path, closed):
    try:
        with (sys.stdin.buffer if path == '-' else open(path, 'rb')) as f:
            document = json.loads(f.read().decode('utf-8'), object_pairs_hook=unique,
                                  parse_constant=no_constant)
    except ValueError as e:
        return [f'not a document: {e}']
    checker = Checker(root, closed)
    checker.check(root, document)
    return checker.problems


def main(args):
    closed = '--closed' in args
    paths = [a for a in args if a != '--closed']
    if len(paths) < 2:
        raise SystemExit(__doc__)
    with open(paths[0], encoding='utf-8') as f:
        root = json.load(f)
    failed = 0
    for path in paths[1:]:
        for problem in problems_of(root, path, closed):
            print(f'{path}: {problem}')
            failed = 1
    return failed


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
