// Catalog: the rebuildable index over repositories, the ledger of runs, and the audit log.
//
// One store implements all three; code asks for the part that it needs. Source: DESIGN §1.4.
#pragma once

#include "catalog/audit_log.h"
#include "catalog/backup_index.h"
#include "catalog/run_ledger.h"

namespace holdfast::catalog {

class Catalog : public BackupIndex, public RunLedger, public AuditLog {};

}  // namespace holdfast::catalog
