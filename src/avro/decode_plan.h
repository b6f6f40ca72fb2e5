// How a file's rows become a table's columns: file schema and table schema compiled into steps.
//
// Steps follow the file's field order, since rows lie so in the file; each writes one column, or
// skips a field that the table lacks. Everything that can be refused from the schemas alone is
// refused here, once, so that reading a row only meets bad values. Plain values after compilation.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "avro/avro_type.h"
#include "avro/column_set.h"
#include "base/result.h"
#include "model/schema.h"

namespace holdfast::avro {

enum class DecodeKind : uint8_t {
  kInt64,   // long
  kInt32,   // int to INT64
  kDouble,  // double
  kFloat,   // float to FLOAT64
  kBool,
  kText,          // string or bytes to text: UTF-8
  kBytes,         // bytes or string to BYTES
  kFixed,         // fixed to BYTES
  kEnum,          // symbol to STRING
  kInstant,       // long to TIMESTAMP or DATETIME
  kDateTimeText,  // string to DATETIME
  kDate,          // int
  kDateText,      // string to DATE
  kTime,          // long or int to TIME
  kTimeText,      // string to TIME
  kNumeric,       // bytes or fixed
  kBigNumeric,    // bytes or fixed
  kRecord,        // the steps of its fields follow, at the same row
  kList,          // array or map: the steps of one element follow
  kSkip,          // a field that the table lacks
};

// What a null in the file means for the column.
enum class NullForm : uint8_t {
  kNever,   // no null in the file
  kNull,    // the column's value is null; a null list is empty
  kRefuse,  // the column is REQUIRED, or a list's element: an error
};

struct DecodeStep {
  DecodeKind kind = DecodeKind::kInt64;
  NullForm null_form = NullForm::kNever;
  bool has_branch = false;   // a union: a branch index comes first
  uint8_t value_branch = 0;  // the index's byte on the wire: 2 * index
  uint8_t null_branch = 0;
  int8_t scale = 0;                // kNumeric, kBigNumeric
  uint32_t next = 0;               // the step after this one and all below it
  uint32_t column = 0;             // of the layout
  uint32_t element_level = 0;      // kList
  uint32_t element_bytes_min = 0;  // kList: bytes an element takes at least, not 0
  uint32_t micros_factor = 1;      // kInstant, kTime: 1000 for milliseconds
  uint32_t fixed_bytes = 0;        // kFixed; kNumeric, kBigNumeric of fixed: not 0
  const AvroType* type = nullptr;  // kEnum: its symbols; kSkip: what to skip
};

struct DecodePlan {
  std::vector<DecodeStep> steps;
  std::vector<std::string> paths;  // of each step, for messages
  BatchLayout layout;
  std::deque<AvroType> entries;  // what a map's steps point to
  uint32_t row_bytes_min = 0;    // bytes a row takes at least, not 0
  uint32_t row_width = 0;        // bytes of a row's values in the columns, without list elements
  bool keeps_block = false;      // text points into the block
};

// `root` must outlive the plan. Errors: kAvroMismatch naming the column, kAvroUnsupported when rows
// or elements take no bytes.
Result<DecodePlan> CompileDecodePlan(const AvroType& root, const Schema& table);

// Bytes that a value of `type` takes at least.
uint32_t BytesMin(const AvroType& type);

}  // namespace holdfast::avro
