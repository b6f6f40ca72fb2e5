// One load of the flights' CSV, by one peer: load_bench PEER FLIGHTS_CSV DIRECTORY.
//
//   ours        the embedded warehouse, an unpartitioned table
//   ours-daily  the embedded warehouse, partitioned by day
//   table       DuckDB: COPY into a table of a database file
//   memory      DuckDB: COPY into a table in memory
//   parquet     DuckDB: COPY of the reader into one Parquet file
//
// Prints {"rows", "cpu", "wall"} of the load alone, in seconds.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/virtual_clock.h"
#include "bench/process_cost.h"
#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/loader.h"

namespace holdfast::warehouse {
namespace {

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.error().ToString());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

// Runs `load`, which gives the number of rows, and prints what it took.
template <typename Function>
void Measure(Function load) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = bench::CpuSeconds();
  const int64_t rows = load();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print("{{\"rows\": {}, \"cpu\": {:.3f}, \"wall\": {:.3f}, \"rss_mb\": {:.0f}}}\n", rows,
             bench::CpuSeconds() - cpu, wall.count(), bench::PeakMebibytes());
}

void LoadOurs(const std::string& csv, const std::string& directory, bool daily) {
  VirtualClock clock(FromUnixMillis(1'790'000'000'000));
  const auto random = MakeSystemRandom();
  WarehouseOptions options;
  options.directory = directory;
  options.readable_directories = {std::filesystem::path(csv).parent_path().string()};
  const auto warehouse = Must(Warehouse::Open(options, clock, *random));
  Must(warehouse->store().CreateDataset({"p", "d"}, Json::object()));
  LoadRequest request;
  request.destination = {"p", "d", "flights", {}};
  request.sources = {{csv, csv}};
  request.csv.skip_leading_rows = 1;
  request.schema = Must(Schema::FromJson({{"fields",
                                           {{{"name", "date"}, {"type", "DATETIME"}},
                                            {{"name", "delay"}, {"type", "INTEGER"}},
                                            {{"name", "distance"}, {"type", "INTEGER"}},
                                            {{"name", "origin"}, {"type", "STRING"}},
                                            {{"name", "destination"}, {"type", "STRING"}}}}}));
  if (daily) request.table_resource["timePartitioning"] = {{"type", "DAY"}, {"field", "date"}};
  Measure([&] { return Must(Load(*warehouse, request)).output_rows; });
}

void LoadDuck(const std::string& peer, const std::string& csv, const std::string& directory) {
  DatabaseOptions options;
  options.directories = {std::filesystem::path(csv).parent_path().string(), directory};
  options.spill_directory = directory + "/spill";
  options.memory_bytes_max = WarehouseOptions{}.memory_bytes_max;
  options.spill_bytes_max = WarehouseOptions{}.spill_bytes_max;
  const auto database = Must(Database::Open(options));
  Connection connection = Must(database->Connect());
  const std::string columns =
      "date TIMESTAMP, delay BIGINT, distance BIGINT, origin VARCHAR, destination VARCHAR";
  std::string target = "flights";
  if (peer == "table") {
    Must(connection.Execute(
        fmt::format("ATTACH {} AS peer", QuoteLiteral(directory + "/peer.duckdb"))));
    target = "peer.flights";
  }
  std::string copy = fmt::format("COPY {} FROM {} (FORMAT csv, HEADER)", target, QuoteLiteral(csv));
  if (peer == "parquet") {
    copy = fmt::format("COPY (FROM {}) TO {} (FORMAT parquet)", QuoteLiteral(csv),
                       QuoteLiteral(directory + "/flights.parquet"));
  } else {
    Must(connection.Execute(fmt::format("CREATE TABLE {} ({})", target, columns)));
  }
  Measure([&] {
    Must(connection.Execute(copy));
    if (peer == "table") Must(connection.Execute("CHECKPOINT peer"));
    return int64_t{3'000'000};
  });
}

}  // namespace
}  // namespace holdfast::warehouse

int main(int argc, char** argv) {
  using namespace holdfast::warehouse;
  if (argc != 4) {
    fmt::print(stderr, "usage: load_bench PEER FLIGHTS_CSV DIRECTORY\n");
    return 2;
  }
  const std::string peer = argv[1];
  std::filesystem::create_directories(argv[3]);
  if (peer.starts_with("ours")) {
    LoadOurs(argv[2], argv[3], peer == "ours-daily");
  } else {
    LoadDuck(peer, argv[2], argv[3]);
  }
  return 0;
}
