// Tables makes a few maps, each in a variable of its own, and says what their tables look like
// inside: every map is one JSON line, read here in Go without any help from the tool under test.
//
// Then comes a line with "ready".  Standard input steers the program: "damage KIND NAME" spoils one
// thing about a map, "repair" puts it back, "churn" writes to main.churned without a pause until
// the end, and the end of input ends it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

type order struct {
	id    uint32
	state byte
	total float64
}

var (
	empty   map[string]int
	small   map[string]int
	orders  map[uint64]string
	padded  map[uint8]order
	deleted map[int]int
	half    map[int]int
	texts   map[string]*order
	shrunk  map[int]int
	churned map[int]int
	big     map[uint64]uint64
	shards  [4]map[string]int
)

// table is what the program says of one map.
type table struct {
	Name      string            `json:"name"`
	Address   string            `json:"address"`
	Len       int               `json:"len"`
	Kind      string            `json:"kind"`
	Header    map[string]uint64 `json:"header"`
	Units     uint64            `json:"units"`
	Fills     [17]uint64        `json:"fills"`
	Chains    [17]uint64        `json:"chains"`
	Overflow  uint64            `json:"overflow"`
	Tables    uint64            `json:"tables"`
	Deleted   uint64            `json:"deleted"`
	OldUnits  uint64            `json:"old_units"`
	Moved     uint64            `json:"moved"`
	SameSize  bool              `json:"same_size"`
	UnitBytes uint64            `json:"unit_bytes"`
	Tags      [256]uint64       `json:"tags"`
	Unit      uint64            `json:"unit_address"` // Where the first one lies.
}

func headerOf[K comparable, V any](m map[K]V) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&m))
}

func word(i uint64) string { return "order-" + strconv.FormatUint(i*2654435761%1000000007, 16) }

func tell[K comparable, V any](name string, m map[K]V) {
	t := table{Name: name, Len: len(m), Kind: mapKind}
	p := headerOf(m)
	t.Address = fmt.Sprintf("0x%x", uintptr(p))
	look(p, unitOf[K, V](), &t)
	line, _ := json.Marshal(t)
	fmt.Println(string(line))
}

func fillAll(largest int) {
	small = map[string]int{"a": 1, "b": 2, "c": 3}
	orders = make(map[uint64]string)
	for i := uint64(0); i < 20000; i++ {
		orders[i] = word(i)
	}
	padded = make(map[uint8]order)
	for i := 0; i < 200; i++ {
		padded[uint8(i)] = order{id: uint32(i)}
	}
	deleted = make(map[int]int)
	for i := 0; i < 7000; i++ {
		deleted[i] = i
	}
	for i := 0; i < 7000; i += 3 {
		delete(deleted, i)
	}
	texts = make(map[string]*order)
	for i := uint64(0); i < 3000; i++ {
		texts["customer/"+word(i)] = &order{}
	}
	big = make(map[uint64]uint64)
	for i := 0; i < largest; i++ {
		big[uint64(i)] = uint64(i)
	}
	churned = make(map[int]int)
	for i := 0; i < 1000; i++ {
		churned[i] = i
	}
	for i := range shards {
		shards[i] = map[string]int{"shard": i}
	}
	empty = make(map[string]int)
	half = make(map[int]int)
	for i := 0; i < 1<<20 && !isHalfGrown(headerOf(half)); i++ {
		half[i] = i
	}
	shrunk = sameSize()
}

// sameSize piles up overflow buckets until the runtime rebuilds the table in its own size.
func sameSize() map[int]int {
	m := make(map[int]int, 300)
	next := 0
	for round := 0; round < 2000; round++ {
		for i := 0; i < 400; i++ {
			m[next] = i
			next++
			if isSameSize(headerOf(m)) {
				return m
			}
		}
		for k := next - len(m); len(m) > 0; k++ {
			delete(m, k)
		}
	}
	return m
}

func tellAll() {
	tell("main.empty", empty)
	tell("main.small", small)
	tell("main.orders", orders)
	tell("main.padded", padded)
	tell("main.deleted", deleted)
	tell("main.half", half)
	tell("main.texts", texts)
	tell("main.shrunk", shrunk)
	tell("main.big", big)
}

var undo []func()

// spoil adds to the bytes at p, to be taken away again by repair.
func spoil[T any](p unsafe.Pointer, value T) {
	at := (*T)(p)
	old := *at
	*at = value
	undo = append(undo, func() { *at = old })
}

func damage(kind, name string) bool {
	switch name {
	case "main.orders":
		return damageMap(kind, headerOf(orders), unitOf[uint64, string]())
	case "main.small":
		return damageMap(kind, headerOf(small), unitOf[string, int]())
	case "main.half":
		return damageMap(kind, headerOf(half), unitOf[int, int]())
	case "main.texts":
		return damageMap(kind, headerOf(texts), unitOf[string, *order]())
	}
	return false
}

func churn() {
	for i := 0; ; i++ {
		churned[i%3000] = i
		delete(churned, (i*7)%3000)
	}
}

func serve() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch {
		case len(words) == 3 && words[0] == "damage":
			fmt.Printf("{\"damaged\":%t}\n", damage(words[1], words[2]))
		case len(words) == 1 && words[0] == "repair":
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
			}
			undo = nil
			fmt.Println("{\"repaired\":true}")
		case len(words) == 1 && words[0] == "churn":
			go churn()
			fmt.Println("{\"churning\":true}")
		default:
			fmt.Println("{\"error\":\"unknown command\"}")
		}
	}
}

func main() {
	largest := flag.Int("big", 1000, "entries of main.big")
	flag.Parse()
	fillAll(*largest)
	runtime.GC()
	tellAll()
	fmt.Printf("{\"ready\":true,\"kind\":%q}\n", mapKind)
	serve()
	runtime.KeepAlive([]interface{}{empty, small, orders, padded, deleted, half, texts, shrunk, big, churned, shards})
}
