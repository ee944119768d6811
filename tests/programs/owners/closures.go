package main

// peek is a function that gives away the map it has captured.
type peek func() interface{}

type Handler struct {
	name  string
	serve peek
}

type Table struct {
	id int
	m  map[string]uint16
}

func (t *Table) Peek() interface{} { return t.m }

// Flat has its methods on the value: a method value copies it.
type Flat struct {
	id int
	m  map[string]uint32
}

func (f Flat) Peek() interface{} { return f.m }

type peeks interface{ Peek() interface{} }

var (
	byValue         peek
	byReference     peek
	much            peek
	chained         peek
	capturesPointer peek
	handler         *Handler
	handlers        map[string]peek
	genericClosure  peek
	method          peek
	valueMethod     peek
	interfaceMethod peek
)

//go:noinline
func newByValue(n int) peek {
	cache := map[int]uint{n: 1, n + 1: 2}
	return func() interface{} { return cache }
}

//go:noinline
func newByReference(n int) peek {
	var cache map[int]uint
	return func() interface{} {
		if cache == nil {
			cache = map[int]uint{n: 1}
		}
		return cache
	}
}

//go:noinline
func newMuch(n int, name string) peek {
	hits, list, cache := 0, []int{n}, map[string]uint{name: 1}
	return func() interface{} {
		hits++
		list = append(list, hits)
		if len(name) == 0 {
			return list
		}
		return cache
	}
}

//go:noinline
func through(p peek) peek { return p }

//go:noinline
func newChained(n int) peek {
	cache := map[int]int8{n: 1}
	inner := through(func() interface{} { return cache })
	return func() interface{} { return inner() }
}

//go:noinline
func newCapturesPointer(b *Bag) peek {
	return func() interface{} { return b.m }
}

//go:noinline
func newGeneric[T any](v T) peek {
	cache := map[string]T{"generic": v}
	return func() interface{} { return cache }
}

func fillByValue() { byValue = newByValue(1) }

func tellByValue(l *ledger) { l.captured(byValue(), nameOf(byValue), "cache", "main.byValue") }

func fillByReference() {
	byReference = newByReference(1)
	byReference()
}

func tellByReference(l *ledger) {
	l.captured(byReference(), nameOf(byReference), "cache", "main.byReference")
}

func fillMuch() { much = newMuch(1, "much") }

func tellMuch(l *ledger) { l.captured(much(), nameOf(much), "cache", "main.much") }

func fillChained() { chained = newChained(5) }

// The inner function is the first of the two.
func tellChained(l *ledger) {
	l.captured(chained(), "main.newChained.func1", "cache", "main.chained")
}

func fillCapturesPointer() { capturesPointer = newCapturesPointer(newBag(8)) }

func tellCapturesPointer(l *ledger) {
	l.field(capturesPointer(), "main.Bag.m", "main.capturesPointer")
}

func fillHandler() { handler = &Handler{"handler", newByValue(10)} }

func tellHandler(l *ledger) {
	l.captured(handler.serve(), nameOf(handler.serve), "cache", "main.handler")
}

func fillHandlers() { handlers = map[string]peek{"a": newByValue(20), "b": newByValue(30)} }

func tellHandlers(l *ledger) {
	for _, name := range []string{"a", "b"} {
		l.captured(handlers[name](), nameOf(handlers[name]), "cache", "main.handlers")
	}
}

func fillGenericClosure() { genericClosure = newGeneric(int64(1)) }

func tellGenericClosure(l *ledger) {
	l.captured(genericClosure(), nameOf(genericClosure), "cache", "main.genericClosure")
}

func fillMethod() { method = (&Table{1, map[string]uint16{"method": 1}}).Peek }

func tellMethod(l *ledger) { l.field(method(), "main.Table.m", "main.method") }

func fillValueMethod() { valueMethod = Flat{1, map[string]uint32{"method": 1}}.Peek }

func tellValueMethod(l *ledger) { l.field(valueMethod(), "main.Flat.m", "main.valueMethod") }

func fillInterfaceMethod() {
	var p peeks = &Table{2, map[string]uint16{"interface": 1, "method": 2}}
	interfaceMethod = p.Peek
}

func tellInterfaceMethod(l *ledger) {
	l.field(interfaceMethod(), "main.Table.m", "main.interfaceMethod")
}
