package seedbed.example;

import com.google.gson.JsonObject;
import java.util.HexFormat;
import seedbed.v1.DigestAlgorithm;

/** Verified bytes of one tensor: all that was asked for, or the rest after a resume point. */
record Tensor(int index, DigestAlgorithm algorithm, byte[] bytes) {
  JsonObject toJson() {
    byte[] digest = Hash.of(algorithm, bytes);
    JsonObject json = new JsonObject();
    json.addProperty("tensor_index", index);
    json.addProperty("size_bytes", bytes.length);
    json.addProperty("algorithm", algorithm.name());
    json.addProperty("digest", HexFormat.of().formatHex(digest));
    int shown = Math.min(bytes.length, 16);
    json.addProperty("first_bytes", HexFormat.of().formatHex(bytes, 0, shown));
    return json;
  }
}
