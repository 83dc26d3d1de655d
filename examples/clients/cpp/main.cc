// Asks a seedbed server for tensors, and verifies all that it is sent.
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "failure.h"
#include "operations.h"

namespace {

constexpr char kUsage[] = R"(usage:
  seedbed-client TARGET info
  seedbed-client TARGET list
  seedbed-client TARGET describe MANIFEST
  seedbed-client TARGET digest MANIFEST
  seedbed-client TARGET fetch MANIFEST [FOLDER]
  seedbed-client conformance

TARGET is host:port. MANIFEST is a file: a SampleTensorsRequest in protobuf's JSON mapping.
FOLDER gets the bytes of each tensor, as tensor-INDEX.bin.
)";

seedbed::v1::SampleTensorsRequest ReadManifest(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return ReadRequest(nlohmann::json::parse(file));
}

void Save(const std::string& folder, const Tensor& tensor) {
  const std::string path = folder + "/tensor-" + std::to_string(tensor.index) + ".bin";
  std::ofstream file(path, std::ios::binary);
  file << tensor.data << std::flush;
  if (!file) throw std::runtime_error(path + " cannot be written");
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments == std::vector<std::string>{"conformance"}) {
    Conform(std::cin, std::cout);
    return 0;
  }
  const bool takes_manifest =
      arguments.size() > 1 && arguments[1] != "info" && arguments[1] != "list";
  if (arguments.size() < 2 || takes_manifest != (arguments.size() > 2)) {
    std::cerr << kUsage;
    return 2;
  }
  seedbed::v1::SampleTensorsRequest request;
  if (takes_manifest) request = ReadManifest(arguments[2]);
  const Deliver deliver = [&](const Tensor& tensor) {
    if (arguments.size() > 3) Save(arguments[3], tensor);
  };
  std::cout << Operate(Client(arguments[0]), arguments[1], request, deliver).dump(2) << std::endl;
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return Run(std::vector<std::string>(arguments + 1, arguments + count));
  } catch (const Failure& failure) {
    std::cerr << "seedbed-client: " << failure.Text() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "seedbed-client: " << error.what() << "\n";
  }
  return 1;
}
