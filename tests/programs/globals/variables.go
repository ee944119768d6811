package main

import "globals/inner"

type order struct {
	id     uint64
	amount float64
	tags   map[string]bool
}

type wide [200]byte

type byName map[string]*order // A named map type.

type sameAsByID = map[uint64]*order // Another name of an unnamed one.

type set[T comparable] struct {
	members map[T]struct{}
	count   int
}

type word string

type pairs[K comparable, V any] map[K]V

type registry struct {
	name   string
	byConn map[uint64]*order
	nested struct {
		deep  map[int32]string
		other [2]map[string]int
	}
	next *registry // Followed from no variable: that would be a second pointer.
}

type shard struct {
	hits uint64
	m    map[string]int
}

type server struct {
	addr     string
	sessions map[string]*order
	inner    registry
	peer     *server
}

var (
	orders    map[uint64]*order
	named     byName
	alias     sameAsByID
	ofMaps    map[string]map[int]int
	wideKeys  map[wide]wide
	anyValues map[any]any
	functions map[string]func(int, ...string) (bool, error)
	channels  map[chan<- int]<-chan string
	unnamed   map[struct{ x, y int }]interface{ String() string }
	generic   set[string]
	generics  pairs[int, set[word]]
	reg       registry
	shards    [5]shard
	grid      [2][3]map[int]bool
	theServer *server
	first     map[int]int // Holds the same map as second.
	second    map[int]int
	pointer   *map[int]int
	empty     map[uint8]uint8 // Made, and never written.
	nothing   map[int]int     // Never made.
	slice     []map[int]int
	boxed     any
)

// The large array shows that arrays are gone through only up to a bound.
var large [100000]shard

func fill() {
	one := &order{id: 1, tags: map[string]bool{"new": true}}
	orders = map[uint64]*order{1: one, 2: one, 3: one}
	named = byName{"one": one}
	alias = sameAsByID{4: one}
	ofMaps = map[string]map[int]int{"in": {1: 2, 3: 4}}
	wideKeys = map[wide]wide{{}: {}}
	anyValues = map[any]any{1: "one"}
	functions = map[string]func(int, ...string) (bool, error){"none": nil}
	channels = map[chan<- int]<-chan string{nil: nil}
	unnamed = map[struct{ x, y int }]interface{ String() string }{{1, 2}: nil}
	generic.members = map[string]struct{}{"member": {}}
	generics = pairs[int, set[word]]{1: {}}
	reg.byConn = map[uint64]*order{7: one}
	reg.nested.deep = map[int32]string{1: "deep"}
	reg.nested.other[1] = map[string]int{"other": 1}
	reg.next = &registry{byConn: map[uint64]*order{8: one}}
	for i := range shards {
		shards[i].m = map[string]int{"shard": i}
	}
	grid[1][2] = map[int]bool{1: true}
	theServer = &server{sessions: map[string]*order{"s": one}}
	theServer.inner.byConn = map[uint64]*order{9: one}
	theServer.peer = &server{sessions: map[string]*order{"peer": one}}
	first = map[int]int{1: 1}
	second = first
	pointer = &map[int]int{5: 5}
	empty = make(map[uint8]uint8)
	slice = []map[int]int{{6: 6}}
	boxed = map[int]int{7: 7}
	large[3].m = map[string]int{"large": 3}
}

func tell() {
	say(orders, "main.orders")
	say(named, "main.named")
	say(alias, "main.alias")
	say(ofMaps, "main.ofMaps")
	say(wideKeys, "main.wideKeys")
	say(anyValues, "main.anyValues")
	say(functions, "main.functions")
	say(channels, "main.channels")
	say(unnamed, "main.unnamed")
	say(generic.members, "main.generic.members")
	say(generics, "main.generics")
	say(reg.byConn, "main.reg.byConn")
	say(reg.nested.deep, "main.reg.nested.deep")
	say(reg.nested.other[1], "main.reg.nested.other[1]")
	say(reg.next.byConn, "main.reg.next.byConn")
	for i := range shards {
		say(shards[i].m, "main.shards["+string(rune('0'+i))+"].m")
	}
	say(grid[1][2], "main.grid[1][2]")
	say(theServer.sessions, "main.theServer.sessions")
	say(theServer.inner.byConn, "main.theServer.inner.byConn")
	say(theServer.peer.sessions, "")
	say(first, "main.first")
	say(*pointer, "*main.pointer")
	say(empty, "main.empty")
	say(slice[0], "")
	say(boxed.(map[int]int), "")
	say(orders[1].tags, "")
	say(ofMaps["in"], "")
	say(large[3].m, "main.large[3].m")
	say(inner.Sizes, "globals/inner.Sizes")
	say(inner.Names(), "globals/inner.names")
}

// keep reads the variables that nothing else reads.
func keep() int {
	return len(second) + len(nothing) + len(large)
}
