#include "observe/catalog_export.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/retry.h"
#include "cloud/run_job.h"
#include "model/ids.h"
#include "model/policy.h"
#include "model/staged_table.h"
#include "observe/catalog_reading.h"
#include "observe/export_views.h"

namespace holdfast::observe {

namespace {

constexpr std::string_view kUsualLocation = "US";
constexpr std::string_view kExportLabelValue = "v1";
constexpr Duration kStagedLifetime = std::chrono::hours{24};
constexpr int kExportAttemptsMax = 4;

Json ExportLabels() { return {{std::string(kExportLabel), kExportLabelValue}}; }

TableRef InDataset(const DatasetRef& dataset, std::string_view table) {
  return {dataset.project, dataset.dataset, std::string(table), {}};
}

bool HasExportLabel(const TableInfo& table) {
  return LabelsOf(table.resource).contains(std::string(kExportLabel));
}

// A table that a process replaced and then died, before it put the label on, has the columns.
bool IsOfAnExport(const TableInfo& table, const Schema* columns) {
  if (HasExportLabel(table)) return true;
  return columns != nullptr && table.kind == TableKind::kTable &&
         SchemaHash(table.schema) == SchemaHash(*columns);
}

// Whether it is there. `columns`: of a table; nullptr: it is a view.
Result<bool> LookAtItem(const ExportServices& services, const TableRef& item,
                        const Schema* columns) {
  const auto found = services.warehouse.GetTable(item);
  if (!found.ok()) {
    if (found.error().code == Code::kNotFound) return false;
    return found.error();
  }
  const TableKind kind = columns == nullptr ? TableKind::kView : TableKind::kTable;
  if (found->kind == kind && IsOfAnExport(*found, columns)) return true;
  return MakeError(ErrorId::kExportTableForeign,
                   fmt::format("{} is there, and no export made it", item.ToString()),
                   "Export into a dataset of its own, or rename that table");
}

// One export under way.
class Exporting {
 public:
  Exporting(const ExportServices& services, const ExportPlan& plan)
      : services_(services), plan_(plan) {
    report_.plan = plan;
  }

  Result<ExportReport> Run(const ServiceLevelSources& sources, const Scope& scope) {
    const Timestamp now = services_.clock.Now();
    HF_ASSIGN_OR_RETURN(const std::string catalog, services_.catalog.Id());
    report_.stamp = {.id = NewRunId(now, services_.random),
                     .at_ms = ToUnixMillis(now),
                     .catalog = catalog,
                     .tool_version = services_.tool_version};
    const Status made = MakeAll(sources, scope);
    DropStaged();
    if (!made.ok()) return made.error();
    return std::move(report_);
  }

 private:
  std::string StagedPrefix() const { return "catalog-export/" + report_.stamp.id + "/"; }

  TableRef StagedTable(ExportTable table) const {
    return InDataset(plan_.dataset,
                     StagedTableName(services_.holder, report_.stamp.id, ExportTableName(table)));
  }

  Status MakeAll(const ServiceLevelSources& sources, const Scope& scope) {
    HF_RETURN_IF_ERROR(MakeDataset());
    HF_RETURN_IF_ERROR(DropLeftBehind());
    HF_RETURN_IF_ERROR(services_.objects.EnsureBucket({.name = plan_.staging_bucket,
                                                       .project = plan_.dataset.project,
                                                       .location = plan_.location,
                                                       .delete_after_days = kStagedDaysMax}));
    CatalogReading reading(services_, {plan_.staging_bucket, StagedPrefix(), 0});
    HF_ASSIGN_OR_RETURN(report_.levels, reading.ReadAll(sources, scope, report_.stamp));
    for (int i = 0; i < kExportTables; ++i) {
      HF_RETURN_IF_ERROR(LoadStaged(static_cast<ExportTable>(i), reading));
    }
    for (int i = 0; i < kExportTables; ++i) {
      HF_RETURN_IF_ERROR(Replace(static_cast<ExportTable>(i)));
    }
    for (const ExportView& view : ExportViews(plan_.dataset)) {
      HF_RETURN_IF_ERROR(PutView(view));
    }
    report_.unseen = reading.RowsOf(ExportTable::kUnseen);
    return Ok();
  }

  Status MakeDataset() {
    DatasetInfo dataset{.ref = plan_.dataset, .location = plan_.location};
    if (plan_.creates_dataset) {
      dataset.resource = {{"description", "Holdfast's catalog: what is backed up, and how well"}};
    }
    const auto made = services_.warehouse.EnsureDataset(dataset);
    return made.ok() ? Ok() : Status(made.error());
  }

  Status LoadStaged(ExportTable table, CatalogReading& reading) {
    Show("loading", table, reading.RowsOf(table));
    HF_ASSIGN_OR_RETURN(std::vector<std::string> uris, reading.FinishTable(table));
    const TableRef staged = StagedTable(table);
    const Schema schema = ExportTableSchema(table);
    const Timestamp expires = services_.clock.Now() + kStagedLifetime;
    const auto created = services_.warehouse.CreateTable(
        staged, {{"schema", schema.ToJson()},
                 {"labels", ExportLabels()},
                 {"expirationTime", std::to_string(ToUnixMillis(expires))}});
    if (!created.ok()) return created.error();
    staged_.push_back(staged);
    HF_ASSIGN_OR_RETURN(
        const cloud::JobStatus loaded,
        RunUntilDone("export-load", staged,
                     cloud::LoadJob{.source_uris = std::move(uris),
                                    .destination = staged,
                                    .disposition = cloud::WriteDisposition::kTruncate,
                                    .schema = schema}));
    const int64_t rows = reading.RowsOf(table);
    if (loaded.output_rows != rows) {
      return MakeError(
          ErrorId::kDataMismatch,
          fmt::format("{} got {} rows of {}", staged.ToString(), loaded.output_rows, rows));
    }
    report_.tables.push_back({.name = std::string(ExportTableName(table)), .rows = rows});
    return Ok();
  }

  // The copy is the moment in which readers get to see it. What a copy does not carry over, and
  // what the dataset's defaults gave the table, is set afterwards.
  Status Replace(ExportTable table) {
    const TableRef target = InDataset(plan_.dataset, ExportTableName(table));
    Show("replacing", table, 0);
    HF_RETURN_IF_ERROR(
        RunUntilDone("export-replace", target,
                     cloud::CopyJob{.sources = {StagedTable(table)},
                                    .destination = target,
                                    .disposition = cloud::WriteDisposition::kTruncate}));
    const auto updated =
        services_.warehouse.UpdateTable(target, {{"labels", ExportLabels()},
                                                 {"description", ExportTableDescription(table)},
                                                 {"expirationTime", nullptr}});
    return updated.ok() ? Ok() : Status(updated.error());
  }

  Status PutView(const ExportView& view) {
    const TableRef target = InDataset(plan_.dataset, view.name);
    const Json resource = {{"view", {{"query", view.sql}, {"useLegacySql", false}}},
                           {"labels", ExportLabels()},
                           {"description", view.description}};
    const auto item = std::ranges::find(plan_.items, view.name, &ExportPlan::Item::name);
    const bool exists = item != plan_.items.end() && item->exists;
    Json created = resource;
    created["type"] = TableKindName(TableKind::kView);
    auto put = exists ? services_.warehouse.UpdateTable(target, resource)
                      : services_.warehouse.CreateTable(target, created);
    // Another export was quicker.
    if (!put.ok() && put.error().id == ErrorId::kTableExists) {
      put = services_.warehouse.UpdateTable(target, resource);
    }
    return put.ok() ? Ok() : Status(put.error());
  }

  // A job that failed for a passing reason is tried again under another id.
  Result<cloud::JobStatus> RunUntilDone(const std::string& operation, const TableRef& object,
                                        const cloud::JobSpec& spec) {
    for (int attempt = 1;; ++attempt) {
      const cloud::JobRef job{.project = plan_.dataset.project,
                              .location = plan_.location,
                              .id = JobId(operation, report_.stamp.id, object, attempt)};
      auto done =
          cloud::RunJob(services_.warehouse, services_.clock, job, spec, services_.keep_alive);
      if (done.ok() || !IsRetryable(done.error()) || attempt == kExportAttemptsMax) return done;
    }
  }

  void Show(std::string_view what, ExportTable table, int64_t rows) const {
    services_.on_progress(
        {.step = fmt::format("{} {}", what, ExportTableName(table)), .rows = rows});
  }

  // What an export that died had staged. Nothing of this one depends on it.
  Status DropLeftBehind() {
    std::vector<TableRef> found;
    const Status listed = cloud::ForEachPage<TableSummary>(
        [&](const std::string& token) {
          return services_.warehouse.ListTables(plan_.dataset, token);
        },
        [&](TableSummary&& table) -> Status {
          if (IsStagedTable(table.ref.table, services_.holder)) found.push_back(table.ref);
          return Ok();
        });
    if (!listed.ok()) {
      LogWarning("what an earlier export left is not looked for",
                 {{"dataset", plan_.dataset.ToString()}, {"error", listed.error().message}});
    }
    for (const TableRef& table : found) {
      HF_RETURN_IF_ERROR(services_.keep_alive());
      const auto info = services_.warehouse.GetTable(table);
      if (info.ok() && HasExportLabel(*info)) Drop(table);
    }
    return Ok();
  }

  void Drop(const TableRef& table) {
    const Status dropped = services_.warehouse.DeleteTable(table);
    if (dropped.ok()) return;
    LogWarning("a table of the export is left to expire",
               {{"table", table.ToString()}, {"error", dropped.error().message}});
  }

  // What is left costs storage only; the tables expire.
  void DropStaged() {
    for (const TableRef& table : staged_) Drop(table);
    const Status deleted = cloud::ForEachPage<cloud::ObjectInfo>(
        [&](const std::string& token) {
          return services_.objects.ListObjects(plan_.staging_bucket, StagedPrefix(), token);
        },
        [&](cloud::ObjectInfo&& object) { return services_.objects.DeleteObject(object.ref); });
    if (!deleted.ok() && deleted.error().id != ErrorId::kBucketNotFound) {
      LogWarning("objects of the export are left in the staging bucket",
                 {{"prefix", "gs://" + plan_.staging_bucket + "/" + StagedPrefix()},
                  {"error", deleted.error().message}});
    }
  }

  const ExportServices& services_;
  const ExportPlan& plan_;
  ExportReport report_;
  std::vector<TableRef> staged_;
};

}  // namespace

Json ExportPlan::ToJson() const {
  Json list = Json::array();
  for (const Item& item : items) {
    list.push_back({{"name", item.name},
                    {"type", item.is_view ? "view" : "table"},
                    {"action", item.exists ? "replace" : "create"}});
  }
  return {{"schema", "holdfast.catalog_export_plan.v1"},
          {"dataset", dataset.ToString()},
          {"location", location},
          {"creates_dataset", creates_dataset},
          {"staging_bucket", staging_bucket},
          {"items", std::move(list)}};
}

Json ExportReport::ToJson() const {
  Json list = Json::array();
  for (const Table& table : tables) list.push_back({{"table", table.name}, {"rows", table.rows}});
  Json views = Json::array();
  for (const ExportPlan::Item& item : plan.items) {
    if (item.is_view) views.push_back(item.name);
  }
  return {{"schema", "holdfast.catalog_export.v1"},
          {"export", stamp.id},
          {"exported_at", FormatTimestamp(FromUnixMillis(stamp.at_ms))},
          {"dataset", plan.dataset.ToString()},
          {"location", plan.location},
          {"tables", std::move(list)},
          {"views", std::move(views)},
          {"service_levels", levels.ToJson()},
          {"unseen", unseen}};
}

Result<ExportPlan> PlanExport(const ExportServices& services, const ExportRequest& request) {
  ExportPlan plan{.dataset = request.dataset, .location = request.location};
  const auto existing = services.warehouse.GetDataset(request.dataset);
  if (existing.ok()) {
    // Of one that is there this only looks whether it is where it was said to be.
    const std::string& location = request.location.empty() ? existing->location : request.location;
    HF_ASSIGN_OR_RETURN(
        const DatasetInfo dataset,
        services.warehouse.EnsureDataset({.ref = request.dataset, .location = location}));
    plan.location = dataset.location;
  } else if (existing.error().id == ErrorId::kDatasetNotFound) {
    plan.creates_dataset = true;
    if (plan.location.empty()) plan.location = kUsualLocation;
  } else {
    return existing.error();
  }
  plan.staging_bucket =
      FillBucketPattern(services.staging_bucket_pattern, plan.dataset.project, plan.location);
  const auto add = [&](const std::string& name, const Schema* columns) -> Status {
    ExportPlan::Item item{.name = name, .is_view = columns == nullptr, .exists = false};
    if (!plan.creates_dataset) {
      HF_ASSIGN_OR_RETURN(item.exists,
                          LookAtItem(services, InDataset(plan.dataset, name), columns));
    }
    plan.items.push_back(std::move(item));
    return Ok();
  };
  for (int i = 0; i < kExportTables; ++i) {
    const auto table = static_cast<ExportTable>(i);
    const Schema columns = ExportTableSchema(table);
    HF_RETURN_IF_ERROR(add(std::string(ExportTableName(table)), &columns));
  }
  for (const ExportView& view : ExportViews(plan.dataset)) {
    HF_RETURN_IF_ERROR(add(view.name, nullptr));
  }
  return plan;
}

Result<ExportReport> ExportCatalog(const ExportServices& services,
                                   const ServiceLevelSources& sources, const Scope& scope,
                                   const ExportPlan& plan) {
  return Exporting(services, plan).Run(sources, scope);
}

}  // namespace holdfast::observe
