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

Result<std::string> VerifyAuditChain(AuditLog& log) {
  std::string hash;
  int64_t sequence = 0;
  while (true) {
    HF_ASSIGN_OR_RETURN(const std::vector<AuditEntry> entries, log.ListAudit(sequence));
    if (entries.empty()) return hash;
    for (const AuditEntry& entry : entries) {
      const std::string expected = AuditHash(hash, sequence + 1, entry.event);
      if (entry.sequence != sequence + 1 || entry.hash != expected) {
        return MakeError(
            ErrorId::kAuditChainBroken,
            fmt::format("audit entry {} does not follow from the one before it", sequence + 1));
      }
      sequence = entry.sequence;
      hash = entry.hash;
    }
  }
}

}  // namespace holdfast::catalog
