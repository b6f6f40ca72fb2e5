#include "cloud/warehouse.h"

namespace holdfast::cloud {

Result<std::optional<Page<PartitionInfo>>> Warehouse::ListPartitionsInRange(
    const DatasetRef& /*dataset*/, const std::string& /*first_table*/,
    const std::string& /*last_table*/, const std::string& /*page_token*/) {
  return std::optional<Page<PartitionInfo>>();
}

Result<std::optional<DataWrite>> Warehouse::LastDataWrite(const TableRef& /*table*/,
                                                          const std::string& /*location*/) {
  return std::optional<DataWrite>();
}

}  // namespace holdfast::cloud
