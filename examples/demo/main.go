// Demo is a small service with a fault that many have: a cache of orders that nobody empties.
//
// It gets worse by itself: a report goes through the whole cache under its lock, and the longer the
// cache, the longer the clients wait.
//
// Beside it stand maps that are in order: a payment table behind one lock with readers, sessions
// that come and go, configuration and routes that never change, and a table of offers that was
// large once and kept its memory when most offers expired.  There is no network: a load loop plays
// the clients.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

var shop = newShop()

func main() {
	seconds := flag.Int("seconds", 0, "stop after so many seconds; 0 runs until killed")
	rate := flag.Int("rate", 5000, "orders per second")
	flag.Parse()

	shop.offers.load(1000000)
	shop.offers.expire(20) // One in twenty stays.
	shop.sessions.open(5000)
	go shop.takeOrders(*rate)
	go shop.settlePayments(*rate / 10)
	go shop.reportSales()
	for i := 0; i < 8; i++ {
		go shop.answerQueries()
	}
	fmt.Printf("ready: pid %d takes %d orders a second\n", os.Getpid(), *rate)
	if *seconds > 0 {
		time.Sleep(time.Duration(*seconds) * time.Second)
		fmt.Printf("done: %d orders cached\n", shop.orders.count())
		return
	}
	select {}
}
