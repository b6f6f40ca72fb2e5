#include "cli/selector.h"

#include <algorithm>

#include "base/clock.h"
#include "model/method.h"
#include "model/policy.h"

namespace holdfast::cli {

Result<TableRef> ParseSelector(const std::string& text) {
  const auto separators = std::ranges::count_if(text, [](char c) { return c == '.' || c == ':'; });
  if (separators == 0) {
    HF_RETURN_IF_ERROR(ValidateProjectId(text));
    return TableRef{.project = text};
  }
  if (auto table = ParseTableRef(text); table.ok()) return table;
  if (separators > 1) return ParseTableRef(text).WithContext("\"" + text + "\"");
  HF_ASSIGN_OR_RETURN(DatasetRef dataset, ParseDatasetRef(text));
  return TableRef{.project = dataset.project, .dataset = dataset.dataset};
}

Result<std::string> ScopePattern(const std::string& text) {
  if (text.find('$') != std::string::npos) {
    return MakeError(ErrorId::kInvalidName,
                     "\"" + text + "\" names a partition, and only whole tables can be named here");
  }
  std::string pattern = text;
  // The colon of a project in a domain, "example.com:project", is part of its name.
  const size_t routine = pattern.rfind(".routine:");
  const size_t colon = pattern.rfind(':', routine == pattern.npos ? pattern.npos : routine);
  if (colon != std::string::npos && (pattern.find(':') < colon || pattern.find('.') > colon)) {
    pattern[colon] = '.';
  }
  HF_ASSIGN_OR_RETURN(const Scope scope, Scope::FromJson({{"include", Json::array({pattern})}}));
  return scope.include.front();
}

catalog::BackupFilter FilterOf(const TableRef& selector) {
  catalog::BackupFilter filter{
      .project = selector.project, .dataset = selector.dataset, .table = selector.table};
  if (!selector.partition.empty()) filter.partition = selector.partition;
  return filter;
}

Error NoBackupsOf(const std::string& name) {
  return MakeError(ErrorId::kBackupNotFound, "there are no backups of " + name,
                   "See what there is with `holdfast backup list`; if the catalog was lost: "
                   "holdfast catalog rebuild");
}

Json BackupJson(const catalog::BackupRecord& record) {
  const std::string state = record.damaged            ? "damaged"
                            : !record.suspect.empty() ? "suspect"
                                                      : "good";
  return {
      {"backup", record.backup},
      {"object", record.object.ToString()},
      {"kind", ObjectKindName(record.kind)},
      {"created", FormatTimestamp(FromUnixMillis(record.created_ms))},
      {"consistent_through", FormatTimestamp(FromUnixMillis(record.consistent_through_ms))},
      {"run", record.run},
      {"method", MethodName(record.method)},
      {"location", record.location},
      {"repository", "gs://" + record.bucket + (record.prefix.empty() ? "" : "/" + record.prefix)},
      {"rows", record.rows},
      {"bytes", record.stored_bytes},
      {"objects", record.objects},
      {"content_digest", record.content_digest},
      {"verified", VerifyLevelName(record.verified)},
      {"verified_at", record.verified_ms == 0
                          ? Json()
                          : Json(FormatTimestamp(FromUnixMillis(record.verified_ms)))},
      {"suspect", record.suspect},
      {"state", state}};
}

}  // namespace holdfast::cli
