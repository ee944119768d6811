#!/usr/bin/env python3
"""Goal: each house rule fails on what it forbids, and on nothing else.
Method: a small tree that is in order, and one planted fault at a time."""
import sys
import unittest

import tidy

LAYERS = 'base:\ntarget: base <zlib.h>\nmaps: target base\ncli: maps target base\n'
TREE = {
    'tools/tidy/layers.txt': LAYERS,
    'Makefile': 'tools/tidy/layers.txt tools/run.sh\n',
    'tools/run.sh': 'true\n',
    'src/base/error.h': '// error.h - errors.\nint ms_error(void);\n',
    'src/base/error.c': '// error.c - errors.\n#include "base/error.h"\n',
    'src/target/target.h': '// target.h - memory.\n#include "base/error.h"\n',
    'src/target/target.c': '// t\n#include "target/target.h"\n#include <zlib.h>\n',
    'src/maps/maps.c': '// maps.c - maps.\n#include "target/target.h"\n',
    'src/cli/main.c': '// main.c\nint main(void)\n{\n\tputs("x");\n}\n',
}


def problems_with(planted):
    t = tidy.Tidy({**TREE, **planted})
    t.check_all()
    return t.problems


class Rules(unittest.TestCase):
    def fails(self, planted, text):
        found = problems_with(planted)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def passes(self, planted):
        self.assertEqual(problems_with(planted), [])

    def test_tree_in_order(self):
        self.passes({})

    def test_include_upwards(self):
        self.fails({'src/base/x.c': '// x\n#include "target/target.h"\n'},
                   'base may not include "target/target.h"')

    def test_include_of_a_library(self):
        self.fails({'src/maps/x.c': '// x\n#include <zlib.h>\n'}, 'maps may not use <zlib.h>')

    def test_include_without_folder(self):
        self.fails({'src/base/x.c': '// x\n#include "error.h"\n'}, 'may not include "error.h"')

    def test_internal_header_of_a_neighbour(self):
        self.fails({'src/target/a_internal.h': '// a\n',
                    'src/maps/x.c': '// x\n#include "target/a_internal.h"\n'},
                   'for target and its tests only')
        self.passes({'src/target/a_internal.h': '// a\n',
                     'tests/unit/a_test.c': '// x\n#include "target/a_internal.h"\n'})

    def test_unknown_folder(self):
        self.fails({'src/extra/x.c': '// x\n'}, 'src/extra is not in')

    def test_banned_call(self):
        self.fails({'src/base/x.c': '// x\n\tstrcpy(a, b);\n'}, 'strcpy() is banned')
        self.passes({'src/base/x.c': '// strcpy(a, b)\n\tcall("strcpy(a)", ops->system(1));\n'})

    def test_printing_below_cli(self):
        self.fails({'src/base/x.c': '// x\n\tprintf("x");\n'}, 'printf() belongs to cli/')
        self.fails({'src/base/x.c': '// x\n\tfputs("x", stderr);\n'}, 'only cli/ knows')

    def test_goto(self):
        self.fails({'src/cli/x.c': '// x\n\tgoto out;\n'}, 'goto')

    def test_machine_path(self):
        self.fails({'README.md': 'cd /ho' 'me/ann/src\n'}, 'a path of one machine')
        self.fails({'README.md': 'cd /ro' 'ot/x\n'}, 'a path of one machine')
        self.passes({'README.md': '/proc/PID/root/etc and $HOME/home/x/\n'})

    def test_local_words(self):
        t = tidy.Tidy({**TREE, 'README.md': 'made by Acme\n'}, ['acme'])
        t.check_all()
        self.assertEqual(len(t.problems), 1)

    def test_unfinished(self):
        self.fails({'README.md': 'TO' 'DO: more\n'}, 'unfinished')

    def test_unreferenced_files(self):
        self.fails({'src/base/lonely.h': '// x\n'}, 'no file includes it')
        self.fails({'tools/lonely.sh': 'true\n'}, 'no other file refers to it')
        self.fails({'tests/lonely.c': '// x\n'}, 'no other file refers to it')
        self.passes({'tests/x_fuzz.c': '// x\n', 'tests/CMakeLists.txt': 'glob(*_fuzz.c)\n'})

    def test_golden_without_case(self):
        self.fails({'tests/golden/cases/x.stdout': ''}, 'a golden without its case')

    def test_name_taken(self):
        self.fails({'src/maps/error.c': '// x\n'}, 'the name is taken')

    def test_trailing_space(self):
        self.fails({'src/base/x.c': '// x \n'}, 'space at the end')

    def test_notes_do_not_fail(self):
        t = tidy.Tidy({**TREE, 'src/base/x.c': 'int f(void)\n{\n' + '\tf();\n' * 80 + '}\n'})
        t.check_all()
        self.assertEqual((len(t.problems), len(t.notes)), (0, 2))


if __name__ == '__main__':
    result = unittest.main(exit=False, verbosity=0).result
    bad = len(result.failures) + len(result.errors)
    print(f'{result.testsRun - bad} passed, {bad} failed, {len(result.skipped)} skipped')
    sys.exit(1 if bad else 0)
