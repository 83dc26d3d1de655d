// The hashes of the protocol.
#pragma once

#include <openssl/evp.h>
#include <xxhash.h>

#include <memory>
#include <string>
#include <string_view>

#include "seedbed/v1/tensors.pb.h"

// A hash that can be asked for its value at any time, and goes on.
class RunningHash {
 public:
  explicit RunningHash(seedbed::v1::DigestAlgorithm algorithm);
  void Update(std::string_view data);
  // The bytes of Digest.value.
  std::string Digest() const;

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    void operator()(EVP_MD_CTX* state) const { EVP_MD_CTX_free(state); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> sha256_;  // set where that is the algorithm
  std::unique_ptr<XXH3_state_t, Free> xxh3_;  // set otherwise
};

// The XXH3-64 of a request as the metadata of an error has it.
std::string RequestHash(std::string_view request);

// Whether a message ends with the XXH3-64 of all before.
bool HasChecksum(std::string_view message);
