#include "localcloud/warehouse/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/destination.h"
#include "localcloud/warehouse/effect_scope.h"
#include "localcloud/warehouse/load_source.h"
#include "localcloud/warehouse/parquet_write.h"

namespace holdfast::warehouse {

namespace {

Error SchemaError(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidSchema, std::move(message)));
}

Result<std::unique_ptr<LoadInput>> MakeInput(Warehouse& warehouse, Connection& connection,
                                             const LoadRequest& request,
                                             const std::string& staging) {
  switch (request.format) {
    case LoadFormat::kCsv:
      return MakeCsvInput(connection, request, staging);
    case LoadFormat::kNewlineDelimitedJson:
      return MakeJsonInput(warehouse, request);
    case LoadFormat::kAvro:
      return MakeAvroInput(warehouse, request);
    case LoadFormat::kParquet:
      break;
  }
  return MakeParquetInput(connection, request, staging);
}

// The schema given with the job, as an update of the table's: what schemaUpdateOptions allow.
Status CheckUpdate(const Schema& table, const Schema& given, const LoadRequest& request) {
  HF_RETURN_IF_ERROR(CheckSchemaExtends(table, given));
  const SchemaChange change = CompareSchemas(table, given);
  if (change.adds_fields && !request.allow_field_addition) {
    return SchemaError(
        "Provided Schema does not match: the job adds fields; allow it with "
        "ALLOW_FIELD_ADDITION");
  }
  if (change.relaxes_fields && !request.allow_field_relaxation) {
    return SchemaError(
        "Provided Schema does not match: the job relaxes fields; allow it with "
        "ALLOW_FIELD_RELAXATION");
  }
  return Ok();
}

// The table's schema with the fields that only the files have, as far as the job allows.
Result<Schema> ExtendByFiles(const Schema& table, const Schema& files, const LoadRequest& request) {
  Schema extended = table;
  for (const Field& field : files.fields) {
    if (table.Find(field.name) != nullptr || request.ignore_unknown_values) continue;
    if (!request.allow_field_addition) {
      return SchemaError(fmt::format(
          "Provided Schema does not match: field {} of the files is not in the table", field.name));
    }
    Field added = field;
    if (added.mode == FieldMode::kRequired) added.mode = FieldMode::kNullable;
    extended.fields.push_back(std::move(added));
  }
  return extended;
}

Result<Schema> ChooseSchema(const Destination& destination, const LoadRequest& request,
                            LoadInput& input) {
  if (!destination.KeepsSchema()) {
    if (request.schema) return *request.schema;
    const bool has_own = destination.existing && !destination.existing->schema.fields.empty();
    if (has_own && !request.autodetect && !input.names_fields()) {
      return destination.existing->schema;
    }
    if (!request.autodetect && !input.names_fields()) {
      return SchemaError("No schema specified on job or table");
    }
    return input.Detect();
  }
  const Schema& table = destination.existing->schema;
  if (request.schema) {
    HF_RETURN_IF_ERROR(CheckUpdate(table, *request.schema, request));
    return WithDefaultsOf(table, *request.schema);
  }
  const bool may_extend = request.autodetect && request.allow_field_addition;
  if (!input.names_fields() && !may_extend) return table;
  HF_ASSIGN_OR_RETURN(const Schema files, input.Detect());
  return ExtendByFiles(table, files, request);
}

Result<int64_t> InputBytes(const LoadRequest& request) {
  int64_t bytes = 0;
  for (const LoadSource& source : request.sources) {
    std::error_code code;
    bytes += static_cast<int64_t>(std::filesystem::file_size(source.path, code));
    if (code) {
      Error error = MakeError(ErrorId::kFileError,
                              fmt::format("Not found: URI {}: {}", source.name, code.message()));
      error.code = Code::kNotFound;
      error.reason = "notFound";
      return error;
    }
  }
  return bytes;
}

Status CheckBadRecords(const LoadRequest& request, const BadRecords& bad) {
  if (bad.count <= request.bad_records_max) return Ok();
  std::string message = fmt::format(
      "Error while reading data, error message: too many errors, giving up. Bad records: {}, "
      "allowed: {}",
      bad.count, request.bad_records_max);
  if (!bad.first.empty()) {
    const BadRecord& first = bad.first.front();
    message += "; first:";
    if (!first.source.empty()) message += fmt::format(" {}", first.source);
    if (first.line > 0) message += fmt::format(" line {}", first.line);
    if (!first.field.empty()) message += fmt::format(" field {}", first.field);
    message += fmt::format(" {}", first.message);
  }
  return LoadError(std::move(message));
}

}  // namespace

Error LoadError(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kLoadFailed, std::move(message)));
}

Result<bool> IsGzip(const LoadSource& source) {
  std::ifstream file(source.path, std::ios::binary);
  if (!file) return MakeError(ErrorId::kFileError, fmt::format("{} cannot be read", source.name));
  char magic[2] = {};
  file.read(magic, sizeof(magic));
  return file.gcount() == 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
}

std::string WithSourceNames(const LoadRequest& request, std::string text) {
  for (const LoadSource& source : request.sources) {
    if (source.path.empty()) continue;
    for (size_t at = text.find(source.path); at != text.npos;
         at = text.find(source.path, at + source.name.size())) {
      text.replace(at, source.path.size(), source.name);
    }
  }
  return text;
}

Error ReadingError(const LoadRequest& request, std::string message) {
  return LoadError("Error while reading data, error message: " +
                   WithSourceNames(request, std::move(message)));
}

Result<std::string> PlainPath(const std::string& path, const std::string& staging, size_t index) {
  if (path.find_first_of("*?[]{}") == path.npos) return path;
  const std::string link = fmt::format("{}/source_{}", staging, index);
  std::error_code code;
  std::filesystem::create_symlink(std::filesystem::absolute(path), link, code);
  if (code) return MakeError(ErrorId::kFileError, fmt::format("link {}: {}", link, code.message()));
  return link;
}

namespace {

Result<LoadResult> LoadAll(Warehouse& warehouse, const LoadRequest& request, BadRecords& bad) {
  LoadResult result;
  result.input_files = static_cast<int64_t>(request.sources.size());
  HF_ASSIGN_OR_RETURN(result.input_bytes, InputBytes(request));
  HF_ASSIGN_OR_RETURN(const Destination destination,
                      FindDestination(warehouse, {.ref = request.destination,
                                                  .create = request.create_disposition,
                                                  .disposition = request.write_disposition,
                                                  .resource = request.table_resource,
                                                  .replace = false}));
  HF_ASSIGN_OR_RETURN(const StagingDirectory staging, warehouse.files().MakeStaging());
  HF_ASSIGN_OR_RETURN(Connection connection, warehouse.database().Connect());
  HF_ASSIGN_OR_RETURN(const std::unique_ptr<LoadInput> input,
                      MakeInput(warehouse, connection, request, staging.path()));
  HF_ASSIGN_OR_RETURN(const Schema schema, ChooseSchema(destination, request, *input));
  ParquetWrite write;
  write.schema = schema;
  write.partition = request.destination.partition;
  write.cancel = request.cancel;
  HF_ASSIGN_OR_RETURN(write.partitioning, PartitioningOf(destination, schema));
  HF_ASSIGN_OR_RETURN(write.select_sql, input->Select(schema));
  Result<WrittenFiles> written = WriteParquet(warehouse, connection, write);
  Status finished = input->Finish(written.ok() ? Ok() : Status(written.error()), bad);
  for (BadRecord& record : bad.first) {
    record.message = WithSourceNames(request, std::move(record.message));
  }
  if (finished.ok()) finished = CheckBadRecords(request, bad);
  HF_RETURN_IF_ERROR(finished);
  EffectScope::Count({.rows = written->rows,
                      .bytes = written->bytes,
                      .bad_records = bad.count,
                      .input_files = result.input_files,
                      .input_bytes = result.input_bytes});
  HF_ASSIGN_OR_RETURN(result.table, CommitFiles(warehouse, destination, schema, written->files));
  written->published.Keep();
  result.output_rows = written->rows;
  result.output_bytes = written->bytes;
  result.bad_records = bad.count;
  return result;
}

}  // namespace

Result<LoadResult> Load(Warehouse& warehouse, const LoadRequest& request,
                        std::vector<BadRecord>* bad_records) {
  BadRecords bad;
  Result<LoadResult> result = LoadAll(warehouse, request, bad);
  if (result.ok()) {
    result->warnings = std::move(bad.first);
    return result;
  }
  if (bad_records != nullptr) *bad_records = std::move(bad.first);
  Error error = std::move(result).error();
  error.message = WithSourceNames(request, std::move(error.message));
  return error;
}

}  // namespace holdfast::warehouse
