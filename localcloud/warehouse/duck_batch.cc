#include "localcloud/warehouse/duck_batch.h"

#include <cstring>

namespace holdfast::warehouse {

namespace {

using avro::ColumnView;
using avro::ListEntry;

static_assert(sizeof(duckdb_list_entry) == sizeof(ListEntry));
static_assert(sizeof(duckdb_hugeint) == sizeof(__int128));

bool IsText(FieldType type) {
  switch (type) {
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kBigNumeric:
    case FieldType::kGeography:
    case FieldType::kJson:
    case FieldType::kInterval:
      return true;
    default:
      return false;
  }
}

size_t WidthOf(FieldType type) {
  switch (type) {
    case FieldType::kBool:
      return 1;
    case FieldType::kDate:
      return 4;
    case FieldType::kNumeric:
      return 16;
    default:
      return 8;
  }
}

duckdb_type ScalarTypeId(FieldType type) {
  switch (type) {
    case FieldType::kInt64:
      return DUCKDB_TYPE_BIGINT;
    case FieldType::kFloat64:
      return DUCKDB_TYPE_DOUBLE;
    case FieldType::kBool:
      return DUCKDB_TYPE_BOOLEAN;
    case FieldType::kBytes:
      return DUCKDB_TYPE_BLOB;
    case FieldType::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
    case FieldType::kDate:
      return DUCKDB_TYPE_DATE;
    case FieldType::kTime:
      return DUCKDB_TYPE_TIME;
    case FieldType::kDateTime:
      return DUCKDB_TYPE_TIMESTAMP;
    default:
      return DUCKDB_TYPE_VARCHAR;
  }
}

std::vector<Field> RangeEnds(FieldType type) {
  Field end;
  end.type = type;
  end.name = "start";
  std::vector<Field> ends(2, end);
  ends[1].name = "end";
  return ends;
}

// The members of a RECORD, or the two ends of a RANGE; none for a scalar.
const std::vector<Field>& MembersOf(const Field& field) {
  static const std::vector<Field> dates = RangeEnds(FieldType::kDate);
  static const std::vector<Field> datetimes = RangeEnds(FieldType::kDateTime);
  static const std::vector<Field> timestamps = RangeEnds(FieldType::kTimestamp);
  if (field.type != FieldType::kRange) return field.fields;
  if (field.range_element_type == FieldType::kDate) return dates;
  return field.range_element_type == FieldType::kDateTime ? datetimes : timestamps;
}

// Whether a field is looked at as a column, or as the elements of its lists.
enum class Level { kColumn, kElement };

bool IsList(const Field& field, Level level) {
  return field.mode == FieldMode::kRepeated && level == Level::kColumn;
}

DuckLogicalType MakeElementType(const Field& field) {
  if (field.type == FieldType::kNumeric) {
    return DuckLogicalType(duckdb_create_decimal_type(38, 9));
  }
  const std::vector<Field>& members = MembersOf(field);
  if (members.empty()) {
    DuckLogicalType type(duckdb_create_logical_type(ScalarTypeId(field.type)));
    if (field.type == FieldType::kJson) duckdb_logical_type_set_alias(type.get(), "JSON");
    return type;
  }
  std::vector<DuckLogicalType> types;
  std::vector<duckdb_logical_type> handles;
  std::vector<const char*> names;
  for (const Field& member : members) {
    types.push_back(MakeLogicalType(member));
    handles.push_back(types.back().get());
    names.push_back(member.name.c_str());
  }
  return DuckLogicalType(duckdb_create_struct_type(handles.data(), names.data(), members.size()));
}

}  // namespace

DuckLogicalType MakeLogicalType(const Field& field) {
  DuckLogicalType element = MakeElementType(field);
  if (field.mode != FieldMode::kRepeated) return element;
  return DuckLogicalType(duckdb_create_list_type(element.get()));
}

// One column of the schema with its buffers.
struct ChunkReader::Column {
  explicit Column(const Field& column_field, Level column_level = Level::kColumn)
      : field(column_field), level(column_level) {
    if (IsList(field, level)) {
      children.push_back(std::make_unique<Column>(field, Level::kElement));
      return;
    }
    for (const Field& member : MembersOf(field)) {
      children.push_back(std::make_unique<Column>(member));
    }
  }

  void Read(duckdb_vector vector, size_t rows, ColumnView& view);

  Field field;
  Level level;
  std::vector<std::string_view> texts;
  std::vector<ListEntry> entries;
  std::vector<std::unique_ptr<Column>> children;
};

void ChunkReader::Column::Read(duckdb_vector vector, size_t rows, ColumnView& view) {
  view.rows = rows;
  view.validity = duckdb_vector_get_validity(vector);
  view.data = duckdb_vector_get_data(vector);
  view.children.resize(children.size());
  if (IsList(field, level)) {
    if (view.validity != nullptr) {
      const auto* source = view.As<ListEntry>();
      entries.assign(rows, ListEntry{});
      for (size_t row = 0; row < rows; ++row) {
        if (view.IsValid(row)) entries[row] = source[row];
      }
      view.data = entries.data();
      view.validity = nullptr;
    }
    children[0]->Read(duckdb_list_vector_get_child(vector), duckdb_list_vector_get_size(vector),
                      view.children[0]);
    return;
  }
  for (size_t i = 0; i < children.size(); ++i) {
    children[i]->Read(duckdb_struct_vector_get_child(vector, i), rows, view.children[i]);
  }
  if (!IsText(field.type)) return;
  const auto* source = view.As<duckdb_string_t>();
  texts.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    texts[row] = view.IsValid(row) ? TextOf(source[row]) : std::string_view();
  }
  view.data = texts.data();
}

ChunkReader::ChunkReader(const Schema& schema) {
  for (const Field& field : schema.fields) columns_.push_back(std::make_unique<Column>(field));
  view_.columns.resize(columns_.size());
}

ChunkReader::~ChunkReader() = default;

const avro::BatchView& ChunkReader::View(duckdb_data_chunk chunk) {
  view_.rows = duckdb_data_chunk_get_size(chunk);
  for (size_t i = 0; i < columns_.size(); ++i) {
    columns_[i]->Read(duckdb_data_chunk_get_vector(chunk, i), view_.rows, view_.columns[i]);
  }
  return view_;
}

namespace {

// A run of source rows and the place in the target vector where it goes.
struct Span {
  size_t offset = 0;
  size_t count = 0;
  size_t target = 0;
};

void WriteColumn(const Field& field, Level level, const ColumnView& column, Span run,
                 duckdb_vector vector);

// Child lists of a reused vector begin empty again.
void ClearLists(const Field& field, Level level, duckdb_vector vector) {
  if (IsList(field, level)) {
    ClearLists(field, Level::kElement, duckdb_list_vector_get_child(vector));
    duckdb_list_vector_set_size(vector, 0);
    return;
  }
  const std::vector<Field>& members = MembersOf(field);
  for (size_t i = 0; i < members.size(); ++i) {
    ClearLists(members[i], Level::kColumn, duckdb_struct_vector_get_child(vector, i));
  }
}

// A NULL record has NULL members, or DuckDB would see values in them.
void SetNull(const Field& field, Level level, duckdb_vector vector, size_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
  if (IsList(field, level)) {
    static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))[row] = {0, 0};
    return;
  }
  const std::vector<Field>& members = MembersOf(field);
  for (size_t i = 0; i < members.size(); ++i) {
    SetNull(members[i], Level::kColumn, duckdb_struct_vector_get_child(vector, i), row);
  }
}

void WriteLists(const Field& field, const ColumnView& column, Span run, duckdb_vector vector) {
  const auto* entries = column.As<ListEntry>();
  const size_t first = duckdb_list_vector_get_size(vector);
  size_t total = 0;
  for (size_t i = 0; i < run.count; ++i) {
    if (column.IsValid(run.offset + i)) total += entries[run.offset + i].length;
  }
  duckdb_list_vector_reserve(vector, first + total);
  duckdb_list_vector_set_size(vector, first + total);
  auto* targets = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector));
  const duckdb_vector child = duckdb_list_vector_get_child(vector);
  Span elements{.offset = 0, .count = 0, .target = first};
  for (size_t i = 0; i < run.count; ++i) {
    const bool valid = column.IsValid(run.offset + i);
    const ListEntry entry = valid ? entries[run.offset + i] : ListEntry{};
    targets[run.target + i] = {elements.target + elements.count, entry.length};
    if (entry.length == 0) continue;
    if (entry.offset != elements.offset + elements.count) {
      WriteColumn(field, Level::kElement, column.children[0], elements, child);
      elements = {.offset = entry.offset, .count = 0, .target = elements.target + elements.count};
    }
    elements.count += entry.length;
  }
  WriteColumn(field, Level::kElement, column.children[0], elements, child);
}

void WriteScalars(const Field& field, const ColumnView& column, Span run, duckdb_vector vector) {
  if (IsText(field.type)) {
    const auto* texts = column.As<std::string_view>();
    for (size_t i = 0; i < run.count; ++i) {
      if (!column.IsValid(run.offset + i)) continue;
      const std::string_view text = texts[run.offset + i];
      duckdb_unsafe_vector_assign_string_element_len(vector, run.target + i, text.data(),
                                                     text.size());
    }
    return;
  }
  const size_t width = WidthOf(field.type);
  std::memcpy(static_cast<char*>(duckdb_vector_get_data(vector)) + run.target * width,
              static_cast<const char*>(column.data) + run.offset * width, run.count * width);
}

void WriteColumn(const Field& field, Level level, const ColumnView& column, Span run,
                 duckdb_vector vector) {
  if (run.count == 0) return;
  if (IsList(field, level)) {
    WriteLists(field, column, run, vector);
    return;
  }
  const std::vector<Field>& members = MembersOf(field);
  for (size_t i = 0; i < members.size(); ++i) {
    WriteColumn(members[i], Level::kColumn, column.children[i], run,
                duckdb_struct_vector_get_child(vector, i));
  }
  if (members.empty()) WriteScalars(field, column, run, vector);
  if (column.validity == nullptr) return;
  for (size_t i = 0; i < run.count; ++i) {
    if (!column.IsValid(run.offset + i)) SetNull(field, level, vector, run.target + i);
  }
}

}  // namespace

void FillChunk(const Schema& schema, const avro::BatchView& batch, size_t offset, size_t count,
               duckdb_data_chunk chunk) {
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
    ClearLists(schema.fields[i], Level::kColumn, vector);
    const Span run{.offset = offset, .count = count, .target = 0};
    WriteColumn(schema.fields[i], Level::kColumn, batch.columns[i], run, vector);
  }
  duckdb_data_chunk_set_size(chunk, count);
}

}  // namespace holdfast::warehouse
