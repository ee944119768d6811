package main

import (
	"testing"
	"time"
)

// TestFill holds its maps long enough for a look at them.
func TestFill(t *testing.T) {
	fill(20000, 10)
	time.Sleep(3 * time.Second)
	if len(cache) != 20000 {
		t.Fatal("entries are missing")
	}
}
