package main

// The operations: each takes a request in JSON and returns what is printed of the answer. The
// command line and the conformance mode are two ways to ask for them.

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	pb "seedbed.v1/seedbedv1"
)

type object map[string]interface{}

// readRequest returns the request that a manifest, or a line in conformance mode, has.
func readRequest(document map[string]json.RawMessage) (*pb.SampleTensorsRequest, error) {
	if one, ok := document["tensor"]; ok {
		delete(document, "tensor")
		document["tensors"], _ = json.Marshal([]json.RawMessage{one})
	}
	// Bits are those of a version of the numerics: this program is made for this one.
	if _, ok := document["numerics"]; !ok {
		document["numerics"] = json.RawMessage(`"NUMERICS_SEEDBED_1"`)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	request := new(pb.SampleTensorsRequest)
	if err := protojson.Unmarshal(text, request); err != nil {
		return nil, &Failure{Code: "INVALID_ARGUMENT", Message: err.Error()}
	}
	return request, nil
}

// operate asks a server and returns what it answered, for JSON.
func operate(
	client *Client, op string, request *pb.SampleTensorsRequest, deliver func(Tensor),
) (interface{}, error) {
	switch op {
	case "info":
		answer, err := client.Info()
		return infoJSON(answer), err
	case "list":
		answer, err := client.List()
		fields := []string{}
		for _, initializer := range answer.GetInitializers() {
			fields = append(fields, initializer.Field)
		}
		return object{"initializers": fields}, err
	case "describe":
		return describe(client, request)
	case "digest":
		return digests(client, request)
	case "fetch":
		return fetched(client.Fetch, request, deliver)
	case "fetch_small":
		return fetched(client.FetchSmall, request, deliver)
	}
	return nil, &Failure{Code: "UNIMPLEMENTED", Message: fmt.Sprintf("no such operation: %q", op)}
}

func infoJSON(answer *pb.GetServerInfoResponse) object {
	numerics, capabilities, algorithms := []string{}, []string{}, []string{}
	for _, value := range answer.GetNumerics() {
		numerics = append(numerics, value.String())
	}
	for _, value := range answer.GetCapabilities() {
		capabilities = append(capabilities, value.String())
	}
	for _, value := range answer.GetDigestAlgorithms() {
		algorithms = append(algorithms, value.String())
	}
	return object{
		"version": answer.GetVersion(), "numerics": numerics,
		"capabilities": capabilities, "digest_algorithms": algorithms,
	}
}

func describe(client *Client, request *pb.SampleTensorsRequest) (object, error) {
	answer, err := client.Describe(request)
	if err != nil {
		return nil, err
	}
	texts := []json.RawMessage{}
	for _, description := range answer {
		said := proto.Clone(description).(*pb.TensorDescription)
		said.Request = nil // it was compared with what was asked
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(said)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return object{"tensors": texts}, nil
}

func digests(client *Client, request *pb.SampleTensorsRequest) (object, error) {
	answer, err := client.Digests(request)
	found := []object{}
	for _, digest := range answer {
		found = append(found, object{
			"algorithm": digest.Algorithm.String(), "value": hex.EncodeToString(digest.Value),
			"size_bytes": digest.SizeBytes,
		})
	}
	return object{"digests": found}, err
}

func fetched(
	fetch func(*pb.SampleTensorsRequest, func(Tensor)) error,
	request *pb.SampleTensorsRequest, deliver func(Tensor),
) (object, error) {
	found := []object{}
	err := fetch(request, func(tensor Tensor) {
		deliver(tensor)
		first := tensor.Data
		if len(first) > 16 {
			first = first[:16]
		}
		found = append(found, object{
			"tensor_index": tensor.Index, "size_bytes": len(tensor.Data),
			"algorithm": algorithmOf(request).String(),
			"digest":    hex.EncodeToString(tensor.Digest), "first_bytes": hex.EncodeToString(first),
		})
	})
	return object{"tensors": found}, err
}

// conform answers requests, one on each line, until there are no more.
func conform(input io.Reader, output io.Writer) error {
	lines := bufio.NewReader(input)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		} else if err != nil && err != io.EOF {
			return err
		}
		answer, err := json.Marshal(answerTo(line))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(output, "%s\n", answer); err != nil {
			return err
		}
	}
}

func answerTo(line []byte) object {
	document := make(map[string]json.RawMessage)
	if err := json.Unmarshal(line, &document); err != nil {
		return object{"id": nil, "error": failureOf(err, "")}
	}
	id := document["id"]
	result, err := resultOf(document)
	if err != nil {
		return object{"id": id, "error": failureOf(err, "")}
	}
	return object{"id": id, "result": result}
}

func resultOf(document map[string]json.RawMessage) (interface{}, error) {
	var op, target string
	if err := json.Unmarshal(document["op"], &op); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(document["target"], &target); err != nil {
		return nil, err
	}
	for _, ours := range []string{"id", "op", "target"} {
		delete(document, ours)
	}
	request, err := readRequest(document)
	if err != nil {
		return nil, err
	}
	return operate(&Client{target}, op, request, func(Tensor) {})
}
