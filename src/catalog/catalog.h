// Catalog: the rebuildable index over repositories, the ledgers of losses, of runs and of quotas,
// and the audit log.
//
// One store implements all of them; code asks for the part that it needs. Source: DESIGN §1.4.
#pragma once

#include <string>

#include "catalog/audit_log.h"
#include "catalog/backup_index.h"
#include "catalog/loss_ledger.h"
#include "catalog/quota_ledger.h"
#include "catalog/run_ledger.h"

namespace holdfast::catalog {

class Catalog : public BackupIndex,
                public LossLedger,
                public RunLedger,
                public QuotaLedger,
                public AuditLog {
 public:
  // 16 hexadecimal digits, chosen when the catalog was made: no two catalogs have the same. Errors:
  // as of RunLedger.
  virtual Result<std::string> Id() = 0;
};

}  // namespace holdfast::catalog
