#include "localcloud/bigquery/table_decorator.h"

#include <fmt/format.h>

#include <charconv>

#include "localcloud/bigquery/fault.h"

namespace holdfast::bigquery {

namespace {

Error InvalidDecorator(std::string_view text) {
  return Invalid(fmt::format("Invalid table decorator: {}", text));
}

Result<int64_t> ParseDecoratorTime(std::string_view text, int64_t now_ms) {
  int64_t millis = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), millis);
  if (error != std::errc() || end != text.data() + text.size() || millis == INT64_MIN) {
    return InvalidDecorator(text);
  }
  if (millis >= 0) return millis;
  if (now_ms < -millis) return InvalidDecorator(text);
  return now_ms + millis;
}

}  // namespace

Result<DecoratedTable> ParseTableId(const DatasetRef& dataset, std::string id, int64_t now_ms) {
  DecoratedTable decorated;
  decorated.table.project = dataset.project;
  decorated.table.dataset = dataset.dataset;
  const size_t at = id.find('@');
  if (at != std::string::npos) {
    HF_ASSIGN_OR_RETURN(decorated.as_of_ms, ParseDecoratorTime(id.substr(at + 1), now_ms));
    id.resize(at);
  }
  const size_t dollar = id.find('$');
  if (dollar != std::string::npos) {
    decorated.table.partition = id.substr(dollar + 1);
    if (decorated.table.partition.empty()) return InvalidDecorator(id);
    id.resize(dollar);
  }
  if (id.empty()) return Invalid("A table id has a decorator and no name");
  decorated.table.table = std::move(id);
  return decorated;
}

}  // namespace holdfast::bigquery
