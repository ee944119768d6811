# The summary, by either way to ask for it; the options alone are those of every verb.
"$MAPSCOPE" --help
"$MAPSCOPE" help | cmp - <("$MAPSCOPE" --help)
"$MAPSCOPE" -h | cmp - <("$MAPSCOPE" --help)
