package main

type Box struct {
	name string
	any  interface{}
}

type Boxed struct {
	pad [2]int
	m   map[string]int16
}

// One is stored in an interface as it is, without a pointer to it.
type One struct {
	m map[int16]string
}

type counts interface{ count() int }

type Impl struct {
	n int
	m map[int32]int
}

func (i *Impl) count() int { return i.n + len(i.m) }

type Tally map[string]int32

func (t Tally) count() int { return len(t) }

type Failure struct {
	text string
	m    map[string]float64
}

func (f *Failure) Error() string { return f.text }

var (
	boxed        interface{}
	box          *Box
	deepBoxed    map[string][]interface{}
	boxedStruct  interface{}
	boxedOne     interface{}
	boxedArray   interface{}
	boxedPointer interface{}
	anyKeys      map[interface{}]int
	counted      counts
	tally        counts
	tree         interface{}
	failure      error
	local        interface{}
)

func fillBoxed() { boxed = map[int]float64{1: 1, 2: 2} }

func tellBoxed(l *ledger) { l.variable(boxed, "main.boxed") }

func fillBox() { box = &Box{"box", map[int]float32{1: 1}} }

func tellBox(l *ledger) { l.field(box.any, "main.Box.any", "main.box") }

func fillDeepBoxed() {
	deepBoxed = map[string][]interface{}{"a": {1, map[string]bool{"x": true}, "text"},
		"b": {map[int]bool{1: true}}}
}

func tellDeepBoxed(l *ledger) {
	l.variable(deepBoxed, "main.deepBoxed")
	l.within(deepBoxed["a"][1], "main.deepBoxed", "[]", "")
	l.within(deepBoxed["b"][0], "main.deepBoxed", "[]", "")
}

func fillBoxedStruct() { boxedStruct = Boxed{m: map[string]int16{"boxed": 1}} }

func tellBoxedStruct(l *ledger) {
	l.field(boxedStruct.(Boxed).m, "main.Boxed.m", "main.boxedStruct")
}

func fillBoxedOne() { boxedOne = One{map[int16]string{1: "one"}} }

func tellBoxedOne(l *ledger) { l.field(boxedOne.(One).m, "main.One.m", "main.boxedOne") }

func fillBoxedArray() { boxedArray = [1]map[int16]int16{{1: 1}} }

func tellBoxedArray(l *ledger) {
	l.within(boxedArray.([1]map[int16]int16)[0], "main.boxedArray", "[]", "")
}

func fillBoxedPointer() { boxedPointer = newBag(6) }

func tellBoxedPointer(l *ledger) {
	l.field(boxedPointer.(*Bag).m, "main.Bag.m", "main.boxedPointer")
}

func fillAnyKeys() { anyKeys = map[interface{}]int{newBag(7): 7, "text": 8, 9: 9} }

func tellAnyKeys(l *ledger) {
	l.variable(anyKeys, "main.anyKeys")
	for k := range anyKeys {
		if b, ok := k.(*Bag); ok {
			l.field(b.m, "main.Bag.m", "main.anyKeys")
		}
	}
}

func fillCounted() { counted = &Impl{1, map[int32]int{1: 1, 2: 2}} }

func tellCounted(l *ledger) { l.field(counted.(*Impl).m, "main.Impl.m", "main.counted") }

func fillTally() { tally = Tally{"one": 1} }

func tellTally(l *ledger) { l.variable(tally, "main.tally") }

// What a JSON decoder makes.
func fillTree() {
	tree = map[string]interface{}{"name": "root", "sub": map[string]interface{}{"n": 1.0,
		"list": []interface{}{map[string]interface{}{"x": 1.0, "y": 2.0, "z": 3.0}}}}
}

func tellTree(l *ledger) {
	root := tree.(map[string]interface{})
	sub := root["sub"].(map[string]interface{})
	l.variable(root, "main.tree")
	l.within(sub, "main.tree", "[]", "")
	l.within(sub["list"].([]interface{})[0], "main.tree", "[]", "")
}

func fillFailure() { failure = &Failure{"failed", map[string]float64{"x": 1}} }

func tellFailure(l *ledger) { l.field(failure.(*Failure).m, "main.Failure.m", "main.failure") }

type peeker interface{ peek() interface{} }

type base struct{ m map[uint8]string }

func (b base) peek() interface{} { return b.m }

func fillLocal() {
	type hidden struct {
		id int
		base
	}
	local = &hidden{1, base{map[uint8]string{1: "local"}}}
}

func tellLocal(l *ledger) {
	l.field(local.(peeker).peek(), "main.hidden.base.m", "main.local")
}
