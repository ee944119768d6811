package main

import (
	"io"
	"sync/atomic"
	"time"
)

// Shop is the service: what it remembers, and the loops that use it.
type Shop struct {
	orders   orderCache
	payments paymentTable
	sessions sessionTable
	offers   offerTable
	config   map[string]string
	routes   map[string]func(*Shop, uint64) bool
	lastID   uint64
}

func newShop() *Shop {
	return &Shop{
		orders:   orderCache{byID: make(map[uint64]*Order)},
		payments: paymentTable{byID: make(map[string]Payment)},
		sessions: sessionTable{byName: make(map[string]*Session)},
		offers:   offerTable{byItem: make(map[uint64]Offer)},
		config: map[string]string{
			"region": "eu-1", "currency": "EUR", "log.level": "info", "cache.orders": "on",
			"payments.timeout": "30s", "payments.retries": "3", "sessions.max": "5000",
			"offers.source": "nightly", "listen": "127.0.0.1:0", "tls": "off",
		},
		routes: map[string]func(*Shop, uint64) bool{
			"GET /order":   func(s *Shop, id uint64) bool { return s.orders.get(id) != nil },
			"GET /payment": func(s *Shop, id uint64) bool { return s.payments.settled(id) },
			"GET /offer":   func(s *Shop, id uint64) bool { return s.offers.valid(id) },
			"GET /session": func(s *Shop, id uint64) bool { return s.sessions.known(id) },
		},
	}
}

// everyTick calls work with what is due in each hundredth of a second, so that it adds up to rate.
func everyTick(rate int, work func(n int)) {
	start, done := time.Now(), 0
	for now := range time.Tick(10 * time.Millisecond) {
		due := int(now.Sub(start).Seconds() * float64(rate))
		if due > done {
			work(due - done)
			done = due
		}
	}
}

func (s *Shop) takeOrders(rate int) {
	everyTick(rate, func(n int) {
		for ; n > 0; n-- {
			id := atomic.AddUint64(&s.lastID, 1)
			s.orders.put(&Order{ID: id, Customer: sessionName(id % 5000), Cents: int64(id%9900 + 100)})
		}
	})
}

func (s *Shop) settlePayments(rate int) {
	settled := uint64(0)
	everyTick(rate, func(n int) {
		for ; n > 0; n-- {
			settled++
			s.payments.put(settled, Payment{Cents: int64(settled%9900 + 100), At: time.Now().Unix()})
		}
	})
}

// reportSales writes the list that the sales department looks at, five times a second.
func (s *Shop) reportSales() {
	for range time.Tick(200 * time.Millisecond) {
		s.orders.list(io.Discard)
	}
}

// answerQueries plays a client that asks for something every few microseconds.
func (s *Shop) answerQueries() {
	for id := uint64(0); ; id += 7 {
		for _, route := range s.routes {
			route(s, id%(1+atomic.LoadUint64(&s.lastID)))
		}
		if id%(7*512) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}
