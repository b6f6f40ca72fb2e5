// Parquet files as rows: DuckDB reads them, columns are matched by name.
#include <fmt/format.h>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/load_source.h"
#include "localcloud/warehouse/result_schema.h"

namespace holdfast::warehouse {

namespace {

class ParquetInput final : public LoadInput {
 public:
  ParquetInput(Connection& connection, const LoadRequest& request, std::string relation)
      : connection_(connection), request_(request), relation_(std::move(relation)) {}

  Result<Schema> Detect() override {
    Result<DuckStatement> statement = connection_.Prepare("SELECT * FROM " + relation_);
    if (!statement.ok()) return ReadingError(request_, statement.error().message);
    HF_ASSIGN_OR_RETURN(seen_, ResultSchema(*statement, {}));
    return seen_;
  }

  bool names_fields() const override { return true; }

  Result<std::string> Select(const Schema& schema) override {
    if (seen_.fields.empty()) HF_RETURN_IF_ERROR(Detect());
    std::string columns;
    for (const Field& field : schema.fields) {
      HF_ASSIGN_OR_RETURN(const std::string value, ValueOf(field));
      columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", value,
                             QuoteIdentifier(field.name));
    }
    return fmt::format("SELECT {} FROM {}", columns, relation_);
  }

  Status Finish(const Status& read, BadRecords& bad) override {
    if (read.ok() || read.error().id != ErrorId::kQueryFailed) return read;
    const std::string name =
        request_.sources.size() == 1 ? request_.sources.front().name : std::string();
    const Error failure = ReadingError(request_, read.error().message);
    bad.Add({.source = name, .line = 0, .field = {}, .message = failure.message});
    return failure;
  }

 private:
  Result<std::string> ValueOf(const Field& field) const {
    const Field* seen = seen_.Find(field.name);
    if (seen == nullptr) return AbsentValue(field, request_.default_sql);
    const std::string stored =
        fmt::format("CAST({} AS {})", QuoteIdentifier(seen->name), DuckType(*seen));
    // Parquet without the UTC flag is still an instant to BigQuery.
    const bool instant = seen->type == FieldType::kDateTime && field.type == FieldType::kTimestamp;
    const bool text = seen->type == FieldType::kString && DuckElementType(field) == "VARCHAR";
    const bool same_mode =
        (seen->mode == FieldMode::kRepeated) == (field.mode == FieldMode::kRepeated);
    const bool record = seen->type == FieldType::kRecord && field.type == FieldType::kRange;
    const bool json = seen->type == FieldType::kString && field.type == FieldType::kJson;
    if (same_mode && (instant || text || record || json)) {
      return fmt::format("CAST({} AS {})", stored, DuckType(field));
    }
    if (auto value = AssignExpression(stored, *seen, field)) return *value;
    return WithReason(
        "invalid",
        MakeError(
            ErrorId::kWarehouseInvalidSchema,
            fmt::format("Provided Schema does not match: field {} has changed type from {} to {}",
                        field.name, ApiTypeName(field.type), ApiTypeName(seen->type))));
  }

  Connection& connection_;
  const LoadRequest& request_;
  std::string relation_;
  Schema seen_;
};

}  // namespace

Result<std::unique_ptr<LoadInput>> MakeParquetInput(Connection& connection,
                                                    const LoadRequest& request,
                                                    const std::string& staging) {
  if (request.sources.empty()) return LoadError("The job names no source");
  std::string paths;
  for (size_t i = 0; i < request.sources.size(); ++i) {
    HF_ASSIGN_OR_RETURN(const std::string path, PlainPath(request.sources[i].path, staging, i));
    paths += (i == 0 ? "" : ", ") + QuoteLiteral(path);
  }
  return std::unique_ptr<LoadInput>(std::make_unique<ParquetInput>(
      connection, request,
      fmt::format("read_parquet([{}], hive_partitioning = false, union_by_name = true)", paths)));
}

}  // namespace holdfast::warehouse
