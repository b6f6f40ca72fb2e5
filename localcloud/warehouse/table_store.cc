// Datasets and tables. Versions are in table_store_versions.cc, upkeep in table_store_upkeep.cc.
#include "localcloud/warehouse/table_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/catalog_rows.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/effect_scope.h"

namespace holdfast::warehouse {

namespace {

constexpr int64_t kPageMax = 10'000;

std::string DatasetEtag(const DatasetRef& ref, int64_t created_ms, int64_t revision) {
  return Base64Encode(Sha256Hex(fmt::format("{} {} {}", ref.ToString(), created_ms, revision)))
      .substr(0, 22);
}

constexpr std::string_view kDatasetColumns =
    "project, dataset, resource, revision, created_ms, modified_ms";

Result<DatasetRecord> ReadDatasetRow(const sqlite::Statement& row) {
  DatasetRecord record;
  record.ref = {row.Text(0), row.Text(1)};
  HF_ASSIGN_OR_RETURN(record.resource, ParseJson(row.Text(2)));
  record.created_ms = row.Int(4);
  record.modified_ms = row.Int(5);
  record.etag = DatasetEtag(record.ref, record.created_ms, row.Int(3));
  return record;
}

Result<DatasetRecord> FindDataset(sqlite::Database& database, const DatasetRef& ref) {
  HF_ASSIGN_OR_RETURN(auto row, database.Prepare(fmt::format("SELECT {} FROM datasets WHERE "
                                                             "project = ? AND dataset = ?",
                                                             kDatasetColumns),
                                                 ref.project, ref.dataset));
  HF_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return NotFoundError(ref);
  return ReadDatasetRow(row);
}

Status CheckEtag(const std::string& if_match, const std::string& etag, const std::string& what) {
  if (if_match.empty() || if_match == "*" || if_match == etag) return Ok();
  return WithReason(
      "conditionNotMet",
      MakeError(ErrorId::kWarehouseEtag,
                fmt::format("Precondition Failed: {} has etag {}, not {}", what, etag, if_match)));
}

int64_t PageSize(const PageRequest& page) {
  return std::clamp<int64_t>(page.results_max, 1, kPageMax);
}

// A new table's document with the dataset's defaults where it has none of its own. A partitioned
// table takes the partition default instead of the table's. Source: BigQuery
// "datasets#defaultPartitionExpirationMs".
Result<Json> WithDefaultExpirations(const Json& dataset, Json resource, int64_t now_ms) {
  HF_ASSIGN_OR_RETURN(const auto partition_ms,
                      OptionalInt64(dataset, "defaultPartitionExpirationMs"));
  HF_ASSIGN_OR_RETURN(const auto table_ms, OptionalInt64(dataset, "defaultTableExpirationMs"));
  if (partition_ms && FindField(resource, "timePartitioning") != nullptr) {
    Json& partitioning = resource["timePartitioning"];
    if (FindField(partitioning, "expirationMs") == nullptr) {
      partitioning["expirationMs"] = std::to_string(*partition_ms);
    }
  } else if (table_ms && FindField(resource, "expirationTime") == nullptr) {
    resource["expirationTime"] = std::to_string(now_ms + *table_ms);
  }
  return resource;
}

Status CheckPartitioningUnchanged(Partitioning before, Partitioning after) {
  before.expiration_ms = after.expiration_ms = 0;
  if (before == after) return Ok();
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidSchema,
                                         "Cannot change the partitioning of an existing table"));
}

}  // namespace

TableStore::TableStore(std::unique_ptr<sqlite::Database> database, Clock& clock)
    : database_(std::move(database)), clock_(clock) {}

TableStore::~TableStore() = default;

Result<std::unique_ptr<TableStore>> TableStore::Open(const std::string& path, Clock& clock) {
  HF_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path));
  HF_RETURN_IF_ERROR(CreateCatalog(*database));
  return std::unique_ptr<TableStore>(new TableStore(std::move(database), clock));
}

int64_t TableStore::NowMs() const { return ToUnixMillis(clock_.Now()); }

Result<DatasetRecord> TableStore::CreateDataset(const DatasetRef& ref, Json resource) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_RETURN_IF_ERROR(database_->Run("INSERT OR IGNORE INTO datasets VALUES (?,?,?,1,?,?)",
                                    ref.project, ref.dataset, DumpJson(resource), NowMs(),
                                    NowMs()));
  if (database_->rows_changed() == 0) {
    return DuplicateError(fmt::format("Already Exists: Dataset {}:{}", ref.project, ref.dataset));
  }
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  HF_RETURN_IF_ERROR(transaction.Commit());
  return FindDataset(*database_, ref);
}

Result<DatasetRecord> TableStore::GetDataset(const DatasetRef& ref) {
  const std::lock_guard lock(mutex_);
  return FindDataset(*database_, ref);
}

Result<DatasetRecord> TableStore::UpdateDataset(const DatasetRef& ref, Json resource,
                                                const std::string& if_match) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const DatasetRecord before, FindDataset(*database_, ref));
  HF_RETURN_IF_ERROR(CheckEtag(if_match, before.etag, ref.ToString()));
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_RETURN_IF_ERROR(
      database_->Run("UPDATE datasets SET resource = ?, revision = revision + 1, modified_ms = ? "
                     "WHERE project = ? AND dataset = ?",
                     DumpJson(resource), NowMs(), ref.project, ref.dataset));
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  HF_RETURN_IF_ERROR(transaction.Commit());
  return FindDataset(*database_, ref);
}

Status TableStore::DeleteDataset(const DatasetRef& ref, bool delete_contents,
                                 const std::string& if_match) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const DatasetRecord before, FindDataset(*database_, ref));
  HF_RETURN_IF_ERROR(CheckEtag(if_match, before.etag, ref.ToString()));
  HF_RETURN_IF_ERROR(DropExpired());
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_ASSIGN_OR_RETURN(auto rows, database_->Prepare("SELECT table_key FROM tables WHERE project = ?"
                                                    " AND dataset = ? AND deleted_ms IS NULL",
                                                    ref.project, ref.dataset));
  std::vector<int64_t> keys;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) break;
    keys.push_back(rows.Int(0));
  }
  if (!keys.empty() && !delete_contents) {
    return WithReason("resourceInUse", MakeError(ErrorId::kWarehouseNotEmpty,
                                                 fmt::format("Dataset {}:{} is still in use",
                                                             ref.project, ref.dataset)));
  }
  for (const int64_t key : keys) HF_RETURN_IF_ERROR(MarkTableDeleted(*database_, key, NowMs()));
  HF_RETURN_IF_ERROR(database_->Run("DELETE FROM datasets WHERE project = ? AND dataset = ?",
                                    ref.project, ref.dataset));
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  return transaction.Commit();
}

Result<Page<DatasetRecord>> TableStore::ListDatasets(const std::string& project,
                                                     const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(auto rows,
                      database_->Prepare(fmt::format("SELECT {} FROM datasets WHERE project = ? "
                                                     "AND dataset > ? ORDER BY dataset LIMIT ?",
                                                     kDatasetColumns),
                                         project, page.token, PageSize(page) + 1));
  Page<DatasetRecord> result;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) break;
    if (static_cast<int64_t>(result.items.size()) == PageSize(page)) {
      result.next_token = result.items.back().ref.dataset;
      break;
    }
    HF_ASSIGN_OR_RETURN(DatasetRecord record, ReadDatasetRow(rows));
    result.items.push_back(std::move(record));
  }
  return result;
}

Result<TableRecord> TableStore::FindUnexpired(const TableRef& ref) {
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindLiveTable(*database_, ref));
  if (!table.expiration_ms && table.partitioning.expiration_ms == 0) return table;
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_ASSIGN_OR_RETURN(const bool gone, ExpireTable(*database_, table, NowMs()));
  HF_RETURN_IF_ERROR(transaction.Commit());
  if (gone) return NotFoundError(ref);
  return FindLiveTable(*database_, ref);
}

Result<int64_t> TableStore::Create(const TableDefinition& definition) {
  HF_ASSIGN_OR_RETURN(const DatasetRecord dataset,
                      FindDataset(*database_, definition.ref.dataset_ref()));
  TableDefinition completed = definition;
  HF_ASSIGN_OR_RETURN(completed.resource,
                      WithDefaultExpirations(dataset.resource, definition.resource, NowMs()));
  if (!definition.ref.dataset.starts_with('_')) {  // those hold results of queries
    HF_RETURN_IF_ERROR(CheckFieldNames(definition.schema));
  }
  const auto existing = FindLiveTable(*database_, definition.ref);
  if (existing.ok()) {
    HF_ASSIGN_OR_RETURN(const bool gone, ExpireTable(*database_, *existing, NowMs()));
    if (!gone && definition.replace) {
      HF_RETURN_IF_ERROR(MarkTableDeleted(*database_, existing->table_key, NowMs()));
    }
  }
  return InsertTable(*database_, completed, NowMs());
}

Result<TableRecord> TableStore::CreateTable(const TableDefinition& definition) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_RETURN_IF_ERROR(Create(definition));
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  HF_RETURN_IF_ERROR(transaction.Commit());
  return FindLiveTable(*database_, definition.ref);
}

Result<TableRecord> TableStore::GetTable(const TableRef& ref) {
  const std::lock_guard lock(mutex_);
  return FindUnexpired(ref);
}

Result<TableRecord> TableStore::UpdateTable(const TableRef& ref, Json resource,
                                            std::optional<Schema> schema,
                                            const std::string& if_match) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const TableRecord before, FindUnexpired(ref));
  HF_RETURN_IF_ERROR(CheckEtag(if_match, before.etag, ref.WholeTable().ToString()));
  const Schema after = schema.value_or(before.schema);
  const bool holds_data = before.kind == TableKind::kTable || before.kind == TableKind::kSnapshot;
  if (holds_data && !before.schema.fields.empty()) {
    HF_RETURN_IF_ERROR(CheckSchemaExtends(before.schema, after));
  }
  if (!(after == before.schema)) HF_RETURN_IF_ERROR(CheckFieldNames(after));
  HF_ASSIGN_OR_RETURN(const Partitioning partitioning, Partitioning::FromResource(resource, after));
  if (holds_data && !before.schema.fields.empty()) {
    HF_RETURN_IF_ERROR(CheckPartitioningUnchanged(before.partitioning, partitioning));
  }
  HF_ASSIGN_OR_RETURN(const auto expiration, OptionalInt64(resource, "expirationTime"));
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  const NewVersion next = NextVersion(before, NowMs());
  HF_RETURN_IF_ERROR(
      database_->Run("UPDATE tables SET resource = ?, revision = revision + 1, metadata_ms = ?, "
                     "expiration_ms = ? WHERE table_key = ?",
                     DumpJson(resource), next.committed_ms, expiration, before.table_key));
  if (!(after == before.schema)) {
    HF_ASSIGN_OR_RETURN(const int64_t schema_key, InternSchema(*database_, after));
    HF_RETURN_IF_ERROR(RecordVersion(*database_, before, next, schema_key));
  }
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  HF_RETURN_IF_ERROR(transaction.Commit());
  return FindUnexpired(ref);
}

Status TableStore::DeleteTable(const TableRef& ref, const std::string& if_match) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindUnexpired(ref));
  HF_RETURN_IF_ERROR(CheckEtag(if_match, table.etag, ref.WholeTable().ToString()));
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_RETURN_IF_ERROR(MarkTableDeleted(*database_, table.table_key, NowMs()));
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  return transaction.Commit();
}

Result<Page<TableRecord>> TableStore::ListTables(const DatasetRef& ref, const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(FindDataset(*database_, ref));
  HF_ASSIGN_OR_RETURN(
      auto rows,
      database_->Prepare(fmt::format("SELECT {} FROM tables WHERE project = ? AND dataset = ? AND "
                                     "deleted_ms IS NULL AND (expiration_ms IS NULL OR "
                                     "expiration_ms > ?) AND name > ? ORDER BY name LIMIT ?",
                                     kTableColumns),
                         ref.project, ref.dataset, NowMs(), page.token, PageSize(page) + 1));
  Page<TableRecord> result;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) break;
    if (static_cast<int64_t>(result.items.size()) == PageSize(page)) {
      result.next_token = result.items.back().ref.table;
      break;
    }
    HF_ASSIGN_OR_RETURN(TableRecord record, ReadTableRow(*database_, rows));
    result.items.push_back(std::move(record));
  }
  return result;
}

}  // namespace holdfast::warehouse
