package seedbed.example;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import seedbed.v1.DescribeTensorsRequest;
import seedbed.v1.Digest;
import seedbed.v1.DigestTensorsRequest;
import seedbed.v1.GetServerInfoResponse;
import seedbed.v1.SampleSmallTensorRequest;
import seedbed.v1.SampleTensorsRequest;
import seedbed.v1.TensorDescription;
import seedbed.v1.TensorDigest;

/** Answers the conformance kit: a JSON object a line in, one a line out. */
final class Conformance {
  static void run() throws IOException {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject request = JsonParser.parseString(line).getAsJsonObject();
      JsonObject answer = new JsonObject();
      answer.add("id", request.get("id"));
      try {
        answer.add("result", result(request));
      } catch (Failure failure) {
        answer.add("error", failure.toJson());
      }
      System.out.println(answer);
    }
  }

  private static JsonObject result(JsonObject request) throws Failure, IOException {
    Client client = new Client(request.get("target").getAsString());
    return switch (request.get("op").getAsString()) {
      case "info" -> info(client.info());
      case "list" -> list("initializers", client.list().getInitializersList().stream()
          .map(info -> (Object) info.getField()).toList());
      case "describe" -> {
        var message = read(request, DescribeTensorsRequest.newBuilder(), "tensors");
        yield describe(client.describe(message.build()));
      }
      case "digest" -> {
        var message = read(request, DigestTensorsRequest.newBuilder(), "tensors",
            "digest_algorithm");
        yield digests(client.digest(message.build()));
      }
      case "fetch" -> {
        var message = read(request, SampleTensorsRequest.newBuilder(), "tensors",
            "digest_algorithm", "resume", "transfer");
        yield tensors(client.fetch(message.build()));
      }
      case "fetch_small" -> {
        var message = read(request, SampleSmallTensorRequest.newBuilder(), "tensor",
            "digest_algorithm");
        yield tensors(List.of(client.fetchSmall(message.build())));
      }
      default -> throw new IllegalArgumentException("an unknown op: " + request);
    };
  }

  /** Reads a request message from those keys that are its fields. */
  private static <B extends Message.Builder> B read(JsonObject request, B builder, String... fields)
      throws InvalidProtocolBufferException {
    JsonObject json = new JsonObject();
    for (String field : fields) {
      if (request.has(field)) {
        json.add(field, request.get(field));
      }
    }
    json.add("numerics", request.get("numerics"));
    if (!request.has("numerics")) {
      json.addProperty("numerics", "NUMERICS_SEEDBED_1");
    }
    return Json.read(json, builder);
  }

  private static JsonObject info(GetServerInfoResponse info) {
    JsonObject json = new JsonObject();
    json.addProperty("version", info.getVersion());
    add(json, "numerics", info.getNumericsList());
    add(json, "capabilities", info.getCapabilitiesList());
    add(json, "digest_algorithms", info.getDigestAlgorithmsList());
    return json;
  }

  private static JsonObject describe(List<TensorDescription> descriptions)
      throws InvalidProtocolBufferException {
    JsonArray array = new JsonArray();
    for (TensorDescription one : descriptions) {
      array.add(Json.write(one.toBuilder().clearRequest().build()));
    }
    return with("tensors", array);
  }

  static JsonObject digests(List<TensorDigest> digests) {
    JsonArray array = new JsonArray();
    for (TensorDigest one : digests) {
      Digest digest = one.getDigest();
      JsonObject json = new JsonObject();
      json.addProperty("algorithm", digest.getAlgorithm().name());
      json.addProperty("value", HexFormat.of().formatHex(digest.getValue().toByteArray()));
      json.addProperty("size_bytes", digest.getSizeBytes());
      array.add(json);
    }
    return with("digests", array);
  }

  static JsonObject tensors(List<Tensor> tensors) {
    JsonArray array = new JsonArray();
    tensors.forEach(tensor -> array.add(tensor.toJson()));
    return with("tensors", array);
  }

  private static JsonObject list(String key, List<?> values) {
    JsonObject json = new JsonObject();
    add(json, key, values);
    return json;
  }

  private static void add(JsonObject json, String key, List<?> values) {
    JsonArray array = new JsonArray();
    values.forEach(value -> array.add(value.toString()));
    json.add(key, array);
  }

  private static JsonObject with(String key, JsonArray array) {
    JsonObject json = new JsonObject();
    json.add(key, array);
    return json;
  }
}
