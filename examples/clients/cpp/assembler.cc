#include "assembler.h"

#include <algorithm>
#include <utility>

#include "failure.h"
#include "understood.h"

namespace pb = seedbed::v1;

namespace {

int64_t ElementBytes(pb::Dtype dtype) {
  switch (dtype) {
    case pb::DTYPE_INT8:
    case pb::DTYPE_UINT8:
    case pb::DTYPE_BOOL:
    case pb::DTYPE_FLOAT8_E4M3FN:
    case pb::DTYPE_FLOAT8_E5M2:
      return 1;
    case pb::DTYPE_FLOAT16:
    case pb::DTYPE_BFLOAT16:
    case pb::DTYPE_INT16:
    case pb::DTYPE_UINT16:
      return 2;
    case pb::DTYPE_FLOAT32:
    case pb::DTYPE_INT32:
    case pb::DTYPE_UINT32:
      return 4;
    case pb::DTYPE_FLOAT64:
    case pb::DTYPE_INT64:
    case pb::DTYPE_UINT64:
      return 8;
    default:
      throw Damaged("an answer for a dtype that this program does not know");
  }
}

const google::protobuf::RepeatedField<int64_t>& ShapeOf(const pb::TensorRequest& tensor) {
  return tensor.has_slice() ? tensor.slice().lengths() : tensor.spec().shape();
}

std::string Of(int64_t index) { return " of tensor " + std::to_string(index); }

}  // namespace

int64_t SizeOf(const pb::TensorRequest& tensor) {
  // Unsigned: a server refuses what is too large, and until then nothing may overflow.
  uint64_t size = ElementBytes(tensor.spec().dtype());
  for (const int64_t length : ShapeOf(tensor)) size *= static_cast<uint64_t>(length);
  return static_cast<int64_t>(size);
}

pb::DigestAlgorithm AlgorithmOf(const pb::SampleTensorsRequest& request) {
  return request.has_digest_algorithm() ? request.digest_algorithm()
                                        : pb::DIGEST_ALGORITHM_XXH3_128;
}

Assembler::Assembler(const pb::SampleTensorsRequest& request, Deliver deliver)
    : request_(request),
      deliver_(std::move(deliver)),
      index_(request.resume().tensor_index()),
      begin_(request.resume().byte_offset()),
      running_(AlgorithmOf(request)) {}

pb::SampleTensorsRequest Assembler::Request() {
  BeginShare();
  pb::SampleTensorsRequest request = request_;
  // Without a resume point the server may use the short forms, so there is none at the beginning.
  if (request.has_resume() || index_ > 0 || Next() > 0) {
    request.mutable_resume()->set_tensor_index(index_);
    request.mutable_resume()->set_byte_offset(Next());
  }
  return request;
}

const pb::TensorRequest& Assembler::tensor() const {
  return request_.tensors(static_cast<int>(index_));
}

// The first byte of the tensor that is missing.
int64_t Assembler::Next() const { return begin_ + static_cast<int64_t>(data_.size()); }

bool Assembler::IsWhole() const { return index_ == request_.tensors_size(); }

void Assembler::BeginShare() {
  has_header_ = false;
  stream_begin_ = Next();
  running_ = RunningHash(AlgorithmOf(request_));
}

void Assembler::Take(const pb::TensorPart& part) {
  if (IsWhole() || part.tensor_index() != index_) {
    throw Damaged("a part" + Of(part.tensor_index()) + " where one" + Of(index_) + " is due");
  }
  if (part.has_header() == has_header_) throw Damaged("no header, or two," + Of(index_));
  if (part.has_header()) {
    CheckHeader(part.header());
    has_header_ = true;
  }
  switch (part.content_case()) {
    case pb::TensorPart::kChunk:
      TakeChunk(part.chunk());
      break;
    case pb::TensorPart::kFill:
      TakeFill(part.fill(), part);
      break;
    case pb::TensorPart::kSegment:
      throw Damaged("a segment that was not asked for");
    case pb::TensorPart::CONTENT_NOT_SET:
      break;
  }
  if (part.has_digest()) TakeDigest(part.digest());
}

void Assembler::End() const {
  if (!IsWhole()) throw Damaged("the stream ended before the end" + Of(index_));
}

void Assembler::CheckHeader(const pb::TensorHeader& header) const {
  if (!IsMeant(tensor(), header.request())) {
    throw Damaged("the server understood another request: " + header.request().ShortDebugString());
  }
  const auto& shape = ShapeOf(tensor());
  if (header.numerics() != request_.numerics() || header.dtype() != tensor().spec().dtype() ||
      header.total_bytes() != SizeOf(tensor()) ||
      !std::equal(shape.begin(), shape.end(), header.shape().begin(), header.shape().end())) {
    throw Damaged("the header does not fit its request: " + header.ShortDebugString());
  }
}

void Assembler::TakeChunk(const pb::Chunk& chunk) {
  if (chunk.data().empty()) return;  // a heartbeat
  const int64_t end = Next() + static_cast<int64_t>(chunk.data().size());
  if (chunk.byte_offset() != Next() || end > SizeOf(tensor())) {
    throw Damaged("a chunk at the wrong byte" + Of(index_));
  }
  // A resume point must lie between elements.
  if (end % ElementBytes(tensor().spec().dtype()) != 0) {
    throw Damaged("a chunk ends inside an element" + Of(index_));
  }
  running_.Update(chunk.data());
  if (running_.Digest() != chunk.digest()) throw Damaged("a wrong running digest" + Of(index_));
  if (data_.empty()) data_.reserve(SizeOf(tensor()) - begin_);
  Keep(chunk.data());
}

void Assembler::Keep(const std::string& data) {
  data_ += data;
  verified_ += static_cast<int64_t>(data.size());
}

// Repeats one element. The digest comes with it, and proves it before it is used.
void Assembler::TakeFill(const std::string& element, const pb::TensorPart& part) {
  const int64_t width = ElementBytes(tensor().spec().dtype());
  if (static_cast<int64_t>(element.size()) != width || Next() != 0 || !part.has_digest()) {
    throw Damaged("a fill that does not fit" + Of(index_));
  }
  std::string data;
  data.reserve(SizeOf(tensor()));
  for (int64_t count = SizeOf(tensor()) / width; count > 0; --count) data += element;
  running_.Update(data);
  if (running_.Digest() != part.digest().value()) throw Damaged("a wrong fill" + Of(index_));
  Keep(data);
}

// Ends a tensor.
void Assembler::TakeDigest(const pb::Digest& digest) {
  if (Next() != SizeOf(tensor()) || digest.size_bytes() != Next() - stream_begin_ ||
      digest.algorithm() != AlgorithmOf(request_) || digest.value() != running_.Digest()) {
    throw Damaged("a wrong digest" + Of(index_));
  }
  Tensor whole{index_, std::move(data_), digest.value()};
  if (stream_begin_ != begin_) {  // earlier streams brought the rest: no digest is of both
    RunningHash hash(AlgorithmOf(request_));
    hash.Update(whole.data);
    whole.digest = hash.Digest();
  }
  deliver_(whole);
  ++verified_;
  ++index_;
  begin_ = 0;
  data_.clear();
  BeginShare();
}
