#include "avro/cell_json.h"

#include <cmath>

#include "avro/cell_text.h"

namespace holdfast::avro {

namespace {

Json ValueToJson(const Field& field, const ColumnView& column, size_t row) {
  if (!column.IsValid(row)) return nullptr;
  switch (field.type) {
    case FieldType::kInt64:
      return column.As<int64_t>()[row];
    case FieldType::kBool:
      return column.As<uint8_t>()[row] != 0;
    case FieldType::kFloat64: {
      const double value = column.As<double>()[row];
      if (std::isfinite(value)) return value;
      return FormatCell(field.type, column, row);
    }
    case FieldType::kRange: {
      Field bound;
      bound.type = field.range_element_type;
      return {{"start", ValueToJson(bound, column.children[0], row)},
              {"end", ValueToJson(bound, column.children[1], row)}};
    }
    case FieldType::kRecord: {
      Json record = Json::object();
      for (size_t i = 0; i < field.fields.size(); ++i) {
        record[field.fields[i].name] = CellToJson(field.fields[i], column.children[i], row);
      }
      return record;
    }
    default:
      return FormatCell(field.type, column, row);
  }
}

}  // namespace

Json CellToJson(const Field& field, const ColumnView& column, size_t row) {
  if (field.mode != FieldMode::kRepeated) return ValueToJson(field, column, row);
  Json list = Json::array();
  if (!column.IsValid(row)) return list;
  const ListEntry entry = column.As<ListEntry>()[row];
  for (uint64_t i = 0; i < entry.length; ++i) {
    list.push_back(ValueToJson(field, column.children[0], entry.offset + i));
  }
  return list;
}

Json RowToJson(const Schema& schema, const BatchView& batch, size_t row) {
  Json json = Json::object();
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    json[schema.fields[i].name] = CellToJson(schema.fields[i], batch.columns[i], row);
  }
  return json;
}

}  // namespace holdfast::avro
