# Every command line that cannot be meant: one sentence that says what to type, exit code 1,
# nothing on stdout.
try() {
	echo "\$ mapscope $*"
	"$MAPSCOPE" "$@" 2>stderr >stdout
	code=$?
	echo "$(cat stderr) [$code]"
	[ ! -s stdout ] || echo "it printed something on stdout"
}

try
try maps
try frobnicate
try d 1
try help frobnicate
try 0
try maps -5
try 99999999999999999999
try maps 1 2
try 1 2
try maps --name a 3
try maps --pid 1 2
try --frobnicate
try -x
try --json=yes 1
try --pid
try maps 1 -o
try maps 1 -o table
try maps 1 -o table.xml
try doctor 1 -o table.csv
try inspect
try inspect 1
try inspect main.orders
try inspect 1 session.Session.attrs main.sessions
try inspect --name api 7 main.orders
try inspect 1 main.orders -o table.csv
try inspect 1 main.orders --bucket x
try maps 1 --check
try heap 1 -o table.pb.gz
try maps 1 --format chrome
try maps 1 --format xml
try doctor 1 --json --format text
try maps --top 0 1
try maps --top many 1
try maps --top 3 --all 1
try maps --sort weight 1
try maps --seconds 3 1
try doctor --top 3 1
try doctor --all 1
try diagnose --sort load 1
try diagnose --seconds 0 1
try diagnose --seconds 0.05 1
try diagnose --seconds 3601 1
try diagnose --seconds nan 1
try diagnose --seconds 3s 1
try diagnose --seconds '' 1
try maps --owner 'a(b' 1
try maps --type 'map[string' 1
try maps --sort maps --expand 1
try doctor --owner a 1
try maps --name '(mapscope-no-such'
try diff
try diff 1
try diff 1 2 3
try diff 0 1
try diff --name a b c
try run
try run --
try run true
try run true -- false
try run --seconds 3 -- true
try run --budget
try maps --budget a 1
try watch 1
try watch 1 -o x.json
try watch 1 -o a.mring -o b.mring
try watch 1 -o x.mring --format mring
try watch 1 -o x.mring --format svg
try watch 1 -o x.mring --every 1
try watch 1 -o x.mring --every 0s
try watch 1 -o x.mring --ring 2w
try watch 1 -o x.mring --ring 2h --every 5s
try watch 1 -o x.mring --ring-size 4kB
try watch 1 -o x.mring --at-rss 0%
try watch 1 -o x.mring --at-rss 120%
try watch 1 -o x.mring --at-rss much
try watch 1 -o x.mring --fail-if 'growth>1MB/min'
try maps 1 -o x.mring
try maps 1 --ring 2h
