// Avro files as rows, with what BigQuery makes of their types.
//
// Without useAvroLogicalTypes a date, a time or a timestamp is the number that it is on the wire;
// text with the logical type "datetime", which is what BigQuery's own extract writes for DATETIME,
// is STRING with or without it (google-semantics, trap 3). Both are seen in top-level fields.
#include <fmt/format.h>

#include <fstream>
#include <map>

#include "avro/avro_type.h"
#include "avro/reader.h"
#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/load_source.h"

namespace holdfast::warehouse {

namespace {

constexpr size_t kBatchRows = 16'384;

Result<std::unique_ptr<avro::Reader>> OpenFile(const LoadSource& source,
                                               const avro::ReaderOptions& options) {
  auto file = std::make_shared<std::ifstream>(source.path, std::ios::binary);
  if (!*file) return MakeError(ErrorId::kFileError, fmt::format("{} cannot be read", source.name));
  return avro::Reader::Open(
             [file](std::span<char> buffer) -> Result<size_t> {
               file->read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
               if (file->bad()) return MakeError(ErrorId::kFileError, "read failed");
               return static_cast<size_t>(file->gcount());
             },
             options)
      .WithContext(source.name);
}

// The files one after the other, read as `schema`.
class AvroFileSource final : public BatchSource {
 public:
  AvroFileSource(const LoadRequest& request, const Schema& schema)
      : request_(request), schema_(schema) {}

  const Schema& schema() const override { return schema_; }

  Result<std::optional<avro::Batch>> Next() override {
    while (next_ < request_.sources.size()) {
      const LoadSource& source = request_.sources[next_];
      if (reader_ == nullptr) {
        avro::ReaderOptions options;
        options.schema = schema_;
        HF_ASSIGN_OR_RETURN(reader_, OpenFile(source, options));
      }
      auto batch = reader_->Next(kBatchRows).WithContext(source.name);
      if (!batch.ok() || *batch) return batch;
      reader_.reset();
      ++next_;
    }
    return std::optional<avro::Batch>();
  }

 private:
  const LoadRequest& request_;
  Schema schema_;
  std::unique_ptr<avro::Reader> reader_;
  size_t next_ = 0;
};

// What a nullable or repeated type is about.
const avro::AvroType& Innermost(const avro::AvroType& type) {
  if (type.kind == avro::AvroKind::kArray) return Innermost(type.branches.front());
  if (type.kind == avro::AvroKind::kUnion) {
    for (const avro::AvroType& branch : type.branches) {
      if (branch.kind != avro::AvroKind::kNull) return Innermost(branch);
    }
  }
  return type;
}

// The type that BigQuery gives a field of the file.
FieldType SeenType(const Field& field, const avro::AvroType& type, bool use_logical_types) {
  if (Innermost(type).logical == avro::AvroLogical::kDateTimeText) return FieldType::kString;
  if (use_logical_types) return field.type;
  switch (field.type) {
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kTimestamp:
    case FieldType::kDateTime:
      return FieldType::kInt64;
    default:
      return field.type;
  }
}

// SQL of a value read as `from` in the type that BigQuery sees.
std::string SeenExpression(const std::string& column, FieldType from, FieldType seen) {
  if (from == seen) return column;
  if (seen == FieldType::kString) {
    return fmt::format(
        "CASE WHEN epoch_us({0}) % 1000000 = 0 THEN strftime({0}, '%Y-%m-%dT%H:%M:%S') "
        "ELSE rtrim(strftime({0}, '%Y-%m-%dT%H:%M:%S.%f'), '0') END",
        column);
  }
  if (from == FieldType::kDate) {
    return fmt::format("CAST({} - DATE '1970-01-01' AS BIGINT)", column);
  }
  return fmt::format("epoch_us({})", column);
}

class AvroInput final : public LoadInput {
 public:
  AvroInput(Warehouse& warehouse, const LoadRequest& request)
      : warehouse_(warehouse), request_(request) {}

  Result<Schema> Detect() override {
    if (request_.sources.empty()) return LoadError("The job names no source");
    HF_ASSIGN_OR_RETURN(const auto reader, OpenFile(request_.sources.front(), {}));
    HF_ASSIGN_OR_RETURN(const avro::AvroType root,
                        avro::ParseAvroType(reader->header().avro_schema));
    own_ = reader->schema();
    Schema seen = own_;
    for (size_t i = 0; i < seen.fields.size(); ++i) {
      Field& field = seen.fields[i];
      if (field.type == FieldType::kBigNumeric && !request_.wide_decimals) {
        return LoadError(fmt::format(
            "Field {}: its decimal does not fit NUMERIC, and decimalTargetTypes has no BIGNUMERIC",
            field.name));
      }
      if (field.mode == FieldMode::kRepeated) continue;
      field.type = SeenType(field, root.fields[i].type, request_.use_avro_logical_types);
    }
    seen_ = seen;
    return seen;
  }

  bool names_fields() const override { return true; }

  Result<std::string> Select(const Schema& schema) override {
    if (seen_.fields.empty()) HF_RETURN_IF_ERROR(Detect());
    Schema read = schema;
    std::string columns;
    for (Field& field : read.fields) {
      const std::string name = QuoteIdentifier(field.name);
      std::string value = name;
      if (const Field* seen = seen_.Find(field.name)) {
        HF_RETURN_IF_ERROR(CheckType(*seen, field));
        const FieldType own = own_.Find(field.name)->type;
        if (own != seen->type) {
          value = SeenExpression(name, own, seen->type);
          field.type = own;
        }
      } else {
        HF_ASSIGN_OR_RETURN(value, AbsentValue(field, request_.default_sql));
        if (field.mode == FieldMode::kRequired) field.mode = FieldMode::kNullable;
      }
      columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", value, name);
    }
    source_ = std::make_unique<AvroFileSource>(request_, read);
    registration_ = std::make_unique<SourceRegistration>(warehouse_.database(), *source_);
    return fmt::format("SELECT {} FROM {}", columns, registration_->relation());
  }

  Status Finish(const Status& read, BadRecords& bad) override {
    if (read.ok()) return Ok();
    if (!source_->failure()) return read;
    const Error& failure = *source_->failure();
    bad.Add({.source = {}, .line = 0, .field = {}, .message = failure.message});
    Error error = LoadError("Error while reading data, error message: " + failure.message);
    error.hint = failure.hint;
    return error;
  }

 private:
  // BigQuery reads text into types that are text underneath; decimals fit either decimal type.
  static Status CheckType(const Field& seen, const Field& wanted) {
    const auto is_text = [](FieldType type) {
      return type == FieldType::kGeography || type == FieldType::kJson ||
             type == FieldType::kInterval || type == FieldType::kBigNumeric;
    };
    const auto is_decimal = [](FieldType type) {
      return type == FieldType::kNumeric || type == FieldType::kBigNumeric;
    };
    const bool fits = seen.type == wanted.type ||
                      (seen.type == FieldType::kString && is_text(wanted.type)) ||
                      (is_text(seen.type) && wanted.type == FieldType::kString) ||
                      (is_decimal(seen.type) && is_decimal(wanted.type)) ||
                      (seen.type == FieldType::kRecord && wanted.type == FieldType::kRange);
    if (fits) return Ok();
    return WithReason(
        "invalid",
        MakeError(
            ErrorId::kWarehouseInvalidSchema,
            fmt::format("Provided Schema does not match: field {} has changed type from {} to {}",
                        wanted.name, ApiTypeName(wanted.type), ApiTypeName(seen.type))));
  }

  Warehouse& warehouse_;
  const LoadRequest& request_;
  Schema own_;   // as the codec reads the first file
  Schema seen_;  // as BigQuery would
  std::unique_ptr<AvroFileSource> source_;
  std::unique_ptr<SourceRegistration> registration_;
};

}  // namespace

std::unique_ptr<LoadInput> MakeAvroInput(Warehouse& warehouse, const LoadRequest& request) {
  return std::make_unique<AvroInput>(warehouse, request);
}

}  // namespace holdfast::warehouse
