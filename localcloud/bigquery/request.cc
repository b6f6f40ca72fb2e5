#include "localcloud/bigquery/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "localcloud/bigquery/fault.h"

namespace holdfast::bigquery {

TableRef Request::table() const {
  const std::string& id = Path("tableId");
  const size_t mark = std::min(id.find('$'), id.size());
  return {project(), Path("datasetId"), id.substr(0, mark),
          mark == id.size() ? std::string() : id.substr(mark + 1)};
}

Result<DecoratedTable> Request::DecoratedTableAt(int64_t now_ms) const {
  return ParseTableId(DatasetRef{project(), Path("datasetId")}, Path("tableId"), now_ms);
}

Result<bool> Request::Flag(std::string_view name) const {
  const std::string text = query.Get(name);
  if (text.empty() || text == "false" || text == "False") return false;
  if (text == "true" || text == "True") return true;
  return Invalid(fmt::format("Invalid value for {}: {} is not a valid value", name, text));
}

Result<std::optional<int64_t>> Request::Number(std::string_view name) const {
  const std::string text = query.Get(name);
  if (text.empty()) return std::optional<int64_t>();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return Invalid(fmt::format("Invalid value for {}: {} is not a valid value", name, text));
  }
  return std::optional(value);
}

Result<warehouse::PageRequest> Request::Page(std::string_view listing,
                                             rest::PageSizes sizes) const {
  warehouse::PageRequest page;
  HF_ASSIGN_OR_RETURN(page.results_max, rest::ReadPageSize(query, "maxResults", sizes));
  HF_ASSIGN_OR_RETURN(page.token, rest::DecodePageToken(listing, query.Get("pageToken")));
  return page;
}

void SetNextPage(std::string_view listing, const std::optional<std::string>& token, Json& answer) {
  if (token) answer["nextPageToken"] = rest::EncodePageToken(listing, *token);
}

Result<Json> RetryOnChange(const Request& request, const std::function<Result<Json>()>& edit) {
  constexpr int kAttemptsMax = 20;
  Result<Json> answer = edit();
  for (int attempt = 1; attempt < kAttemptsMax && request.if_match.empty(); ++attempt) {
    if (answer.ok() || answer.error().id != ErrorId::kWarehouseEtag) break;
    answer = edit();
  }
  return answer;
}

}  // namespace holdfast::bigquery
