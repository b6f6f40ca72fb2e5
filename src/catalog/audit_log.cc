#include "catalog/audit_log.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace holdfast::catalog {

std::string AuditHash(const std::string& previous, int64_t sequence, const AuditEvent& event) {
  const Json canonical = {{"sequence", sequence},     {"at_ms", event.at_ms},
                          {"actor", event.actor},     {"action", event.action},
                          {"subject", event.subject}, {"detail", event.detail}};
  return Sha256Hex(previous + DumpJson(canonical));
}

Result<AuditChain> VerifyAuditChain(AuditLog& log, const std::string& includes) {
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
    }
  }
  if (!included) {
    return MakeError(ErrorId::kAuditChainBroken,
                     fmt::format("none of the {} entries has the hash {}: the end of the log was "
                                 "cut off, or all of it written anew",
                                 sequence, includes));
  }
  return AuditChain{sequence, std::move(hash)};
}

}  // namespace holdfast::catalog
