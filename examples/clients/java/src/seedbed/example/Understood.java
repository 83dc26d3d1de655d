package seedbed.example;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import seedbed.v1.Dtype;
import seedbed.v1.InitializerSpec;
import seedbed.v1.TensorHeader;
import seedbed.v1.TensorRequest;

/** Compares what a server understood with what it was asked. */
final class Understood {
  /** What the absence of optional fields means, as the schema's comments say. */
  private static final Map<InitializerSpec.KindCase, InitializerSpec> DEFAULTS = new HashMap<>();

  static {
    for (String json :
        List.of(
            "{constant: {real: 0}}",
            "{random_uniform: {minval: -0.05, maxval: 0.05}}",
            "{random_normal: {mean: 0, stddev: 0.05}}",
            "{truncated_normal: {mean: 0, stddev: 0.05, lower: -2, upper: 2}}",
            "{variance_scaling: {scale: 1, mode: FAN_MODE_FAN_IN, lower: -2, upper: 2,"
                + " distribution: DISTRIBUTION_TRUNCATED_NORMAL}}",
            "{identity: {gain: 1}}",
            "{orthogonal: {gain: 1, blocks: 1, block_axis: -1}}",
            "{xavier_uniform: {gain: 1}}",
            "{xavier_normal: {gain: 1}}",
            "{kaiming_uniform: {a: 0, mode: FAN_MODE_FAN_IN,"
                + " nonlinearity: NONLINEARITY_LEAKY_RELU}}",
            "{kaiming_normal: {a: 0, mode: FAN_MODE_FAN_IN,"
                + " nonlinearity: NONLINEARITY_LEAKY_RELU}}",
            "{delta_orthogonal: {gain: 1}}",
            "{dirac: {groups: 1}}",
            "{sparse: {stddev: 0.01, axis: 0}}",
            "{stft: {side: STFT_SIDE_REAL, window: STFT_WINDOW_HANN,"
                + " scaling: STFT_SCALING_DENSITY, periodic: false}}")) {
      InitializerSpec.Builder defaults = InitializerSpec.newBuilder();
      try {
        JsonFormat.parser().merge(json, defaults);
      } catch (InvalidProtocolBufferException e) {
        throw new AssertionError(e);
      }
      DEFAULTS.put(defaults.getKindCase(), defaults.build());
    }
  }

  /** Throws unless an answer repeats the request; it may write out what the request left to it. */
  static void check(TensorRequest asked, TensorRequest repeated) throws Failure {
    if (!bytes(asked).equals(bytes(repeated))) {
      throw Failure.damage("the answer is for another tensor: %s", repeated);
    }
  }

  // Bytes, and not messages: -0.0 is another constant than 0.0, and unknown fields count.
  private static com.google.protobuf.ByteString bytes(TensorRequest request) {
    TensorRequest.Builder whole = request.toBuilder();
    InitializerSpec given = request.getSpec().getInitializer();
    InitializerSpec defaults = DEFAULTS.get(given.getKindCase());
    if (defaults != null) {
      whole.getSpecBuilder().setInitializer(defaults.toBuilder().mergeFrom(given));
    }
    return whole.build().toByteString();
  }

  /** Throws unless a header announces the tensor that was asked for. */
  static void check(TensorRequest asked, TensorHeader header) throws Failure {
    check(asked, header.getRequest());
    if (!header.getShapeList().equals(shape(asked))
        || header.getDtype() != asked.getSpec().getDtype()
        || header.getTotalBytes() != sizeBytes(asked)) {
      throw Failure.damage("the header does not fit its request: %s", header);
    }
  }

  static long sizeBytes(TensorRequest request) {
    long size = itemBytes(request.getSpec().getDtype());
    for (long length : shape(request)) {
      size = Math.multiplyExact(size, length);
    }
    return size;
  }

  private static List<Long> shape(TensorRequest request) {
    return request.hasSlice()
        ? request.getSlice().getLengthsList()
        : request.getSpec().getShapeList();
  }

  static int itemBytes(Dtype dtype) {
    return switch (dtype) {
      case DTYPE_INT8, DTYPE_UINT8, DTYPE_BOOL, DTYPE_FLOAT8_E4M3FN, DTYPE_FLOAT8_E5M2 -> 1;
      case DTYPE_FLOAT16, DTYPE_BFLOAT16, DTYPE_INT16, DTYPE_UINT16 -> 2;
      case DTYPE_FLOAT32, DTYPE_INT32, DTYPE_UINT32 -> 4;
      case DTYPE_FLOAT64, DTYPE_INT64, DTYPE_UINT64 -> 8;
      case DTYPE_UNSPECIFIED, UNRECOGNIZED -> throw new IllegalArgumentException("no dtype");
    };
  }
}
