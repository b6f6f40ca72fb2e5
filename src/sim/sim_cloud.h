// SimCloud: a whole cloud in memory, on virtual time, for tests of the engine.
//
// It implements the interfaces of cloud/ as the real services behave where a backup depends on it:
// modification times of tables and partitions, streaming buffers, time travel, job ids that are
// honoured and jobs that take time, create-only objects with generations, retention, leases of
// messages. Rows are real: an extract writes Avro objects, a load reads them. Thread-safe.
// The engine's state is elsewhere (repository, catalog), so a test may "kill" the engine through
// `faults()` and start another on the same SimCloud. Source: DESIGN §1.6, §8.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/virtual_clock.h"
#include "cloud/definitions.h"
#include "cloud/message_bus.h"
#include "cloud/object_store.h"
#include "cloud/projects.h"
#include "cloud/warehouse.h"
#include "model/resource_names.h"
#include "model/schema.h"
#include "sim/fault_plan.h"
#include "sim/sim_table.h"

namespace holdfast::sim {

struct SimOptions {
  uint64_t seed = 1;
  Duration job_duration = std::chrono::seconds{5};        // a job is done this long after it began
  Duration storage_view_delay = std::chrono::minutes{5};  // of Warehouse::LastDataWrite
  size_t page_size = 3;           // items of a page; an empty page comes now and then
  size_t rows_per_object = 1000;  // an extract starts another object after these
};

class SimCloud {
 public:
  // Borrows the clock.
  explicit SimCloud(VirtualClock& clock, SimOptions options = {});
  ~SimCloud();

  // The services as the engine sees them, the plan of their faults, and the time. Owned here (the
  // clock is borrowed); valid as long as this lives.
  cloud::Warehouse& warehouse();
  cloud::Definitions& definitions();
  cloud::ObjectStore& objects();
  cloud::Projects& projects();
  cloud::MessageBus& bus();
  FaultPlan& faults();
  VirtualClock& clock();

  // The functions below act at once, outside of any fault plan; what is wrong in them is a broken
  // test and aborts.

  // Adds a project below `parent` ("organizations/1" or "folders/7"), and a folder.
  void AddProject(const std::string& id, const std::string& parent = "organizations/1");
  void AddFolder(const std::string& name, const std::string& parent = "organizations/1");

  // Adds a dataset, and its project when that is absent.
  void AddDataset(const DatasetRef& dataset, const std::string& location = "US");
  // Changes members of a dataset's resource: "defaultTableExpirationMs"...
  void PatchDataset(const DatasetRef& dataset, const Json& patch);
  // Drops a dataset and the tables in it.
  void DropDataset(const DatasetRef& dataset);

  // Adds a table with these rows, and its dataset when that is absent. `extra` is merged into the
  // resource: "timePartitioning", "rangePartitioning", "description", "type"...
  void AddTable(const TableRef& table, const Schema& schema, const Rows& rows,
                const Json& extra = Json::object());

  // Changes as a user makes them, each moving the modification times that BigQuery moves.
  void AppendRows(const TableRef& table, const Rows& rows);
  void ReplaceRows(const TableRef& table, const Rows& rows);  // of the partition, if one is named
  void DeletePartition(const TableRef& partition);
  void DropTable(const TableRef& table);
  void SetDescription(const TableRef& table, const std::string& description);
  // Rows that are still in the streaming buffer: in none of the counts, extracts and copies.
  void StreamRows(const TableRef& table, const Rows& rows);
  void FlushStreaming(const TableRef& table);  // they land, and carry the time they came at
  void SetModificationTime(const TableRef& table, int64_t last_modified_ms);  // even backwards

  // Adds or replaces a view of a dataset that exists; `extra` is merged into its resource: "type",
  // "materializedView", "externalDataConfiguration"...
  void PutView(const TableRef& view, const std::string& sql, const Json& extra = Json::object());
  // Adds or replaces a SQL function of a dataset that exists; takes one away.
  void PutRoutine(const DatasetRef& dataset, const std::string& routine, const std::string& body);
  void DropRoutine(const DatasetRef& dataset, const std::string& routine);
  // Adds or replaces who may see which rows of a table, and who may do what with it.
  void PutRowAccessPolicy(const TableRef& table, const cloud::RowAccessPolicy& policy);
  void PutIamPolicy(const TableRef& table, const Json& policy);
  // A dataset's resource as it is now. It exists.
  Json DatasetResource(const DatasetRef& dataset) const;

  // What a table (or partition) holds, sorted, each row an array in column order.
  Rows ReadRows(const TableRef& table) const;

  // Whether the table is there now.
  bool HasTable(const TableRef& table) const;

  // Flips one bit of a stored object without changing what the store says of it.
  void CorruptObject(const cloud::ObjectRef& object, size_t byte);
  // The bytes of an object that is there, and other ones in its place, with a generation and
  // checksums of their own, as a careless person leaves them.
  std::string ReadObject(const cloud::ObjectRef& object) const;
  void OverwriteObject(const cloud::ObjectRef& object, std::string content);
  // Takes an object away, as a person with the console would.
  void RemoveObject(const cloud::ObjectRef& object);

  // In order of name; none of a bucket that is absent.
  std::vector<cloud::ObjectInfo> AllObjects(const std::string& bucket) const;

  // Jobs that were really started (not attached to), by kind ("extract", "load", "copy").
  int64_t JobsStarted(const std::string& kind) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::sim
