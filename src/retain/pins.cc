#include "retain/pins.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "model/ids.h"
#include "repository/leases.h"
#include "retain/tombstones.h"

namespace holdfast::retain {

namespace {

constexpr size_t kPinnedBackupsMax = 1'000'000;
constexpr size_t kIdBytes = 8;
constexpr size_t kPinsReadMax = 100;
constexpr int64_t kPinBytesMax = 64 * 1024;

std::string PinsPrefix(const repository::Repository& repository, std::string_view backup) {
  return repository::PinsPrefix(repository.location().prefix, backup);
}

// The backup and kind that a name behind PinsPrefix tells of; nullopt: it is not one of ours.
std::optional<std::pair<std::string, PinKind>> ParsePinName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == name.npos || !IsValidId(name.substr(0, slash))) return std::nullopt;
  const std::string_view file = name.substr(slash + 1);
  for (const PinKind kind : {PinKind::kPin, PinKind::kHold}) {
    if (file.starts_with(fmt::format("{}-", PinKindName(kind)))) {
      return std::pair(std::string(name.substr(0, slash)), kind);
    }
  }
  return std::nullopt;
}

using PinVisitor =
    std::function<Status(const std::string& backup, PinKind kind, const cloud::ObjectInfo& info)>;

// Every pin of a backup, or of the whole repository if none is named.
Status ForEachPin(repository::Repository& repository, std::string_view backup,
                  const PinVisitor& visit) {
  const std::string prefix = PinsPrefix(repository, backup);
  const size_t behind = PinsPrefix(repository, "").size();
  return cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return repository.store().ListObjects(repository.location().bucket, prefix, token);
      },
      [&](cloud::ObjectInfo&& info) -> Status {
        const auto pin = ParsePinName(std::string_view(info.ref.name).substr(behind));
        return pin ? visit(pin->first, pin->second, info) : Ok();
      });
}

void Count(PinKind kind, PinCounts& counts) {
  ++(kind == PinKind::kPin ? counts.pins : counts.holds);
}

}  // namespace

std::string_view PinKindName(PinKind kind) { return kind == PinKind::kPin ? "pin" : "hold"; }

Status AddPin(repository::Repository& repository, const catalog::BackupRecord& record,
              const PinRequest& request, Timestamp now, Random& random) {
  const Json json = {{"kind", PinKindName(request.kind)},
                     {"backup", record.backup},
                     {"object", record.object.ToString()},
                     {"reason", request.reason},
                     {"actor", request.actor},
                     {"created", FormatTimestamp(now)}};
  const cloud::ObjectRef name{repository.location().bucket,
                              fmt::format("{}{}-{}.json", PinsPrefix(repository, record.backup),
                                          PinKindName(request.kind), RandomHex(random, kIdBytes)),
                              0};
  HF_ASSIGN_OR_RETURN(const auto pin,
                      CreateObjectFromString(repository.store(), name, DumpPrettyJson(json)));
  // Only now: see the head of the header.
  HF_ASSIGN_OR_RETURN(const bool removing, HasIntent(repository, record.backup));
  HF_ASSIGN_OR_RETURN(const bool there, repository.HasManifest(record.object, record.backup));
  if (there && !removing) return Ok();
  HF_RETURN_IF_ERROR(repository.store().DeleteObject(pin.ref));
  if (!there) {
    return MakeError(ErrorId::kManifestNotFound,
                     fmt::format("backup {} of {} is not in its repository any more", record.backup,
                                 record.object.ToString()));
  }
  return MakeError(ErrorId::kBackupBeingRemoved,
                   fmt::format("the deletion of backup {} of {} has begun", record.backup,
                               record.object.ToString()));
}

Result<int64_t> ReleasePins(repository::Repository& repository, const std::string& backup,
                            PinKind kind) {
  int64_t released = 0;
  const Status read =
      ForEachPin(repository, backup,
                 [&](const std::string&, PinKind found, const cloud::ObjectInfo& info) -> Status {
                   if (found != kind) return Ok();
                   HF_RETURN_IF_ERROR(repository.store().DeleteObject(info.ref));
                   ++released;
                   return Ok();
                 });
  HF_RETURN_IF_ERROR(read);
  return released;
}

Result<PinCounts> CountPins(repository::Repository& repository, const std::string& backup) {
  PinCounts counts;
  const Status read =
      ForEachPin(repository, backup,
                 [&](const std::string&, PinKind kind, const cloud::ObjectInfo&) -> Status {
                   Count(kind, counts);
                   return Ok();
                 });
  HF_RETURN_IF_ERROR(read);
  return counts;
}

Result<std::vector<Pin>> ReadPins(repository::Repository& repository, const std::string& backup) {
  std::vector<Pin> pins;
  HF_RETURN_IF_ERROR(
      ForEachPin(repository, backup,
                 [&](const std::string&, PinKind kind, const cloud::ObjectInfo& info) -> Status {
                   if (pins.size() == kPinsReadMax) return Ok();
                   Pin pin{.kind = kind, .reason = {}, .actor = {}, .created_ms = info.created_ms};
                   const auto text = ReadObjectToString(repository.store(), info.ref, kPinBytesMax);
                   const auto json = text.ok() ? ParseJson(*text) : Result<Json>(text.error());
                   // It was released meanwhile, or somebody else wrote it: it is a pin all the
                   // same.
                   if (json.ok() && json->is_object()) {
                     pin.reason = StringOr(*json, "reason", "");
                     pin.actor = StringOr(*json, "actor", "");
                   }
                   pins.push_back(std::move(pin));
                   return Ok();
                 }));
  return pins;
}

Result<std::map<std::string, PinCounts>> ListPins(repository::Repository& repository) {
  std::map<std::string, PinCounts> pins;
  HF_RETURN_IF_ERROR(
      ForEachPin(repository, "",
                 [&](const std::string& backup, PinKind kind, const cloud::ObjectInfo&) -> Status {
                   Count(kind, pins[backup]);
                   if (pins.size() <= kPinnedBackupsMax) return Ok();
                   return MakeError(ErrorId::kLimitExceeded,
                                    fmt::format("gs://{}: more than {} backups are pinned",
                                                repository.location().bucket, kPinnedBackupsMax));
                 }));
  return pins;
}

Result<PinCounts> CountKeepers(repository::Repository& repository, const std::string& backup,
                               Timestamp now) {
  HF_ASSIGN_OR_RETURN(PinCounts counts, CountPins(repository, backup));
  HF_ASSIGN_OR_RETURN(const auto leased, repository::LeasedBackups(repository, now));
  if (leased.contains(backup)) ++counts.pins;
  return counts;
}

Result<std::map<std::string, PinCounts>> ListKeepers(repository::Repository& repository,
                                                     Timestamp now) {
  HF_ASSIGN_OR_RETURN(auto keepers, ListPins(repository));
  HF_ASSIGN_OR_RETURN(const auto leased, repository::LeasedBackups(repository, now));
  for (const std::string& backup : leased) ++keepers[backup].pins;
  return keepers;
}

}  // namespace holdfast::retain
