package main

import (
	dotted "example.test/deep/dotted.v2"
	"example.test/deep/session"
)

// Base, Inner and Bag hold maps for the others.
type Base struct {
	n int
	m map[string]int
}

type Inner struct {
	hits int
	m    map[int]string
}

type Bag struct {
	name string
	m    map[string]bool
}

type Shop struct {
	name   string
	orders map[int]int
	inner  Inner
	Base
}

type Deep struct {
	id int
	*Base
}

type Shard struct {
	hits int
	m    map[int]int
}

type Outer struct {
	pad   [4]int
	inner Inner
}

type Front struct {
	name string
	back *Back
}

type Back struct {
	name string
	m    map[string]int16
	end  *Back
}

type Static struct {
	name string
	m    map[string]int
}

type ByName map[string]*Shard

var (
	orders    map[uint64]string
	empty     map[int8]int8
	named     ByName
	shop      Shop
	heapShop  *Shop
	embeds    Shop
	heapBase  *Shop
	heapDeep  *Deep
	anonymous struct {
		id int
		m  map[uint16]int
	}
	anonymousPointer *struct {
		id int
		m  map[uint16]string
	}
	shards      [16]Shard
	grid        [2][3]map[int]bool
	mapPointer  *map[int]int
	chain       ***map[int]int8
	interior    *Inner
	static      = &Static{name: "static"}
	linked      = &Front{name: "front", back: &Back{name: "back", end: &Back{name: "end"}}}
	one, two    map[int]uint8
	asNamed     ByName
	asUnnamed   map[string]*Shard
	sharedMap   map[string]bool
	sharedBag   *Bag
	thrice      []map[int]uint16
	rootA       *Bag
	rootB       *Bag
	emptySought = 5
)

//go:noinline
func newBag(n int) *Bag {
	b := &Bag{name: "bag", m: map[string]bool{}}
	for i := 0; i < n; i++ {
		b.m[string(rune('a'+i))] = true
	}
	return b
}

//go:noinline
func ints(n int) map[int]int {
	m := make(map[int]int)
	for i := 0; i < n; i++ {
		m[i] = i
	}
	return m
}

func fillGlobal() { orders = map[uint64]string{1: "one", 2: "two"} }

func tellGlobal(l *ledger) { l.variable(orders, "main.orders") }

func fillPackages() {
	session.Fill()
	dotted.Fill()
}

func tellPackages(l *ledger) {
	// Small functions are inlined into those of main.
	const path = "example.test/deep/session"
	user := func(pkg string) string {
		name := `(?:` + pkg + `\.\w+|main\.fillPackages|main\.tellPackages)`
		return `global 0x[0-9a-f]+ \(` + name + `(?:, ` + name + `){0,2}\)`
	}
	tell := func(m interface{}, stripped string, names ...string) {
		l.say(m, &expected{Owners: names, Shared: []int{1}, Stripped: []string{stripped}})
	}
	tell(session.Active, user(path), path+".Active")
	tell(session.Hidden(), user(path), path+".hidden")
	// The linker spells the last dot %2e.
	tell(dotted.Table(), user(`example\.test/deep/dotted(?:\.|%2e)v2`),
		"example.test/deep/dotted.v2.table", "example.test/deep/dotted%2ev2.table")
}

func fillEmpty() {
	empty = make(map[int8]int8)
	empty[int8(emptySought)] = 1
	delete(empty, int8(emptySought))
}

func tellEmpty(l *ledger) { l.variable(empty, "main.empty") }

func fillNamed() { named = ByName{"a": new(Shard)} }

func tellNamed(l *ledger) { l.variable(named, "main.named") }

func fillStruct() {
	shop.name = "shop"
	shop.orders = ints(3)
	shop.inner.m = map[int]string{1: "inner"}
}

func tellStruct(l *ledger) {
	l.within(shop.orders, "main.shop", ".orders", "main.Shop.orders")
	l.within(shop.inner.m, "main.shop", ".inner.m", "main.Shop.inner.m")
}

func fillPointer() {
	heapShop = &Shop{name: "heap", orders: ints(20)}
	heapShop.inner.m = map[int]string{2: "inner"}
}

func tellPointer(l *ledger) {
	l.field(heapShop.orders, "main.Shop.orders", "main.heapShop")
	l.field(heapShop.inner.m, "main.Shop.inner.m", "main.heapShop")
}

func fillEmbedded() {
	embeds.Base.m = map[string]int{"base": 1}
	heapBase = &Shop{Base: Base{2, map[string]int{"base": 2, "heap": 3}}}
}

func tellEmbedded(l *ledger) {
	l.within(embeds.Base.m, "main.embeds", ".Base.m", "main.Shop.Base.m")
	l.field(heapBase.m, "main.Shop.Base.m", "main.heapBase")
}

func fillEmbeddedPointer() {
	heapDeep = &Deep{1, &Base{1, map[string]int{"deep": 1}}}
}

func tellEmbeddedPointer(l *ledger) { l.field(heapDeep.m, "main.Base.m", "main.heapDeep") }

func fillAnonymous() {
	anonymous.m = map[uint16]int{1: 1}
	anonymousPointer = &struct {
		id int
		m  map[uint16]string
	}{1, map[uint16]string{1: "one"}}
}

func tellAnonymous(l *ledger) {
	l.within(anonymous.m, "main.anonymous", ".m", "")
	l.within(anonymousPointer.m, "main.anonymousPointer", ".m", "")
}

func fillArray() {
	for i := range shards {
		shards[i].m = ints(i)
	}
}

func tellArray(l *ledger) {
	for i := range shards {
		l.within(shards[i].m, "main.shards", "[].m", "main.Shard.m")
	}
}

func fillGrid() {
	for i := range grid {
		for j := range grid[i] {
			grid[i][j] = map[int]bool{i: true, j + 10: false}
		}
	}
}

func tellGrid(l *ledger) {
	for i := range grid {
		for j := range grid[i] {
			l.say(grid[i][j], l.expect(grid[i][j], "", func() *expected {
				return &expected{Owners: []string{"main.grid[]"}, Shared: []int{1},
					Stripped: []string{l.global(""), l.global("[]")}}
			}))
		}
	}
}

func fillMapPointer() {
	m := ints(4)
	mapPointer = &m
}

func tellMapPointer(l *ledger) {
	l.say(*mapPointer, &expected{Owners: []string{"*main.mapPointer"}, Shared: []int{1},
		Stripped: []string{`\*` + l.global("")}})
}

func fillPointerChain() {
	m := map[int]int8{1: 1, 2: 2}
	a := &m
	b := &a
	chain = &b
}

// The stars of a chain of pointers may be written or left out.
func tellPointerChain(l *ledger) {
	l.say(***chain, &expected{Patterns: []string{`\*{0,3}main\.chain`}, Shared: []int{1},
		Stripped: []string{`\*{0,3}` + l.global("")}})
}

func fillInterior() {
	o := &Outer{inner: Inner{1, map[int]string{1: "a", 2: "b"}}}
	interior = &o.inner
}

func tellInterior(l *ledger) {
	l.say(interior.m, &expected{Shared: []int{1},
		Owners:   []string{"main.Inner.m <- main.interior", "main.Outer.inner.m <- main.interior"},
		Stripped: []string{`main\.(?:Inner|Outer\.inner)\.m <- ` + l.global("")}})
}

// The struct lies in the data section under a name of the compiler's.
func fillStatic() { static.m = map[string]int{"static": 1} }

// The linker laid it out, so the program need not describe its type: then its fields are those of
// the variable.
func tellStatic(l *ledger) {
	l.say(static.m, l.expect(static.m, "static", func() *expected {
		return &expected{Owners: []string{"main.Static.m <- main.static", "main.static.m"},
			Stripped: []string{".+"}, Shared: []int{1}}
	}))
}

// So do these, each behind the one before it.
func fillStaticChain() {
	linked.back.end.end = linked.back
	linked.back.end.m = map[string]int16{"chain": 1}
}

func tellStaticChain(l *ledger) {
	l.say(linked.back.end.m, l.expect(linked.back.end.m, "static", func() *expected {
		return &expected{Owners: []string{"main.Back.m <- main.linked", "main.linked.back.end.m",
			"main.Back.m <- main.linked.back.end"},
			Stripped: []string{".+"}, Shared: []int{1}}
	}))
}

func fillTwo() {
	one = map[int]uint8{1: 1}
	two = one
}

func tellTwo(l *ledger) {
	if len(one) == len(two) {
		l.say(one, &expected{Owners: []string{"main.one", "main.two"}, Shared: []int{2},
			Stripped: []string{l.global("")}})
	}
}

func fillAliases() {
	asNamed = ByName{"a": nil, "b": nil}
	asUnnamed = asNamed
}

func tellAliases(l *ledger) {
	if len(asNamed) == len(asUnnamed) {
		l.say(asNamed, &expected{Owners: []string{"main.asNamed", "main.asUnnamed"},
			Shared: []int{2}, Stripped: []string{l.global("")}})
	}
}

func fillVariableAndField() {
	sharedBag = newBag(3)
	sharedMap = sharedBag.m
}

func tellVariableAndField(l *ledger) {
	if len(sharedBag.m) == len(sharedMap) {
		l.say(sharedMap, &expected{Shared: []int{2},
			Owners:   []string{"main.sharedMap", "main.Bag.m <- main.sharedBag"},
			Stripped: []string{`(?:main\.Bag\.m <- )?` + l.global("")}})
	}
}

func fillThrice() {
	m := map[int]uint16{1: 1, 2: 4, 3: 9}
	thrice = []map[int]uint16{m, m, m}
}

func tellThrice(l *ledger) {
	l.say(thrice[0], &expected{Owners: []string{"main.thrice[]"}, Shared: []int{3},
		Stripped: []string{l.global("[]")}})
}

// Two variables reach the struct, but one place holds the map.
func fillTwoRoots() {
	rootA = newBag(5)
	rootB = rootA
}

func tellTwoRoots(l *ledger) {
	if rootA == rootB {
		l.say(rootA.m, &expected{Shared: []int{1},
			Owners:   []string{"main.Bag.m <- main.rootA", "main.Bag.m <- main.rootB"},
			Stripped: []string{`main\.Bag\.m <- ` + l.global("")}})
	}
}
