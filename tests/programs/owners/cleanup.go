//go:build go1.24

package main

import "runtime"

var (
	cleaned   *Guarded
	cleanHere placed
)

//go:noinline
func watchCleanup(g *Guarded) placed {
	notes := map[int]complex128{1: 1, 2: 2, 3: 3}
	runtime.AddCleanup(g, func(id int) { notes[id] = 0 }, 1)
	return place(notes)
}

func fillCleanup() {
	cleaned = &Guarded{id: 2}
	cleanHere = watchCleanup(cleaned)
}

func tellCleanup(l *ledger) {
	if cleaned.id == 2 {
		l.held(cleanHere.address, cleanHere.now(), "map[int]complex128",
			`main\.watchCleanup\.func1(?:\.notes)?`)
	}
}
