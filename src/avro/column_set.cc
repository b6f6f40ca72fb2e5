#include "avro/column_set.h"

#include <algorithm>
#include <cstring>

namespace holdfast::avro {

namespace {

constexpr uint64_t kCapacityMin = 64;
constexpr size_t kTextChunkBytes = size_t{16} << 10U;

uint64_t ValidityWords(uint64_t rows) { return (rows + 63) / 64; }

}  // namespace

ColumnSet::ColumnSet(const BatchLayout& layout)
    : layout_(layout), columns_(layout.columns.size()), levels_(layout.levels) {
  for (uint32_t i = 0; i < layout.columns.size(); ++i) {
    levels_[layout.columns[i].level].columns.push_back(i);
  }
}

void ColumnSet::GrowTo(size_t level, uint64_t count) {
  Level& grown = levels_[level];
  const uint64_t capacity =
      std::max({grown.size + count, grown.capacity + grown.capacity / 2, kCapacityMin});
  for (const uint32_t column : grown.columns) GrowColumn(column, grown.size, capacity);
  grown.capacity = capacity;
}

void ColumnSet::GrowColumn(size_t index, uint64_t used, uint64_t capacity) {
  const ColumnLayout& layout = layout_.columns[index];
  Column& column = columns_[index];
  const uint64_t old_capacity = levels_[layout.level].capacity;
  if (layout.width > 0) {
    auto data = layout.is_absent ? std::make_unique<char[]>(capacity * layout.width)
                                 : std::make_unique_for_overwrite<char[]>(capacity * layout.width);
    if (used > 0) std::memcpy(data.get(), column.data.get(), used * layout.width);
    column.data = std::move(data);
    bytes_ += (capacity - old_capacity) * layout.width;
  }
  if (layout.may_be_null) {
    const uint64_t words = ValidityWords(capacity);
    auto validity = std::make_unique_for_overwrite<uint64_t[]>(words);
    const uint64_t old_words = ValidityWords(old_capacity);
    if (old_words > 0) std::memcpy(validity.get(), column.validity.get(), old_words * 8);
    std::fill(validity.get() + old_words, validity.get() + words,
              layout.is_absent ? 0 : ~uint64_t{0});
    column.validity = std::move(validity);
    column.has_null = column.has_null || layout.is_absent;
    bytes_ += (words - old_words) * sizeof(uint64_t);
  }
}

void ColumnSet::SetNull(size_t index, size_t row) {
  const ColumnLayout& layout = layout_.columns[index];
  Column& column = columns_[index];
  if (layout.width > 0) std::memset(column.data.get() + row * layout.width, 0, layout.width);
  if (!layout.may_be_null) return;  // an empty list
  column.validity[row / 64] &= ~(uint64_t{1} << (row % 64));
  column.has_null = true;
}

char* ColumnSet::NewText(size_t size) {
  if (text_capacity_ - text_used_ < size) {
    text_capacity_ = std::max(size, kTextChunkBytes);
    texts_.push_back(std::make_unique_for_overwrite<char[]>(text_capacity_));
    text_used_ = 0;
    bytes_ += text_capacity_;
  }
  char* const text = texts_.back().get() + text_used_;
  text_used_ += size;
  return text;
}

BatchView ColumnSet::View() const {
  BatchView view;
  view.rows = levels_[0].size;
  for (const uint32_t column : layout_.top) view.columns.push_back(ViewOf(column));
  return view;
}

ColumnView ColumnSet::ViewOf(uint32_t index) const {
  const ColumnLayout& layout = layout_.columns[index];
  const Column& column = columns_[index];
  ColumnView view;
  view.rows = levels_[layout.level].size;
  view.data = column.data.get();
  if (column.has_null) view.validity = column.validity.get();
  for (const uint32_t child : layout.children) view.children.push_back(ViewOf(child));
  return view;
}

}  // namespace holdfast::avro
