// What comes of a stream of SampleTensors: every byte is verified before it is used, and the next
// stream goes on at the first byte that was not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hashes.h"
#include "seedbed/v1/service.pb.h"

// What was fetched of a tensor: all of it, or its rest from a resume point on.
struct Tensor {
  int64_t index;
  std::string data;
  std::string digest;  // of data
};

using Deliver = std::function<void(const Tensor&)>;

// The bytes of what is asked for: of a slice, where there is one.
int64_t SizeOf(const seedbed::v1::TensorRequest& tensor);

// The algorithm of a request's digests.
seedbed::v1::DigestAlgorithm AlgorithmOf(const seedbed::v1::SampleTensorsRequest& request);

// Makes tensors of the parts of one stream, or of several after each other.
class Assembler {
 public:
  // Gives each tensor of a request away when it is whole.
  Assembler(const seedbed::v1::SampleTensorsRequest& request, Deliver deliver);

  // Begins a new stream: returns a request for all that is missing.
  seedbed::v1::SampleTensorsRequest Request();
  // Verifies the next part of the stream and keeps its bytes. Throws Failure.
  void Take(const seedbed::v1::TensorPart& part);
  // Makes sure that a stream which ended without an error has sent everything.
  void End() const;
  // Bytes, and ends of tensors, in all: it grows as long as there is progress.
  int64_t verified() const { return verified_; }

 private:
  const seedbed::v1::TensorRequest& tensor() const;
  int64_t Next() const;
  bool IsWhole() const;
  void BeginShare();
  void Keep(const std::string& data);
  void CheckHeader(const seedbed::v1::TensorHeader& header) const;
  void TakeChunk(const seedbed::v1::Chunk& chunk);
  void TakeFill(const std::string& element, const seedbed::v1::TensorPart& part);
  void TakeDigest(const seedbed::v1::Digest& digest);

  const seedbed::v1::SampleTensorsRequest request_;
  const Deliver deliver_;
  int64_t index_;     // of the tensor that is due
  int64_t begin_;     // where what is wanted of it begins
  std::string data_;  // what is verified of it
  int64_t verified_ = 0;

  // Of this stream's share in that tensor:
  bool has_header_ = false;
  int64_t stream_begin_ = 0;  // in bytes of the tensor
  RunningHash running_;
};
