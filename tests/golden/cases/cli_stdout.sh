# A reader that closes its pipe is no error; a full disk and a stdout that is not there are.
{ sleep 0.2; "$MAPSCOPE" --help; echo "reader gone [$?]" >&2; } 2>errors | true
cat errors
"$MAPSCOPE" --help 2>&1 >/dev/full
echo "full [$?]"
"$MAPSCOPE" --help 2>errors >&-
code=$?
cat errors
echo "closed [$code]"
