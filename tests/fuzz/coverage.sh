#!/bin/bash
# coverage.sh - hold the fuzz corpora against the parsers: of each parser's file they have to run
# 80 % of the lines.  Ends in one line that counts files.
#
# The corpora alone are measured; what the unit tests reach does not count.
set -u
cd "$(dirname "$0")/../.." || exit 1
least=80
files="src/golang/calls.c src/golang/code_effects.c src/golang/code_facts.c
	src/golang/code_functions.c src/golang/code_merge.c src/golang/code_results.c
	src/golang/code_scan.c src/golang/code_track.c src/golang/code_values.c
	src/golang/described.c src/golang/dwarf_file.c
	src/golang/functions.c src/golang/global_shapes.c src/golang/globals.c
	src/golang/goroutines.c src/golang/layout_dwarf.c src/golang/memory_profile.c src/golang/module.c
	src/golang/named_types.c src/golang/pacer.c src/golang/scan.c src/golang/scheduler.c
	src/golang/scheduler_poll.c src/golang/spans.c src/golang/struct_types.c
	src/golang/types.c src/golang/unwind.c src/golang/version.c src/golang/wait_reasons.c
	src/goroutines/clusters.c src/goroutines/rows.c src/image/build_info.c src/image/code.c
	src/image/code_amd64.c src/image/code_arm64.c src/image/debug_image.c src/image/elf_file.c
	src/image/pclntab.c src/inspect/chains.c src/inspect/hmap_unit.c
	src/inspect/inspect_hmap.c src/inspect/inspect_steady.c src/inspect/steady_header.c
	src/maps/classic.c src/maps/swiss.c src/registry/hmap_census.c
	src/registry/registries.c src/report/budget.c
	src/snapshot/snapshot.c src/stacks/book.c src/stacks/cpu_records.c
	src/stacks/sampled_stack.c src/target/core.c src/target/core_file.c src/target/proc_maps.c
	src/target/replay_load.c
	src/trace/followed.c src/trace/old_array.c src/trace/probe_site.c src/walk/plan.c
	src/walk/retained.c src/walk/visit.c"
measured=$(tools/coverage.sh --fuzz $files) || exit 1
awk -v least="$least" -v files="$files" '
	$3 == "lines" || $4 == "lines" { share[$NF] = $1 + 0; print "  " $0; next }
	{ print "note: " $0 }
	END {
		count = split(files, wanted)
		for (i = 1; i <= count; i++) {
			if (share[wanted[i]] >= least) {
				passed++
				continue
			}
			failed++
			printf "FAIL %s: %s %% of its lines, wanted %d %%\n", wanted[i],
				share[wanted[i]] + 0, least
		}
		printf "%d passed, %d failed, 0 skipped\n", passed, failed
		exit failed > 0
	}' <<<"$measured"
