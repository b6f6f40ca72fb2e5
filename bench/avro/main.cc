// avro_bench {ours|libavro} {encode FOLDER FILE CODEC | decode FILE}: one run, as one line of JSON.

#include <fmt/format.h>

#include <fstream>
#include <span>
#include <string>

#include "base/check.h"
#include "bench/avro/flights.h"

namespace holdfast::bench {

namespace {

// Peak memory of this process in MB. Not getrusage: its peak includes the parent's from before
// exec.
double PeakMegabytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    double kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes / 1024;
  }
  return 0;
}

int Main(std::span<char*> args) {
  CHECK(args.size() >= 4,
        "usage: avro_bench {ours|libavro} {encode FOLDER FILE CODEC|decode FILE}");
  const std::string codec_library = args[1];
  const bool is_encode = std::string_view(args[2]) == "encode";
  CHECK(!is_encode || args.size() == 6, "encode needs FOLDER FILE CODEC");
  Watch watch;
  Outcome outcome;
  if (codec_library == "ours") {
    outcome = is_encode ? EncodeOurs(args[3], args[4], args[5], watch) : DecodeOurs(args[3], watch);
  } else {
#ifdef HOLDFAST_HAS_LIBAVRO
    outcome =
        is_encode ? EncodeLibavro(args[3], args[4], args[5], watch) : DecodeLibavro(args[3], watch);
#else
    CHECK(false, "built without libavro");
#endif
  }
  fmt::print(R"({{"rows":{},"checksum":{},"cpu":{:.4f},"wall":{:.4f},"rss_mb":{:.1f}}})"
             "\n",
             outcome.rows, outcome.checksum, watch.cpu_seconds(), watch.wall_seconds(),
             PeakMegabytes());
  return 0;
}

}  // namespace

}  // namespace holdfast::bench

int main(int argc, char** argv) { return holdfast::bench::Main({argv, static_cast<size_t>(argc)}); }
