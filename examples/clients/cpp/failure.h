// An error of a server's, with its details, or of an answer that is damaged.
#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

struct Failure : std::exception {
  std::string code;  // the name of gRPC's status
  std::string message;
  std::string reason;
  std::vector<std::string> fields;
  double retry_seconds = 0;  // 0 where the server says nothing
  bool is_final = false;     // another try would end in the same way

  Failure(std::string code, std::string message);
  const char* what() const noexcept override { return message.c_str(); }
  std::string Text() const;
  // How long to wait after so many failures in a row.
  std::chrono::duration<double> Wait(int failures) const;
};

// The failure of an answer that does not fit its request, or its digest.
Failure Damaged(std::string message);

// What a status says. `request_hash` is that of the request that was sent.
Failure FailureOf(const grpc::Status& status, const std::string& request_hash);
