// JSON objects as rows of a table, by the rules of BigQuery's JSON loads and insertAll.
//
// Names are matched without case. Numbers may be text; a TIMESTAMP may be seconds since 1970; BYTES
// are base64; a RANGE is "[start, end)" or an object. A row is checked whole before any of it is
// kept, so a bad one leaves no trace. Not thread-safe. Source: BigQuery "Loading JSON data",
// tabledata.insertAll.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "avro/batch.h"
#include "model/schema.h"

namespace holdfast::warehouse {

struct JsonRowOptions {
  bool ignore_unknown_values = false;
  // A JSON column takes text: its contents are the value (insertAll). Otherwise any JSON value is
  // the value itself (NDJSON loads).
  bool json_columns_are_text = false;
  // Columns of which each row kept tells whether it has them: a BOOL behind the schema's columns,
  // true when absent, in this order. One that is absent need not be NULLABLE.
  std::vector<std::string> noted_columns;
};

// The name of the column that notes the absence of `column`; no table can have such a column.
std::string AbsentColumn(const std::string& column);

// Why a row was refused, in BigQuery's words.
struct JsonRowError {
  std::string location;  // "a.b[2].c"; empty: the row as a whole
  std::string message;   // "no such field: x."
};

class JsonRowParser {
 public:
  // Copies what it needs of `schema`.
  JsonRowParser(const Schema& schema, JsonRowOptions options);
  ~JsonRowParser();

  // Checks one JSON object; keeps nothing. Gives why it is refused: not JSON, no such field, a
  // value of the wrong type, a REQUIRED field without one; nullopt for a row that fits.
  std::optional<JsonRowError> Check(std::string_view text);

  // The same, and appends a row that fits.
  std::optional<JsonRowError> Append(std::string_view text);

  // Of the rows that Build gives: the schema's columns, and those that note absence.
  const Schema& schema() const;

  // How many were appended since the last Build.
  size_t rows() const;

  // The rows appended since the last call.
  avro::Batch Build();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::warehouse
