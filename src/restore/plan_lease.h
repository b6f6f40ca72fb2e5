// The hold of a restore on its backups: leases in their repositories while a plan is applied.
//
// A restore that died leaves its leases, which the same command takes over, or which end by
// themselves. Where the repository takes no lease from who restores, as one that may only be read,
// the restore goes on and says so. One thread. Source: DESIGN §2 "pin".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "repository/layout.h"
#include "restore/plan.h"
#include "restore/services.h"

namespace holdfast::restore {

// How long a lease lasts that is not renewed: the longest that a restore may stand still.
inline constexpr Duration kLeaseTime = std::chrono::hours{24} * 7;

class PlanLease {
 public:
  // Takes a lease for all backups of the plan that are still to be restored, and for their copies
  // in further repositories, which are read where a backup is lost meanwhile. Borrows the services.
  // kBackupBeingRemoved when a prune has begun to delete one of them: then nothing is held; other
  // errors are notes, or of copies logged.
  static Result<PlanLease> Take(const RestorePlan& plan, const Services& services);

  // The same for a plan that is kept in a file (RestorePlan::id), until it is applied; and that
  // lease as it was taken, to be given back.
  static Result<PlanLease> TakeForFile(const RestorePlan& plan, const Services& services);
  static PlanLease OfFile(const RestorePlan& plan, const Services& services);

  // Takes them anew when half of their time is over: to be asked now and then.
  Status Renew();

  // Gives them back. What cannot be given back is logged: it ends by itself.
  void End();

  // What is not held, and why: for the report.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  // What is held in one repository.
  struct Held {
    std::vector<std::string> backups;
    bool is_read_first = false;  // the catalog has one of them here; else all are copies
  };

  PlanLease(const Services& services, std::string holder)
      : services_(&services), holder_(std::move(holder)) {}
  void Add(const catalog::BackupRecord& backup);
  static PlanLease Of(const RestorePlan& plan, std::string holder, const Services& services);
  static Result<PlanLease> Begin(PlanLease lease);
  Status TakeAll();

  const Services* services_;
  std::string holder_;
  std::map<repository::Location, Held> held_;
  std::vector<std::string> notes_;
  Timestamp renew_at_;
};

}  // namespace holdfast::restore
