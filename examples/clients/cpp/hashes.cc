#include "hashes.h"

#include <cstdio>

namespace {

constexpr unsigned char kChecksumTag = 15 << 3 | 1;  // field 15, a fixed64: the last one
constexpr size_t kChecksumBytes = 9;

}  // namespace

RunningHash::RunningHash(seedbed::v1::DigestAlgorithm algorithm) {
  if (algorithm == seedbed::v1::DIGEST_ALGORITHM_SHA256) {
    sha256_.reset(EVP_MD_CTX_new());
    EVP_DigestInit_ex(sha256_.get(), EVP_sha256(), nullptr);
  } else {
    xxh3_.reset(XXH3_createState());
    XXH3_128bits_reset(xxh3_.get());
  }
}

void RunningHash::Update(std::string_view data) {
  if (sha256_) {
    EVP_DigestUpdate(sha256_.get(), data.data(), data.size());
  } else {
    XXH3_128bits_update(xxh3_.get(), data.data(), data.size());
  }
}

std::string RunningHash::Digest() const {
  if (sha256_) {
    // OpenSSL's state is spent when it is asked, so a copy is.
    std::unique_ptr<EVP_MD_CTX, Free> copy(EVP_MD_CTX_new());
    EVP_MD_CTX_copy_ex(copy.get(), sha256_.get());
    unsigned char value[32];
    EVP_DigestFinal_ex(copy.get(), value, nullptr);
    return std::string(reinterpret_cast<char*>(value), sizeof value);
  }
  XXH128_canonical_t value;  // big-endian, as a digest is on the wire
  XXH128_canonicalFromHash(&value, XXH3_128bits_digest(xxh3_.get()));
  return std::string(reinterpret_cast<char*>(value.digest), sizeof value.digest);
}

std::string RequestHash(std::string_view request) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(request.data(), request.size())));
  return text;
}

bool HasChecksum(std::string_view message) {
  if (message.size() < kChecksumBytes) return false;
  const std::string_view content = message.substr(0, message.size() - kChecksumBytes);
  const auto* end = reinterpret_cast<const unsigned char*>(content.data() + content.size());
  uint64_t said = 0;
  for (int byte = 8; byte > 0; --byte) said = said << 8 | end[byte];  // little-endian
  return end[0] == kChecksumTag && said == XXH3_64bits(content.data(), content.size());
}
