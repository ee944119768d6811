// Truth makes maps of many shapes and says which maps it owns.
//
// Every map is one JSON line: its address, length, type, and what the program itself knows about
// its inside, read here in Go without any help from the tool under test.  Then comes one line with
// "ready", and from then on the listed maps do not change: what a reader outside finds at any later
// moment must be what the lines say.
//
// Standard input steers the program: "count" prints how far the churn has come, "check" counts the
// maps that still have the length they were listed with, "gc" collects twice, "exec PROGRAM" turns
// the process into another, and the end of input ends it with a summary.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

type options struct {
	maps, big, stack, decoys, churn, garbage int
	largest                                  int
	growing, gc, blocked, unmap              bool
	reserve, mappings                        int
	seed                                     uint64
	order, truthFile, decoyFile              string
}

func parse() options {
	var o options
	set := flag.NewFlagSet("truth", flag.ExitOnError)
	set.IntVar(&o.maps, "maps", 0, "maps of mixed shapes and sizes")
	set.IntVar(&o.big, "big", 0, "entries of one big map")
	set.IntVar(&o.stack, "stack", 0, "goroutines with a map in their frame")
	set.IntVar(&o.decoys, "decoys", 0, "objects shaped like map headers")
	set.IntVar(&o.churn, "churn", 0, "goroutines that change other maps at full speed")
	set.IntVar(&o.garbage, "garbage", 0, "maps dropped just before the ready line")
	set.IntVar(&o.largest, "largest", 1<<30, "entries at most in one map, big ones aside")
	set.BoolVar(&o.growing, "growing", false, "maps stopped in the middle of their growth")
	set.BoolVar(&o.gc, "gc", false, "collect garbage back to back")
	set.BoolVar(&o.blocked, "blocked", false, "a map on pages that block every read")
	set.IntVar(&o.reserve, "reserve", 0, "gigabytes of addresses without pages")
	set.IntVar(&o.mappings, "mappings", 0, "mappings of one page each")
	set.BoolVar(&o.unmap, "unmap", false, "map and unmap memory at full speed")
	set.Uint64Var(&o.seed, "seed", 1, "seed of every random choice")
	set.StringVar(&o.order, "order", "", "make the big or the small maps first")
	set.StringVar(&o.truthFile, "truth", "", "file for the map lines (standard output)")
	set.StringVar(&o.decoyFile, "decoy-file", "", "file for the addresses of decoys and garbage")
	_ = set.Parse(os.Args[1:])
	return o
}

// populate makes everything that is asked for, in a frame of its own so that nothing lingers in main's.
//
//go:noinline
func populate(o options, l *ledger) decoyCounts {
	rng := newRandom(o.seed)
	addGlobals(l, o.largest)
	plan := planMaps(o, rng)
	for _, p := range plan {
		shapes[p.shape].make(l, p, rng)
	}
	if o.big > 0 {
		addBig(l, o.big)
	}
	if o.growing {
		addGrowing(l, o.largest)
	}
	return addDecoys(l, o.decoys, rng)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "truth:", err)
		os.Exit(1)
	}
}

func writeTo(name string, write func(w *bufio.Writer)) {
	file := os.Stdout
	if name != "" {
		var err error
		file, err = os.Create(name)
		fail(err)
	}
	w := bufio.NewWriterSize(file, 1<<16)
	write(w)
	fail(w.Flush())
	if name != "" {
		fail(file.Close())
	}
}

func main() {
	o := parse()
	shapes = allShapes()
	l := &ledger{}
	blocked := o.blocked && addBlocked(l)
	reserve(o.reserve)
	mappings := fragment(o.mappings)
	if o.unmap {
		startUnmapping()
	}
	decoys := populate(o, l)
	frames := parkFrames(l, o.stack)
	startChurn(o.churn)
	// Twice: the second collection frees what finalizers and half-swept spans held in the first.
	runtime.GC()
	runtime.GC()
	percent := debug.SetGCPercent(-1)
	addGarbage(l, o.garbage, newRandom(o.seed+1))
	writeTo(o.truthFile, l.writeMaps)
	if o.decoyFile != "" {
		writeTo(o.decoyFile, l.writeDecoys)
	}
	debug.SetGCPercent(percent)
	if o.gc {
		debug.SetGCPercent(10)
		go func() {
			for {
				runtime.GC()
			}
		}()
	}
	fmt.Printf("{\"ready\":true,\"maps\":%d,\"decoys\":%d,\"empty_decoys\":%d,\"garbage\":%d,"+
		"\"pid\":%d,\"go\":%q,\"kind\":%q,\"blocked\":%t,\"mappings\":%d}\n", len(l.maps), decoys.shaped,
		decoys.empty, o.garbage, os.Getpid(), runtime.Version(), mapKind, blocked, mappings)
	serve(l)
	moved := frames.release()
	fmt.Printf("{\"summary\":true,\"maps\":%d,\"intact\":%d,\"stack_moved\":%d,\"counter\":%d}\n",
		len(l.maps), l.intact(), moved, churnCount())
	runtime.KeepAlive(l)
}

// serve answers the lines on standard input until it closes.
func serve(l *ledger) {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		command, argument, _ := strings.Cut(in.Text(), " ")
		switch command {
		case "count":
			fmt.Printf("{\"counter\":%d}\n", churnCount())
		case "check":
			fmt.Printf("{\"intact\":%d,\"maps\":%d}\n", l.intact(), len(l.maps))
		case "exec":
			fail(syscall.Exec(strings.TrimSpace(argument), []string{"truth"}, nil))
		case "gc":
			runtime.GC()
			runtime.GC()
			fmt.Println("{\"collected\":true}")
		default:
			fmt.Println("{\"error\":\"unknown command\"}")
		}
	}
}
