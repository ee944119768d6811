# Bash completion for mapscope.  tests/install/run.sh compares both lists with mapscope --help.
mapscope_verbs=(diagnose maps inspect heap goroutines trace run diff watch top doctor help)
mapscope_options=(--name --pid --exe --sysroot --seconds --top --sort --all --expand --owner --type --no-owners --budget --fail-if --ring --every
	--count --batch --ring-size --at-rss --stuck
	--once --sched --burst --no-probes --small --gctrace --migrations --creations --check --bucket --gdb --dlv --show-keys --json --format --output --no-color --quiet
	--version --help)

_mapscope()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}
	local words

	case $previous in
	--format) words="text json csv maptrace chrome pprof folded svg html msnap" ;;
	--sort) words="bytes entries slack load maps growth waiting" ;;
	--name) words=$(ps -eo comm= 2>/dev/null | sort -u) ;;
	--seconds | --top | --owner | --type | --fail-if | --ring | --every | --count | --ring-size | --at-rss | --bucket) words= ;;
	help) words="${mapscope_verbs[*]}" ;;
	-o | --output | --budget | diff)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*)
		if [[ $word == -* ]]; then
			words="${mapscope_options[*]} -o -p -q"
		else
			words=$(ps -eo pid= 2>/dev/null)
			((COMP_CWORD > 1)) || words="${mapscope_verbs[*]} $words"
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _mapscope mapscope
