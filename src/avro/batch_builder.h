// Builds batches row by row: for tests, CSV, and wherever rows are not columns yet.
//
// Two ways in: `AppendRow` takes a row as JSON (the inverse of avro/cell_json.h), `column(i)` and
// its typed appends are for speed. A `ColumnBuilder` owns what it is given. The append must be of
// the field's shape (avro/batch.h); another is a broken invariant and aborts. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "avro/batch.h"
#include "base/json.h"
#include "base/result.h"
#include "model/schema.h"

namespace holdfast::avro {

// Collects one column. For REPEATED: append each element to `element()`, then call `FinishList`
// once per row (also for an empty list). For RECORD and RANGE: append one value to every
// `child(i)`, then call `FinishRecord`; `AppendNull` fills the children itself.
class ColumnBuilder {
 public:
  // An empty column of the field's shape.
  explicit ColumnBuilder(const Field& field);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) noexcept;

  void AppendNull();                        // an empty list when REPEATED
  void AppendInt64(int64_t value);          // INT64; TIMESTAMP, DATETIME, TIME in microseconds
  void AppendDate(int32_t days);            // DATE, days since 1970
  void AppendDouble(double value);          // FLOAT64
  void AppendBool(bool value);              // BOOL
  void AppendNumeric(__int128 value);       // NUMERIC, unscaled at scale 9
  void AppendText(std::string_view value);  // STRING, BYTES, BIGNUMERIC, GEOGRAPHY, JSON, INTERVAL

  ColumnBuilder& element();  // REPEATED
  void FinishList();
  ColumnBuilder& child(size_t index);  // RECORD: a field; RANGE: 0 start, 1 end
  void FinishRecord();

  // Rows appended so far; a list or record counts once it is finished.
  size_t rows() const;

 private:
  friend class BatchBuilder;
  struct Storage;
  ColumnBuilder(const Field& field, bool as_element);
  Status AppendCell(const Json& value);
  Status AppendScalar(const Json& value);
  Error WrongCell(const Json& value) const;
  ColumnView View() const;

  Field field_;
  std::unique_ptr<Storage> storage_;
};

// Collects rows of a whole schema.
class BatchBuilder {
 public:
  // An empty batch of the schema.
  explicit BatchBuilder(Schema schema);

  const Schema& schema() const { return schema_; }

  // One column, for its typed appends; valid until the next Build.
  ColumnBuilder& column(size_t index) { return (*columns_)[index]; }
  size_t rows() const;

  // Appends one row given as an object by column name (case matters) or as an array in column
  // order; a column that is left out is null. Cells are in the forms that CellToJson prints;
  // FLOAT64 and INT64 are also taken from text. Errors: kAvroBadValue naming the column; the row is
  // then left half appended, and the builder is only good for being destroyed.
  Status AppendRow(const Json& row);

  // All rows so far as a batch that owns them; the builder is empty again. Every column must have
  // the same number of rows.
  Batch Build();

 private:
  void Restart();

  Schema schema_;
  std::shared_ptr<std::vector<ColumnBuilder>> columns_;  // shared with the batch that Build returns
};

}  // namespace holdfast::avro
