// Whether a server understood a request as it was meant. A digest proves only that bytes are those
// of the request that the server read.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "seedbed/v1/tensors.pb.h"

// Whether two requests ask for the same. A server may write defaults out; a field that this program
// does not know makes a difference, as the bytes of both are compared.
bool IsMeant(const seedbed::v1::TensorRequest& asked, const seedbed::v1::TensorRequest& understood);

// The bytes of a message: the same for the same content.
std::string Deterministic(const google::protobuf::Message& message);
