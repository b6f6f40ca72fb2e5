// The columns of one batch while it is being filled: arrays that grow, validity, owned text.
//
// Columns are grouped in levels: the rows, and the elements of each list; all columns of a level
// have one length. Every array counts towards `bytes()`, so the reader can stop before memory runs
// away. The set becomes the owner behind a Batch. One thread at a time while it is filled.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "avro/batch.h"

namespace holdfast::avro {

// What a column is made of, decided once per file.
struct ColumnLayout {
  uint32_t level = 0;
  uint32_t width = 0;  // bytes of one value; 0: a record, which has only validity
  bool may_be_null = false;
  bool is_absent = false;          // the file lacks it: all null, or all empty lists
  std::vector<uint32_t> children;  // indexes into the layout's columns
};

struct BatchLayout {
  std::vector<ColumnLayout> columns;
  std::vector<uint32_t> top;  // the table's columns
  uint32_t levels = 1;        // level 0 is the rows
};

class ColumnSet {
 public:
  struct Column {
    std::unique_ptr<char[]> data;
    std::unique_ptr<uint64_t[]> validity;
    bool has_null = false;
  };
  struct Level {
    uint64_t size = 0;
    uint64_t capacity = 0;
    std::vector<uint32_t> columns;
  };

  // Empty columns of `layout`, which outlives the set.
  explicit ColumnSet(const BatchLayout& layout);

  // By the index in the layout. Arrays move when their level grows.
  Column& column(size_t index) { return columns_[index]; }
  Level& level(size_t index) { return levels_[index]; }

  // Room for `count` more values in every column of a level.
  void Grow(size_t level, uint64_t count) {
    if (levels_[level].size + count > levels_[level].capacity) GrowTo(level, count);
  }

  // Marks one value null and zeroes it, so that no byte of a batch is left to chance.
  void SetNull(size_t column, size_t row);

  // A place for `size` bytes of text that lives as long as the set.
  char* NewText(size_t size);

  // Bytes of all arrays and texts.
  size_t bytes() const { return bytes_; }

  // The columns as views into this set, which must outlive them.
  BatchView View() const;

 private:
  void GrowTo(size_t level, uint64_t count);
  void GrowColumn(size_t index, uint64_t used, uint64_t capacity);
  ColumnView ViewOf(uint32_t index) const;

  const BatchLayout& layout_;
  std::vector<Column> columns_;
  std::vector<Level> levels_;
  std::vector<std::unique_ptr<char[]>> texts_;
  size_t text_used_ = 0;
  size_t text_capacity_ = 0;
  size_t bytes_ = 0;
};

}  // namespace holdfast::avro
