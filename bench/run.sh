#!/bin/bash
# run.sh [options] - what mapscope costs, beside the limit and beside a debugger.
#
# Builds mapscope's measuring programs and Delve (when the module proxy has it; else the dlv of this
# machine), then hands over to bench.py, whose options these are.  Everything it builds stays in
# build-bench/.
set -eu
cd "$(dirname "$0")/.."
delve=v1.25.2

if [ ! -x build/mapscope ] || [ ! -x build/read_heap ] || [ ! -x build/ready ] || [ ! -x build/stacks ]; then
	cmake --preset release >/dev/null
fi
cmake --build --preset release --target mapscope read_heap ready stacks >/dev/null
mkdir -p build-bench
if [ ! -x build-bench/dlv ]; then
	go=$(tools/go-toolchain.sh 1.24.13) &&
		GOBIN=$PWD/build-bench GOFLAGS=-mod=mod GOTOOLCHAIN=local \
			"$go" install "github.com/go-delve/delve/cmd/dlv@$delve" >/dev/null 2>&1 ||
		echo "run.sh: delve $delve did not install; taking dlv from PATH" >&2
fi
exec python3 -B bench/bench.py "$@"
