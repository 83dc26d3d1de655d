#include "operations.h"

#include <google/protobuf/util/json_util.h>

#include <istream>
#include <ostream>
#include <utility>
#include <vector>

#include "failure.h"

namespace pb = seedbed::v1;
using nlohmann::json;

namespace {

constexpr size_t kFirstBytes = 16;

std::string Hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

json InfoJson(const pb::GetServerInfoResponse& answer) {
  json found = {{"version", answer.version()},
                {"numerics", json::array()},
                {"capabilities", json::array()},
                {"digest_algorithms", json::array()}};
  for (const int value : answer.numerics()) {
    found["numerics"].push_back(pb::Numerics_Name(value));
  }
  for (const int value : answer.capabilities()) {
    found["capabilities"].push_back(pb::Capability_Name(value));
  }
  for (const int value : answer.digest_algorithms()) {
    found["digest_algorithms"].push_back(pb::DigestAlgorithm_Name(value));
  }
  return found;
}

json ListJson(const pb::ListInitializersResponse& answer) {
  json found = json::array();
  for (const pb::InitializerInfo& initializer : answer.initializers()) {
    found.push_back(initializer.field());
  }
  return {{"initializers", found}};
}

json DescriptionsJson(std::vector<pb::TensorDescription> answer) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  json found = json::array();
  for (pb::TensorDescription& description : answer) {
    description.clear_request();  // it was compared with what was asked
    std::string text;
    const auto status = google::protobuf::util::MessageToJsonString(description, &text, options);
    if (!status.ok()) throw Damaged("a description that is no JSON: " + status.ToString());
    found.push_back(json::parse(text));
  }
  return {{"tensors", found}};
}

json DigestsJson(const std::vector<pb::Digest>& answer) {
  json found = json::array();
  for (const pb::Digest& digest : answer) {
    found.push_back({{"algorithm", pb::DigestAlgorithm_Name(digest.algorithm())},
                     {"value", Hex(digest.value())},
                     {"size_bytes", digest.size_bytes()}});
  }
  return {{"digests", found}};
}

json TensorJson(const Tensor& tensor, pb::DigestAlgorithm algorithm) {
  return {{"tensor_index", tensor.index},
          {"size_bytes", tensor.data.size()},
          {"algorithm", pb::DigestAlgorithm_Name(algorithm)},
          {"digest", Hex(tensor.digest)},
          {"first_bytes", Hex(tensor.data.substr(0, kFirstBytes))}};
}

json FailureJson(const Failure& failure) {
  json found = {{"code", failure.code}, {"message", failure.message}};
  if (!failure.reason.empty()) found["reason"] = failure.reason;
  if (!failure.fields.empty()) found["fields"] = failure.fields;
  if (failure.retry_seconds > 0) found["retry_seconds"] = failure.retry_seconds;
  return found;
}

// Removes a key that is not the request's and returns its value.
json Taken(json& document, const char* key) {
  const json value = document.at(key);
  document.erase(key);
  return value;
}

json AnswerTo(json document) {
  json answer = {{"id", Taken(document, "id")}};
  try {
    const std::string op = Taken(document, "op");
    const Client client(Taken(document, "target").get<std::string>());
    const pb::SampleTensorsRequest request = ReadRequest(std::move(document));
    answer["result"] = Operate(client, op, request, [](const Tensor&) {});
  } catch (const Failure& failure) {
    answer["error"] = FailureJson(failure);
  }
  return answer;
}

}  // namespace

pb::SampleTensorsRequest ReadRequest(json document) {
  if (document.contains("tensor")) {
    document["tensors"] = json::array({Taken(document, "tensor")});
  }
  // Bits are those of a version of the numerics: this program is made for this one.
  if (!document.contains("numerics")) document["numerics"] = "NUMERICS_SEEDBED_1";
  pb::SampleTensorsRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(document.dump(), &request);
  if (!status.ok()) throw Failure("INVALID_ARGUMENT", status.ToString());
  return request;
}

json Operate(const Client& client, const std::string& op, const pb::SampleTensorsRequest& request,
             const Deliver& deliver) {
  if (op == "info") return InfoJson(client.Info());
  if (op == "list") return ListJson(client.List());
  if (op == "describe") return DescriptionsJson(client.Describe(request));
  if (op == "digest") return DigestsJson(client.Digests(request));
  json tensors = json::array();
  const Deliver note = [&](const Tensor& tensor) {
    deliver(tensor);
    tensors.push_back(TensorJson(tensor, AlgorithmOf(request)));
  };
  if (op == "fetch") {
    client.Fetch(request, note);
  } else if (op == "fetch_small") {
    client.FetchSmall(request, note);
  } else {
    throw Failure("UNIMPLEMENTED", "no such operation: " + op);
  }
  return {{"tensors", tensors}};
}

void Conform(std::istream& input, std::ostream& output) {
  for (std::string line; std::getline(input, line);) {
    output << AnswerTo(json::parse(line)).dump() << std::endl;
  }
}
