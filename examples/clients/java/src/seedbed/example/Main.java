package seedbed.example;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import seedbed.v1.DescribeTensorsRequest;
import seedbed.v1.DescribeTensorsResponse;
import seedbed.v1.DigestTensorsRequest;
import seedbed.v1.SampleTensorsRequest;

/** The command line: see README.md. */
public final class Main {
  private static final String USAGE =
      "usage: client TARGET info | list | describe MANIFEST | digest MANIFEST"
          + " | fetch MANIFEST [DIRECTORY]\n       client conformance";

  private static final Gson JSON = new GsonBuilder().setPrettyPrinting().create();

  public static void main(String[] arguments) throws IOException {
    List<String> words = List.of(arguments);
    if (words.equals(List.of("conformance"))) {
      Conformance.run();
    } else if (words.size() < 2) {
      System.err.println(USAGE);
      System.exit(2);
    } else {
      try {
        System.out.println(JSON.toJson(answer(new Client(words.get(0)), words)));
      } catch (Failure failure) {
        System.err.println(JSON.toJson(failure.toJson()));
        System.exit(1);
      } catch (IllegalArgumentException | IOException error) {
        System.err.println(error.getMessage());
        System.exit(2);
      }
    }
  }

  private static JsonObject answer(Client client, List<String> words) throws Failure, IOException {
    return switch (words.get(1)) {
      case "info" -> Json.write(client.info());
      case "list" -> Json.write(client.list());
      case "describe" -> {
        SampleTensorsRequest manifest = manifest(words);
        var found = client.describe(DescribeTensorsRequest.newBuilder()
            .addAllTensors(manifest.getTensorsList()).setNumerics(manifest.getNumerics()).build());
        yield Json.write(DescribeTensorsResponse.newBuilder().addAllTensors(found).build());
      }
      case "digest" -> {
        SampleTensorsRequest manifest = manifest(words);
        var request = DigestTensorsRequest.newBuilder()
            .addAllTensors(manifest.getTensorsList()).setNumerics(manifest.getNumerics());
        if (manifest.hasDigestAlgorithm()) {
          request.setDigestAlgorithm(manifest.getDigestAlgorithm());
        }
        yield Conformance.digests(client.digest(request.build()));
      }
      case "fetch" -> {
        List<Tensor> tensors = client.fetch(manifest(words));
        if (words.size() > 3) {
          Files.createDirectories(Path.of(words.get(3)));
          for (Tensor tensor : tensors) {
            Files.write(Path.of(words.get(3), tensor.index() + ".bin"), tensor.bytes());
          }
        }
        yield Conformance.tensors(tensors);
      }
      default -> throw new IllegalArgumentException(USAGE);
    };
  }

  private static SampleTensorsRequest manifest(List<String> words) throws IOException {
    if (words.size() < 3) {
      throw new IllegalArgumentException(USAGE);
    }
    String json = Files.readString(Path.of(words.get(2)));
    JsonObject manifest = JsonParser.parseString(json).getAsJsonObject();
    return Json.read(manifest, SampleTensorsRequest.newBuilder()).build();
  }
}
