// The flights table as the benchmark hands it to each codec: plain columns, some rows at a time.
//
// run.py dumps the columns once (raw little-endian numbers, three-letter airports), so that loading
// costs the same for each peer; only the codec's own calls are on the watch.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

inline constexpr size_t kRowsPerChunk = 8192;
inline constexpr size_t kAirportBytes = 3;

struct FlightsChunk {
  size_t rows = 0;
  std::vector<int64_t> date_micros;
  std::vector<int64_t> delay;
  std::vector<int64_t> distance;
  std::vector<char> airports;  // what the views point to
  std::vector<std::string_view> origin;
  std::vector<std::string_view> destination;
};

// Reads <folder>/{date,delay,distance,origin,destination}.bin chunk by chunk. Aborts on a bad dump.
class FlightsDump {
 public:
  explicit FlightsDump(const std::string& folder);
  ~FlightsDump();

  // False after the last chunk.
  bool Next(FlightsChunk& chunk);

 private:
  std::vector<std::FILE*> files_;
};

// CPU (user and system) and wall time of this thread, only while running.
class Watch {
 public:
  void Start();
  void Stop();
  double cpu_seconds() const { return static_cast<double>(cpu_nanos_) / 1e9; }
  double wall_seconds() const { return static_cast<double>(wall_nanos_) / 1e9; }

 private:
  int64_t cpu_nanos_ = 0;
  int64_t wall_nanos_ = 0;
};

// What one run did; `checksum` is over all values decoded, so that none is optimised away.
struct Outcome {
  uint64_t rows = 0;
  uint64_t checksum = 0;
};

Outcome EncodeOurs(const std::string& folder, const std::string& path, const std::string& codec,
                   Watch& watch);
Outcome DecodeOurs(const std::string& path, Watch& watch);
Outcome EncodeLibavro(const std::string& folder, const std::string& path, const std::string& codec,
                      Watch& watch);
Outcome DecodeLibavro(const std::string& path, Watch& watch);

}  // namespace holdfast::bench
