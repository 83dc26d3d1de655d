// One call, on a connection of its own.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

// The service's generated stub would hide the bytes of messages, and checksums and hashes are of
// those. gRPC's generic stub shows them; to it, a unary answer is a stream of one message.
class Call {
 public:
  Call(const std::string& target, const std::string& method,
       const google::protobuf::Message& request);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Reads the next message; false at the end of a call that ended well. Throws Failure.
  bool Receive(google::protobuf::Message* message);
  // Reads the one message of a unary call.
  void ReceiveOnly(google::protobuf::Message* message);

 private:
  bool Wait();
  grpc::Status Finish();

  std::string sent_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool is_silent_ = false;  // for too long: the call was cancelled
  bool has_ended_ = false;
};
