// AuditLog: who did what, in a chain that shows when an entry was changed or taken out.
//
// Append-only. Each entry's hash covers the hash before it and the entry's canonical JSON:
// H(i) = SHA-256(H(i-1) || canonical(entry i)). The last hash, kept elsewhere, proves the whole:
// each run and prune keeps it in the repositories (verify/audit_anchor.h).
// Thread-safe; other processes may append to the same log. Source: google-semantics "Controls".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cloud/page.h"

namespace holdfast::catalog {

// What happened; never a secret.
struct AuditEvent {
  int64_t at_ms = 0;
  std::string actor;    // "cli:alice", "server:key-3", "schedule"
  std::string action;   // "backup.run", "restore.apply"
  std::string subject;  // the run, backup or table
  Json detail = Json::object();
};

struct AuditEntry {
  int64_t sequence = 0;  // 1, 2, 3 without a gap
  AuditEvent event;
  std::string hash;  // 64 hexadecimal digits
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // Appends an event; returns it with its place in the chain. Not idempotent: twice is two entries.
  virtual Result<AuditEntry> AppendAudit(const AuditEvent& event) = 0;

  // Entries after `sequence`, in order; at most 1,000.
  virtual Result<std::vector<AuditEntry>> ListAudit(int64_t sequence) = 0;

  // The entry that is the last; nullopt: there is none.
  virtual Result<std::optional<AuditEntry>> LastAudit() = 0;
};

// The hash of an entry that follows one of hash `previous` (empty for the first).
std::string AuditHash(const std::string& previous, int64_t sequence, const AuditEvent& event);

// What is known elsewhere of an entry, from when it was the last (verify/audit_anchor.h).
struct AuditAnchor {
  int64_t sequence = 0;  // at least 1
  std::string hash;
  std::string place;  // where it is kept, for people

  auto operator<=>(const AuditAnchor&) const = default;
};

// A chain that was read and found whole.
struct AuditChain {
  int64_t entries = 0;
  std::string last_hash;  // empty when there is none
  int64_t anchored = 0;   // the newest entry that an anchor is of: up to it nothing was changed
};

// Reads the whole chain again. `includes`, if not empty, is the hash that some entry had when it
// was the last: that shows whether the end was cut off, or all of it written anew. `anchors`, in
// order, show the same and where. Errors: kAuditChainBroken naming the first entry that does not
// follow from the one before, that is not the one of an anchor, or that is missing at the end; or
// that no entry has that hash.
Result<AuditChain> VerifyAuditChain(AuditLog& log, const std::string& includes = {},
                                    const std::vector<AuditAnchor>& anchors = {});

}  // namespace holdfast::catalog
