# A command that is no Go program: its output, its exit code, and a page that says so on stderr.
try() {
	echo "\$ mapscope run $*"
	"$MAPSCOPE" run "$@" 2>stderr
	echo "[$?]"
	sed 's/after [0-9.]* s/after T s/; s/with [0-9.]* s of/with T s of/; /^read /d; s|^mapscope: .*/|mapscope: |' stderr
}

try -- sh -c 'echo out; exit 3'
try -- sh -c 'kill -9 $$'
echo in | "$MAPSCOPE" run -- cat 2>/dev/null
try -- ./no-such-command
mkdir folder
try -- ./folder
printf '# limits\nmain bytes<=1MB\n* maps<=0\n' >good
try --budget good -- true
try --budget good -- false
printf 'main bytes<=1MB\nmain bytez<=1\n' >bad
try --budget bad -- echo never
try --budget missing -- echo never
try --json -o page.txt -o rows.csv -- true >/dev/null
cat page.txt | sed 's/after [0-9.]* s/after T s/; s/with [0-9.]* s of/with T s of/; /^read /d'
cat rows.csv
