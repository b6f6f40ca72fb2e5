#include "restore/plan_lease.h"

#include <fmt/format.h>

#include "base/log.h"
#include "repository/leases.h"

namespace holdfast::restore {

PlanLease PlanLease::Of(const RestorePlan& plan, std::string holder, const Services& services) {
  PlanLease lease(services, std::move(holder));
  for (const TableRestore& table : plan.tables) {
    if (table.finished) continue;
    for (const catalog::BackupRecord& backup : table.backups) {
      lease.Add(backup);
    }
  }
  return lease;
}

Result<PlanLease> PlanLease::Begin(PlanLease lease) {
  const Status taken = lease.TakeAll();
  if (taken.ok()) return lease;
  lease.End();
  return taken.error();
}

Result<PlanLease> PlanLease::Take(const RestorePlan& plan, const Services& services) {
  return Begin(Of(plan, plan.key, services));
}

Result<PlanLease> PlanLease::TakeForFile(const RestorePlan& plan, const Services& services) {
  return Begin(OfFile(plan, services));
}

PlanLease PlanLease::OfFile(const RestorePlan& plan, const Services& services) {
  return Of(plan, plan.id, services);
}

void PlanLease::Add(const catalog::BackupRecord& backup) {
  const repository::Location own{backup.bucket, backup.prefix};
  Held& held = held_[own];
  held.backups.push_back(backup.backup);
  held.is_read_first = true;
  if (!services_->further_places) return;
  for (const repository::Location& place :
       services_->further_places(backup.object, backup.location)) {
    if (place != own) held_[place].backups.push_back(backup.backup);
  }
}

Status PlanLease::TakeAll() {
  const Timestamp now = services_->clock.Now();
  renew_at_ = now + kLeaseTime / 2;
  notes_.clear();
  for (const auto& [location, held] : held_) {
    auto repository = repository::Repository::Open(services_->objects, location);
    Status taken = repository.ok() ? repository::TakeLease(
                                         *repository, {.holder = holder_,
                                                       .until_ms = ToUnixMillis(now + kLeaseTime),
                                                       .backups = held.backups})
                                   : Status(repository.error());
    if (taken.ok()) continue;
    const ErrorId id = taken.error().id;
    const bool is_lost = held.is_read_first && id == ErrorId::kBackupBeingRemoved;
    if (is_lost || taken.error().code == Code::kCancelled) return taken.error();
    // Of one that is gone, the copies in further repositories are read, and no prune deletes here.
    if (taken.error().code == Code::kNotFound) continue;
    if (!held.is_read_first) {
      LogWarning("copies of the backups are not held against a prune meanwhile",
                 {{"repository", location.Uri()}, {"error", taken.error().message}});
      continue;
    }
    notes_.push_back(fmt::format("the backups in {} are not held against a prune meanwhile: {}",
                                 location.Uri(), taken.error().message));
  }
  return Ok();
}

Status PlanLease::Renew() { return services_->clock.Now() < renew_at_ ? Ok() : TakeAll(); }

void PlanLease::End() {
  for (const auto& [location, held] : held_) {
    auto repository = repository::Repository::Open(services_->objects, location);
    if (!repository.ok()) continue;
    const Status ended = repository::EndLease(*repository, holder_);
    if (!ended.ok()) {
      LogWarning("a lease was not given back; it ends by itself",
                 {{"repository", location.Uri()}, {"error", ended.error().message}});
    }
  }
}

}  // namespace holdfast::restore
