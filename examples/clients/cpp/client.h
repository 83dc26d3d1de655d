// The calls, each tried until it ends well: any call may be repeated, as content is a pure function
// of its request.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "assembler.h"
#include "seedbed/v1/descriptions.pb.h"
#include "seedbed/v1/service.pb.h"

// Asks one server. What fails in the end throws Failure.
class Client {
 public:
  explicit Client(std::string target);

  seedbed::v1::GetServerInfoResponse Info() const;
  seedbed::v1::ListInitializersResponse List() const;
  // What a request would give.
  std::vector<seedbed::v1::TensorDescription> Describe(
      const seedbed::v1::SampleTensorsRequest& request) const;
  // The digest of each tensor, without its bytes.
  std::vector<seedbed::v1::Digest> Digests(const seedbed::v1::SampleTensorsRequest& request) const;
  // Gives the tensors of a request away, one after the other. A stream that breaks is followed by
  // one that goes on at the first byte that is not verified.
  void Fetch(const seedbed::v1::SampleTensorsRequest& request, const Deliver& deliver) const;
  // Fetches the one small tensor of a request, in one message.
  void FetchSmall(const seedbed::v1::SampleTensorsRequest& request, const Deliver& deliver) const;

 private:
  // Makes a call, each time on a new connection; it sets `progressed` where something came of it.
  void UntilItEndsWell(const std::function<void(bool& progressed)>& call) const;

  std::string target_;
};
