package seedbed.example;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Why a call failed: what the server said, or what this client found wrong in an answer. */
final class Failure extends Exception {
  /** What a connection that breaks may end a call with, where no server has said anything. */
  private static final Set<Status.Code> BROKEN =
      Set.of(
          Status.Code.ABORTED,
          Status.Code.CANCELLED,
          Status.Code.DATA_LOSS,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.INTERNAL,
          Status.Code.UNAVAILABLE,
          Status.Code.UNKNOWN);

  final Status.Code code;
  final boolean isWorthAnotherTry;
  String reason = "";
  final List<String> fields = new ArrayList<>();
  Double retrySeconds;

  private Failure(Status.Code code, boolean isWorthAnotherTry, String message) {
    super(message);
    this.code = code;
    this.isWorthAnotherTry = isWorthAnotherTry;
  }

  /** An answer that is not what was asked for. */
  static Failure damage(String format, Object... values) {
    return new Failure(Status.Code.DATA_LOSS, true, String.format(format, values));
  }

  /** What a status says of the request whose bytes were sent. */
  static Failure of(StatusRuntimeException error, byte[] request) {
    Status status = error.getStatus();
    List<Any> details = details(error);
    ErrorInfo info = find(details, ErrorInfo.class);
    RetryInfo retry = find(details, RetryInfo.class);
    if (info == null || !info.getDomain().equals("seedbed")) {
      boolean isBroken = BROKEN.contains(status.getCode());
      return new Failure(status.getCode(), isBroken, status.getDescription());
    }
    // A bit may have flipped on the way: the refusal of another request says nothing of ours.
    String hash = String.format("%016x", Xxh3.hash64(request, request.length));
    if (retry == null && !hash.equals(info.getMetadataMap().get("request_xxh3_64"))) {
      return damage("the server refused another request: %s", status.getDescription());
    }
    Failure failure = new Failure(status.getCode(), retry != null, status.getDescription());
    failure.reason = info.getReason();
    if (retry != null) {
      failure.retrySeconds = Durations.toNanos(retry.getRetryDelay()) / 1e9;
    }
    BadRequest bad = find(details, BadRequest.class);
    if (bad != null) {
      bad.getFieldViolationsList().forEach(violation -> failure.fields.add(violation.getField()));
    }
    return failure;
  }

  private static List<Any> details(StatusRuntimeException error) {
    try {
      com.google.rpc.Status status = StatusProto.fromThrowable(error);
      return status == null ? List.of() : status.getDetailsList();
    } catch (IllegalArgumentException damagedDetails) {
      return List.of();
    }
  }

  private static <T extends com.google.protobuf.Message> T find(List<Any> details, Class<T> type) {
    for (Any detail : details) {
      try {
        if (detail.is(type)) {
          return detail.unpack(type);
        }
      } catch (InvalidProtocolBufferException damagedDetail) {
        return null;
      }
    }
    return null;
  }

  JsonObject toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("code", code.name());
    if (!reason.isEmpty()) {
      json.addProperty("reason", reason);
    }
    if (!fields.isEmpty()) {
      JsonArray array = new JsonArray();
      fields.forEach(array::add);
      json.add("fields", array);
    }
    if (retrySeconds != null) {
      json.addProperty("retry_seconds", retrySeconds);
    }
    json.addProperty("message", getMessage());
    return json;
  }
}
