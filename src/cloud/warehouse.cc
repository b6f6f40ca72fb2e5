#include "cloud/warehouse.h"

namespace holdfast::cloud {

Result<std::optional<Page<PartitionInfo>>> Warehouse::ListPartitionsInRange(
    const DatasetRef& /*dataset*/, const std::string& /*first_table*/,
    const std::string& /*last_table*/, const std::string& /*page_token*/) {
  return std::optional<Page<PartitionInfo>>();
}

}  // namespace holdfast::cloud
