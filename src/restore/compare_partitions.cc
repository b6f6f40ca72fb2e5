#include "restore/compare_partitions.h"

#include <fmt/format.h>

#include "restore/load.h"

namespace holdfast::restore {

namespace {

constexpr size_t kPartitionsNamedMax = 5;

struct PartitionRows {
  int64_t actual = 0;
  int64_t expected = 0;
};

}  // namespace

std::vector<std::string> ComparePartitions(const std::map<std::string, int64_t>& actual,
                                           const std::vector<Manifest>& manifests) {
  std::map<std::string, PartitionRows> partitions;
  for (const auto& [id, rows] : actual) partitions[id].actual = rows;
  int64_t unplaced = 0;
  for (const Manifest& manifest : manifests) {
    const std::string& id = manifest.object.partition;
    int64_t& expected = IsPartitionOfItsOwn(id) ? partitions[id].expected : unplaced;
    expected += manifest.rows;
  }
  int64_t surplus = 0;
  for (const auto& [id, rows] : partitions) {
    if (rows.actual > rows.expected) surplus += rows.actual - rows.expected;
  }
  std::vector<std::string> differences;
  size_t unnamed = 0;
  for (const auto& [id, rows] : partitions) {
    const bool differs =
        rows.actual < rows.expected || (rows.actual > rows.expected && surplus > unplaced);
    if (!differs) continue;
    if (differences.size() == kPartitionsNamedMax) {
      ++unnamed;
      continue;
    }
    differences.push_back(
        fmt::format("partition {} holds {} rows, its backup {}", id, rows.actual, rows.expected));
  }
  if (unnamed > 0) differences.push_back(fmt::format("{} more partitions differ so", unnamed));
  return differences;
}

}  // namespace holdfast::restore
