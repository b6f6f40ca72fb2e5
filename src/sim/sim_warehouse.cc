#include "sim/sim_warehouse.h"

#include <fmt/format.h>

#include "sim/paging.h"

namespace holdfast::sim {

namespace {

// The table that a call of the fault plan is about: the first one that the job reads or writes.
TableRef SubjectOf(const cloud::JobSpec& spec) {
  if (const auto* extract = std::get_if<cloud::ExtractJob>(&spec)) return extract->source;
  if (const auto* load = std::get_if<cloud::LoadJob>(&spec)) return load->destination;
  const auto& copy = std::get<cloud::CopyJob>(spec);
  return copy.sources.empty() ? copy.destination : copy.sources.front();
}

// Whether people drop it: not what holds backups, which would be damage of another kind.
bool IsDroppable(const TableRef& table) { return !table.dataset.starts_with("holdfast_backup_"); }

std::string JobKey(const cloud::JobRef& job) {
  return fmt::format("{}/{}/{}", job.project, job.location, job.id);
}

// A new table's resource with the defaults of its dataset, which are put on every table that has
// none of its own; a partitioned one takes the partitions' default.
Json WithDefaultExpirations(const Json& dataset, Json resource, int64_t now_ms) {
  const int64_t partition_ms = Int64Or(dataset, "defaultPartitionExpirationMs", 0);
  const int64_t table_ms = Int64Or(dataset, "defaultTableExpirationMs", 0);
  if (partition_ms != 0 && resource.contains("timePartitioning")) {
    resource["timePartitioning"].emplace("expirationMs", std::to_string(partition_ms));
  } else if (table_ms != 0) {
    resource.emplace("expirationTime", std::to_string(now_ms + table_ms));
  }
  return resource;
}

// Whether `changed` only adds columns behind those of `schema`.
bool OnlyAddsColumns(const Schema& schema, const Schema& changed) {
  if (changed.fields.size() < schema.fields.size()) return false;
  const auto end = changed.fields.begin() + static_cast<ptrdiff_t>(schema.fields.size());
  return SchemaHash(schema) == SchemaHash({{changed.fields.begin(), end}});
}

}  // namespace

Result<const DatasetInfo*> SimWarehouse::FindDataset(const DatasetRef& dataset) const {
  const auto found = tables_.datasets().find(dataset);
  if (found != tables_.datasets().end()) return &found->second;
  return MakeError(ErrorId::kDatasetNotFound,
                   fmt::format("dataset {} is not there", dataset.ToString()));
}

Result<cloud::Page<DatasetInfo>> SimWarehouse::ListDatasets(const std::string& project,
                                                            const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(project));
  if (!projects_.HasProject(project)) {
    return MakeError(ErrorId::kProjectNotFound, fmt::format("project {} is not there", project));
  }
  const std::lock_guard lock(mutex_);
  std::map<std::string, DatasetInfo> of_project;
  for (const auto& [ref, info] : tables_.datasets()) {
    if (ref.project == project) of_project.emplace(ref.dataset, info);
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(of_project, page_token, settings_.page_size);
}

Result<DatasetInfo> SimWarehouse::GetDataset(const DatasetRef& dataset) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const DatasetInfo* found, FindDataset(dataset));
  HF_RETURN_IF_ERROR(faults_.After());
  return *found;
}

Result<DatasetInfo> SimWarehouse::EnsureDataset(const DatasetInfo& dataset) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ref.ToString()));
  if (!projects_.HasProject(dataset.ref.project)) {
    return MakeError(ErrorId::kProjectNotFound,
                     fmt::format("project {} is not there", dataset.ref.project));
  }
  // Looked for first: only one that came by in between is in the way.
  const bool was_there = LookAtDataset(dataset.ref).ok();
  HF_RETURN_IF_ERROR(faults_.LetRivalWork());
  const std::string made = "dataset " + dataset.ref.ToString();
  if (!was_there && LookAtDataset(dataset.ref).ok()) faults_.NoteConflict("409", made);
  AddDataset(dataset.ref, dataset.location, dataset.resource);
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const DatasetInfo* found, FindDataset(dataset.ref));
  if (found->location != dataset.location) {
    return MakeError(ErrorId::kLocationMismatch,
                     fmt::format("dataset {} is in {}", dataset.ref.ToString(), found->location));
  }
  HF_RETURN_IF_ERROR(faults_.After(made));
  return *found;
}

Result<cloud::Page<TableSummary>> SimWarehouse::ListTables(const DatasetRef& dataset,
                                                           const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(FindDataset(dataset));
  std::map<std::string, TableSummary> summaries;
  for (const TableState& state : tables_.TablesOf(dataset)) {
    summaries[state->ref.table] = {
        .ref = state->ref,
        .kind = ParseTableKind(StringOr(state->resource, "type", "TABLE")),
        .creation_ms = state->creation_ms,
        .last_modified_ms = state->last_modified_ms,
        .rows = state->RowCount(),
        .bytes = state->ByteCount()};
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(summaries, page_token, settings_.page_size);
}

Result<cloud::Page<TableLabels>> SimWarehouse::ListTableLabels(const DatasetRef& dataset,
                                                               const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(FindDataset(dataset));
  std::map<std::string, TableLabels> labelled;
  for (const TableState& state : tables_.TablesOf(dataset)) {
    auto labels = LabelsOf(state->resource);
    if (!labels.empty()) {
      labelled[state->ref.table] = {.ref = state->ref, .labels = std::move(labels)};
    }
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(labelled, page_token, settings_.page_size);
}

Result<cloud::Page<PartitionInfo>> SimWarehouse::ListPartitions(const TableRef& table,
                                                                const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const TableState state, tables_.Get(table));
  std::map<std::string, PartitionInfo> partitions;
  for (PartitionInfo& info : state->Partitions()) partitions.emplace(info.ref.partition, info);
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(partitions, page_token, settings_.page_size);
}

Result<std::optional<cloud::Page<PartitionInfo>>> SimWarehouse::ListPartitionsInRange(
    const DatasetRef& dataset, const std::string& first_table, const std::string& last_table,
    const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(FindDataset(dataset));
  std::map<std::string, PartitionInfo> partitions;
  for (const TableState& state : tables_.TablesOf(dataset)) {
    if (state->ref.table < first_table || state->ref.table > last_table) continue;
    // A line break is in no name, and comes before whatever is.
    for (PartitionInfo& info : state->Partitions()) {
      partitions.emplace(state->ref.table + "\n" + info.ref.partition, info);
    }
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return std::optional(PageOf(partitions, page_token, settings_.page_size));
}

Result<TableInfo> SimWarehouse::GetTable(const TableRef& table) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  const std::lock_guard lock(mutex_);
  if (IsDroppable(table) && faults_.DropsTable()) tables_.Drop(table, NowMs());
  HF_ASSIGN_OR_RETURN(const TableState state, tables_.Get(table));
  HF_RETURN_IF_ERROR(faults_.After());
  return state->Info();
}

Result<std::optional<cloud::DataWrite>> SimWarehouse::LastDataWrite(const TableRef& table,
                                                                    const std::string& location) {
  HF_RETURN_IF_ERROR(faults_.Before(table.project + ".region-" + location));
  const std::lock_guard lock(mutex_);
  const auto state = tables_.Get(table, ToUnixMillis(clock_.Now() - settings_.storage_view_delay));
  HF_RETURN_IF_ERROR(faults_.After());
  if (!state.ok()) return std::optional<cloud::DataWrite>();
  return std::optional(cloud::DataWrite{.at_ms = (*state)->data_modified_ms, .told_ms = NowMs()});
}

Result<TableInfo> SimWarehouse::CreateTable(const TableRef& table, const Json& resource) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const DatasetInfo* dataset, FindDataset(table.dataset_ref()));
  if (tables_.Has(table)) {
    return MakeError(ErrorId::kTableExists, fmt::format("{} is there already", table.ToString()));
  }
  auto made = MakeSimTable(table, dataset->location,
                           WithDefaultExpirations(dataset->resource, resource, NowMs()), NowMs());
  if (!made.ok()) return MakeError(ErrorId::kServiceRejected, made.error().message);
  tables_.Put(*made, NowMs());
  HF_RETURN_IF_ERROR(faults_.After());
  return made->Info();
}

Result<TableInfo> SimWarehouse::UpdateTable(const TableRef& table, const Json& patch) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  const auto edit = [&](SimTable& state, int64_t now_ms) -> Status {
    Json resource = state.resource;
    resource.merge_patch(patch);
    auto changed = MakeSimTable(state.ref, state.location, resource, now_ms);
    if (!changed.ok()) return MakeError(ErrorId::kServiceRejected, changed.error().message);
    if (changed->partitioning != state.partitioning ||
        !OnlyAddsColumns(state.schema, changed->schema)) {
      return MakeError(ErrorId::kServiceRejected, "only new columns can be patched in");
    }
    for (auto& [id, partition] : state.partitions) {
      Rows rows = *partition.rows;  // new columns come last and are null
      for (Json& row : rows) {
        while (row.size() < changed->schema.fields.size()) row.push_back(nullptr);
      }
      partition.rows = std::make_shared<const Rows>(std::move(rows));
    }
    state.resource = changed->resource;
    state.schema = changed->schema;
    state.TouchAll(now_ms);
    return Ok();
  };
  HF_RETURN_IF_ERROR(Change(table, edit));
  HF_RETURN_IF_ERROR(faults_.After());
  HF_ASSIGN_OR_RETURN(const TableState state, Look(table));
  return state->Info();
}

Status SimWarehouse::DeleteTable(const TableRef& table) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  Drop(table);
  return faults_.After();
}

void SimWarehouse::MaybeDrop(const cloud::JobSpec& spec) {
  const TableRef subject = SubjectOf(spec);
  if (IsDroppable(subject) && faults_.DropsTable()) tables_.Drop(subject, NowMs());
}

Result<cloud::JobStatus> SimWarehouse::StartJob(const cloud::JobRef& job,
                                                const cloud::JobSpec& spec) {
  HF_RETURN_IF_ERROR(faults_.Before(SubjectOf(spec).WholeTable().ToString()));
  HF_RETURN_IF_ERROR(faults_.LetRivalWork());
  const std::lock_guard lock(mutex_);
  const std::string key = JobKey(job);
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) {
    HF_ASSIGN_OR_RETURN(cloud::JobStatus status, AddJob(key, job, spec));
    HF_RETURN_IF_ERROR(faults_.After("job " + key));
    status.attached = faults_.TellsConflict();
    return status;
  }
  faults_.NoteConflict("409", "job " + key);
  if (SpecText(found->second.spec) != SpecText(spec)) {
    return MakeError(ErrorId::kJobConflict, fmt::format("job {} asks for another thing", job.id));
  }
  Settle(found->second);
  HF_RETURN_IF_ERROR(faults_.After());
  cloud::JobStatus status = found->second.status;
  status.attached = true;
  return status;
}

Result<cloud::JobStatus> SimWarehouse::AddJob(const std::string& key, const cloud::JobRef& ref,
                                              const cloud::JobSpec& spec) {
  MaybeDrop(spec);
  Job job{.spec = spec,
          .status = {.ref = ref, .state = cloud::JobState::kRunning, .created_ms = NowMs()},
          .finishes = clock_.Now() + settings_.job_duration,
          .sources = {},
          .failure = faults_.NextJobFailure(KindOf(spec))};
  HF_ASSIGN_OR_RETURN(job.sources, SourcesOf(spec, tables_));
  ++jobs_started_[KindOf(spec)];
  return jobs_.emplace(key, std::move(job)).first->second.status;
}

void SimWarehouse::Settle(Job& job) {
  if (job.status.state == cloud::JobState::kDone || clock_.Now() < job.finishes) return;
  job.status.state = cloud::JobState::kDone;
  if (!job.failure.empty()) {
    // What passes by itself has a code that says so, as it has from the real service.
    const bool passing =
        job.failure.ends_with("ackendError") || job.failure.ends_with("nternalError");
    job.status.error = job.failure == "quotaExceeded"
                           ? MakeError(ErrorId::kQuotaExceeded, "simulated: Quota exceeded")
                           : MakeError(ErrorId::kJobFailed,
                                       passing ? Code::kUnavailable : Code::kFailedPrecondition,
                                       "simulated: the job failed");
    job.status.error->reason = job.failure;
    return;
  }
  JobWorld world{tables_, objects_, faults_, NowMs(), settings_.rows_per_object};
  const Status done = RunJob(job.spec, job.sources, world, job.status);
  if (!done.ok()) job.status.error = done.error();
}

Result<cloud::JobStatus> SimWarehouse::GetJob(const cloud::JobRef& job) {
  HF_RETURN_IF_ERROR(faults_.Before(job.project));
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(JobKey(job));
  if (found == jobs_.end()) {
    return MakeError(ErrorId::kJobNotFound, fmt::format("job {} is not there", JobKey(job)));
  }
  Settle(found->second);
  HF_RETURN_IF_ERROR(faults_.After());
  return found->second.status;
}

void SimWarehouse::AddDataset(const DatasetRef& dataset, const std::string& location,
                              const Json& saved) {
  const std::lock_guard lock(mutex_);
  Json resource = saved.is_object() ? saved : Json::object();
  resource["datasetReference"] = {{"projectId", dataset.project}, {"datasetId", dataset.dataset}};
  resource["location"] = location;
  tables_.datasets().try_emplace(dataset, DatasetInfo{dataset, location, resource});
}

Status SimWarehouse::PatchDataset(const DatasetRef& dataset, const Json& patch) {
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(FindDataset(dataset));
  tables_.datasets().at(dataset).resource.merge_patch(patch);
  return Ok();
}

Status SimWarehouse::AddTable(const TableRef& table, const Json& resource, const Rows& rows) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const DatasetInfo* dataset, FindDataset(table.dataset_ref()));
  HF_ASSIGN_OR_RETURN(SimTable state, MakeSimTable(table, dataset->location, resource, NowMs()));
  HF_ASSIGN_OR_RETURN(const Rows canonical, CanonicalRows(state.schema, rows));
  state.Append(canonical, "", NowMs());
  tables_.Put(std::move(state), NowMs());
  return Ok();
}

Status SimWarehouse::Change(const TableRef& table,
                            const std::function<Status(SimTable& state, int64_t now_ms)>& edit) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const TableState state, tables_.Get(table));
  SimTable changed = *state;
  HF_RETURN_IF_ERROR(edit(changed, NowMs()));
  tables_.Put(std::move(changed), NowMs());
  return Ok();
}

void SimWarehouse::DropDataset(const DatasetRef& dataset) {
  const std::lock_guard lock(mutex_);
  for (const TableState& table : tables_.TablesOf(dataset)) tables_.Drop(table->ref, NowMs());
  tables_.datasets().erase(dataset);
}

void SimWarehouse::Drop(const TableRef& table) {
  const std::lock_guard lock(mutex_);
  tables_.Drop(table, NowMs());
}

Result<TableState> SimWarehouse::Look(const TableRef& table) const {
  const std::lock_guard lock(mutex_);
  return tables_.Get(table);
}

Status SimWarehouse::LookAtDataset(const DatasetRef& dataset) const {
  const std::lock_guard lock(mutex_);
  return FindDataset(dataset).ok() ? Ok() : Status(FindDataset(dataset).error());
}

int64_t SimWarehouse::JobsStarted(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_started_.find(kind);
  return found == jobs_started_.end() ? 0 : found->second;
}

}  // namespace holdfast::sim
