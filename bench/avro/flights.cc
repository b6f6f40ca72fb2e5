#include "bench/avro/flights.h"

#include <ctime>

#include "base/check.h"

namespace holdfast::bench {

namespace {

int64_t Nanos(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

size_t ReadNumbers(std::FILE* file, std::vector<int64_t>& numbers) {
  numbers.resize(kRowsPerChunk);
  return std::fread(numbers.data(), sizeof(int64_t), kRowsPerChunk, file);
}

void ReadAirports(std::FILE* file, size_t rows, char* out, std::vector<std::string_view>& views) {
  CHECK(std::fread(out, kAirportBytes, rows, file) == rows, "a column of the dump is short");
  views.clear();
  for (size_t i = 0; i < rows; ++i) views.emplace_back(out + i * kAirportBytes, kAirportBytes);
}

}  // namespace

FlightsDump::FlightsDump(const std::string& folder) {
  for (const char* column : {"date", "delay", "distance", "origin", "destination"}) {
    const std::string path = folder + "/" + column + ".bin";
    files_.push_back(std::fopen(path.c_str(), "rb"));
    CHECK(files_.back() != nullptr, path);
  }
}

FlightsDump::~FlightsDump() {
  for (std::FILE* file : files_) std::fclose(file);
}

bool FlightsDump::Next(FlightsChunk& chunk) {
  chunk.rows = ReadNumbers(files_[0], chunk.date_micros);
  if (chunk.rows == 0) return false;
  CHECK(ReadNumbers(files_[1], chunk.delay) == chunk.rows, "a column of the dump is short");
  CHECK(ReadNumbers(files_[2], chunk.distance) == chunk.rows, "a column of the dump is short");
  chunk.airports.resize(2 * kRowsPerChunk * kAirportBytes);
  ReadAirports(files_[3], chunk.rows, chunk.airports.data(), chunk.origin);
  ReadAirports(files_[4], chunk.rows, chunk.airports.data() + kRowsPerChunk * kAirportBytes,
               chunk.destination);
  return true;
}

void Watch::Start() {
  cpu_nanos_ -= Nanos(CLOCK_THREAD_CPUTIME_ID);
  wall_nanos_ -= Nanos(CLOCK_MONOTONIC);
}

void Watch::Stop() {
  cpu_nanos_ += Nanos(CLOCK_THREAD_CPUTIME_ID);
  wall_nanos_ += Nanos(CLOCK_MONOTONIC);
}

}  // namespace holdfast::bench
