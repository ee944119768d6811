# checks.sh - sourced by the scripts here: named checks, counted.  $work is the script's own folder.
passed=0 failed=0 skipped=0

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		tail -n 20 "$work/log"
	fi
}

skip() { # NAME REASON
	skipped=$((skipped + 1))
	echo "SKIP $1: $2"
}

checks_end() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
