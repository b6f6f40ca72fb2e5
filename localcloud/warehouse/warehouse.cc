#include "localcloud/warehouse/warehouse.h"

#include <set>

#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/file_area.h"
#include "localcloud/warehouse/streaming_buffer.h"

namespace holdfast::warehouse {

Warehouse::Warehouse(Clock& clock, Random& random) : clock_(clock), random_(random) {}

Warehouse::~Warehouse() = default;

Result<std::unique_ptr<Warehouse>> Warehouse::Open(const WarehouseOptions& options, Clock& clock,
                                                   Random& random) {
  std::unique_ptr<Warehouse> warehouse(new Warehouse(clock, random));
  HF_ASSIGN_OR_RETURN(warehouse->lock_, DirectoryLock::Take(options.directory));
  HF_ASSIGN_OR_RETURN(warehouse->files_, FileArea::Open(options.directory, random));
  HF_ASSIGN_OR_RETURN(warehouse->store_,
                      TableStore::Open(warehouse->files_->directory() + "/catalog.db", clock));
  HF_ASSIGN_OR_RETURN(const std::vector<std::string> paths, warehouse->store_->AllPaths());
  HF_RETURN_IF_ERROR(
      warehouse->files_->SweepOrphans(std::set<std::string>(paths.begin(), paths.end())));
  DatabaseOptions database;
  database.directories = options.readable_directories;
  database.directories.push_back(warehouse->files_->directory());
  database.spill_directory = warehouse->files_->spill_directory();
  database.memory_bytes_max = options.memory_bytes_max;
  database.spill_bytes_max = options.spill_bytes_max;
  database.threads = options.threads;
  HF_ASSIGN_OR_RETURN(warehouse->database_, Database::Open(database));
  return warehouse;
}

Status Warehouse::Maintain() {
  HF_RETURN_IF_ERROR(store_->DropExpired());
  HF_RETURN_IF_ERROR(FlushDueBuffers(*this));
  HF_ASSIGN_OR_RETURN(const std::vector<std::string> garbage, store_->CollectGarbage());
  files_->Remove(garbage);
  return Ok();
}

}  // namespace holdfast::warehouse
