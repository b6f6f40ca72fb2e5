#include "avro/batch_builder.h"

#include <fmt/format.h>

#include <array>
#include <deque>

#include "avro/cell_text.h"

namespace holdfast::avro {

namespace {

size_t WidthOf(const Field& field) {
  switch (field.type) {
    case FieldType::kInt64:
    case FieldType::kTimestamp:
    case FieldType::kDateTime:
    case FieldType::kTime:
    case FieldType::kFloat64:
      return 8;
    case FieldType::kDate:
      return 4;
    case FieldType::kBool:
      return 1;
    case FieldType::kNumeric:
      return 16;
    case FieldType::kRange:
    case FieldType::kRecord:
      return 0;
    default:
      return sizeof(std::string_view);
  }
}

bool IsMicros(FieldType type) {
  return type == FieldType::kInt64 || type == FieldType::kTimestamp ||
         type == FieldType::kDateTime || type == FieldType::kTime;
}

}  // namespace

// What a column has collected; the memory a built batch shares.
struct ColumnBuilder::Storage {
  size_t rows = 0;
  bool has_null = false;
  std::vector<uint64_t> validity;
  std::string data;               // the array of the column's shape, as bytes
  std::deque<std::string> texts;  // what the string_views in `data` point to
  bool is_list = false;
  std::vector<ColumnBuilder> children;

  void Add(bool valid, const void* value, size_t width) {
    if (rows % 64 == 0) validity.push_back(0);
    if (valid) validity.back() |= uint64_t{1} << (rows % 64);
    has_null = has_null || !valid;
    ++rows;
    if (valid) {
      data.append(static_cast<const char*>(value), width);
    } else {
      data.append(width, '\0');
    }
  }
};

ColumnBuilder::ColumnBuilder(const Field& field)
    : ColumnBuilder(field, field.mode != FieldMode::kRepeated) {}

ColumnBuilder::ColumnBuilder(const Field& field, bool as_element)
    : field_(field), storage_(std::make_unique<Storage>()) {
  storage_->is_list = !as_element;
  if (!as_element) {
    storage_->children.push_back(ColumnBuilder(field, true));
    return;
  }
  for (const Field& child : field_.fields) storage_->children.push_back(ColumnBuilder(child));
  if (field_.type == FieldType::kRange) {
    Field bound;
    bound.type = field_.range_element_type;
    for (const char* name : {"start", "end"}) {
      bound.name = name;
      storage_->children.push_back(ColumnBuilder(bound));
    }
  }
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;
ColumnBuilder& ColumnBuilder::operator=(ColumnBuilder&&) noexcept = default;

size_t ColumnBuilder::rows() const { return storage_->rows; }

void ColumnBuilder::AppendNull() {
  if (storage_->is_list) {
    FinishList();
    return;
  }
  for (ColumnBuilder& child : storage_->children) child.AppendNull();
  storage_->Add(false, nullptr, WidthOf(field_));
}

void ColumnBuilder::AppendInt64(int64_t value) {
  CHECK(!storage_->is_list && IsMicros(field_.type), "not an INT64 or time column");
  storage_->Add(true, &value, sizeof(value));
}

void ColumnBuilder::AppendDate(int32_t days) {
  CHECK(!storage_->is_list && field_.type == FieldType::kDate, "not a DATE column");
  storage_->Add(true, &days, sizeof(days));
}

void ColumnBuilder::AppendDouble(double value) {
  CHECK(!storage_->is_list && field_.type == FieldType::kFloat64, "not a FLOAT64 column");
  storage_->Add(true, &value, sizeof(value));
}

void ColumnBuilder::AppendBool(bool value) {
  CHECK(!storage_->is_list && field_.type == FieldType::kBool, "not a BOOL column");
  const auto byte = static_cast<uint8_t>(value ? 1 : 0);
  storage_->Add(true, &byte, sizeof(byte));
}

void ColumnBuilder::AppendNumeric(__int128 value) {
  CHECK(!storage_->is_list && field_.type == FieldType::kNumeric, "not a NUMERIC column");
  storage_->Add(true, &value, sizeof(value));
}

void ColumnBuilder::AppendText(std::string_view value) {
  CHECK(!storage_->is_list && storage_->children.empty() &&
            WidthOf(field_) == sizeof(std::string_view) && field_.type != FieldType::kNumeric,
        "not a text column");
  const std::string_view kept = storage_->texts.emplace_back(value);
  storage_->Add(true, &kept, sizeof(std::string_view));
}

ColumnBuilder& ColumnBuilder::element() {
  CHECK(storage_->is_list, "not a REPEATED column");
  return storage_->children[0];
}

void ColumnBuilder::FinishList() {
  CHECK(storage_->is_list, "not a REPEATED column");
  ListEntry entry;
  if (storage_->rows > 0) {
    std::memcpy(&entry, storage_->data.data() + storage_->data.size() - sizeof(entry),
                sizeof(entry));
  }
  entry.offset += entry.length;
  entry.length = element().rows() - entry.offset;
  storage_->Add(true, &entry, sizeof(entry));
}

ColumnBuilder& ColumnBuilder::child(size_t index) {
  CHECK(!storage_->is_list && index < storage_->children.size(), "no such child column");
  return storage_->children[index];
}

void ColumnBuilder::FinishRecord() {
  CHECK(!storage_->is_list && !storage_->children.empty(), "not a RECORD or RANGE column");
  storage_->Add(true, nullptr, 0);
  for (const ColumnBuilder& child : storage_->children) {
    CHECK(child.rows() == storage_->rows, "a field of the record is missing or given twice");
  }
}

Status ColumnBuilder::AppendCell(const Json& value) {
  if (value.is_null()) {
    if (field_.mode == FieldMode::kRequired ||
        (field_.mode == FieldMode::kRepeated && !storage_->is_list)) {
      return MakeError(
          ErrorId::kAvroBadValue,
          fmt::format("column \"{}\": null in a REQUIRED column or a list", field_.name));
    }
    AppendNull();
    return Ok();
  }
  if (storage_->is_list) {
    if (!value.is_array()) return WrongCell(value);
    for (const Json& item : value) HF_RETURN_IF_ERROR(element().AppendCell(item));
    FinishList();
    return Ok();
  }
  if (storage_->children.empty()) return AppendScalar(value);
  if (!value.is_object()) return WrongCell(value);
  static const Json kNull;
  for (ColumnBuilder& child : storage_->children) {
    const Json* cell = FindField(value, child.field_.name);
    Status status = child.AppendCell(cell == nullptr ? kNull : *cell);
    if (!status.ok()) return std::move(status).WithContext(field_.name);
  }
  FinishRecord();
  return Ok();
}

Status ColumnBuilder::AppendScalar(const Json& value) {
  const auto cell = ParseCell(field_.type, value);
  if (!cell) return WrongCell(value);
  if (const auto* number = std::get_if<int64_t>(&*cell)) {
    AppendInt64(*number);
  } else if (const auto* days = std::get_if<int32_t>(&*cell)) {
    AppendDate(*days);
  } else if (const auto* real = std::get_if<double>(&*cell)) {
    AppendDouble(*real);
  } else if (const auto* flag = std::get_if<bool>(&*cell)) {
    AppendBool(*flag);
  } else if (const auto* numeric = std::get_if<__int128>(&*cell)) {
    AppendNumeric(*numeric);
  } else {
    AppendText(std::get<std::string>(*cell));
  }
  return Ok();
}

Error ColumnBuilder::WrongCell(const Json& value) const {
  return MakeError(ErrorId::kAvroBadValue,
                   fmt::format("column \"{}\": {:.60} is not a value of type {}", field_.name,
                               DumpJson(value), SqlTypeName(field_.type)));
}

ColumnView ColumnBuilder::View() const {
  ColumnView view;
  view.rows = storage_->rows;
  view.data = storage_->data.data();
  if (storage_->has_null) view.validity = storage_->validity.data();
  for (const ColumnBuilder& child : storage_->children) view.children.push_back(child.View());
  return view;
}

BatchBuilder::BatchBuilder(Schema schema) : schema_(std::move(schema)) { Restart(); }

void BatchBuilder::Restart() {
  columns_ = std::make_shared<std::vector<ColumnBuilder>>();
  for (const Field& field : schema_.fields) columns_->emplace_back(field);
}

size_t BatchBuilder::rows() const { return columns_->empty() ? 0 : columns_->front().rows(); }

Status BatchBuilder::AppendRow(const Json& row) {
  static const Json kNull;
  if (!row.is_object() && !row.is_array()) {
    return MakeError(ErrorId::kAvroBadValue, "a row is an object or an array");
  }
  for (size_t i = 0; i < columns_->size(); ++i) {
    const Json* cell = row.is_object()  ? FindField(row, schema_.fields[i].name)
                       : i < row.size() ? &row[i]
                                        : nullptr;
    HF_RETURN_IF_ERROR((*columns_)[i].AppendCell(cell == nullptr ? kNull : *cell));
  }
  return Ok();
}

Batch BatchBuilder::Build() {
  Batch batch;
  batch.view.rows = rows();
  for (const ColumnBuilder& column : *columns_) {
    CHECK(column.rows() == batch.view.rows, "columns of different lengths");
    batch.view.columns.push_back(column.View());
  }
  batch.owners.push_back(columns_);
  Restart();
  return batch;
}

}  // namespace holdfast::avro
