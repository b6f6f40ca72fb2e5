#include "repository/leases.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "model/ids.h"

namespace holdfast::repository {

namespace {

constexpr size_t kTimeDigits = 15;
constexpr int64_t kLeaseBytesMax = int64_t{64} << 20U;
constexpr std::string_view kLeaseEnding = ".json";

struct LeaseName {
  int64_t until_ms = 0;
  std::string holder;
};

std::string NameOf(const Repository& repository, const Lease& lease) {
  return fmt::format("{}{:0{}}-{}{}", LeasesPrefix(repository.location().prefix), lease.until_ms,
                     kTimeDigits, lease.holder, kLeaseEnding);
}

// nullopt: not the name of a lease.
std::optional<LeaseName> ParseName(std::string_view name) {
  if (name.size() < kTimeDigits + 1 + kLeaseEnding.size() || !name.ends_with(kLeaseEnding) ||
      name[kTimeDigits] != '-') {
    return std::nullopt;
  }
  LeaseName parsed;
  const std::string_view digits = name.substr(0, kTimeDigits);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed.until_ms);
  parsed.holder = name.substr(kTimeDigits + 1, name.size() - kTimeDigits - 1 - kLeaseEnding.size());
  const bool is_ours =
      error == std::errc() && end == digits.data() + digits.size() && IsValidId(parsed.holder);
  return is_ours ? std::optional(std::move(parsed)) : std::nullopt;
}

Status ForEachLease(
    Repository& repository,
    const std::function<Status(const LeaseName& name, const cloud::ObjectInfo& info)>& visit) {
  const std::string prefix = LeasesPrefix(repository.location().prefix);
  return cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return repository.store().ListObjects(repository.location().bucket, prefix, token);
      },
      [&](cloud::ObjectInfo&& info) -> Status {
        const auto name = ParseName(std::string_view(info.ref.name).substr(prefix.size()));
        return name ? visit(*name, info) : Ok();
      });
}

// The backups whose deletion has begun.
Result<std::set<std::string>> BeingRemoved(Repository& repository) {
  std::set<std::string> backups;
  const std::string prefix = IntentsPrefix(repository.location().prefix);
  HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return repository.store().ListObjects(repository.location().bucket, prefix, token);
      },
      [&](cloud::ObjectInfo&& info) -> Status {
        std::string_view name = std::string_view(info.ref.name).substr(prefix.size());
        if (!name.ends_with(kLeaseEnding)) return Ok();
        name.remove_suffix(kLeaseEnding.size());
        backups.emplace(name);
        return Ok();
      }));
  return backups;
}

// Deletes the holder's leases but for the one of that name.
Status DeleteOthers(Repository& repository, const std::string& holder, std::string_view keep) {
  return ForEachLease(repository,
                      [&](const LeaseName& name, const cloud::ObjectInfo& info) -> Status {
                        if (name.holder != holder || info.ref.name == keep) return Ok();
                        return repository.store().DeleteObject(info.ref);
                      });
}

Result<std::vector<std::string>> BackupsIn(const std::string& text) {
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  const Json* backups = FindField(json, "backups");
  std::vector<std::string> ids;
  if (backups == nullptr || !backups->is_array()) {
    return MakeError(ErrorId::kInvalidJson, "\"backups\" is not a list");
  }
  for (const Json& backup : *backups) {
    if (!backup.is_string()) {
      return MakeError(ErrorId::kInvalidJson, "\"backups\" holds more than texts");
    }
    ids.push_back(backup.get<std::string>());
  }
  return ids;
}

}  // namespace

Status TakeLease(Repository& repository, const Lease& lease) {
  const cloud::ObjectRef name{repository.location().bucket, NameOf(repository, lease), 0};
  const Json json = {{"holder", lease.holder},
                     {"until", FormatTimestamp(FromUnixMillis(lease.until_ms))},
                     {"backups", lease.backups}};
  HF_RETURN_IF_ERROR(cloud::CreateObjectFromString(repository.store(), name, DumpPrettyJson(json)));
  HF_RETURN_IF_ERROR(DeleteOthers(repository, lease.holder, name.name));
  // Only now: see the head of the header.
  HF_ASSIGN_OR_RETURN(const auto going, BeingRemoved(repository));
  const auto lost = std::ranges::find_if(
      lease.backups, [&](const std::string& backup) { return going.contains(backup); });
  if (lost == lease.backups.end()) return Ok();
  HF_RETURN_IF_ERROR(EndLease(repository, lease.holder));
  return MakeError(ErrorId::kBackupBeingRemoved,
                   fmt::format("the deletion of backup {} has begun", *lost));
}

Status EndLease(Repository& repository, const std::string& holder) {
  return DeleteOthers(repository, holder, "");
}

Result<std::set<std::string>> LeasedBackups(Repository& repository, Timestamp now) {
  const int64_t since_ms = ToUnixMillis(now - kLeaseClockMargin);
  std::set<std::string> held;
  HF_RETURN_IF_ERROR(
      ForEachLease(repository, [&](const LeaseName& name, const cloud::ObjectInfo& info) -> Status {
        if (name.until_ms < since_ms) return Ok();
        const auto text = cloud::ReadObjectToString(repository.store(), info.ref, kLeaseBytesMax);
        // It was given back meanwhile.
        if (!text.ok() && text.error().code == Code::kNotFound) return Ok();
        if (!text.ok()) return text.error();
        auto backups = BackupsIn(*text);
        if (!backups.ok()) return backups.error().WithContext(info.ref.Uri());
        held.insert(backups->begin(), backups->end());
        return Ok();
      }));
  return held;
}

}  // namespace holdfast::repository
