#!/bin/bash
# valgrind.sh - the unit tests of the clang build under valgrind: what the sanitizers do not see,
# above all bytes that were never written.
set -eu
cd "$(dirname "$0")/.."
exec valgrind --quiet --error-exitcode=1 --leak-check=no --child-silent-after-fork=no \
	build-clang/mapscope-tests --timeout 600
