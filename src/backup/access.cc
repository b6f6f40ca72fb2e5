#include "backup/access.h"

#include <fmt/format.h>

#include <cctype>

namespace holdfast::backup {

namespace {

// Ok when all rows are ours to read.
Status ProveAllRows(const Services& services, const TableRef& table,
                    const std::vector<cloud::RowAccessPolicy>& policies) {
  if (policies.empty()) return Ok();
  for (const cloud::RowAccessPolicy& policy : policies) {
    if (!IsTrueFilter(policy.filter)) continue;
    HF_ASSIGN_OR_RETURN(const bool is_granted, services.definitions.IsGranted(table, policy.id));
    if (is_granted) return Ok();
  }
  std::string names;
  for (const cloud::RowAccessPolicy& policy : policies) {
    names += (names.empty() ? "" : ", ") + policy.id;
  }
  return MakeError(ErrorId::kRowsHidden,
                   fmt::format("{} has row access policies ({}), and none with the filter TRUE is "
                               "granted to this identity",
                               table.WholeTable().ToString(), names));
}

// What was read, or nothing if it may not be and need not be.
template <typename T>
Result<std::optional<T>> IfAllowed(Result<T> read, const BackupPolicy& policy,
                                   std::string_view what, std::string& note) {
  if (read.ok()) return std::optional<T>(*std::move(read));
  if (read.error().id != ErrorId::kAccessDenied || policy.require_access) return read.error();
  note +=
      fmt::format("{}its {} may not be read, and are not saved", note.empty() ? "" : "; ", what);
  return std::optional<T>();
}

}  // namespace

Result<AccessState> ReadAccess(const Services& services, const BackupPolicy& policy,
                               const TableRef& table, ObjectKind kind) {
  AccessState state;
  Json document = Json::object();
  if (kind == ObjectKind::kTable) {
    HF_ASSIGN_OR_RETURN(const auto rows,
                        IfAllowed(services.definitions.ListRowAccessPolicies(table), policy,
                                  "row access policies", state.note));
    if (rows) {
      HF_RETURN_IF_ERROR(ProveAllRows(services, table, *rows));
      document["row_access_policies"] = Json::array();
      for (const auto& row : *rows) document["row_access_policies"].push_back(row.ToJson());
    }
  }
  HF_ASSIGN_OR_RETURN(auto iam, IfAllowed(services.definitions.GetIamPolicy(table), policy,
                                          "IAM policies", state.note));
  if (iam) document["iam_policy"] = *std::move(iam);
  if (!document.empty()) state.document = std::move(document);
  return state;
}

bool HasRowPolicies(const AccessState& access) {
  if (!access.document) return false;
  const Json* policies = FindField(*access.document, "row_access_policies");
  return policies != nullptr && !policies->empty();
}

bool IsTrueFilter(std::string_view filter) {
  std::string word;
  int open = 0;
  for (const char c : filter) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (c == '(') {
      ++open;
      if (!word.empty()) return false;
    } else if (c == ')') {
      if (--open < 0 || word.empty()) return false;
    } else {
      word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return open == 0 && word == "TRUE";
}

}  // namespace holdfast::backup
