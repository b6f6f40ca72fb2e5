#include "localcloud/warehouse/buffer_rows.h"

#include <fmt/format.h>

#include "localcloud/sqlite/database.h"

namespace holdfast::warehouse {

namespace {
constexpr size_t kBatchRows = 8192;
}  // namespace

Result<std::vector<BufferedRow>> ReadBufferedRows(TableStore& store, int64_t table_key) {
  const std::lock_guard lock(store.mutex());
  HF_ASSIGN_OR_RETURN(auto statement,
                      store.database().Prepare("SELECT sequence, partition_id, arrival_ms, row "
                                               "FROM buffer_rows WHERE table_key = ? "
                                               "ORDER BY sequence",
                                               table_key));
  std::vector<BufferedRow> rows;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return rows;
    rows.push_back(BufferedRow{.sequence = statement.Int(0),
                               .partition = statement.Text(1),
                               .arrival_ms = statement.Int(2),
                               .json = statement.Text(3)});
  }
}

Result<std::optional<avro::Batch>> JsonRowSource::Next() {
  if (next_ == rows_.size()) return std::optional<avro::Batch>();
  while (next_ < rows_.size() && parser_.rows() < kBatchRows) {
    if (const auto error = parser_.Append(rows_[next_++])) {
      return WithReason("invalid", MakeError(ErrorId::kQueryFailed,
                                             fmt::format("row {}: {}", next_ - 1, error->message)));
    }
  }
  return std::optional(parser_.Build());
}

}  // namespace holdfast::warehouse
