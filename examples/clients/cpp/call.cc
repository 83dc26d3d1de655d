#include "call.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <string_view>

#include "failure.h"
#include "hashes.h"
#include "understood.h"

namespace {

// A server says at least every 5 s that it is still computing.
constexpr std::chrono::seconds kLongestSilence(12);

std::shared_ptr<grpc::Channel> NewConnection(const std::string& target) {
  grpc::ChannelArguments arguments;
  // Channels share connections otherwise, and another try may need another one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Call::Call(const std::string& target, const std::string& method,
           const google::protobuf::Message& request)
    : sent_(Deterministic(request)), stub_(NewConnection(target)) {
  const std::string& service = request.GetDescriptor()->file()->service(0)->full_name();
  stream_ = stub_.PrepareCall(&context_, "/" + service + "/" + method, &queue_);
  stream_->StartCall(this);
  if (!Wait()) return;
  const grpc::Slice slice(sent_);
  stream_->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), this);
  Wait();  // what failed, Finish tells
}

Call::~Call() {
  if (!has_ended_) {
    context_.TryCancel();
    Finish();
  }
  queue_.Shutdown();
  void* tag;
  bool is_ok;
  while (queue_.Next(&tag, &is_ok)) continue;  // a queue must be empty before it goes
}

bool Call::Receive(google::protobuf::Message* message) {
  grpc::ByteBuffer buffer;
  stream_->Read(&buffer, this);
  if (!Wait()) {
    const grpc::Status status = Finish();
    if (is_silent_)
      throw Failure("DEADLINE_EXCEEDED",
                    "no sign of life for " + std::to_string(kLongestSilence.count()) + " s");
    if (!status.ok()) throw FailureOf(status, RequestHash(sent_));
    return false;
  }
  grpc::Slice slice;
  buffer.DumpToSingleSlice(&slice);
  const std::string_view bytes(reinterpret_cast<const char*>(slice.begin()), slice.size());
  if (message->GetDescriptor()->FindFieldByName("checksum") != nullptr && !HasChecksum(bytes)) {
    throw Damaged("the checksum of a message is wrong");
  }
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Damaged("a message cannot be read");
  }
  return true;
}

void Call::ReceiveOnly(google::protobuf::Message* message) {
  if (!Receive(message)) throw Damaged("there is no answer");
  const std::unique_ptr<google::protobuf::Message> second(message->New());
  if (Receive(second.get())) throw Damaged("there are two answers");
}

// Waits for the operation that was begun, the only one under way; false if it failed.
bool Call::Wait() {
  void* tag;
  bool is_ok = false;
  const auto deadline = std::chrono::system_clock::now() + kLongestSilence;
  if (queue_.AsyncNext(&tag, &is_ok, deadline) == grpc::CompletionQueue::TIMEOUT) {
    is_silent_ = true;
    context_.TryCancel();
    queue_.Next(&tag, &is_ok);
  }
  return is_ok;
}

grpc::Status Call::Finish() {
  has_ended_ = true;
  grpc::Status status;
  stream_->Finish(&status, this);
  Wait();
  return status;
}
