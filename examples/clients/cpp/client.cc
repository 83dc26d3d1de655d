#include "client.h"

#include <thread>
#include <utility>

#include "call.h"
#include "failure.h"
#include "hashes.h"
#include "understood.h"

namespace pb = seedbed::v1;

namespace {

constexpr int kMostFailures = 6;  // in a row, without progress

// Makes sure that an answer's next entry is for the tensor that is due.
void CheckNext(const pb::SampleTensorsRequest& request, size_t index,
               const pb::TensorRequest& understood) {
  if (index == static_cast<size_t>(request.tensors_size()) ||
      !IsMeant(request.tensors(static_cast<int>(index)), understood)) {
    throw Damaged("the server understood another request: " + understood.ShortDebugString());
  }
}

void CheckDigest(const pb::SampleTensorsRequest& request, size_t index,
                 const pb::TensorDigest& tensor) {
  CheckNext(request, index, tensor.request());
  const pb::DigestAlgorithm algorithm = AlgorithmOf(request);
  const pb::Digest& digest = tensor.digest();
  if (tensor.tensor_index() != static_cast<int64_t>(index) || digest.algorithm() != algorithm ||
      digest.size_bytes() != SizeOf(request.tensors(static_cast<int>(index))) ||
      digest.value().size() != RunningHash(algorithm).Digest().size()) {
    throw Damaged("a digest that does not fit its tensor: " + tensor.ShortDebugString());
  }
}

// Descriptions and digests are by the numerics that were asked for.
void CheckNumerics(pb::Numerics found, const pb::SampleTensorsRequest& request) {
  if (found != request.numerics()) throw Damaged("an answer by other numerics");
}

// Makes sure that a stream which ended without an error has answered for each tensor.
void CheckCount(size_t found, const pb::SampleTensorsRequest& request) {
  if (found != static_cast<size_t>(request.tensors_size())) {
    throw Damaged(std::to_string(found) + " answers for " + std::to_string(request.tensors_size()) +
                  " tensors");
  }
}

}  // namespace

Client::Client(std::string target) : target_(std::move(target)) {}

void Client::UntilItEndsWell(const std::function<void(bool&)>& call) const {
  for (int failures = 1;; ++failures) {
    bool progressed = false;
    try {
      call(progressed);
      return;
    } catch (const Failure& failure) {
      if (progressed) failures = 1;
      if (failure.is_final || failures == kMostFailures) throw;
      std::this_thread::sleep_for(failure.Wait(failures));
    }
  }
}

pb::GetServerInfoResponse Client::Info() const {
  pb::GetServerInfoResponse answer;
  UntilItEndsWell([&](bool&) {
    Call(target_, "GetServerInfo", pb::GetServerInfoRequest()).ReceiveOnly(&answer);
  });
  return answer;
}

pb::ListInitializersResponse Client::List() const {
  pb::ListInitializersResponse answer;
  UntilItEndsWell([&](bool&) {
    Call(target_, "ListInitializers", pb::ListInitializersRequest()).ReceiveOnly(&answer);
  });
  return answer;
}

std::vector<pb::TensorDescription> Client::Describe(const pb::SampleTensorsRequest& request) const {
  pb::DescribeTensorsRequest asked;
  *asked.mutable_tensors() = request.tensors();
  asked.set_numerics(request.numerics());
  std::vector<pb::TensorDescription> found;
  UntilItEndsWell([&](bool&) {
    found.clear();
    Call call(target_, "DescribeTensors", asked);
    for (pb::DescribeTensorsResponse answer; call.Receive(&answer);) {
      CheckNumerics(answer.numerics(), request);
      for (const pb::TensorDescription& description : answer.tensors()) {
        CheckNext(request, found.size(), description.request());
        found.push_back(description);
      }
    }
    CheckCount(found.size(), request);
  });
  return found;
}

std::vector<pb::Digest> Client::Digests(const pb::SampleTensorsRequest& request) const {
  pb::DigestTensorsRequest asked;
  *asked.mutable_tensors() = request.tensors();
  asked.set_numerics(request.numerics());
  if (request.has_digest_algorithm()) asked.set_digest_algorithm(request.digest_algorithm());
  std::vector<pb::Digest> found;
  UntilItEndsWell([&](bool&) {
    found.clear();
    Call call(target_, "DigestTensors", asked);
    for (pb::DigestTensorsResponse answer; call.Receive(&answer);) {
      CheckNumerics(answer.numerics(), request);
      for (const pb::TensorDigest& tensor : answer.tensors()) {
        CheckDigest(request, found.size(), tensor);
        found.push_back(tensor.digest());
      }
    }
    CheckCount(found.size(), request);
  });
  return found;
}

void Client::Fetch(const pb::SampleTensorsRequest& request, const Deliver& deliver) const {
  Assembler assembler(request, deliver);
  UntilItEndsWell([&](bool& progressed) {
    Call call(target_, "SampleTensors", assembler.Request());
    for (pb::SampleTensorsResponse answer; call.Receive(&answer);) {
      for (const pb::TensorPart& part : answer.parts()) {
        const int64_t before = assembler.verified();
        assembler.Take(part);
        progressed = progressed || assembler.verified() > before;
      }
    }
    assembler.End();
  });
}

void Client::FetchSmall(const pb::SampleTensorsRequest& request, const Deliver& deliver) const {
  pb::SampleSmallTensorRequest asked;
  *asked.mutable_tensor() = request.tensors(0);
  asked.set_numerics(request.numerics());
  if (request.has_digest_algorithm()) asked.set_digest_algorithm(request.digest_algorithm());
  UntilItEndsWell([&](bool&) {
    pb::SampleSmallTensorResponse answer;
    Call(target_, "SampleSmallTensor", asked).ReceiveOnly(&answer);
    // It is the stream of one tensor, in one message: its digest is the running one, too.
    pb::TensorPart part;
    if (answer.has_header()) *part.mutable_header() = answer.header();
    if (answer.has_digest()) *part.mutable_digest() = answer.digest();
    if (!answer.data().empty()) {
      part.mutable_chunk()->set_data(answer.data());
      part.mutable_chunk()->set_digest(answer.digest().value());
    }
    Assembler assembler(request, deliver);
    assembler.Take(part);
    assembler.End();
  });
}
