// The operations: each takes a request in JSON and returns what is printed of the answer. The
// command line and the conformance mode are two ways to ask for them.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "client.h"

// The request that a manifest, or a line in conformance mode, has. Throws Failure.
seedbed::v1::SampleTensorsRequest ReadRequest(nlohmann::json document);

// Asks a server and returns what it answered. Throws Failure.
nlohmann::json Operate(const Client& client, const std::string& op,
                       const seedbed::v1::SampleTensorsRequest& request, const Deliver& deliver);

// Answers requests, one on each line, until there are no more.
void Conform(std::istream& input, std::ostream& output);
