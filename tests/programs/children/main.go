// children holds one map of 5,000 entries, and either starts processes all day or becomes itself anew
// all day:
//
//	children fork		four goroutines that run /bin/true, until standard input ends
//	children exec N		execs itself N times, 30 ms apart, then waits for standard input to end
//
// It prints "ready" once its map is full, of a chain of execs the first time only.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const entries = 5000

var ledger = make(map[int]string)

func startAllDay() {
	for {
		_ = exec.Command("/bin/true").Run()
	}
}

// becomeAnew ends the chain when no exec is left.
func becomeAnew(left int) {
	if left == 0 {
		return
	}
	time.Sleep(30 * time.Millisecond)
	err := syscall.Exec("/proc/self/exe", []string{os.Args[0], "exec", strconv.Itoa(left - 1), "quiet"}, os.Environ())
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	for i := 0; i < entries; i++ {
		ledger[i] = strconv.Itoa(i)
	}
	if len(os.Args) < 4 {
		fmt.Println("ready")
	}
	switch os.Args[1] {
	case "fork":
		for i := 0; i < 4; i++ {
			go startAllDay()
		}
	case "exec":
		left, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		becomeAnew(left)
	}
	_, _ = io.ReadAll(os.Stdin)
	fmt.Println(len(ledger))
}
