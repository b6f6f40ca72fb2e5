#include "sim/sim_cloud.h"

#include <algorithm>

#include "sim/sim_definitions.h"
#include "sim/sim_message_bus.h"
#include "sim/sim_object_store.h"
#include "sim/sim_projects.h"
#include "sim/sim_warehouse.h"

namespace holdfast::sim {

namespace {

// What a test asked of the simulation and did not get is a mistake in the test.
void Must(const Status& status) { CHECK(status.ok(), status.ok() ? "" : status.error().message); }

}  // namespace

struct SimCloud::State {
  State(VirtualClock& the_clock, SimOptions options)
      : clock(the_clock),
        faults(options.seed),
        objects(clock, faults, options.page_size),
        projects(faults, options.page_size),
        bus(clock, faults),
        warehouse(clock, faults, projects, objects,
                  {.job_duration = options.job_duration,
                   .storage_view_delay = options.storage_view_delay,
                   .page_size = options.page_size,
                   .rows_per_object = options.rows_per_object}),
        definitions(clock, faults, warehouse, options.page_size) {}

  VirtualClock& clock;
  FaultPlan faults;
  SimObjectStore objects;
  SimProjects projects;
  SimMessageBus bus;
  SimWarehouse warehouse;
  SimDefinitions definitions;
};

SimCloud::SimCloud(VirtualClock& clock, SimOptions options)
    : state_(std::make_unique<State>(clock, options)) {}
SimCloud::~SimCloud() = default;

cloud::Warehouse& SimCloud::warehouse() { return state_->warehouse; }
cloud::Definitions& SimCloud::definitions() { return state_->definitions; }
cloud::ObjectStore& SimCloud::objects() { return state_->objects; }
cloud::Projects& SimCloud::projects() { return state_->projects; }
cloud::MessageBus& SimCloud::bus() { return state_->bus; }
FaultPlan& SimCloud::faults() { return state_->faults; }
VirtualClock& SimCloud::clock() { return state_->clock; }

void SimCloud::AddProject(const std::string& id, const std::string& parent) {
  state_->projects.AddProject(id, parent);
}

void SimCloud::AddFolder(const std::string& name, const std::string& parent) {
  state_->projects.AddFolder(name, parent);
}

void SimCloud::AddDataset(const DatasetRef& dataset, const std::string& location) {
  AddProject(dataset.project);
  state_->warehouse.AddDataset(dataset, location);
}

void SimCloud::PatchDataset(const DatasetRef& dataset, const Json& patch) {
  Must(state_->warehouse.PatchDataset(dataset, patch));
}

void SimCloud::DropDataset(const DatasetRef& dataset) {
  state_->warehouse.DropDataset(dataset);
  state_->definitions.DropDataset(dataset);
}

void SimCloud::AddTable(const TableRef& table, const Schema& schema, const Rows& rows,
                        const Json& extra) {
  AddDataset(table.dataset_ref());
  Json resource = {{"schema", schema.ToJson()}};
  resource.update(extra);
  Must(state_->warehouse.AddTable(table, resource, rows));
}

void SimCloud::AppendRows(const TableRef& table, const Rows& rows) {
  Must(state_->warehouse.Change(table, [&](SimTable& state, int64_t now_ms) -> Status {
    HF_ASSIGN_OR_RETURN(const Rows canonical, CanonicalRows(state.schema, rows));
    state.Append(canonical, table.partition, now_ms);
    return Ok();
  }));
}

void SimCloud::ReplaceRows(const TableRef& table, const Rows& rows) {
  Must(state_->warehouse.Change(table, [&](SimTable& state, int64_t now_ms) -> Status {
    HF_ASSIGN_OR_RETURN(const Rows canonical, CanonicalRows(state.schema, rows));
    state.Clear(table.partition, now_ms);
    state.Append(canonical, table.partition, now_ms);
    return Ok();
  }));
}

void SimCloud::DeletePartition(const TableRef& partition) {
  CHECK(!partition.partition.empty(), "no partition is named");
  Must(state_->warehouse.Change(partition, [&](SimTable& state, int64_t now_ms) -> Status {
    state.Clear(partition.partition, now_ms);
    return Ok();
  }));
}

void SimCloud::DropTable(const TableRef& table) { state_->warehouse.Drop(table); }

void SimCloud::SetDescription(const TableRef& table, const std::string& description) {
  Must(state_->warehouse.Change(table, [&](SimTable& state, int64_t now_ms) -> Status {
    state.resource["description"] = description;
    state.TouchAll(now_ms);
    return Ok();
  }));
}

void SimCloud::StreamRows(const TableRef& table, const Rows& rows) {
  Must(state_->warehouse.Change(table, [&](SimTable& state, int64_t now_ms) -> Status {
    HF_ASSIGN_OR_RETURN(const Rows canonical, CanonicalRows(state.schema, rows));
    if (state.streaming.empty()) state.streaming_since_ms = now_ms;
    state.streaming.insert(state.streaming.end(), canonical.begin(), canonical.end());
    return Ok();
  }));
}

void SimCloud::FlushStreaming(const TableRef& table) {
  Must(state_->warehouse.Change(table, [](SimTable& state, int64_t) -> Status {
    const int64_t modified_ms = state.last_modified_ms;
    const Rows rows = std::exchange(state.streaming, {});
    state.Append(rows, "", state.streaming_since_ms);
    state.last_modified_ms = modified_ms;
    return Ok();
  }));
}

void SimCloud::SetModificationTime(const TableRef& table, int64_t last_modified_ms) {
  Must(state_->warehouse.Change(table, [&](SimTable& state, int64_t) -> Status {
    if (table.partition.empty()) {
      state.last_modified_ms = last_modified_ms;
    } else {
      state.partitions.at(table.partition).last_modified_ms = last_modified_ms;
    }
    return Ok();
  }));
}

void SimCloud::PutView(const TableRef& view, const std::string& sql, const Json& extra) {
  Json resource = {{"type", "VIEW"}, {"view", {{"query", sql}, {"useLegacySql", false}}}};
  resource.update(extra);
  const auto edit = [&](SimTable& state, int64_t now_ms) -> Status {
    const Json reference = state.resource.at("tableReference");
    state.resource = resource;
    state.resource["tableReference"] = reference;
    state.last_modified_ms = now_ms;
    return Ok();
  };
  Must(HasTable(view) ? state_->warehouse.Change(view, edit)
                      : state_->warehouse.AddTable(view, resource, {}));
}

void SimCloud::PutRoutine(const DatasetRef& dataset, const std::string& routine,
                          const std::string& body) {
  state_->definitions.PutRoutine(
      dataset, routine,
      {{"routineType", "SCALAR_FUNCTION"}, {"language", "SQL"}, {"definitionBody", body}});
}

void SimCloud::DropRoutine(const DatasetRef& dataset, const std::string& routine) {
  state_->definitions.DropRoutine(dataset, routine);
}

void SimCloud::PutRowAccessPolicy(const TableRef& table, const cloud::RowAccessPolicy& policy) {
  state_->definitions.PutRowAccessPolicy(table, policy);
}

void SimCloud::PutIamPolicy(const TableRef& table, const Json& policy) {
  state_->definitions.PutIamPolicy(table, policy);
}

Json SimCloud::DatasetResource(const DatasetRef& dataset) const {
  const auto info = state_->warehouse.GetDataset(dataset);
  CHECK(info.ok(), "no such dataset");
  return info->resource;
}

Rows SimCloud::ReadRows(const TableRef& table) const {
  const auto state = state_->warehouse.Look(table);
  CHECK(state.ok(), "no such table");
  Rows rows = (*state)->RowsOf(table.partition);
  std::ranges::sort(rows);
  return rows;
}

bool SimCloud::HasTable(const TableRef& table) const { return state_->warehouse.Look(table).ok(); }

void SimCloud::CorruptObject(const cloud::ObjectRef& object, size_t byte) {
  CHECK(state_->objects.FlipBit(object, byte), "no such object or byte");
}

std::string SimCloud::ReadObject(const cloud::ObjectRef& object) const {
  const auto content = state_->objects.GetContent(object);
  CHECK(content.ok(), "no such object");
  return **content;
}

void SimCloud::OverwriteObject(const cloud::ObjectRef& object, std::string content) {
  Must(state_->objects.PutObject(object, std::move(content)));
}

void SimCloud::RemoveObject(const cloud::ObjectRef& object) {
  state_->objects.RemoveObject(object);
}

std::vector<cloud::ObjectInfo> SimCloud::AllObjects(const std::string& bucket) const {
  return state_->objects.AllObjects(bucket);
}

int64_t SimCloud::JobsStarted(const std::string& kind) const {
  return state_->warehouse.JobsStarted(kind);
}

}  // namespace holdfast::sim
