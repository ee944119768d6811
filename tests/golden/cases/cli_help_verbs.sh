# Each verb's own page names its own options only; a beginning of a verb is enough.
for verb in diagnose maps inspect heap goroutines trace run diff watch doctor; do
	"$MAPSCOPE" help $verb
	"$MAPSCOPE" $verb --help | cmp - <("$MAPSCOPE" help $verb)
	echo
done
"$MAPSCOPE" h ma | cmp - <("$MAPSCOPE" help maps)
