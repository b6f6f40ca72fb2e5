// Decodes every row of Avro files with Avro's own Java library, as avro-tools does, several times
// over: the first pass is what a command of avro-tools would take, the best what the library can.
//
//   java -cp avro-tools.jar Decode.java LIST PASSES
//
// LIST names a file a line, up to the first tab. Prints a JSON object a pass.
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;

public class Decode {
  private static double cpuSeconds() {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime() / 1e9;
  }

  private static double peakMebibytes() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }
    return 0;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> lines = Files.readAllLines(Path.of(arguments[0]));
    for (int pass = 0; pass < Integer.parseInt(arguments[1]); ++pass) {
      double cpu = cpuSeconds();
      long begin = System.nanoTime();
      long rows = 0;
      for (String line : lines) {
        File file = new File(line.split("\t")[0]);
        try (var reader = new DataFileReader<GenericRecord>(file, new GenericDatumReader<>())) {
          GenericRecord record = null;  // used again for each row, which is quickest
          while (reader.hasNext()) {
            record = reader.next(record);
            ++rows;
          }
        }
      }
      double wall = (System.nanoTime() - begin) / 1e9;
      System.out.printf("{\"rows\": %d, \"cpu\": %.3f, \"wall\": %.3f, \"rss_mb\": %.1f}%n", rows,
          cpuSeconds() - cpu, wall, peakMebibytes());
    }
  }
}
