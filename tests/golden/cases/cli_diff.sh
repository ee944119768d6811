# Documents compared: what grew, what is new and gone, and each kind of document that is refused.
document() { # NAME MAPS ENTRIES BYTES GO OWNER
	cat >$1 <<END
{"schema":"mapscope.census/1",
"target":{"pid":7,"exe":"/srv/shop","go_version":"$5","arch":"amd64","stripped":false,"start_ticks":99},
"partial":false,"partial_reason":null,
"coverage":{"seen":$2,"read":$2,"skipped":{},"typed":$2,"changed":0},
"owners":[
{"owner":"main.cache","type":"map[string]int","maps":$2,"entries":$3,"total_bytes":$4,"slack_bytes":0,"kind":"swiss"},
{"owner":"$6","type":"map[int]bool","maps":1,"entries":5,"total_bytes":500,"slack_bytes":10,"kind":"swiss"}],
"maps":[]}
END
}
try() {
	echo "\$ mapscope diff $*"
	"$MAPSCOPE" diff "$@" 2>stderr
	code=$?
	cat stderr
	echo "[$code]"
}
document before.json 10 1000 20000 go1.24.1 main.old
document after.json 12 5000 3000000 go1.26.1 main.new
try before.json after.json | sed '/^read /d'
try before.json before.json | sed '/^read /d'
try before.json after.json --owner cache --json | grep -A 1 '"owners"'
"$MAPSCOPE" diff after.json before.json -o rows.csv >/dev/null
cat rows.csv
try before.json missing.json
try before.json .
head -c 300 before.json >cut.json
try cut.json after.json
sed s,census/1,diagnosis/1, before.json >other.json
try before.json other.json
sed 's/"maps":10/"maps":"ten"/' before.json >bad.json
try bad.json after.json
