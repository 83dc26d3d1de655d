#include "failure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <sstream>
#include <utility>

#include "error_details.pb.h"

namespace {

constexpr double kFirstBackoffSeconds = 0.05;
constexpr double kLongestBackoffSeconds = 2;
// No server asks for longer; a damaged number must not hold the program up for ever.
constexpr double kLongestWaitSeconds = 60;

// In the order of grpc::StatusCode.
constexpr std::array<const char*, 17> kCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

const char* NameOf(grpc::StatusCode code) {
  return static_cast<size_t>(code) < kCodes.size() ? kCodes[code] : "UNKNOWN";
}

}  // namespace

Failure::Failure(std::string code, std::string message)
    : code(std::move(code)), message(std::move(message)) {}

std::string Failure::Text() const {
  std::ostringstream text;
  text << code;
  if (!reason.empty()) text << " " << reason;
  for (const std::string& field : fields) text << (&field == &fields[0] ? " at " : ", ") << field;
  text << ": " << message;
  if (retry_seconds > 0) text << " (try again in " << retry_seconds << " s)";
  return text.str();
}

std::chrono::duration<double> Failure::Wait(int failures) const {
  using Seconds = std::chrono::duration<double>;
  if (retry_seconds > 0) return Seconds(std::min(retry_seconds, kLongestWaitSeconds));
  const double longest =
      std::min(kFirstBackoffSeconds * std::pow(2, failures - 1), kLongestBackoffSeconds);
  // Clients that failed together must not come back together.
  static std::mt19937 random{std::random_device{}()};
  return Seconds(std::uniform_real_distribution<>(longest / 2, longest)(random));
}

Failure Damaged(std::string message) { return Failure("DATA_LOSS", std::move(message)); }

Failure FailureOf(const grpc::Status& status, const std::string& request_hash) {
  Failure failure(NameOf(status.error_code()), status.error_message());
  google::rpc::Status said;
  said.ParseFromString(status.error_details());
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest refused;
  google::rpc::RetryInfo retry;
  for (const google::protobuf::Any& detail : said.details()) {
    // Each takes the detail only if it is of its own type.
    if (detail.UnpackTo(&refused)) {
      for (const auto& violation : refused.field_violations()) {
        failure.fields.push_back(violation.field());
      }
    } else if (detail.UnpackTo(&retry)) {
      failure.retry_seconds =
          static_cast<double>(retry.retry_delay().seconds()) + retry.retry_delay().nanos() / 1e9;
    } else {
      detail.UnpackTo(&info);
    }
  }
  if (info.domain() != "seedbed") return failure;  // gRPC's, or of something between: it may pass
  failure.reason = info.reason();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
      status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
    return failure;
  }
  const auto hash = info.metadata().find("request_xxh3_64");
  if (hash == info.metadata().end() || hash->second != request_hash) {
    return Damaged("another request than the one that was sent is refused: " + failure.Text());
  }
  failure.is_final = true;
  return failure;
}
