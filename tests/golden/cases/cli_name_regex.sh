# A name is taken as it stands where a process has it, else as a regular expression.
twin=mapscope-twin-$$
cp "$(command -v sleep)" $twin-one
cp "$(command -v sleep)" $twin-one-more
./$twin-one 100 &
first=$!
./$twin-one-more 101 &
second=$!
trap 'kill $first $second' EXIT
until [ "$(readlink /proc/$first/exe)" = "$PWD/$twin-one" ]; do :; done
until [ "$(readlink /proc/$second/exe)" = "$PWD/$twin-one-more" ]; do :; done
try() {
	echo "\$ --name $(sed "s/$twin/TWIN/" <<<"$1")"
	"$MAPSCOPE" maps --name "$1" 2>&1 |
		sed "s/$twin/TWIN/g; s/ $first/ FIRST/; s/ $second/ SECOND/; s/).*/)/; s|process \\([A-Z]*\\): .*|process \\1: ...|"
}
try $twin-one
try "^$twin-.*more\$"
try "$twin-(one|two)"
try "$twin-(three|four)"
try "$twin-(three"
