# Shortcuts only: each target is a line over a CMake preset or a script that can be run by hand.
.DEFAULT_GOAL := help
.PHONY: help setup build quick check long demo demo-c incidents bench bench-hmap growth layouts prove fuzz cov fmt tidy accept hooks install

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install what `make check` needs, where it is missing
	@tools/setup.sh build check

build: ## the tool, at build/mapscope
	@tools/setup.sh build && cmake --preset release >/dev/null && cmake --build --preset release

quick: ## unit tests and goldens, in seconds
	@tools/check.sh quick

check: ## everything a change must pass, in minutes
	@tools/setup.sh build check && tools/check.sh check

long: ## every release, thread sanitizer, longer fuzzing, complete sweeps
	@tools/setup.sh build check long && tools/check.sh long

demo: build ## a Go service that leaks, and the page mapscope shows of it
	@tools/setup.sh demo && examples/demo/run.sh

demo-c: build ## a C service with a session cache: traced, measured, and mapscope's page of it
	@examples/sessions/run.sh

incidents: build ## services with planted faults, and whether the page leads to their lines: over an hour
	@tools/setup.sh build check && tests/live/run.sh --tier long --filter incidents/

bench: build ## ratios beside one sequential read and beside a debugger
	@bench/run.sh

bench-hmap: ## libhmap beside the fastest maps, in one interleaved run: about half an hour
	@tools/setup.sh bench && bench/hmap/run.py

growth: build ## both engines of libhmap filling side by side
	@build/hmap-growth

layouts: ## the rows of src/golang/layout_rows*.c, from real toolchains
	@tools/layoutgen/make-layouts.sh

prove: build ## what docs/support.md and docs/features.md say of releases, from runs of the live tests
	@MS_PROVE=1 tests/live/run.sh --tier long --filter truth
	@tests/live/run.sh --matrix docs/features.md

fuzz: ## one fuzz target for a while: make fuzz T=elf S=60
	@tools/fuzz.sh "$(T)" "$(S)"

cov: ## line coverage of tests and fuzz corpora
	@tools/coverage.sh

fmt: ## format every C file
	@find src include tests tools bench examples -name '*.[ch]' -print0 2>/dev/null | xargs -0 clang-format-14 -i

tidy: ## the house rules
	@tools/tidy/tidy.py

accept: ## rewrite the goldens with today's output; review with git diff
	@tools/check.sh accept

hooks: ## let git run the pre-commit checks here
	@git config core.hooksPath tools/hooks

install: build ## the tool, man page and completion; DESTDIR and PREFIX are heeded
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(or $(PREFIX),/usr/local)"
