#include "understood.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <map>
#include <stdexcept>

namespace pb = seedbed::v1;

namespace {

using Kind = pb::InitializerSpec::KindCase;

// What the schema's comments say of absent parameters.
constexpr const char* kDefaults[] = {
    R"({"constant": {"real": 0}})",
    R"({"random_uniform": {"minval": -0.05, "maxval": 0.05}})",
    R"({"random_normal": {"mean": 0, "stddev": 0.05}})",
    R"({"truncated_normal": {"mean": 0, "stddev": 0.05, "lower": -2, "upper": 2}})",
    R"({"variance_scaling": {"scale": 1, "mode": "FAN_MODE_FAN_IN", )"
    R"("distribution": "DISTRIBUTION_TRUNCATED_NORMAL", "lower": -2, "upper": 2}})",
    R"({"identity": {"gain": 1}})",
    R"({"orthogonal": {"gain": 1, "blocks": 1, "block_axis": -1}})",
    R"({"xavier_uniform": {"gain": 1}})",
    R"({"xavier_normal": {"gain": 1}})",
    R"({"kaiming_uniform": {"a": 0, "mode": "FAN_MODE_FAN_IN", )"
    R"("nonlinearity": "NONLINEARITY_LEAKY_RELU"}})",
    R"({"kaiming_normal": {"a": 0, "mode": "FAN_MODE_FAN_IN", )"
    R"("nonlinearity": "NONLINEARITY_LEAKY_RELU"}})",
    R"({"delta_orthogonal": {"gain": 1}})",
    R"({"dirac": {"groups": 1}})",
    R"({"sparse": {"stddev": 0.01, "axis": 0}})",
    R"({"stft": {"side": "STFT_SIDE_REAL", "window": "STFT_WINDOW_HANN", )"
    R"("scaling": "STFT_SCALING_DENSITY", "periodic": false}})",
};

std::map<Kind, pb::InitializerSpec> ReadDefaults() {
  std::map<Kind, pb::InitializerSpec> found;
  for (const char* text : kDefaults) {
    pb::InitializerSpec spec;
    const auto status = google::protobuf::util::JsonStringToMessage(text, &spec);
    if (!status.ok()) throw std::logic_error(status.ToString());
    found[spec.kind_case()] = spec;
  }
  return found;
}

// The request with the defaults of its initializer where it leaves them out.
pb::TensorRequest WrittenOut(const pb::TensorRequest& request) {
  static const std::map<Kind, pb::InitializerSpec> defaults = ReadDefaults();
  pb::TensorRequest full = request;
  const auto found = defaults.find(request.spec().initializer().kind_case());
  if (found != defaults.end()) {
    pb::InitializerSpec initializer = found->second;
    initializer.MergeFrom(request.spec().initializer());
    *full.mutable_spec()->mutable_initializer() = initializer;
  }
  return full;
}

}  // namespace

bool IsMeant(const pb::TensorRequest& asked, const pb::TensorRequest& understood) {
  return Deterministic(asked) == Deterministic(understood) ||
         Deterministic(WrittenOut(asked)) == Deterministic(WrittenOut(understood));
}

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&output);
  output.Trim();
  return bytes;
}
