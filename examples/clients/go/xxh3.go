package main

// XXH3 is not in Go's standard library. libxxhash has both of its widths as streaming hashes.

// #cgo LDFLAGS: -lxxhash
// #include <stdlib.h>
// #include <xxhash.h>
import "C"

import (
	"hash"
	"runtime"
	"unsafe"
)

// xxh3_64 returns the XXH3-64 of some bytes, with seed 0.
func xxh3_64(data []byte) uint64 {
	return uint64(C.XXH3_64bits(pointer(data), C.size_t(len(data))))
}

// xxh3_128 is a hash.Hash: its Sum is that of all bytes so far, and more may follow.
type xxh3_128 struct{ state *C.XXH3_state_t }

func newXXH3_128() hash.Hash {
	h := &xxh3_128{C.XXH3_createState()}
	h.Reset()
	runtime.SetFinalizer(h, func(h *xxh3_128) { C.XXH3_freeState(h.state) })
	return h
}

func (h *xxh3_128) Write(data []byte) (int, error) {
	C.XXH3_128bits_update(h.state, pointer(data), C.size_t(len(data)))
	runtime.KeepAlive(h) // its finalizer frees the state that C has just used
	return len(data), nil
}

func (h *xxh3_128) Sum(prefix []byte) []byte {
	var canonical C.XXH128_canonical_t // big-endian, as a digest is on the wire
	C.XXH128_canonicalFromHash(&canonical, C.XXH3_128bits_digest(h.state))
	runtime.KeepAlive(h)
	return append(prefix, C.GoBytes(unsafe.Pointer(&canonical), 16)...)
}

func (h *xxh3_128) Reset() {
	C.XXH3_128bits_reset(h.state)
	runtime.KeepAlive(h)
}

func (h *xxh3_128) Size() int      { return 16 }
func (h *xxh3_128) BlockSize() int { return 64 }

func pointer(data []byte) unsafe.Pointer {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Pointer(&data[0])
}
