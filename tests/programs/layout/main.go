// Command layout is compiled by every Go release to read the runtime's types from its DWARF.
// It is never run.
//
// It makes, fills, walks and clears maps of each kind that the compiler treats apart, because the
// linker keeps the description of a type only when something reachable uses it.  It imports
// nothing, so that a toolchain has little to compile.
package main

type wide struct {
	words [40]uint64
	next  *wide
}

var names = []string{"a", "b", "c"}

func main() {
	n := len(names)
	byWord := make(map[uint64]string, n)
	byHalf := map[uint32]uint32{}
	byName := map[string]*wide{}
	byPair := map[[2]string]wide{}
	byAny := map[interface{}]interface{}{}

	for i := 0; i < n*1000; i++ {
		name := names[i%n]
		byWord[uint64(i)] = name
		byHalf[uint32(i)] = uint32(i)
		byName[name] = &wide{}
		byPair[[2]string{name, name}] = wide{}
		byAny[i] = name
	}
	for key := range byWord {
		delete(byWord, key)
	}
	for key := range byAny {
		delete(byAny, key)
	}
	println(len(byWord), len(byHalf), len(byName), len(byPair), len(byAny))
}
