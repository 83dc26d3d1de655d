package seedbed.example;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import seedbed.v1.Chunk;
import seedbed.v1.Digest;
import seedbed.v1.DigestAlgorithm;
import seedbed.v1.ResumePoint;
import seedbed.v1.SampleTensorsRequest;
import seedbed.v1.SampleTensorsResponse;
import seedbed.v1.TensorPart;
import seedbed.v1.TensorRequest;

/**
 * Puts a request's tensors together from as many streams as it takes.
 *
 * <p>Every byte is verified before it counts, and the next stream begins at the first one that does
 * not. A tensor is one array here, so of at most 2 GiB.
 */
final class Assembler {
  private final SampleTensorsRequest request;
  private final DigestAlgorithm algorithm;
  private final List<Tensor> tensors = new ArrayList<>();

  // The tensor that is due, the place of its next byte, and where its first one is.
  private int index;
  private long next;
  private long start;
  private byte[] bytes;
  private long verifiedBytes = 0;

  // What belongs to one stream: it has its own headers and digests.
  private boolean isResumed;
  private boolean hasHeader;
  private long streamStart;
  private Hash running;

  Assembler(SampleTensorsRequest request) {
    this.request = request;
    algorithm = Client.algorithm(request.hasDigestAlgorithm(), request.getDigestAlgorithm());
    index = Math.toIntExact(request.getResume().getTensorIndex());
    next = request.getResume().getByteOffset();
    start = next;
  }

  List<Tensor> tensors() {
    return tensors;
  }

  boolean isDone() {
    return index >= request.getTensorsCount();
  }

  /** What grows as something is verified: it tells whether a try got further. */
  long progress() {
    return verifiedBytes + tensors.size();
  }

  /** Returns the request for all that is missing, and expects its stream. */
  SampleTensorsRequest nextRequest() {
    boolean hasBegun = progress() > 0;
    isResumed = hasBegun || request.hasResume();
    beginTensor(next);
    if (!hasBegun) {
      return request;
    }
    return request.toBuilder()
        .setResume(ResumePoint.newBuilder().setTensorIndex(index).setByteOffset(next))
        .build();
  }

  private void beginTensor(long offset) {
    next = offset;
    streamStart = offset;
    hasHeader = false;
    running = Hash.of(algorithm);
  }

  void accept(SampleTensorsResponse message) throws Failure {
    for (TensorPart part : message.getPartsList()) {
      accept(part);
    }
  }

  private void accept(TensorPart part) throws Failure {
    if (isDone() || part.getTensorIndex() != index || part.hasHeader() == hasHeader) {
      throw Failure.damage("a part of tensor %d, or a header, is out of turn",
          part.getTensorIndex());
    }
    TensorRequest asked = request.getTensors(index);
    if (part.hasHeader()) {
      Understood.check(asked, part.getHeader());
      if (part.getHeader().getNumerics() != request.getNumerics()) {
        throw Failure.damage("tensor %d is of other numerics", index);
      }
      hasHeader = true;
      long size = part.getHeader().getTotalBytes() - start;
      if (size < 0) {
        throw Failure.damage("tensor %d ends before the resume point", index);
      }
      if (bytes == null) {
        // The header agrees with the request, so this size is ours and not a damaged one.
        bytes = new byte[Math.toIntExact(size)];
      }
    }
    switch (part.getContentCase()) {
      case CHUNK -> accept(part.getChunk(), Understood.itemBytes(asked.getSpec().getDtype()));
      case FILL -> fill(part.getFill(), Understood.itemBytes(asked.getSpec().getDtype()), part);
      case SEGMENT -> throw Failure.damage("tensor %d came as a segment unasked", index);
      case CONTENT_NOT_SET -> { }
    }
    if (part.hasDigest()) {
      end(part.getDigest());
    }
  }

  private void accept(Chunk chunk, int itemBytes) throws Failure {
    byte[] data = chunk.getData().toByteArray();
    if (data.length == 0) {
      return; // A heartbeat: the server is still computing.
    }
    int at = (int) (next - start);
    if (chunk.getByteOffset() != next
        || data.length > bytes.length - at
        || data.length % itemBytes != 0) {
      throw Failure.damage("a chunk of tensor %d is out of place", index);
    }
    running.update(data, 0, data.length);
    if (!ByteString.copyFrom(running.value()).equals(chunk.getDigest())) {
      throw Failure.damage("the running digest of tensor %d is wrong at byte %d", index, next);
    }
    System.arraycopy(data, 0, bytes, at, data.length);
    next += data.length;
    verifiedBytes += data.length;
  }

  private void fill(ByteString element, int itemBytes, TensorPart part) throws Failure {
    boolean isAllowed = request.getTransfer().getAcceptsFill() && !isResumed;
    if (!isAllowed || element.size() != itemBytes || next != 0 || !part.hasDigest()) {
      throw Failure.damage("tensor %d came as a fill out of place", index);
    }
    byte[] filled = new byte[bytes.length];
    for (int at = 0; at < filled.length; at += itemBytes) {
      element.copyTo(filled, at);
    }
    running.update(filled, 0, filled.length);
    if (!ByteString.copyFrom(running.value()).equals(part.getDigest().getValue())) {
      throw Failure.damage("the digest of tensor %d is wrong", index);
    }
    bytes = filled;
    next = filled.length;
    verifiedBytes += filled.length;
  }

  private void end(Digest digest) throws Failure {
    boolean isRight =
        digest.getAlgorithm() == algorithm
            && digest.getSizeBytes() == next - streamStart
            && Arrays.equals(digest.getValue().toByteArray(), running.value());
    if (!isRight || next != start + bytes.length) {
      throw Failure.damage("the digest of tensor %d is wrong, or comes too early", index);
    }
    tensors.add(new Tensor(index, algorithm, bytes));
    index++;
    start = 0;
    bytes = null;
    beginTensor(0);
  }
}
