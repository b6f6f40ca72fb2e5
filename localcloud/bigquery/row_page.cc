#include "localcloud/bigquery/row_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/rest/page_token.h"
#include "localcloud/warehouse/rows.h"

namespace holdfast::bigquery {

namespace {

constexpr int64_t kRowsMax = 100'000;
constexpr size_t kPageBytesMax = size_t{10} << 20U;

// Where a page begins, and the version that it is of (nullopt: the newest).
struct Position {
  int64_t row = 0;
  std::optional<int64_t> as_of_ms;
};

std::string ListingName(const TableRef& table) { return "rows " + table.ToString(); }

Result<Position> ParsePosition(const RowPageRequest& request) {
  Position position{.row = request.start, .as_of_ms = request.as_of_ms};
  if (request.token.empty()) return position;
  HF_ASSIGN_OR_RETURN(const std::string text,
                      rest::DecodePageToken(ListingName(request.table), request.token));
  const char* end = text.data() + text.size();
  const auto row = std::from_chars(text.data(), end, position.row);
  if (row.ptr == end || *row.ptr != '@') return position;
  int64_t as_of_ms = 0;
  std::from_chars(row.ptr + 1, end, as_of_ms);
  position.as_of_ms = as_of_ms;
  return position;
}

std::string FormatPosition(const Position& position) {
  std::string text = std::to_string(position.row);
  if (position.as_of_ms) text += fmt::format("@{}", *position.as_of_ms);
  return text;
}

// About the size of the JSON text, without writing it.
size_t ApproximateBytes(const Json& json) {
  constexpr size_t kPunctuation = 8;
  if (json.is_string()) return json.get_ref<const std::string&>().size() + kPunctuation;
  size_t bytes = kPunctuation;
  for (const Json& item : json) {
    if (item.is_structured() || item.is_string()) bytes += ApproximateBytes(item);
  }
  return bytes;
}

std::vector<std::string> SplitNames(const std::string& text) {
  std::vector<std::string> names;
  size_t start = 0;
  while (start < text.size()) {
    const size_t comma = std::min(text.find(',', start), text.size());
    if (comma > start) names.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return names;
}

}  // namespace

Result<RowPageRequest> ParseRowPage(const Request& request, const TableRef& table,
                                    std::optional<int64_t> as_of_ms) {
  RowPageRequest page;
  page.table = table;
  page.as_of_ms = as_of_ms;
  HF_ASSIGN_OR_RETURN(page.rows_max, request.Number("maxResults"));
  HF_ASSIGN_OR_RETURN(const auto start, request.Number("startIndex"));
  page.start = start.value_or(0);
  page.token = request.query.Get("pageToken");
  page.selected = SplitNames(request.query.Get("selectedFields"));
  HF_ASSIGN_OR_RETURN(const bool int64, request.Flag("formatOptions.useInt64Timestamp"));
  page.timestamps =
      TimestampFormatOf(int64, request.query.Get("formatOptions.timestampOutputFormat"));
  return page;
}

Result<RowPage> ReadRowPage(const ServiceContext& context, const RowPageRequest& request) {
  HF_ASSIGN_OR_RETURN(Position position, ParsePosition(request));
  HF_ASSIGN_OR_RETURN(const warehouse::TableSnapshot snapshot,
                      context.tables().Snapshot(request.table, position.as_of_ms));
  const warehouse::TableKind kind = snapshot.table.kind;
  if (kind != warehouse::TableKind::kTable && kind != warehouse::TableKind::kSnapshot) {
    return Invalid(fmt::format("Cannot list a table of type {}.", warehouse::TableKindName(kind)));
  }
  RowPage page;
  page.total = warehouse::CountRows(snapshot);
  const int64_t count = std::min(request.rows_max.value_or(kRowsMax), kRowsMax);
  if (count == 0 || position.row >= page.total) return page;
  size_t bytes = 0;
  const auto consume = [&](const Schema& schema, const avro::BatchView& batch) -> Status {
    for (size_t row = 0; row < batch.rows && bytes < kPageBytesMax; ++row) {
      page.rows.push_back(RowToJson(schema.fields, batch, row, request.timestamps));
      bytes += ApproximateBytes(page.rows.back());
    }
    // Ends the reading of a page that is full; not an error of anything.
    if (bytes >= kPageBytesMax) return MakeError(ErrorId::kCancelled, "the page is full");
    return Ok();
  };
  const auto read =
      warehouse::ReadRows(context.warehouse, snapshot, {.start = position.row, .count = count},
                          request.selected, consume);
  if (!read.ok() && bytes < kPageBytesMax) return read.error();
  if (!position.as_of_ms && !snapshot.table.streaming_buffer) {
    position.as_of_ms = snapshot.table.last_modified_ms;
  }
  position.row += static_cast<int64_t>(page.rows.size());
  if (position.row < page.total && !page.rows.empty()) {
    page.next_token = rest::EncodePageToken(ListingName(request.table), FormatPosition(position));
  }
  return page;
}

}  // namespace holdfast::bigquery
