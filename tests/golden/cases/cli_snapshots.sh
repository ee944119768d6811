# Files for diff that are no census: each is one sentence with exit code 6, or 1 where it was typed wrong.
try() {
	echo "\$ mapscope diff $*"
	"$MAPSCOPE" diff "$@" 2>stderr
	code=$?
	cat stderr
	echo "[$code]"
}
good=$ROOT/tests/fuzz/corpus/snapshot_file/census-2
cp "$good" good.msnap
try good.msnap good.msnap | sed '/^read /d'
head -c 400 "$good" >cut.msnap
try cut.msnap good.msnap
{ head -c 300 "$good"; printf x; tail -c +302 "$good"; } >damaged.msnap
try good.msnap damaged.msnap
{ head -c 8 "$good"; printf '\7'; tail -c +10 "$good"; } >later.msnap
try later.msnap good.msnap
: >empty.msnap
try empty.msnap good.msnap
try good.msnap
try good.msnap@-5m good.msnap
printf '\211MSRING\n' >cut.mring
try cut.mring
printf '\211MSRING\n\11\0\0\0' >later.mring
try later.mring good.msnap
try missing.mring
