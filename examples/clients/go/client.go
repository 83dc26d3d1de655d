package main

// The calls, each tried until it ends well: any call may be repeated, as content is a pure function
// of its request.

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "seedbed.v1/seedbedv1"
)

const (
	mostFailures = 6 // in a row, without progress
	// A server says at least every 5 s that it is still computing.
	longestSilence = 12 * time.Second
	checksumTag    = 15<<3 | 1 // field 15, a fixed64: the last one
	checksumBytes  = 9
)

// Client asks one server.
type Client struct{ Target string }

// try is one connection, and one call on it.
type try struct {
	pb.SeedbedServiceClient
	ctx        context.Context
	cancel     context.CancelFunc
	silence    *time.Timer
	wire       *wire
	progressed bool
}

// heard notes a sign of life.
func (t *try) heard() { t.silence.Reset(longestSilence) }

// wire is gRPC's codec for protobuf. It keeps the request's bytes, which errors have a hash of, and
// compares those of an answer with their checksum, where they have one.
type wire struct {
	sent   []byte
	damage *Failure
}

func (w *wire) Name() string { return "proto" }

func (w *wire) Marshal(message interface{}) ([]byte, error) {
	w.sent = deterministic(message.(proto.Message))
	return w.sent, nil
}

func (w *wire) Unmarshal(data []byte, into interface{}) error {
	message := into.(proto.Message)
	if message.ProtoReflect().Descriptor().Fields().ByName("checksum") != nil && !hasChecksum(data) {
		w.damage = damaged("the checksum of a message is wrong")
		return w.damage
	}
	if err := proto.Unmarshal(data, message); err != nil {
		w.damage = damaged("a message cannot be read: %v", err)
		return w.damage
	}
	return nil
}

// hasChecksum says whether a message ends with the XXH3-64 of all before.
func hasChecksum(data []byte) bool {
	content := len(data) - checksumBytes
	return content >= 0 && data[content] == checksumTag &&
		binary.LittleEndian.Uint64(data[content+1:]) == xxh3_64(data[:content])
}

// untilItEndsWell makes a call, each time on a new connection.
func (c *Client) untilItEndsWell(call func(*try) error) error {
	for failures := 1; ; failures++ {
		progressed, failure := c.once(call)
		if failure == nil {
			return nil
		}
		if progressed {
			failures = 1
		}
		if failure.isFinal || failures == mostFailures {
			return failure
		}
		time.Sleep(failure.wait(failures))
	}
}

func (c *Client) once(call func(*try) error) (progressed bool, failure *Failure) {
	connection, err := grpc.Dial(c.Target, grpc.WithInsecure())
	if err != nil {
		return false, failureOf(err, "")
	}
	defer connection.Close()
	t := &try{SeedbedServiceClient: pb.NewSeedbedServiceClient(connection), wire: new(wire)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	defer t.cancel()
	t.silence = time.AfterFunc(longestSilence, t.cancel)
	defer t.silence.Stop()

	if err = call(t); err == nil {
		return t.progressed, nil
	}
	if t.wire.damage != nil {
		err = t.wire.damage // gRPC has made an INTERNAL of it
	} else if t.ctx.Err() != nil {
		err = status.Errorf(codes.DeadlineExceeded, "no sign of life for %v", longestSilence)
	}
	return t.progressed, failureOf(err, fmt.Sprintf("%016x", xxh3_64(t.wire.sent)))
}

// codec makes a call use the try's own.
func (t *try) codec() grpc.CallOption { return grpc.ForceCodec(t.wire) }

// Info returns what the server is.
func (c *Client) Info() (answer *pb.GetServerInfoResponse, err error) {
	err = c.untilItEndsWell(func(t *try) (err error) {
		answer, err = t.GetServerInfo(t.ctx, new(pb.GetServerInfoRequest), t.codec())
		return err
	})
	return answer, err
}

// List returns every initializer.
func (c *Client) List() (answer *pb.ListInitializersResponse, err error) {
	err = c.untilItEndsWell(func(t *try) (err error) {
		answer, err = t.ListInitializers(t.ctx, new(pb.ListInitializersRequest), t.codec())
		return err
	})
	return answer, err
}

// Describe returns what a request would give.
func (c *Client) Describe(request *pb.SampleTensorsRequest) ([]*pb.TensorDescription, error) {
	var found []*pb.TensorDescription
	err := c.untilItEndsWell(func(t *try) error {
		found = nil
		stream, err := t.DescribeTensors(t.ctx, &pb.DescribeTensorsRequest{
			Tensors: request.Tensors, Numerics: request.Numerics,
		}, t.codec())
		if err != nil {
			return err
		}
		err = t.each(func() error {
			answer, err := stream.Recv()
			if err != nil {
				return err
			}
			if answer.Numerics != request.Numerics {
				return damaged("descriptions by numerics %v", answer.Numerics)
			}
			for _, description := range answer.Tensors {
				if err := checkNext(request, len(found), description.Request); err != nil {
					return err
				}
				found = append(found, description)
			}
			return nil
		})
		return orMissing(err, len(found), request)
	})
	return found, err
}

// Digests returns the digest of each tensor, without its bytes.
func (c *Client) Digests(request *pb.SampleTensorsRequest) ([]*pb.Digest, error) {
	var found []*pb.Digest
	err := c.untilItEndsWell(func(t *try) error {
		found = nil
		stream, err := t.DigestTensors(t.ctx, &pb.DigestTensorsRequest{
			Tensors: request.Tensors, Numerics: request.Numerics,
			DigestAlgorithm: request.DigestAlgorithm,
		}, t.codec())
		if err != nil {
			return err
		}
		err = t.each(func() error {
			answer, err := stream.Recv()
			if err != nil {
				return err
			}
			if answer.Numerics != request.Numerics {
				return damaged("digests by numerics %v", answer.Numerics)
			}
			for _, tensor := range answer.Tensors {
				if err := checkDigest(request, len(found), tensor); err != nil {
					return err
				}
				found = append(found, tensor.Digest)
			}
			return nil
		})
		return orMissing(err, len(found), request)
	})
	return found, err
}

// Fetch gives the tensors of a request away, one after the other. A stream that breaks is followed
// by one that goes on at the first byte that is not verified.
func (c *Client) Fetch(request *pb.SampleTensorsRequest, deliver func(Tensor)) error {
	assembler := NewAssembler(request, deliver)
	return c.untilItEndsWell(func(t *try) error {
		stream, err := t.SampleTensors(t.ctx, assembler.Request(), t.codec())
		if err != nil {
			return err
		}
		err = t.each(func() error {
			answer, err := stream.Recv()
			if err != nil {
				return err
			}
			for _, part := range answer.Parts {
				before := assembler.verified
				if err := assembler.Take(part); err != nil {
					return err
				}
				t.progressed = t.progressed || assembler.verified > before
			}
			return nil
		})
		if err != nil {
			return err
		}
		return assembler.End()
	})
}

// FetchSmall fetches the one small tensor of a request, in one message.
func (c *Client) FetchSmall(request *pb.SampleTensorsRequest, deliver func(Tensor)) error {
	return c.untilItEndsWell(func(t *try) error {
		answer, err := t.SampleSmallTensor(t.ctx, &pb.SampleSmallTensorRequest{
			Tensor: request.Tensors[0], Numerics: request.Numerics,
			DigestAlgorithm: request.DigestAlgorithm,
		}, t.codec())
		if err != nil {
			return err
		}
		// It is the stream of one tensor, in one message: its digest is the running one, too.
		part := &pb.TensorPart{Header: answer.Header, Digest: answer.Digest}
		if len(answer.Data) > 0 {
			part.Content = &pb.TensorPart_Chunk{
				Chunk: &pb.Chunk{Data: answer.Data, Digest: answer.Digest.GetValue()},
			}
		}
		assembler := NewAssembler(request, deliver)
		assembler.Request()
		if err := assembler.Take(part); err != nil {
			return err
		}
		return assembler.End()
	})
}

// each receives until the stream's end.
func (t *try) each(receive func() error) error {
	for {
		if err := receive(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		t.heard()
	}
}

// checkNext makes sure that an answer's next entry is for the tensor that is due.
func checkNext(request *pb.SampleTensorsRequest, index int, understood *pb.TensorRequest) error {
	if index == len(request.Tensors) || !isMeant(request.Tensors[index], understood) {
		return damaged("the server understood another request for tensor %d: %v", index, understood)
	}
	return nil
}

func checkDigest(request *pb.SampleTensorsRequest, index int, tensor *pb.TensorDigest) error {
	if err := checkNext(request, index, tensor.Request); err != nil {
		return err
	}
	algorithm, digest := algorithmOf(request), tensor.Digest
	if tensor.TensorIndex != int64(index) || digest.GetAlgorithm() != algorithm ||
		digest.GetSizeBytes() != sizeOf(request.Tensors[index]) ||
		len(digest.GetValue()) != newHash(algorithm).Size() {
		return damaged("the digest does not fit tensor %d: %v", index, tensor)
	}
	return nil
}

// orMissing makes sure that a stream which ended without an error has answered for each tensor.
func orMissing(err error, found int, request *pb.SampleTensorsRequest) error {
	if err == nil && found != len(request.Tensors) {
		return damaged("%d answers for %d tensors", found, len(request.Tensors))
	}
	return err
}
