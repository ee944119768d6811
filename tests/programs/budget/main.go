// Command budget fills maps, holds them for a while, and ends as it is told: what mapscope run
// observes.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Session is what Registry holds by id.
type Session struct {
	attrs map[string]int
	id    int
}

var (
	registry = map[int]*Session{}
	cache    = map[string]int{}
)

func fill(entries, sessions int) {
	for i := 0; i < entries; i++ {
		cache[fmt.Sprint("key", i)] = i
	}
	for i := 0; i < sessions; i++ {
		registry[i] = &Session{map[string]int{fmt.Sprint(i): i}, i}
	}
}

func main() {
	entries := flag.Int("entries", 50000, "entries of the cache")
	sessions := flag.Int("sessions", 100, "small maps")
	hold := flag.Duration("hold", 1500*time.Millisecond, "how long to hold them")
	code := flag.Int("exit", 0, "exit code")
	kill := flag.Bool("kill", false, "end by a signal of its own")
	polite := flag.Bool("polite", false, "end with 7 when interrupted")
	flag.Parse()

	interrupted := make(chan os.Signal, 1)
	if *polite {
		signal.Notify(interrupted, os.Interrupt)
	}
	fill(*entries, *sessions)
	fmt.Println("uid", os.Getuid(), "maps", *sessions+2)
	select {
	case <-time.After(*hold):
	case <-interrupted:
		os.Exit(7)
	}
	if *kill {
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(time.Minute)
	}
	fmt.Println("entries", len(cache), "sessions", len(registry))
	os.Exit(*code)
}
