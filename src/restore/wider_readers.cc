#include "restore/wider_readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>
#include <utility>

namespace holdfast::restore {

namespace {

// Roles that show no row; any other, a custom one too, may.
constexpr std::array<std::string_view, 1> kRolesWithoutRows = {"roles/bigquery.metadataViewer"};

// Everybody, whichever way it is said.
constexpr std::string_view kEverybody = "allAuthenticatedUsers";
constexpr std::string_view kWorld = "allUsers";

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// "acme-shop.reports.totals", of an authorized view, routine or dataset.
std::string ReferenceText(const Json& reference) {
  const Json* dataset = FindField(reference, "dataset");
  const Json& named = dataset != nullptr && dataset->is_object() ? *dataset : reference;
  std::string text = StringOr(named, "projectId", "") + "." + StringOr(named, "datasetId", "");
  for (const char* member : {"tableId", "routineId"}) {
    if (const std::string id = StringOr(reference, member, ""); !id.empty()) text += "." + id;
  }
  return text;
}

// A person may be named in two ways: by a member of the entry, or as IAM does.
std::string MemberText(const Json& entry, const std::string& project) {
  if (const std::string user = StringOr(entry, "userByEmail", ""); !user.empty()) {
    return "user:" + Lower(user);
  }
  if (const std::string group = StringOr(entry, "groupByEmail", ""); !group.empty()) {
    return "group:" + Lower(group);
  }
  if (const std::string domain = StringOr(entry, "domain", ""); !domain.empty()) {
    return "domain:" + Lower(domain);
  }
  if (const std::string member = StringOr(entry, "iamMember", ""); !member.empty()) {
    constexpr std::string_view kServiceAccount = "serviceAccount:";
    if (member == kWorld || member == kEverybody) return member;
    if (member.starts_with(kServiceAccount)) {
      return "user:" + Lower(member.substr(kServiceAccount.size()));
    }
    return Lower(member);
  }
  if (const std::string group = StringOr(entry, "specialGroup", ""); !group.empty()) {
    return group == kEverybody ? group : group + " of " + project;
  }
  for (const char* object : {"view", "routine", "dataset"}) {
    const Json* reference = FindField(entry, object);
    if (reference != nullptr) return fmt::format("{}:{}", object, ReferenceText(*reference));
  }
  return DumpJson(entry);
}

struct Reader {
  std::string member;
  std::string condition;  // under which only; empty: always
};

// Those whom the list shows rows, but for the owners of the project.
std::vector<Reader> ReadersOf(const Json& dataset, const std::string& project) {
  std::vector<Reader> readers;
  const Json* access = FindField(dataset, "access");
  if (access == nullptr || !access->is_array()) return readers;
  for (const Json& entry : *access) {
    if (std::ranges::find(kRolesWithoutRows, StringOr(entry, "role", "")) !=
        kRolesWithoutRows.end()) {
      continue;
    }
    if (StringOr(entry, "specialGroup", "") == "projectOwners") continue;
    const Json* condition = FindField(entry, "condition");
    readers.push_back({.member = MemberText(entry, project),
                       .condition = condition == nullptr ? "" : DumpJson(*condition)});
  }
  return readers;
}

bool Covers(const Reader& source, const Reader& target) {
  if (!source.condition.empty() && source.condition != target.condition) return false;
  if (source.member == target.member || source.member == kWorld) return true;
  const bool is_account = target.member.starts_with("user:") ||
                          target.member.starts_with("group:") ||
                          target.member.starts_with("domain:") || target.member.contains(" of ");
  if (source.member == kEverybody) return is_account;
  constexpr std::string_view kDomain = "domain:";
  return source.member.starts_with(kDomain) && target.member.starts_with("user:") &&
         target.member.ends_with("@" + source.member.substr(kDomain.size()));
}

}  // namespace

std::vector<std::string> WiderReaders(const Json& source_dataset, const std::string& source_project,
                                      const Json& target_dataset,
                                      const std::string& target_project) {
  const std::vector<Reader> known = ReadersOf(source_dataset, source_project);
  std::set<std::string> wider;
  for (const Reader& reader : ReadersOf(target_dataset, target_project)) {
    const bool covered =
        std::ranges::any_of(known, [&](const Reader& source) { return Covers(source, reader); });
    if (!covered) wider.insert(reader.member);
  }
  return {wider.begin(), wider.end()};
}

}  // namespace holdfast::restore
