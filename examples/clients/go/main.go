// Command seedbed-client asks a seedbed server for tensors, and verifies all that it is sent.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	pb "seedbed.v1/seedbedv1"
)

const usage = `usage:
  seedbed-client TARGET info
  seedbed-client TARGET list
  seedbed-client TARGET describe MANIFEST
  seedbed-client TARGET digest MANIFEST
  seedbed-client TARGET fetch MANIFEST [FOLDER]
  seedbed-client conformance

TARGET is host:port. MANIFEST is a file: a SampleTensorsRequest in protobuf's JSON mapping.
FOLDER gets the bytes of each tensor, as tensor-INDEX.bin.
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seedbed-client:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 1 && arguments[0] == "conformance" {
		return conform(os.Stdin, os.Stdout)
	}
	takesManifest := len(arguments) > 1 && arguments[1] != "info" && arguments[1] != "list"
	if len(arguments) < 2 || takesManifest != (len(arguments) > 2) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	request, deliver := new(pb.SampleTensorsRequest), func(Tensor) {}
	if takesManifest {
		var err error
		if request, err = readManifest(arguments[2]); err != nil {
			return err
		}
	}
	if len(arguments) > 3 {
		deliver = func(tensor Tensor) { save(arguments[3], tensor) }
	}
	result, err := operate(&Client{arguments[0]}, arguments[1], request, deliver)
	if err != nil {
		return err
	}
	output := json.NewEncoder(os.Stdout)
	output.SetIndent("", "  ")
	return output.Encode(result)
}

func readManifest(path string) (*pb.SampleTensorsRequest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	document := make(map[string]json.RawMessage)
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return readRequest(document)
}

func save(folder string, tensor Tensor) {
	path := filepath.Join(folder, fmt.Sprintf("tensor-%d.bin", tensor.Index))
	if err := os.WriteFile(path, tensor.Data, 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "seedbed-client:", err)
		os.Exit(1)
	}
}
