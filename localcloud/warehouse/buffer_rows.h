// The rows of a table's streaming buffer, as they lie in the catalog.
//
// Internal to the streaming buffer and to queries, which see buffered rows at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/json_rows.h"
#include "localcloud/warehouse/table_store.h"

namespace holdfast::warehouse {

struct BufferedRow {
  int64_t sequence = 0;
  std::string partition;  // decorator it was inserted with
  int64_t arrival_ms = 0;
  std::string json;  // checked against the schema of its time
};

// In order of arrival. Bounded by the limits of streaming_buffer.h.
Result<std::vector<BufferedRow>> ReadBufferedRows(TableStore& store, int64_t table_key);

// JSON rows in memory as a source for DuckDB. A row that does not fit ends it with kQueryFailed.
class JsonRowSource final : public BatchSource {
 public:
  // Each of `rows` is the text of one object.
  JsonRowSource(const Schema& schema, std::vector<std::string> rows, JsonRowOptions options)
      : schema_(schema), rows_(std::move(rows)), parser_(schema, options) {}

  const Schema& schema() const override { return schema_; }
  Result<std::optional<avro::Batch>> Next() override;

 private:
  Schema schema_;
  std::vector<std::string> rows_;
  JsonRowParser parser_;
  size_t next_ = 0;
};

}  // namespace holdfast::warehouse
