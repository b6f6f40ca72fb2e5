// avro_bench {ours|libavro} {encode FOLDER FILE CODEC | decode FILE}: one run, as one line of JSON.

#include <fmt/format.h>
#include <sys/resource.h>

#include <span>

#include "base/check.h"
#include "bench/avro/flights.h"

namespace holdfast::bench {

namespace {

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
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(R"({{"rows":{},"checksum":{},"cpu":{:.4f},"wall":{:.4f},"rss_mb":{:.1f}}})"
             "\n",
             outcome.rows, outcome.checksum, watch.cpu_seconds(), watch.wall_seconds(),
             static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}

}  // namespace

}  // namespace holdfast::bench

int main(int argc, char** argv) { return holdfast::bench::Main({argv, static_cast<size_t>(argc)}); }
