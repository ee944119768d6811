#!/usr/bin/env python3
"""Two READMEs in step: the same headings by level, the same commands and links.

Usage: readme_check.py README.md README.zh-CN.md
"""
import re
import sys

LINK = re.compile(r'\]\(([^)]+)\)')
READMES = ('README.md', 'README.zh-CN.md')  # Each links to the other.


def facts(path):
    """What does not depend on the language of a text: in its order, or sorted where that may differ."""
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')
    levels, fenced, in_fence = [], [], False
    for line in lines:
        if line.startswith('```'):
            in_fence = not in_fence
        elif in_fence:
            fenced.append(line)
        elif line.startswith('#'):
            levels.append(len(line) - len(line.lstrip('#')))
    text = '\n'.join(lines)
    plain = re.sub(r'```.*?```', '', text, flags=re.S)
    indented = [re.split(r'\s{2,}', line.strip())[0] for line in plain.split('\n')
                if line.startswith('    ')]
    return {
        'headings': levels,
        'blocks': fenced,
        'commands': indented,
        'words in code': sorted(re.findall(r'`([^`\n]+)`', plain)),
        'links': sorted(x for x in LINK.findall(plain) if x not in READMES),
        'rows of tables': sum(line.startswith('|') for line in lines),
    }


def main(args):
    if len(args) != 2:
        raise SystemExit(__doc__)
    first, second = map(facts, args)
    problems = []
    for name in first:
        if first[name] == second[name]:
            continue
        a, b = first[name], second[name]
        if isinstance(a, list):
            only = [x for x in a if x not in b] + [x for x in b if x not in a]
            problems.append(f'{name}: {only[:5] or "another order or number"}')
        else:
            problems.append(f'{name}: {a} and {b}')
    for problem in problems:
        print(f'{args[0]} and {args[1]} differ in {problem}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
