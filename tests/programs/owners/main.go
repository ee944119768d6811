// Owners holds maps in every way that a program can, and says of each who holds it.
//
// A way is a row of the table below: fill makes its maps and leaves them to real holders - package
// variables, goroutines, timers - and tell walks those holders and lists what they hold.  Nothing
// else refers to the maps: the list has addresses as numbers, and both functions run in goroutines
// of their own, so that their stacks are gone when the maps are looked at.
//
//	owners -truth FILE
//
// JSON lines go to FILE (standard output without it): one for each map, and before the first map of
// its kind one with what may be said of it, which the map's line refers to by number.  Then comes a
// line with "ready" on standard output.  When the input ends, the holders are walked again and a
// summary says whether every map is still where and as it was.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

// When a way is filled: a pool loses at each collection what it held before the last one.
const (
	first = iota // Before both collections.
	between
	last // After both.
)

type way struct {
	name string
	when int
	fill func()
	tell func(*ledger)
}

// The tests read the names from these rows, one test for each.
var ways = []way{
	{"global", first, fillGlobal, tellGlobal},
	{"global_of_package", first, fillPackages, tellPackages},
	{"empty", first, fillEmpty, tellEmpty},
	{"named_type", first, fillNamed, tellNamed},
	{"struct_variable", first, fillStruct, tellStruct},
	{"struct_pointer", first, fillPointer, tellPointer},
	{"embedded", first, fillEmbedded, tellEmbedded},
	{"embedded_pointer", first, fillEmbeddedPointer, tellEmbeddedPointer},
	{"anonymous_struct", first, fillAnonymous, tellAnonymous},
	{"array_of_structs", first, fillArray, tellArray},
	{"array_of_maps", first, fillGrid, tellGrid},
	{"pointer_to_map", first, fillMapPointer, tellMapPointer},
	{"pointer_chain", first, fillPointerChain, tellPointerChain},
	{"interior_pointer", first, fillInterior, tellInterior},
	{"static_data", first, fillStatic, tellStatic},
	{"static_chain", first, fillStaticChain, tellStaticChain},
	{"two_variables", first, fillTwo, tellTwo},
	{"named_and_unnamed", first, fillAliases, tellAliases},
	{"variable_and_field", first, fillVariableAndField, tellVariableAndField},
	{"thrice_in_slice", first, fillThrice, tellThrice},
	{"struct_of_two_roots", first, fillTwoRoots, tellTwoRoots},

	{"slice_of_maps", first, fillSlice, tellSlice},
	{"slice_beyond_length", first, fillTail, tellTail},
	{"slice_in_struct", first, fillLists, tellLists},
	{"slice_of_structs", first, fillSliceOfStructs, tellSliceOfStructs},
	{"slice_of_anonymous", first, fillRows, tellRows},
	{"named_slice", first, fillPile, tellPile},
	{"map_of_maps", first, fillByName, tellByName},
	{"map_of_maps_of_maps", first, fillDeepMaps, tellDeepMaps},
	{"map_of_slices", first, fillBySlice, tellBySlice},
	{"map_of_arrays", first, fillArrays, tellArrays},
	{"map_of_structs", first, fillBags, tellBags},
	{"map_of_pointers", first, fillBagPointers, tellBagPointers},
	{"map_with_pointer_keys", first, fillByBag, tellByBag},
	{"map_with_wide_entries", first, fillWide, tellWide},
	{"map_growing", first, fillGrowing, tellGrowing},
	{"channel_of_maps", first, fillQueue, tellQueue},
	{"channel_of_structs", first, fillJobs, tellJobs},

	{"interface", first, fillBoxed, tellBoxed},
	{"interface_in_struct", first, fillBox, tellBox},
	{"interface_in_slice_in_map", first, fillDeepBoxed, tellDeepBoxed},
	{"interface_of_struct", first, fillBoxedStruct, tellBoxedStruct},
	{"interface_of_one_field", first, fillBoxedOne, tellBoxedOne},
	{"interface_of_array", first, fillBoxedArray, tellBoxedArray},
	{"interface_of_pointer", first, fillBoxedPointer, tellBoxedPointer},
	{"interface_keys", first, fillAnyKeys, tellAnyKeys},
	{"interface_with_methods", first, fillCounted, tellCounted},
	{"interface_of_named_map", first, fillTally, tellTally},
	{"interface_tree", first, fillTree, tellTree},
	{"error_value", first, fillFailure, tellFailure},
	{"local_type", first, fillLocal, tellLocal},

	{"closure_by_value", first, fillByValue, tellByValue},
	{"closure_by_reference", first, fillByReference, tellByReference},
	{"closure_with_much", first, fillMuch, tellMuch},
	{"closure_in_closure", first, fillChained, tellChained},
	{"closure_of_pointer", first, fillCapturesPointer, tellCapturesPointer},
	{"closure_in_struct", first, fillHandler, tellHandler},
	{"closure_in_map", first, fillHandlers, tellHandlers},
	{"closure_of_generic", first, fillGenericClosure, tellGenericClosure},
	{"method_value", first, fillMethod, tellMethod},
	{"method_value_of_value", first, fillValueMethod, tellValueMethod},
	{"method_value_of_interface", first, fillInterfaceMethod, tellInterfaceMethod},

	{"generic_struct", first, fillGeneric, tellGeneric},
	{"generic_nested", first, fillGenericNested, tellGenericNested},
	{"generic_of_package", first, fillGenericForeign, tellGenericForeign},
	{"generic_list", first, fillNodes, tellNodes},
	{"generic_map_type", first, fillPairs, tellPairs},

	{"list", first, fillList, tellList},
	{"cycle", first, fillRing, tellRing},
	{"tree_with_parents", first, fillFamily, tellFamily},
	{"map_of_itself", first, fillSelf, tellSelf},
	{"sessions", first, fillSessions, tellSessions},

	{"stack_header", first, fillStackHeader, tellStackHeader},
	{"stack_reference", first, fillStackReference, tellStackReference},
	{"stack_argument", first, fillStackArgument, tellStackArgument},
	{"stack_struct", first, fillStackStruct, tellStackStruct},
	{"stack_slice", first, fillStackSlice, tellStackSlice},
	{"stack_inner_frame", first, fillStackInner, tellStackInner},
	{"goroutine_closure", first, fillGoClosure, tellGoClosure},
	{"deferred_closure", first, fillDeferred, tellDeferred},
	{"blocked_sender", first, fillSender, tellSender},

	{"finalizer_closure", first, fillFinalizerClosure, tellFinalizerClosure},
	{"finalizer_argument", first, fillFinalizerArgument, tellFinalizerArgument},
	{"finalizer_queue", first, fillFinalizerQueue, tellFinalizerQueue},
	{"cleanup_closure", first, fillCleanup, tellCleanup},
	{"timer", first, fillTimer, tellTimer},
	{"timer_in_variable", first, fillKeptTimer, tellKeptTimer},
	{"pool_victim", between, fillVictim, tellVictim},
	{"pool", last, fillPool, tellPool},
	{"context", first, fillContext, tellContext},

	{"sync_map", first, fillSyncMap, tellSyncMap},
	{"sync_map_in_struct", first, fillLocks, tellLocks},
	{"sync_map_pointer", first, fillSyncPointer, tellSyncPointer},
	{"sync_map_values", first, fillSyncValues, tellSyncValues},
	{"atomic_value", first, fillAtomicValue, tellAtomicValue},
	{"atomic_pointer", first, fillAtomicPointer, tellAtomicPointer},
	{"unsafe_pointer", first, fillRaw, tellRaw},
	{"unsafe_pointer_to_struct", first, fillHidden, tellHidden},
}

// aside runs f in a goroutine that has ended when it returns.
func aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func fill(when int) {
	for i := range ways {
		if ways[i].when == when {
			aside(ways[i].fill)
		}
	}
}

func list() *ledger {
	l := new(ledger)
	for i := range ways {
		l.enter(&ways[i])
		aside(func() { ways[i].tell(l) })
	}
	return l
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "owners:", err)
		os.Exit(1)
	}
}

func write(l *ledger, path string) {
	file := os.Stdout
	if path != "" {
		var err error
		file, err = os.Create(path)
		fail(err)
	}
	w := bufio.NewWriter(file)
	l.write(w)
	fail(w.Flush())
	if path != "" {
		fail(file.Close())
	}
}

func main() {
	path := flag.String("truth", "", "file for the list of maps")
	flag.Parse()
	debug.SetGCPercent(-1) // A collection empties pools, and moves what waits for its finalizer.
	fill(first)
	runtime.GC()
	fill(between)
	runtime.GC()
	fill(last)
	l := list()
	write(l, *path)
	fmt.Printf("{\"ready\":true,\"maps\":%d,\"pid\":%d}\n", len(l.maps), os.Getpid())
	_, err := io.Copy(io.Discard, os.Stdin)
	fail(err)
	fmt.Printf("{\"maps\":%d,\"intact\":%d}\n", len(l.maps), l.same(list()))
}
