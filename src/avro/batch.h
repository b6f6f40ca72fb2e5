// Rows in columns: what the Avro codec reads and writes, and what digests and localcloud work on.
//
// A `ColumnView` borrows memory: for writing, DuckDB's vectors or a test's arrays; for reading, the
// buffers of the `Batch` that owns them. Shapes by field type (a REPEATED field is a list of them):
//
//   INT64, TIMESTAMP, DATETIME, TIME   int64_t   (microseconds since 1970 UTC; civil microseconds
//                                                since 1970; microseconds of the day)
//   DATE                               int32_t   days since 1970
//   FLOAT64                            double
//   BOOL                               uint8_t   0 or 1
//   NUMERIC                            __int128  unscaled at scale 9, not at the field's own
//   BIGNUMERIC                         string_view  canonical decimal text: no exponent, no '+',
//                                                   no zeros at the end after the point, no "-0"
//   STRING, BYTES, GEOGRAPHY, JSON, INTERVAL    string_view
//   RANGE                              children[0] start, children[1] end (null: unbounded)
//   RECORD                             children, one per field
//
// Thread-safety: a view is read-only and as safe as the memory it borrows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace holdfast::avro {

// Where one list's elements are in the child column.
struct ListEntry {
  uint64_t offset = 0;
  uint64_t length = 0;
};

// One column of `rows` values (rows is the batch's, or the child's own length for lists).
struct ColumnView {
  const uint64_t* validity = nullptr;  // bit i set: row i is not null; nullptr: none is null
  const void* data = nullptr;          // array of the shape above; ListEntry[] for REPEATED
  std::vector<ColumnView> children;    // RECORD and RANGE: the fields; REPEATED: one, the elements
  size_t rows = 0;

  bool IsValid(size_t row) const {
    return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1U) != 0;
  }

  // `data` as an array of T, which must be the shape's type.
  template <typename T>
  const T* As() const {
    return static_cast<const T*>(data);
  }
};

// Some rows of a table: one column per schema field, in schema order.
struct BatchView {
  size_t rows = 0;
  std::vector<ColumnView> columns;
};

// A BatchView and the memory behind it. Move-only; the view is valid as long as the batch.
struct Batch {
  BatchView view;
  std::vector<std::shared_ptr<void>> owners;  // shared: several batches may point into one block
};

}  // namespace holdfast::avro
