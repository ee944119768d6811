#!/bin/bash
# run.sh [--tier check|long] [--filter TEXT] [--list] - look into real processes with the real tool.
#
# MAPSCOPE names the tool (build/mapscope).  The Go programs are built once per release and flags,
# into build-live/.  What the machine lacks is skipped, with the reason, and counted.
exec python3 -B "$(dirname "$0")/live.py" "$@"
