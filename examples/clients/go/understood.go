package main

// Whether a server understood a request as it was meant. A digest proves only that bytes are those
// of the request that the server read.

import (
	"bytes"
	_ "embed"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "seedbed.v1/seedbedv1"
)

// What the schema's comments say of absent parameters.
//
//go:embed defaults.json
var defaultsJSON []byte

var defaults = readDefaults()

func readDefaults() map[protoreflect.Name]proto.Message {
	var documents []json.RawMessage
	if err := json.Unmarshal(defaultsJSON, &documents); err != nil {
		panic(err)
	}
	found := make(map[protoreflect.Name]proto.Message)
	for _, document := range documents {
		spec := new(pb.InitializerSpec)
		if err := protojson.Unmarshal(document, spec); err != nil {
			panic(err)
		}
		found[kindOf(spec)] = spec
	}
	return found
}

// kindOf returns the name of the field that a spec's initializer is in, or "".
func kindOf(spec *pb.InitializerSpec) protoreflect.Name {
	message := spec.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("kind"))
	if field == nil {
		return ""
	}
	return field.Name()
}

// isMeant says whether two requests ask for the same. A server may write defaults out; a field that
// this program does not know makes a difference, as the bytes of both are compared.
func isMeant(asked, understood *pb.TensorRequest) bool {
	if understood == nil {
		return false
	}
	return bytes.Equal(deterministic(asked), deterministic(understood)) ||
		bytes.Equal(deterministic(writtenOut(asked)), deterministic(writtenOut(understood)))
}

// writtenOut returns a request with the defaults of its initializer where it leaves them out.
func writtenOut(request *pb.TensorRequest) *pb.TensorRequest {
	full := proto.Clone(request).(*pb.TensorRequest)
	given := full.GetSpec().GetInitializer()
	if absent := defaults[kindOf(given)]; absent != nil {
		initializer := proto.Clone(absent).(*pb.InitializerSpec)
		proto.Merge(initializer, given)
		full.Spec.Initializer = initializer
	}
	return full
}

func deterministic(message proto.Message) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		panic(err) // only text that is no UTF-8 fails, and that comes in by no parser
	}
	return data
}
