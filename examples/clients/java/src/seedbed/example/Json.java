package seedbed.example;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;

/** Messages in protobuf's JSON mapping, with the schema's own names of fields. */
final class Json {
  private Json() {}

  static JsonObject write(Message message) throws InvalidProtocolBufferException {
    String json = JsonFormat.printer().preservingProtoFieldNames().print(message);
    return JsonParser.parseString(json).getAsJsonObject();
  }

  static <B extends Message.Builder> B read(JsonObject json, B builder)
      throws InvalidProtocolBufferException {
    JsonFormat.parser().merge(json.toString(), builder);
    restoreNegativeZeros(json, builder);
    return builder;
  }

  /** JsonFormat reads doubles by BigDecimal, which knows no -0.0; but that is another constant. */
  private static void restoreNegativeZeros(JsonObject json, Message.Builder builder) {
    for (FieldDescriptor field : builder.getDescriptorForType().getFields()) {
      String name = json.has(field.getName()) ? field.getName() : field.getJsonName();
      JsonElement value = json.get(name);
      if (value == null || value.isJsonNull()) {
        continue;
      }
      if (field.getJavaType() == JavaType.DOUBLE) {
        if (value.getAsString().startsWith("-") && builder.getField(field).equals(0.0)) {
          builder.setField(field, -0.0);
        }
      } else if (field.getJavaType() == JavaType.MESSAGE && field.isRepeated()) {
        for (int place = 0; place < builder.getRepeatedFieldCount(field); place++) {
          restoreNegativeZeros(
              value.getAsJsonArray().get(place).getAsJsonObject(),
              builder.getRepeatedFieldBuilder(field, place));
        }
      } else if (field.getJavaType() == JavaType.MESSAGE) {
        restoreNegativeZeros(value.getAsJsonObject(), builder.getFieldBuilder(field));
      }
    }
  }
}
