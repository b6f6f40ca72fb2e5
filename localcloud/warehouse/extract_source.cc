#include <fmt/format.h>

#include <limits>
#include <utility>

#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/extract_files.h"
#include "localcloud/warehouse/extractor.h"
#include "localcloud/warehouse/file_area.h"
#include "localcloud/warehouse/identifier.h"

namespace holdfast::warehouse {

namespace {

int64_t ValueWidth(FieldType type) {
  switch (type) {
    case FieldType::kNumeric:
      return 16;
    case FieldType::kDate:
      return 4;
    case FieldType::kBool:
      return 1;
    default:
      return 8;
  }
}

bool IsTextual(FieldType type) {
  return type == FieldType::kString || type == FieldType::kBytes || type == FieldType::kJson ||
         type == FieldType::kGeography || type == FieldType::kInterval ||
         type == FieldType::kBigNumeric;
}

int64_t BytesOf(const Field& field, const avro::ColumnView& column, size_t rows);

int64_t BytesOfValues(const Field& field, const avro::ColumnView& column, size_t rows) {
  int64_t bytes = 0;
  if (field.type == FieldType::kRecord) {
    for (size_t i = 0; i < field.fields.size(); ++i) {
      bytes += BytesOf(field.fields[i], column.children[i], rows);
    }
    return bytes;
  }
  if (!IsTextual(field.type)) return static_cast<int64_t>(rows) * ValueWidth(field.type);
  const auto* texts = column.As<std::string_view>();
  for (size_t row = 0; row < rows; ++row) {
    if (column.IsValid(row)) bytes += static_cast<int64_t>(texts[row].size());
  }
  return bytes;
}

// What the values take in memory, about.
int64_t BytesOf(const Field& field, const avro::ColumnView& column, size_t rows) {
  if (field.mode != FieldMode::kRepeated) return BytesOfValues(field, column, rows);
  const avro::ColumnView& elements = column.children.front();
  return BytesOfValues(field, elements, elements.rows);
}

// The rows of one file after the other: ends when the file is full, and goes on with the next.
class PortionedSource final : public BatchSource {
 public:
  PortionedSource(BatchSource& rows, int64_t bytes_max) : rows_(rows), bytes_max_(bytes_max) {}

  const Schema& schema() const override { return rows_.schema(); }

  // Reads ahead, so that no file is begun for nothing.
  Result<bool> HasMore() {
    if (!ahead_ && !is_read_) {
      HF_ASSIGN_OR_RETURN(ahead_, rows_.Next());
      is_read_ = !ahead_.has_value();
    }
    return ahead_.has_value();
  }

  void BeginFile() { bytes_ = 0; }

  Result<std::optional<avro::Batch>> Next() override {
    HF_ASSIGN_OR_RETURN(const bool has_more, HasMore());
    if (!has_more || bytes_ >= bytes_max_) return std::optional<avro::Batch>();
    std::optional<avro::Batch> batch = std::exchange(ahead_, std::nullopt);
    const Schema& fields = schema();
    for (size_t i = 0; i < fields.fields.size(); ++i) {
      bytes_ += BytesOf(fields.fields[i], batch->view.columns[i], batch->view.rows);
    }
    rows_read_ += static_cast<int64_t>(batch->view.rows);
    return batch;
  }

  int64_t rows_read() const { return rows_read_; }

 private:
  BatchSource& rows_;
  int64_t bytes_max_;
  std::optional<avro::Batch> ahead_;
  bool is_read_ = false;
  int64_t bytes_ = 0;
  int64_t rows_read_ = 0;
};

Result<ExtractResult> ExtractParquetSource(Warehouse& warehouse, BatchSource& rows,
                                           const ExtractRequest& request,
                                           const ExtractSinkFactory& sinks) {
  PortionedSource portions(
      rows, request.split ? request.file_bytes_max : std::numeric_limits<int64_t>::max());
  const SourceRegistration registration(warehouse.database(), portions);
  HF_ASSIGN_OR_RETURN(const StagingDirectory staging, warehouse.files().MakeStaging());
  HF_ASSIGN_OR_RETURN(Connection connection, warehouse.database().Connect());
  const std::string path = staging.path() + "/extract.parquet";
  ExtractResult result;
  bool has_more = true;
  while (has_more) {
    portions.BeginFile();
    const Status written = connection.Execute(
        fmt::format("COPY (FROM {}) TO {} (FORMAT parquet, COMPRESSION {})",
                    registration.relation(), QuoteLiteral(path), ParquetCodec(request.compression)),
        request.cancel);
    if (!written.ok()) return portions.failure() ? *portions.failure() : written.error();
    HF_ASSIGN_OR_RETURN(const std::unique_ptr<ExtractSink> sink, sinks(result.files));
    HF_RETURN_IF_ERROR(CopyToSink(path, *sink));
    ++result.files;
    HF_ASSIGN_OR_RETURN(has_more, portions.HasMore());
  }
  result.rows = portions.rows_read();
  return result;
}

}  // namespace

Result<ExtractResult> ExtractSource(Warehouse& warehouse, BatchSource& rows,
                                    const ExtractRequest& request,
                                    const ExtractSinkFactory& sinks) {
  const Schema& schema = rows.schema();
  HF_RETURN_IF_ERROR(CheckForm(request, schema));
  if (request.format == ExtractFormat::kParquet) {
    return ExtractParquetSource(warehouse, rows, request, sinks);
  }
  ExtractResult result;
  FileSplitter splitter(request, schema, warehouse.random(), sinks);
  while (true) {
    HF_ASSIGN_OR_RETURN(const std::optional<avro::Batch> batch, rows.Next());
    if (!batch) break;
    HF_RETURN_IF_ERROR(splitter.Write(batch->view));
    result.rows += static_cast<int64_t>(batch->view.rows);
  }
  HF_RETURN_IF_ERROR(splitter.Finish());
  result.files = splitter.files();
  return result;
}

}  // namespace holdfast::warehouse
