package main

// What comes of a stream of SampleTensors: every byte is verified before it is used, and the next
// stream goes on at the first byte that was not.

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"google.golang.org/protobuf/proto"

	pb "seedbed.v1/seedbedv1"
)

var elementBytes = map[pb.Dtype]int64{
	pb.Dtype_DTYPE_FLOAT16: 2, pb.Dtype_DTYPE_BFLOAT16: 2, pb.Dtype_DTYPE_FLOAT32: 4,
	pb.Dtype_DTYPE_FLOAT64: 8, pb.Dtype_DTYPE_INT8: 1, pb.Dtype_DTYPE_INT16: 2,
	pb.Dtype_DTYPE_INT32: 4, pb.Dtype_DTYPE_INT64: 8, pb.Dtype_DTYPE_UINT8: 1,
	pb.Dtype_DTYPE_UINT16: 2, pb.Dtype_DTYPE_UINT32: 4, pb.Dtype_DTYPE_UINT64: 8,
	pb.Dtype_DTYPE_BOOL: 1, pb.Dtype_DTYPE_FLOAT8_E4M3FN: 1, pb.Dtype_DTYPE_FLOAT8_E5M2: 1,
}

// Tensor is what was fetched of one: all of it, or its rest from a resume point on.
type Tensor struct {
	Index  int64
	Data   []byte
	Digest []byte // of Data
}

// Assembler makes tensors of the parts of one stream, or of several after each other.
type Assembler struct {
	request *pb.SampleTensorsRequest
	deliver func(Tensor)

	index int64  // of the tensor that is due
	begin int64  // where what is wanted of it begins
	data  []byte // what is verified of it

	verified int64 // bytes, and ends of tensors, in all: it grows as long as there is progress

	// Of this stream's share in that tensor:
	hasHeader   bool
	streamBegin int64 // in bytes of the tensor
	running     hash.Hash
}

// NewAssembler returns one that gives each tensor of a request away when it is whole.
func NewAssembler(request *pb.SampleTensorsRequest, deliver func(Tensor)) *Assembler {
	a := &Assembler{request: request, deliver: deliver}
	a.index = request.GetResume().GetTensorIndex()
	a.begin = request.GetResume().GetByteOffset()
	return a
}

// Request begins a new stream: it returns a request for all that is missing.
func (a *Assembler) Request() *pb.SampleTensorsRequest {
	a.beginShare()
	request := proto.Clone(a.request).(*pb.SampleTensorsRequest)
	// Without a resume point the server may use the short forms, so there is none at the beginning.
	if request.Resume != nil || a.index > 0 || a.next() > 0 {
		request.Resume = &pb.ResumePoint{TensorIndex: a.index, ByteOffset: a.next()}
	}
	return request
}

// next is the first byte of the tensor that is missing.
func (a *Assembler) next() int64 { return a.begin + int64(len(a.data)) }

func (a *Assembler) isWhole() bool { return a.index == int64(len(a.request.Tensors)) }

func (a *Assembler) beginShare() {
	a.hasHeader, a.streamBegin, a.running = false, a.next(), newHash(a.algorithm())
}

func (a *Assembler) algorithm() pb.DigestAlgorithm { return algorithmOf(a.request) }

func algorithmOf(request *pb.SampleTensorsRequest) pb.DigestAlgorithm {
	if request.DigestAlgorithm == nil {
		return pb.DigestAlgorithm_DIGEST_ALGORITHM_XXH3_128
	}
	return *request.DigestAlgorithm
}

func newHash(algorithm pb.DigestAlgorithm) hash.Hash {
	if algorithm == pb.DigestAlgorithm_DIGEST_ALGORITHM_SHA256 {
		return sha256.New()
	}
	return newXXH3_128()
}

// Take verifies the next part of the stream and keeps its bytes.
func (a *Assembler) Take(part *pb.TensorPart) error {
	if a.isWhole() || part.TensorIndex != a.index {
		return damaged("a part of tensor %d where %d is due", part.TensorIndex, a.index)
	}
	tensor := a.request.Tensors[a.index]
	if (part.Header != nil) == a.hasHeader {
		return damaged("tensor %d has no header, or two", a.index)
	}
	if part.Header != nil {
		if err := checkHeader(part.Header, tensor, a.request.Numerics); err != nil {
			return err
		}
		a.hasHeader = true
	}
	var err error
	switch content := part.Content.(type) {
	case *pb.TensorPart_Chunk:
		err = a.takeChunk(content.Chunk, tensor)
	case *pb.TensorPart_Fill:
		err = a.takeFill(content.Fill, part.Digest, tensor)
	case *pb.TensorPart_Segment:
		err = damaged("a segment that was not asked for")
	}
	if err == nil && part.Digest != nil {
		err = a.takeDigest(part.Digest, tensor)
	}
	return err
}

// End makes sure that a stream which ended without an error has sent everything.
func (a *Assembler) End() error {
	if !a.isWhole() {
		return damaged("the stream ended before tensor %d was whole", a.index)
	}
	return nil
}

func checkHeader(header *pb.TensorHeader, tensor *pb.TensorRequest, numerics pb.Numerics) error {
	if !isMeant(tensor, header.Request) {
		return damaged("the server understood another request: %v", header.Request)
	}
	if header.Numerics != numerics || header.Dtype != tensor.Spec.Dtype ||
		header.TotalBytes != sizeOf(tensor) || !equal(header.Shape, shapeOf(tensor)) {
		return damaged("the header does not fit its request: %v", header)
	}
	return nil
}

func (a *Assembler) takeChunk(chunk *pb.Chunk, tensor *pb.TensorRequest) error {
	if len(chunk.Data) == 0 {
		return nil // a heartbeat
	}
	end := a.next() + int64(len(chunk.Data))
	if chunk.ByteOffset != a.next() || end > sizeOf(tensor) {
		return damaged("a chunk at byte %d where %d is due", chunk.ByteOffset, a.next())
	}
	// A resume point must lie between elements.
	if end%elementBytes[tensor.Spec.Dtype] != 0 {
		return damaged("a chunk ends inside an element")
	}
	a.running.Write(chunk.Data)
	if !bytes.Equal(a.running.Sum(nil), chunk.Digest) {
		return damaged("the running digest of tensor %d is wrong at byte %d", a.index, end)
	}
	if a.data == nil {
		a.data = make([]byte, 0, sizeOf(tensor)-a.begin)
	}
	a.data = append(a.data, chunk.Data...)
	a.verified += int64(len(chunk.Data))
	return nil
}

// takeFill repeats one element. The digest comes with it, and proves it before it is used.
func (a *Assembler) takeFill(element []byte, digest *pb.Digest, tensor *pb.TensorRequest) error {
	if int64(len(element)) != elementBytes[tensor.Spec.Dtype] || a.next() != 0 || digest == nil {
		return damaged("a fill that does not fit tensor %d", a.index)
	}
	data := bytes.Repeat(element, int(sizeOf(tensor))/len(element))
	a.running.Write(data)
	if !bytes.Equal(a.running.Sum(nil), digest.Value) {
		return damaged("the digest of tensor %d's fill is wrong", a.index)
	}
	a.data = data
	a.verified += int64(len(data))
	return nil
}

// takeDigest ends a tensor.
func (a *Assembler) takeDigest(digest *pb.Digest, tensor *pb.TensorRequest) error {
	if a.next() != sizeOf(tensor) || digest.SizeBytes != a.next()-a.streamBegin ||
		digest.Algorithm != a.algorithm() || !bytes.Equal(digest.Value, a.running.Sum(nil)) {
		return damaged("the digest of tensor %d is wrong", a.index)
	}
	whole := Tensor{a.index, a.data, digest.Value}
	if a.streamBegin != a.begin { // earlier streams brought the rest: no digest is of both
		hash := newHash(a.algorithm())
		hash.Write(a.data)
		whole.Digest = hash.Sum(nil)
	}
	a.deliver(whole)
	a.verified++
	a.index, a.begin, a.data = a.index+1, 0, nil
	a.beginShare()
	return nil
}

func shapeOf(tensor *pb.TensorRequest) []int64 {
	if tensor.Slice != nil {
		return tensor.Slice.Lengths
	}
	return tensor.GetSpec().GetShape()
}

func sizeOf(tensor *pb.TensorRequest) int64 {
	size := elementBytes[tensor.GetSpec().GetDtype()]
	for _, length := range shapeOf(tensor) {
		size *= length
	}
	return size
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
