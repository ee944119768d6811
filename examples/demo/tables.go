package main

import (
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Order is one purchase.
type Order struct {
	ID       uint64
	Customer string
	Cents    int64
	Lines    [4]uint32
}

// orderCache remembers every order by its number.  Nothing ever removes one: this is the fault.
type orderCache struct {
	mu   sync.Mutex
	byID map[uint64]*Order
}

func (c *orderCache) put(o *Order) {
	c.mu.Lock()
	c.byID[o.ID] = o
	c.mu.Unlock()
}

func (c *orderCache) get(id uint64) *Order {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

func (c *orderCache) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byID)
}

// list writes a line for each order, and keeps everybody else waiting for as long as that takes.
func (c *orderCache) list(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, o := range c.byID {
		fmt.Fprintf(w, "%d %s %d.%02d\n", id, o.Customer, o.Cents/100, o.Cents%100)
	}
}

// Payment is a settled amount.
type Payment struct {
	Cents, At int64
}

const paymentsKept = 20000

// paymentTable holds the latest payments behind one lock that many readers share.
type paymentTable struct {
	mu   sync.RWMutex
	byID map[string]Payment
}

func paymentName(id uint64) string { return "pay-" + strconv.FormatUint(id, 10) }

func (t *paymentTable) put(id uint64, p Payment) {
	t.mu.Lock()
	t.byID[paymentName(id)] = p
	if id > paymentsKept {
		delete(t.byID, paymentName(id-paymentsKept))
	}
	t.mu.Unlock()
}

func (t *paymentTable) settled(id uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, ok := t.byID[paymentName(id)]
	return ok
}

// Session is a customer who is logged in.
type Session struct {
	Customer string
	Cart     map[uint64]int
}

// sessionTable is written once and then only read.
type sessionTable struct {
	byName map[string]*Session
}

func sessionName(n uint64) string { return "customer-" + strconv.FormatUint(n, 10) }

func (t *sessionTable) open(n uint64) {
	for i := uint64(0); i < n; i++ {
		name := sessionName(i)
		t.byName[name] = &Session{Customer: name, Cart: map[uint64]int{i: 1, i + 1: 2}}
	}
}

func (t *sessionTable) known(id uint64) bool {
	_, ok := t.byName[sessionName(id%8000)]
	return ok
}

// Offer is a price for a while.
type Offer struct {
	Product uint64
	Cents   int64
}

// offerTable was filled once and emptied later; a map keeps the memory of its largest day.
type offerTable struct {
	byItem map[uint64]Offer
}

func (t *offerTable) load(n uint64) {
	for i := uint64(0); i < n; i++ {
		t.byItem[i] = Offer{Product: i * 3, Cents: int64(i % 500)}
	}
}

// expire deletes all offers but one in keep.
func (t *offerTable) expire(keep uint64) {
	for id := range t.byItem {
		if id%keep != 0 {
			delete(t.byItem, id)
		}
	}
}

func (t *offerTable) valid(id uint64) bool {
	_, ok := t.byItem[id]
	return ok
}
