package seedbed.example;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import seedbed.v1.DescribeTensorsRequest;
import seedbed.v1.DescribeTensorsResponse;
import seedbed.v1.Digest;
import seedbed.v1.DigestAlgorithm;
import seedbed.v1.DigestTensorsRequest;
import seedbed.v1.DigestTensorsResponse;
import seedbed.v1.GetServerInfoRequest;
import seedbed.v1.GetServerInfoResponse;
import seedbed.v1.ListInitializersRequest;
import seedbed.v1.ListInitializersResponse;
import seedbed.v1.SampleSmallTensorRequest;
import seedbed.v1.SampleSmallTensorResponse;
import seedbed.v1.SampleTensorsRequest;
import seedbed.v1.SampleTensorsResponse;
import seedbed.v1.SeedbedServiceGrpc;
import seedbed.v1.TensorDescription;
import seedbed.v1.TensorDigest;

/** The calls of one server, each tried until it ends well or cannot. */
final class Client {
  /** So many failures without progress in between end a call. */
  private static final int MOST_FAILURES = 6;
  /** How long a stream may be silent: a server that computes sends a heartbeat every 5 seconds. */
  private static final long SILENCE_SECONDS = 12;

  private static final long UNARY_SECONDS = 30;
  private static final long FIRST_BACKOFF_MILLIS = 50;

  private static final ScheduledExecutorService TIMER =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "silence");
            thread.setDaemon(true);
            return thread;
          });

  private final String target;

  Client(String target) {
    this.target = target;
  }

  GetServerInfoResponse info() throws Failure {
    byte[] request = GetServerInfoRequest.getDefaultInstance().toByteArray();
    return checked(SeedbedServiceGrpc.getGetServerInfoMethod(), request,
        GetServerInfoResponse.parser());
  }

  ListInitializersResponse list() throws Failure {
    byte[] request = ListInitializersRequest.getDefaultInstance().toByteArray();
    return checked(SeedbedServiceGrpc.getListInitializersMethod(), request,
        ListInitializersResponse.parser());
  }

  private <T> T checked(MethodDescriptor<?, ?> method, byte[] request, Parser<T> parser)
      throws Failure {
    return retrying(
        () -> 0, channel -> parse(parser, withoutDamage(unary(channel, method, request))));
  }

  List<TensorDescription> describe(DescribeTensorsRequest request) throws Failure {
    return retrying(
        () -> 0,
        channel -> {
          List<TensorDescription> found = new ArrayList<>();
          stream(channel, SeedbedServiceGrpc.getDescribeTensorsMethod(), request, message -> {
            var answer = parse(DescribeTensorsResponse.parser(), withoutDamage(message));
            check(answer.getNumerics() == request.getNumerics(), "other numerics");
            for (TensorDescription one : answer.getTensorsList()) {
              check(found.size() < request.getTensorsCount(), "one tensor too many");
              Understood.check(request.getTensors(found.size()), one.getRequest());
              found.add(one);
            }
          });
          check(found.size() == request.getTensorsCount(), "the stream ended too early");
          return found;
        });
  }

  List<TensorDigest> digest(DigestTensorsRequest request) throws Failure {
    var algorithm = algorithm(request.hasDigestAlgorithm(), request.getDigestAlgorithm());
    return retrying(
        () -> 0,
        channel -> {
          List<TensorDigest> found = new ArrayList<>();
          stream(channel, SeedbedServiceGrpc.getDigestTensorsMethod(), request, message -> {
            var answer = parse(DigestTensorsResponse.parser(), withoutDamage(message));
            check(answer.getNumerics() == request.getNumerics(), "other numerics");
            for (TensorDigest one : answer.getTensorsList()) {
              check(found.size() < request.getTensorsCount(), "one tensor too many");
              check(one.getTensorIndex() == found.size(), "a digest out of turn");
              var asked = request.getTensors(found.size());
              Understood.check(asked, one.getRequest());
              check(one.getDigest().getAlgorithm() == algorithm, "another algorithm");
              check(one.getDigest().getSizeBytes() == Understood.sizeBytes(asked), "another size");
              found.add(one);
            }
          });
          check(found.size() == request.getTensorsCount(), "the stream ended too early");
          return found;
        });
  }

  List<Tensor> fetch(SampleTensorsRequest request) throws Failure {
    Assembler assembler = new Assembler(request);
    return retrying(
        assembler::progress,
        channel -> {
          // The first request goes out in any case: the server may have something against it.
          var missing = assembler.nextRequest();
          stream(channel, SeedbedServiceGrpc.getSampleTensorsMethod(), missing,
              message -> assembler.accept(parse(SampleTensorsResponse.parser(), message)));
          check(assembler.isDone(), "the stream ended too early");
          return assembler.tensors();
        });
  }

  Tensor fetchSmall(SampleSmallTensorRequest request) throws Failure {
    var algorithm = algorithm(request.hasDigestAlgorithm(), request.getDigestAlgorithm());
    return retrying(
        () -> 0,
        channel -> {
          byte[] message = unary(channel, SeedbedServiceGrpc.getSampleSmallTensorMethod(),
              request.toByteArray());
          var answer = parse(SampleSmallTensorResponse.parser(), message);
          Understood.check(request.getTensor(), answer.getHeader());
          check(answer.getHeader().getNumerics() == request.getNumerics(), "other numerics");
          byte[] data = answer.getData().toByteArray();
          Digest digest = answer.getDigest();
          check(
              digest.getAlgorithm() == algorithm
                  && digest.getSizeBytes() == data.length
                  && data.length == answer.getHeader().getTotalBytes()
                  && Arrays.equals(digest.getValue().toByteArray(), Hash.of(algorithm, data)),
              "the tensor's digest is wrong");
          return new Tensor(0, algorithm, data);
        });
  }

  /** What the absence of an algorithm means. */
  static DigestAlgorithm algorithm(boolean isPresent, DigestAlgorithm given) {
    return isPresent ? given : DigestAlgorithm.DIGEST_ALGORITHM_XXH3_128;
  }

  private interface Attempt<T> {
    T on(Channel channel) throws Failure;
  }

  private interface Receiver {
    void accept(byte[] message) throws Failure;
  }

  /** Tries on a new connection each time, as the way to a server may be what is broken. */
  private <T> T retrying(LongSupplier progress, Attempt<T> attempt) throws Failure {
    for (int failures = 0; ; ) {
      long before = progress.getAsLong();
      ManagedChannel channel = ManagedChannelBuilder.forTarget(target).usePlaintext().build();
      try {
        return attempt.on(channel);
      } catch (Failure failure) {
        failures = progress.getAsLong() > before ? 1 : failures + 1;
        if (!failure.isWorthAnotherTry || failures >= MOST_FAILURES) {
          throw failure;
        }
        sleep(failure, failures);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static void sleep(Failure failure, int failures) throws Failure {
    long millis = FIRST_BACKOFF_MILLIS << (failures - 1);
    if (failure.retrySeconds != null) {
      millis = (long) Math.ceil(failure.retrySeconds * 1000);
    }
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure;
    }
  }

  private static byte[] unary(Channel channel, MethodDescriptor<?, ?> method, byte[] request)
      throws Failure {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(UNARY_SECONDS, TimeUnit.SECONDS);
    try {
      return ClientCalls.blockingUnaryCall(channel, raw(method), options, request);
    } catch (StatusRuntimeException e) {
      throw Failure.of(e, request);
    }
  }

  private static void stream(
      Channel channel, MethodDescriptor<?, ?> method, MessageLite message, Receiver receiver)
      throws Failure {
    byte[] request = message.toByteArray();
    Context.CancellableContext context = Context.current().withCancellation();
    Context outer = context.attach();
    try {
      Iterator<byte[]> answers = ClientCalls.blockingServerStreamingCall(
          channel, raw(method), CallOptions.DEFAULT, request);
      while (hasNext(answers, context)) {
        receiver.accept(answers.next());
      }
    } catch (StatusRuntimeException e) {
      throw Failure.of(e, request);
    } finally {
      context.detach(outer);
      context.close(); // Ends the call, if it has not ended yet.
    }
  }

  private static boolean hasNext(Iterator<byte[]> answers, Context.CancellableContext context) {
    Future<?> alarm =
        TIMER.schedule(() -> context.cancel(null), SILENCE_SECONDS, TimeUnit.SECONDS);
    try {
      return answers.hasNext();
    } finally {
      alarm.cancel(false);
    }
  }

  /** The method with messages as bytes: checksums and request hashes are of these. */
  private static MethodDescriptor<byte[], byte[]> raw(MethodDescriptor<?, ?> method) {
    return method.toBuilder(BYTES, BYTES).build();
  }

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  /** Returns a message whose checksum, its last field (15, a fixed64), is right. */
  private static byte[] withoutDamage(byte[] message) throws Failure {
    int end = message.length - 9;
    ByteBuffer bytes = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    check(
        end >= 0
            && message[end] == (15 << 3 | 1)
            && bytes.getLong(end + 1) == Xxh3.hash64(message, end),
        "the checksum of the message is wrong");
    return message;
  }

  private static <T> T parse(Parser<T> parser, byte[] message) throws Failure {
    try {
      return parser.parseFrom(message);
    } catch (InvalidProtocolBufferException e) {
      throw Failure.damage("the message is damaged: %s", e.getMessage());
    }
  }

  private static void check(boolean isRight, String otherwise) throws Failure {
    if (!isRight) {
      throw Failure.damage("%s", otherwise);
    }
  }
}
