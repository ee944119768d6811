// Maptrace works on a map and records what each operation leaves in its memory.
//
//	maptrace KIND SEED > FILE
//
// It is for Go 1.19 and 1.20: the parts of the runtime that it knows are theirs.  KIND is one of the
// list in main().  A file is, in little-endian numbers:
//
//	"maptrace 1\n"      magic
//	string, string      release of Go, kind of map (each one byte of length, then bytes)
//	u16 u16 u16         bytes of key, of value, of a bucket
//	u32                 the hint that the map was made with
//	u16, keys           how many keys there are; each a u16 of length and its bytes
//	records             until 'E':
//
//	'A' u16 u32         assign: number of the key, number of the value
//	'D' u16             delete
//	'C'                 clear
//	'I'                 begin to iterate, and leave it
//	'H' u32 u64...      of the operation before, or of the empty map: hash0 is another one, and
//	                    these are the hashes of all keys
//	'S' u32             after each operation: a checksum of the map's memory, see below
//	'F' u32 bytes       after some: that memory itself
//
// Memory is written down with pointers by shape, where they differ from run to run:
//
//	header              count u64, flags, B, noverflow u16, hash0 u32; whether buckets and oldbuckets
//	                    are there, one byte each; nevacuate u64; whether extra is there, and if so
//	                    of overflow and oldoverflow each a byte and if 1 a u64 of length, and of
//	                    nextOverflow its number in the array as a u32, or 0xffffffff
//	array               of buckets, then of oldbuckets, where there are any: a u32 of how many buckets
//	                    were allocated, and each of them
//	bucket              tags; keys; values; padding; and of overflow: 0 for none, 1 and a u32 for
//	                    a bucket of the same array, 2 and the bucket itself for another one
//
// A key or value is its bytes.  Where it is a pointer (to a large one, or a *uint64), it is one byte
// that says whether there is one, and if the slot is filled what it points to.  A string is the same
// with a u64 of length before its bytes.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"unsafe"
)

const (
	fullDumpMost = 1600 // Bytes; larger memory is only a checksum.
	fullDumps    = 4
)

// Parts of the runtime, as in Go 1.19 and 1.20.
type rtype struct {
	size, ptrdata             uintptr
	hash                      uint32
	tflag, align, field, kind uint8
	equal                     func(unsafe.Pointer, unsafe.Pointer) bool
	gcdata                    *byte
	str, ptrToThis            int32
}

type maptype struct {
	typ               rtype
	key, elem, bucket *rtype
	hasher            func(unsafe.Pointer, uintptr) uintptr
	keysize, elemsize uint8
	bucketsize        uint16
	flags             uint32
}

type mapextra struct {
	overflow, oldoverflow *[]unsafe.Pointer
	nextOverflow          unsafe.Pointer
}

type hmap struct {
	count               int
	flags, B            uint8
	noverflow           uint16
	hash0               uint32
	buckets, oldbuckets unsafe.Pointer
	nevacuate           uintptr
	extra               *mapextra
}

//go:linkname roundupsize runtime.roundupsize
func roundupsize(size uintptr) uintptr

// How a slot's object is written down.
type form int

const (
	plain form = iota
	text
	pointer  // *uint64
	indirect // Large: the slot points to it.
)

type dumper struct {
	t                   *maptype
	key, elem           form
	keyBytes, elemBytes uintptr // Of the object, not of the slot.
	out                 []byte
}

func (d *dumper) bytes(p unsafe.Pointer, size uintptr) {
	d.out = append(d.out, unsafe.Slice((*byte)(p), size)...)
}

func (d *dumper) u32(v uint32) { d.out = binary.LittleEndian.AppendUint32(d.out, v) }
func (d *dumper) u64(v uint64) { d.out = binary.LittleEndian.AppendUint64(d.out, v) }

func (d *dumper) flag(b bool) bool {
	if b {
		d.out = append(d.out, 1)
	} else {
		d.out = append(d.out, 0)
	}
	return b
}

func (d *dumper) object(p unsafe.Pointer, f form, size uintptr, filled bool) {
	if f == plain {
		d.bytes(p, size)
		return
	}
	to := *(*unsafe.Pointer)(p)
	if !d.flag(to != nil) || !filled {
		return
	}
	switch f {
	case text:
		s := *(*string)(p)
		d.u64(uint64(len(s)))
		d.out = append(d.out, s...)
	case pointer:
		d.u64(*(*uint64)(to))
	case indirect:
		d.bytes(to, size)
	}
}

func (d *dumper) bucket(b, array unsafe.Pointer, count uintptr) {
	const slots = 8
	keys, elems := unsafe.Add(b, slots), unsafe.Add(b, slots+slots*uintptr(d.t.keysize))
	end := slots + slots*(uintptr(d.t.keysize)+uintptr(d.t.elemsize))
	size := uintptr(d.t.bucketsize)
	tags := (*[slots]uint8)(b)
	d.bytes(b, slots)
	for i := uintptr(0); i < slots; i++ {
		d.object(unsafe.Add(keys, i*uintptr(d.t.keysize)), d.key, d.keyBytes, tags[i] >= 5)
	}
	for i := uintptr(0); i < slots; i++ {
		d.object(unsafe.Add(elems, i*uintptr(d.t.elemsize)), d.elem, d.elemBytes, tags[i] >= 5)
	}
	d.bytes(unsafe.Add(b, end), size-8-end)
	next := *(*unsafe.Pointer)(unsafe.Add(b, size-8))
	at := uintptr(next) - uintptr(array)
	switch {
	case next == nil:
		d.out = append(d.out, 0)
	case at < count*size:
		d.out = append(d.out, 1)
		d.u32(uint32(at / size))
	default:
		d.out = append(d.out, 2)
		d.bucket(next, array, count)
	}
}

// How many buckets the runtime allocates for an array of 2^B.
func (d *dumper) allocated(B uint8) uintptr {
	count := uintptr(1) << B
	if B >= 4 {
		count += count / 16
		count = roundupsize(count*uintptr(d.t.bucketsize)) / uintptr(d.t.bucketsize)
	}
	return count
}

func (d *dumper) array(buckets unsafe.Pointer, B uint8) {
	if buckets == nil {
		return
	}
	count := d.allocated(B)
	d.u32(uint32(count))
	for i := uintptr(0); i < count; i++ {
		d.bucket(unsafe.Add(buckets, i*uintptr(d.t.bucketsize)), buckets, count)
	}
}

func (d *dumper) list(overflow *[]unsafe.Pointer) {
	if d.flag(overflow != nil) {
		d.u64(uint64(len(*overflow)))
	}
}

func (d *dumper) dump(h *hmap) []byte {
	d.out = d.out[:0]
	d.u64(uint64(h.count))
	d.out = append(d.out, h.flags, h.B, byte(h.noverflow), byte(h.noverflow>>8))
	d.u32(h.hash0)
	d.flag(h.buckets != nil)
	d.flag(h.oldbuckets != nil)
	d.u64(uint64(h.nevacuate))
	if d.flag(h.extra != nil) {
		d.list(h.extra.overflow)
		d.list(h.extra.oldoverflow)
		next := uint32(math.MaxUint32)
		if h.extra.nextOverflow != nil {
			at := uintptr(h.extra.nextOverflow) - uintptr(h.buckets)
			next = uint32(at / uintptr(d.t.bucketsize))
		}
		d.u32(next)
	}
	d.array(h.buckets, h.B)
	oldB := h.B
	if h.flags&8 == 0 {
		oldB--
	}
	d.array(h.oldbuckets, oldB)
	return d.out
}

// FNV-1a, its upper half folded into the lower one.
func checksum(bytes []byte) uint32 {
	hash := uint64(14695981039346656037)
	for _, b := range bytes {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	return uint32(hash ^ hash>>32)
}

type recorder[K comparable, V any] struct {
	d         dumper
	m         map[K]V
	keys      []K
	value     func(number uint32) V
	hash0     uint32
	hashes    []uint64
	lastCount int
	dumps     int
	lastB     uint8
	grows     bool
	sameSize  int
	growths   int
	ops       int
	random    *rand.Rand
	w         *bufio.Writer
}

var keep []any // Everything lives on the heap, where it is as large as the runtime says.

func (r *recorder[K, V]) write(values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			r.w.WriteByte(byte(len(s)))
			r.w.WriteString(s)
		} else {
			binary.Write(r.w, binary.LittleEndian, v)
		}
	}
}

func (r *recorder[K, V]) hmap() *hmap { return *(**hmap)(unsafe.Pointer(&r.m)) }

func (r *recorder[K, V]) newHashes() {
	r.hash0 = r.hmap().hash0
	r.write(byte('H'), r.hash0)
	for i := range r.keys {
		r.hashes[i] = uint64(r.d.t.hasher(unsafe.Pointer(&r.keys[i]), uintptr(r.hash0)))
		r.write(r.hashes[i])
	}
}

// What the operation just done has left.
func (r *recorder[K, V]) done() {
	h := r.hmap()
	r.ops++
	if h.hash0 != r.hash0 {
		r.newHashes()
	}
	dump := r.d.dump(h)
	r.write(byte('S'), checksum(dump))
	growing := h.oldbuckets != nil
	if growing && !r.grows {
		if r.growths++; h.flags&8 != 0 {
			r.sameSize++
		}
	}
	if len(dump) <= fullDumpMost && r.dumps < fullDumps && (growing != r.grows || r.ops%97 == 0) {
		r.dumps++
		r.write(byte('F'), uint32(len(dump)), dump)
	}
	r.grows = growing
}

func (r *recorder[K, V]) assign(k int) {
	number := r.random.Uint32()
	r.m[r.keys[k]] = r.value(number)
	r.write(byte('A'), uint16(k), number)
	r.done()
}

func (r *recorder[K, V]) delete(k int) {
	delete(r.m, r.keys[k])
	r.write(byte('D'), uint16(k))
	r.done()
}

func (r *recorder[K, V]) clear() {
	for k := range r.m {
		delete(r.m, k)
	}
	r.write(byte('C'))
	r.done()
}

func (r *recorder[K, V]) iterate() {
	for range r.m {
		break
	}
	r.write(byte('I'))
	r.done()
}

// Any operations, of which the share of assignments is `puts` of 100.
func (r *recorder[K, V]) mix(count, puts int) {
	for i := 0; i < count; i++ {
		k := r.random.Intn(len(r.keys))
		if r.random.Intn(100) < puts {
			r.assign(k)
		} else {
			r.delete(k)
		}
	}
}

// Keys of one class after the other come and go: their chains stay, and pile up.
func (r *recorder[K, V]) skew(classes, most int) {
	for class := 0; class < classes; class++ {
		for _, assign := range []bool{true, false} {
			done := 0
			for k := range r.keys {
				if r.hashes[k]%uint64(classes) != uint64(class) || done == most {
					continue
				}
				if done++; assign {
					r.assign(k)
				} else {
					r.delete(k)
				}
			}
		}
	}
}

func record[K comparable, V any](kind string, seed int64, hint int, keys []K, keyForm, elemForm form,
	keyText func(K) []byte, value func(uint32) V) {
	r := &recorder[K, V]{keys: keys, value: value, w: bufio.NewWriter(os.Stdout)}
	r.m = make(map[K]V, hint)
	keep = append(keep, r.m)
	var m any = r.m
	r.d.t = *(**maptype)(unsafe.Pointer(&m))
	r.d.key, r.d.elem = keyForm, elemForm
	r.d.keyBytes, r.d.elemBytes = r.d.t.key.size, r.d.t.elem.size
	r.random = rand.New(rand.NewSource(seed))
	r.hashes = make([]uint64, len(keys))
	r.w.WriteString("maptrace 1\n")
	r.write(runtime.Version(), kind, uint16(r.d.keyBytes), uint16(r.d.elemBytes),
		r.d.t.bucketsize, uint32(hint), uint16(len(keys)))
	for _, k := range keys {
		bytes := keyText(k)
		r.write(uint16(len(bytes)), bytes)
	}
	r.newHashes()
	r.write(byte('S'), checksum(r.d.dump(r.hmap())))
	r.mix(70, 85)
	r.skew(8, 60)
	r.mix(200, 40)
	r.mix(len(keys), 90)
	r.iterate()
	r.mix(len(keys)/2, 95)
	r.mix(len(keys), 20)
	r.iterate()
	r.skew(8, 8)
	const reflexive = 4
	if r.d.t.flags&reflexive != 0 { // Else the compiler makes a loop of it, in random order.
		r.clear()
	}
	r.mix(80, 70)
	for k := range keys { // Empty, one by one: a new hash0.
		if _, there := r.m[keys[k]]; there {
			r.delete(k)
		}
	}
	r.mix(100, 80)
	r.write(byte('E'))
	r.w.Flush()
	fmt.Fprintf(os.Stderr, "%s: %d operations, %d growths, %d of the same size\n", kind, r.ops,
		r.growths, r.sameSize)
}

func fill(object []byte, number uint32) {
	for i := range object {
		object[i] = byte(number>>(8*(i%4))) ^ byte(i)
	}
}

func bytesOf[K any](k K) []byte {
	p := new(K)
	*p = k
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(k))
}

func filled[T any](number uint32) T {
	p := new(T)
	fill(unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)), number)
	return *p
}

// Keys, all different.
func keysOf[K comparable](count int, random *rand.Rand) []K {
	seen := map[K]bool{}
	keys := []K{}
	for len(keys) < count {
		k := filled[K](random.Uint32())
		if !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}

func main() {
	kind := os.Args[1]
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		panic(err)
	}
	random := rand.New(rand.NewSource(seed ^ 0x5eed))
	switch kind {
	case "u64":
		record(kind, seed, 0, keysOf[uint64](300, random), plain, plain, bytesOf[uint64],
			filled[uint64])
	case "hint":
		record(kind, seed, 150, keysOf[uint64](300, random), plain, plain, bytesOf[uint64],
			filled[uint32])
	case "set":
		record(kind, seed, 0, keysOf[uint32](300, random), plain, plain, bytesOf[uint32],
			filled[struct{}])
	case "odd":
		record(kind, seed, 0, keysOf[[24]byte](260, random), plain, plain, bytesOf[[24]byte],
			filled[[3]byte])
	case "pointer":
		record(kind, seed, 0, keysOf[uint64](300, random), plain, pointer, bytesOf[uint64],
			func(n uint32) *uint64 { p := new(uint64); *p = uint64(n); return p })
	case "large":
		record(kind, seed, 0, keysOf[[200]byte](170, random), indirect, indirect,
			bytesOf[[200]byte], filled[[136]byte])
	case "float":
		keys := []float64{0, math.Copysign(0, -1)}
		for len(keys) < 300 {
			keys = append(keys, random.NormFloat64())
		}
		record(kind, seed, 0, keys, plain, plain, bytesOf[float64], filled[uint64])
	case "string":
		keys := make([]string, 300)
		for i := range keys {
			keys[i] = fmt.Sprintf("usr:%d", random.Uint32()+uint32(i)%7)
		}
		record(kind, seed, 0, keys, text, plain, func(s string) []byte { return []byte(s) },
			filled[int64])
	default:
		fmt.Fprintln(os.Stderr, "maptrace: no such kind:", kind)
		os.Exit(1)
	}
}
