package main

import "example.test/deep/session"

type Cache[K comparable, V any] struct {
	hits int
	m    map[K]V
}

type Pair[A, B any] struct {
	a A
	b B
}

type Node[T any] struct {
	next *Node[T]
	val  T
}

type Pairs[K comparable, V any] map[K]V

type Word string

var (
	genericPointer  *Cache[string, int]
	genericVariable Cache[Word, []string]
	genericNested   *Cache[string, Pair[int, *Cache[Word, bool]]]
	genericForeign  *Cache[session.ID, map[session.ID]Word]
	nodes           *Node[map[string]int]
	pairs           Pairs[string, Pair[int, Word]]
)

func fillGeneric() {
	genericPointer = &Cache[string, int]{1, map[string]int{"generic": 1}}
	genericVariable.m = map[Word][]string{"a": nil, "b": nil}
}

func tellGeneric(l *ledger) {
	l.field(genericPointer.m, "main.Cache[string,int].m", "main.genericPointer")
	l.within(genericVariable.m, "main.genericVariable", ".m", "main.Cache[main.Word,[]string].m")
}

func fillGenericNested() {
	inner := &Cache[Word, bool]{2, map[Word]bool{"inner": true, "nested": false}}
	genericNested = &Cache[string, Pair[int, *Cache[Word, bool]]]{3,
		map[string]Pair[int, *Cache[Word, bool]]{"a": {1, inner}}}
}

func tellGenericNested(l *ledger) {
	const inner = "main.Cache[main.Word,bool]"
	l.field(genericNested.m, "main.Cache[string,main.Pair[int,*"+inner+"]].m", "main.genericNested")
	l.field(genericNested.m["a"].b.m, inner+".m", "main.genericNested")
}

func fillGenericForeign() {
	genericForeign = &Cache[session.ID, map[session.ID]Word]{4,
		map[session.ID]map[session.ID]Word{1: {2: "two", 3: "three"}}}
}

func tellGenericForeign(l *ledger) {
	name := typeOf(*genericForeign) // With the import path inside of the brackets.
	l.field(genericForeign.m, name+".m", "main.genericForeign")
	l.field(genericForeign.m[1], name+".m[]", "main.genericForeign")
}

func fillNodes() {
	for i := 0; i < 10; i++ {
		nodes = &Node[map[string]int]{nodes, words(i)}
	}
}

func tellNodes(l *ledger) {
	for n := nodes; n != nil; n = n.next {
		l.field(n.val, typeOf(*n)+".val", "main.nodes")
	}
}

func fillPairs() { pairs = Pairs[string, Pair[int, Word]]{"a": {1, "one"}} }

func tellPairs(l *ledger) { l.variable(pairs, "main.pairs") }
