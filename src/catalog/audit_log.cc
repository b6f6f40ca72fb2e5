#include "catalog/audit_log.h"

#include <fmt/format.h>

#include <span>

#include "base/hash.h"

namespace holdfast::catalog {

std::string AuditHash(const std::string& previous, int64_t sequence, const AuditEvent& event) {
  const Json canonical = {{"sequence", sequence},     {"at_ms", event.at_ms},
                          {"actor", event.actor},     {"action", event.action},
                          {"subject", event.subject}, {"detail", event.detail}};
  return Sha256Hex(previous + DumpJson(canonical));
}

namespace {

// Walks along the anchors with the chain.
class AnchorComparison {
 public:
  explicit AnchorComparison(const std::vector<AuditAnchor>& anchors) : next_(anchors) {}

  Status Take(int64_t sequence, const std::string& hash) {
    // Two of one entry that differ: only one of them can fit.
    const size_t before = next_.size();
    for (; !next_.empty() && next_.front().sequence <= sequence; next_ = next_.subspan(1)) {
      if (next_.front().hash != hash) {
        return MakeError(ErrorId::kAuditChainBroken,
                         fmt::format("audit entry {} is not the one that {} tells of: the log was "
                                     "written anew after entry {}, the last that is proven",
                                     sequence, next_.front().place, proven_));
      }
    }
    if (next_.size() < before) proven_ = sequence;
    return Ok();
  }

  // After the last entry.
  Result<int64_t> Finish(int64_t entries) const {
    if (next_.empty()) return proven_;
    const AuditAnchor& newest = next_.back();
    return MakeError(
        ErrorId::kAuditChainBroken,
        fmt::format("the audit log ends with entry {}, and {} tells of entry {}: "
                    "entries {} to {} are missing, as when the end was cut off or an "
                    "older copy of the catalog was put back",
                    entries, newest.place, newest.sequence, entries + 1, newest.sequence));
  }

 private:
  std::span<const AuditAnchor> next_;
  int64_t proven_ = 0;
};

}  // namespace

Result<AuditChain> VerifyAuditChain(AuditLog& log, const std::string& includes,
                                    const std::vector<AuditAnchor>& anchors) {
  AnchorComparison comparison(anchors);
  std::string hash;
  int64_t sequence = 0;
  bool included = includes.empty();
  while (true) {
    HF_ASSIGN_OR_RETURN(const std::vector<AuditEntry> entries, log.ListAudit(sequence));
    if (entries.empty()) break;
    for (const AuditEntry& entry : entries) {
      const std::string expected = AuditHash(hash, sequence + 1, entry.event);
      if (entry.sequence != sequence + 1 || entry.hash != expected) {
        return MakeError(
            ErrorId::kAuditChainBroken,
            fmt::format("audit entry {} does not follow from the one before it", sequence + 1));
      }
      sequence = entry.sequence;
      hash = entry.hash;
      included = included || hash == includes;
      HF_RETURN_IF_ERROR(comparison.Take(sequence, hash));
    }
  }
  if (!included) {
    return MakeError(ErrorId::kAuditChainBroken,
                     fmt::format("none of the {} entries has the hash {}: the end of the log was "
                                 "cut off, or all of it written anew",
                                 sequence, includes));
  }
  HF_ASSIGN_OR_RETURN(const int64_t anchored, comparison.Finish(sequence));
  return AuditChain{.entries = sequence, .last_hash = std::move(hash), .anchored = anchored};
}

}  // namespace holdfast::catalog
