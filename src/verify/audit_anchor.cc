#include "verify/audit_anchor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/log.h"
#include "cloud/page.h"

namespace holdfast::verify {

namespace {

constexpr size_t kAnchorsMax = 100'000;
constexpr size_t kSequenceDigits = 12;  // so that names are in order
constexpr size_t kHashDigits = 64;

struct NamedAnchor {
  std::string catalog;
  catalog::AuditAnchor anchor;
};

std::string AnchorId(const std::string& catalog, const catalog::AuditEntry& entry) {
  return fmt::format("{}-{:0{}}-{}", catalog, entry.sequence, kSequenceDigits, entry.hash);
}

// nullopt: it is not of this form.
std::optional<NamedAnchor> ParseAnchorId(const std::string& id) {
  constexpr size_t kEndSize = 1 + kSequenceDigits + 1 + kHashDigits;
  if (id.size() <= kEndSize) return std::nullopt;
  const std::string_view end = std::string_view(id).substr(id.size() - kEndSize);
  const std::string_view digits = end.substr(1, kSequenceDigits);
  NamedAnchor named{.catalog = id.substr(0, id.size() - kEndSize),
                    .anchor = {.hash = std::string(end.substr(kSequenceDigits + 2)), .place = {}}};
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), named.anchor.sequence);
  const bool is_number = error == std::errc() && stop == digits.data() + digits.size();
  if (!is_number || named.anchor.sequence < 1 || end[0] != '-' || end[kSequenceDigits + 1] != '-') {
    return std::nullopt;
  }
  return named;
}

std::string PlaceText(const repository::Location& location) {
  return "gs://" + location.bucket + (location.prefix.empty() ? "" : "/" + location.prefix);
}

Result<std::set<repository::Location>> RepositoriesOfBackups(catalog::Catalog& catalog) {
  std::set<repository::Location> locations;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups({}, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        locations.insert({std::move(record.bucket), std::move(record.prefix)});
        return Ok();
      }));
  return locations;
}

Status ReadAnchors(repository::Repository& repository, const std::string& catalog,
                   FoundAnchors& found) {
  std::vector<catalog::AuditAnchor> anchors;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<repository::EvidenceEntry>(
      [&](const std::string& token) {
        return repository.ListEvidence(repository::kAuditEvidence, token);
      },
      [&](repository::EvidenceEntry&& entry) -> Status {
        auto named = ParseAnchorId(entry.id);
        if (!named) return Ok();
        if (named->catalog != catalog) {
          int64_t& newest = found.of_others[named->catalog];
          newest = std::max(newest, named->anchor.sequence);
          return Ok();
        }
        if (anchors.size() == 2 * kAnchorsMax) {
          anchors.erase(anchors.begin(), anchors.begin() + kAnchorsMax);
        }
        named->anchor.place = PlaceText(repository.location());
        anchors.push_back(std::move(named->anchor));
        return Ok();
      }));
  const size_t old = anchors.size() - std::min(anchors.size(), kAnchorsMax);
  found.anchors.insert(found.anchors.end(), anchors.begin() + static_cast<int64_t>(old),
                       anchors.end());
  ++found.repositories;
  return Ok();
}

}  // namespace

Status WriteAuditAnchor(catalog::Catalog& catalog, repository::Repository& repository) {
  HF_ASSIGN_OR_RETURN(const auto last, catalog.LastAudit());
  if (!last) return Ok();
  HF_ASSIGN_OR_RETURN(const std::string id, catalog.Id());
  const Status written = repository.WriteEvidence(
      repository::kAuditEvidence, AnchorId(id, *last),
      {{"catalog", id}, {"sequence", last->sequence}, {"hash", last->hash}});
  if (!written.ok() && written.error().id == ErrorId::kObjectExists) return Ok();
  return written;
}

void LeaveAuditAnchor(catalog::Catalog& catalog, repository::Repository& repository) {
  const Status written = WriteAuditAnchor(catalog, repository);
  if (written.ok()) return;
  LogWarning("audit anchor was not written",
             {{"bucket", repository.location().bucket}, {"error", written.error().message}});
}

Result<FoundAnchors> FindAuditAnchors(catalog::Catalog& catalog, cloud::ObjectStore& store) {
  HF_ASSIGN_OR_RETURN(const std::string id, catalog.Id());
  HF_ASSIGN_OR_RETURN(const auto locations, RepositoriesOfBackups(catalog));
  FoundAnchors found;
  for (const repository::Location& location : locations) {
    auto repository = repository::Repository::Open(store, location);
    const Status read = repository.ok() ? ReadAnchors(*repository, id, found)
                                        : Status(std::move(repository).error());
    if (!read.ok()) found.unread.push_back(read.error().WithContext(PlaceText(location)));
  }
  std::ranges::sort(found.anchors);
  return found;
}

}  // namespace holdfast::verify
