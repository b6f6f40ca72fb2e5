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
  // Takes a lease for all backups of the plan that are still to be restored, for who applies it.
  // Borrows the services. kBackupBeingRemoved when a prune has begun to delete one of them; other
  // errors are notes.
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
  PlanLease(const Services& services, std::string holder)
      : services_(&services), holder_(std::move(holder)) {}
  static PlanLease Of(const RestorePlan& plan, std::string holder, const Services& services);
  Status TakeAll();

  const Services* services_;
  std::string holder_;
  std::map<repository::Location, std::vector<std::string>> backups_;
  std::vector<std::string> notes_;
  Timestamp renew_at_;
};

}  // namespace holdfast::restore
