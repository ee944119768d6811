package main

// Package-level maps: a debugger can name them, so they serve a second opinion.
var (
	GlobalConfig map[string]string
	GlobalOrders ordersByID
	GlobalFlags  map[string]bool
	GlobalEmpty  map[int]int
	GlobalGrid   map[point]int
)

// addGlobals fills them, the large one with at most largest entries.
func addGlobals(l *ledger, largest int) {
	GlobalConfig = make(map[string]string)
	fill(GlobalConfig, 37, word, word)
	GlobalOrders = make(ordersByID)
	orders := 12345
	if orders > largest {
		orders = largest
	}
	fill(GlobalOrders, orders, func(i uint64) uint64 { return i }, newOrder)
	GlobalFlags = map[string]bool{"fast": true, "safe": false, "loud": true}
	GlobalEmpty = make(map[int]int)
	GlobalGrid = make(map[point]int, 500)
	fill(GlobalGrid, 400, func(i uint64) point { return point{int32(i), 1} }, num)
	own(l, GlobalConfig, "main.GlobalConfig")
	own(l, GlobalOrders, "main.GlobalOrders")
	own(l, GlobalFlags, "main.GlobalFlags")
	own(l, GlobalEmpty, "main.GlobalEmpty")
	own(l, GlobalGrid, "main.GlobalGrid")
}

// addBig makes one map of n entries without pointers and a tenth of it with.
func addBig(l *ledger, n int) {
	m := make(map[int64]int64)
	for i := 0; i < n; i++ {
		m[int64(i)] = int64(i)
	}
	own(l, m, "big")
	orders := make(map[string]*order)
	fill(orders, n/10, word, newOrder)
	own(l, orders, "big")
	l.keep = append(l.keep, m, orders)
}
