#include "backup/dataset_scan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "backup/intact_backups.h"
#include "backup/scan_plan.h"
#include "backup/table_policy.h"
#include "base/log.h"
#include "base/retry.h"

namespace holdfast::backup {

namespace {

constexpr int kRestartsMax = 5;

DatasetInfo InfoOf(const CheckProjectTables& message) {
  DatasetInfo info;
  info.ref = {message.project_to_check, message.piece.dataset};
  info.location = message.piece.location;
  if (!message.piece.labels.empty()) info.resource["labels"] = message.piece.labels;
  return info;
}

// The partitions of a range of tables, asked for once the first of them is needed and read on as
// they are: a page and one table's in memory.
class RangePartitions {
 public:
  RangePartitions(cloud::Warehouse& warehouse, DatasetRef dataset, std::string last_table)
      : warehouse_(warehouse), dataset_(std::move(dataset)), last_table_(std::move(last_table)) {}

  // Of one table; empty: it has none, or they are not told in bulk. Tables are asked for in order.
  Result<std::vector<PartitionInfo>> Of(const std::string& table) {
    std::vector<PartitionInfo> found;
    if (!begun_) HF_RETURN_IF_ERROR(ReadPage(table));
    while (true) {
      for (; at_ < page_.items.size(); ++at_) {
        PartitionInfo& next = page_.items[at_];
        if (next.ref.table > table) return found;
        if (next.ref.table == table) found.push_back(std::move(next));
      }
      if (page_.next_page_token.empty()) return found;
      const std::string token = page_.next_page_token;
      HF_RETURN_IF_ERROR(ReadPage(first_table_));
      HF_RETURN_IF_ERROR(CheckNextToken(token, page_.next_page_token));
    }
  }

 private:
  Status ReadPage(const std::string& first_table) {
    first_table_ = first_table;
    HF_ASSIGN_OR_RETURN(auto page, warehouse_.ListPartitionsInRange(
                                       dataset_, first_table_, last_table_, page_.next_page_token));
    page_ = page ? *std::move(page) : cloud::Page<PartitionInfo>();
    begun_ = true;
    at_ = 0;
    return Ok();
  }

  cloud::Warehouse& warehouse_;
  DatasetRef dataset_;
  std::string first_table_;
  std::string last_table_;
  cloud::Page<PartitionInfo> page_;
  size_t at_ = 0;
  bool begun_ = false;
};

class DatasetScan {
 public:
  DatasetScan(const CheckProjectTables& message, const StageContext& context,
              const Services& services, const ScanLimits& limits)
      : message_(message),
        context_(context),
        services_(services),
        limits_(limits),
        info_(InfoOf(message)),
        now_ms_(ToUnixMillis(services.clock.Now())),
        policies_(message, context, services),
        intact_(context, services, info_.ref, info_.location),
        after_(message.after) {}

  Result<StageResult> Run() {
    HF_RETURN_IF_ERROR(
        Settle({.project = info_.ref.project, .dataset = info_.ref.dataset},
               message_.piece.routines ? ScanRoutines(message_.page_token) : ScanTables()));
    return std::move(result_);
  }

 private:
  const BackupPolicy& policy() const { return context_.run.policy; }

  // Records that something could not be looked at; an error that may pass is left to a retry.
  Status Settle(const TableRef& object, Status status) {
    if (status.ok()) return Ok();
    if (IsInterrupted(status.error())) return status;
    if (IsRetryable(status.error()) && !context_.is_last_attempt) return status;
    result_.outcomes.push_back(FailedOutcome(object, status.error()));
    return Ok();
  }

  // What was found since the task began.
  size_t Items() const { return units_ + result_.outcomes.size(); }

  CheckProjectTables Next(std::string token, std::string after) const {
    CheckProjectTables next = message_;
    next.page_token = std::move(token);
    next.after = std::move(after);
    return next;
  }

  CheckProjectTables Routines(std::string token) const {
    CheckProjectTables next = Next(std::move(token), "");
    next.piece.routines = true;
    return next;
  }

  Status ScanTables() {
    std::string token = message_.page_token;
    size_t tables = 0;
    do {
      HF_RETURN_IF_ERROR(context_.keep_alive());
      auto page = services_.warehouse.ListTables(info_.ref, token);
      if (!page.ok()) {
        if (!IsRefusedToken(page.error(), token)) return page.error();
        return AddRestart(message_, after_, page.error(), result_);
      }
      tables += page->items.size();
      HF_ASSIGN_OR_RETURN(const bool is_done, ScanPage(page->items));
      if (!is_done) {
        result_.follow_ups.emplace_back(Next(token, after_));
        return Ok();
      }
      HF_RETURN_IF_ERROR(CheckNextToken(token, page->next_page_token));
      token = std::move(page->next_page_token);
    } while (!token.empty() && tables < limits_.tables && Items() < limits_.items);
    if (!token.empty()) {
      result_.follow_ups.emplace_back(Next(std::move(token), after_));
      return Ok();
    }
    return ScanRest();
  }

  // Behind the last table: the dataset itself, then its routines.
  Status ScanRest() {
    const TableRef itself = DatasetObject(info_.ref);
    if (policy().scope.CoversTable(itself)) {
      HF_RETURN_IF_ERROR(EnterDataset({}));
      HF_RETURN_IF_ERROR(Settle(itself, LookAtDataset(itself)));
    }
    return policy().scope.MayCoverRoutines(info_.ref) ? ScanRoutines("") : Ok();
  }

  // Of a listing that begins anew what was looked at is left out. False: it was left in the middle,
  // behind `after_`.
  Result<bool> ScanPage(std::vector<TableSummary>& page) {
    std::erase_if(page, [&](const TableSummary& table) {
      return (!after_.empty() && table.ref.table <= after_) ||
             !policy().scope.CoversTable(table.ref);
    });
    std::vector<std::string> names;
    names.reserve(page.size());
    for (const TableSummary& table : page) names.push_back(table.ref.table);
    if (!names.empty()) HF_RETURN_IF_ERROR(EnterDataset(names));
    for (size_t at = 0; at < page.size();) {
      if (Items() >= limits_.items) return false;
      HF_ASSIGN_OR_RETURN(const size_t known,
                          intact_.Load(std::span(names).subspan(at), limits_.items));
      partitions_.emplace(services_.warehouse, info_.ref, names[at + known - 1]);
      for (const size_t end = at + known; at < end; ++at) {
        if (Items() >= limits_.items) return false;
        HF_RETURN_IF_ERROR(context_.keep_alive());
        HF_RETURN_IF_ERROR(ScanTable(page[at]));
        after_ = page[at].ref.table;
      }
    }
    return true;
  }

  // `names`: of the tables that are asked for next, in order.
  Status EnterDataset(const std::vector<std::string>& names) {
    if (names.empty()) return policies_.EnterDataset(info_, NameRange{"", ""});
    return policies_.EnterDataset(info_, NameRange{names.front(), names.back()});
  }

  // Pages of routines have no order that could be relied on: one that begins anew finds the tasks
  // and outcomes of the first time.
  Status ScanRoutines(std::string token) {
    HF_RETURN_IF_ERROR(EnterDataset({}));
    do {
      HF_RETURN_IF_ERROR(context_.keep_alive());
      auto page = services_.definitions.ListRoutines(info_.ref, token);
      if (!page.ok()) {
        if (!IsRefusedToken(page.error(), token)) return page.error();
        return AddRestart(Routines(""), "", page.error(), result_);
      }
      HF_RETURN_IF_ERROR(ScanRoutinePage(page->items));
      HF_RETURN_IF_ERROR(CheckNextToken(token, page->next_page_token));
      token = std::move(page->next_page_token);
    } while (!token.empty() && Items() < limits_.items);
    if (token.empty()) return Ok();
    result_.follow_ups.emplace_back(Routines(std::move(token)));
    return Ok();
  }

  Status ScanRoutinePage(const std::vector<cloud::RoutineInfo>& page) {
    std::vector<std::string> names;
    for (const cloud::RoutineInfo& routine : page) {
      const TableRef object = RoutineObject(info_.ref, routine.routine);
      if (policy().scope.CoversTable(object)) names.push_back(object.table);
    }
    std::ranges::sort(names);
    // A routine has one backup that is the newest: a page of them is bounded.
    if (!names.empty()) HF_RETURN_IF_ERROR(intact_.Load(names, names.size() + 1));
    for (const cloud::RoutineInfo& routine : page) {
      HF_RETURN_IF_ERROR(context_.keep_alive());
      const TableRef object = RoutineObject(info_.ref, routine.routine);
      if (!policy().scope.CoversTable(object)) continue;
      HF_RETURN_IF_ERROR(Settle(object, ScanRoutine(object, routine)));
    }
    return Ok();
  }

  // A listing tells when a routine was changed, and not its body.
  Status ScanRoutine(const TableRef& object, const cloud::RoutineInfo& listed) {
    HF_ASSIGN_OR_RETURN(const auto table_policy, PolicyOf(object));
    if (!table_policy) return Ok();
    HF_ASSIGN_OR_RETURN(const LastBackups last, intact_.Of(object, table_policy->policy));
    const TableSummary summary{.ref = object,
                               .creation_ms = listed.creation_ms,
                               .last_modified_ms = listed.last_modified_ms};
    if (auto settled = PlanDefinitionFromSummary(summary, ObjectKind::kRoutine, last,
                                                 table_policy->policy, now_ms_)) {
      settled->note = table_policy->note;
      result_.outcomes.push_back(*std::move(settled));
      return Ok();
    }
    const auto routine = services_.definitions.GetRoutine(object.dataset_ref(), listed.routine);
    if (!routine.ok()) {
      if (routine.error().id != ErrorId::kRoutineNotFound) return routine.error();
      AddVanished(object);
      return Ok();
    }
    Add(object,
        PlanDefinition(object, ObjectKind::kRoutine, FingerprintOfDefinition(routine->resource),
                       last),
        *table_policy);
    return Ok();
  }

  void AddVanished(const TableRef& object) {
    result_.outcomes.push_back({.object = object,
                                .outcome = Outcome::kVanished,
                                .reason = "was listed, then dropped before it could be read"});
  }

  // The dataset's own definition. A listing tells neither its access nor when it was changed.
  Status LookAtDataset(const TableRef& itself) {
    HF_ASSIGN_OR_RETURN(const auto table_policy, PolicyOf(itself));
    if (!table_policy) return Ok();
    HF_ASSIGN_OR_RETURN(const DatasetInfo info,
                        services_.warehouse.GetDataset(itself.dataset_ref()));
    HF_ASSIGN_OR_RETURN(const LastBackups last, intact_.Of(itself, table_policy->policy));
    Add(itself,
        PlanDefinition(itself, ObjectKind::kDataset, FingerprintOfDefinition(info.resource), last),
        *table_policy);
    return Ok();
  }

  void Add(const TableRef& object, TablePlan plan, const TablePolicy& table_policy) {
    for (ItemOutcome& outcome : plan.outcomes) {
      outcome.note = table_policy.note;
      result_.outcomes.push_back(std::move(outcome));
    }
    units_ += plan.units.size();
    const RunBackup message{.run = context_.run.id,
                            .table_to_backup = object.WholeTable(),
                            .method = plan.method,
                            .units = {},
                            .policy = table_policy.patch,
                            .note = table_policy.note};
    std::ranges::move(MessagesFor(message, plan.units, kUnitsPerMessage),
                      std::back_inserter(result_.follow_ups));
  }

  // What is to be done with the object; nullopt: it is settled, being excluded or not due.
  Result<std::optional<TablePolicy>> PolicyOf(const TableRef& object) {
    HF_ASSIGN_OR_RETURN(TablePolicy found, policies_.Of(object));
    if (!found.settled) return std::optional(std::move(found));
    result_.outcomes.push_back(*std::move(found.settled));
    return std::optional<TablePolicy>();
  }

  Status ScanTable(const TableSummary& summary) {
    const auto table_policy = PolicyOf(summary.ref);
    if (!table_policy.ok()) return Settle(summary.ref, table_policy.error());
    if (!*table_policy) return Ok();
    return ScanUnder(summary, **table_policy);
  }

  Status ScanUnder(const TableSummary& summary, const TablePolicy& table_policy) {
    HF_ASSIGN_OR_RETURN(const LastBackups last, intact_.Of(summary.ref, table_policy.policy));
    if (auto settled = PlanFromSummary(summary, last, table_policy.policy, now_ms_)) {
      settled->note = table_policy.note;
      result_.outcomes.push_back(*std::move(settled));
      return Ok();
    }
    const auto settled = SettleByPartitions(summary, last, table_policy);
    if (!settled.ok()) return Settle(summary.ref, settled.error());
    if (*settled) return Ok();
    return Settle(summary.ref, LookAtTable(summary.ref, last, table_policy));
  }

  // Whether the bulk listing of partitions tells that none of the table's changed.
  Result<bool> SettleByPartitions(const TableSummary& summary, const LastBackups& last,
                                  const TablePolicy& table_policy) {
    const bool has_partitions =
        std::ranges::any_of(last, [](const auto& entry) { return !entry.first.empty(); });
    if (!has_partitions || summary.kind != TableKind::kTable) return false;
    const auto partitions = partitions_->Of(summary.ref.table);
    if (!partitions.ok()) {
      const bool may_pass = IsInterrupted(partitions.error()) || IsRetryable(partitions.error());
      // What cannot be told in bulk is asked of the table.
      return may_pass ? Result<bool>(partitions.error()) : Result<bool>(false);
    }
    auto outcomes = PlanFromPartitions(summary, *partitions, last, table_policy.policy, now_ms_);
    if (!outcomes) return false;
    for (ItemOutcome& outcome : *outcomes) {
      outcome.note = table_policy.note;
      result_.outcomes.push_back(std::move(outcome));
    }
    return true;
  }

  Status LookAtTable(const TableRef& table, const LastBackups& last,
                     const TablePolicy& table_policy) {
    const auto info = services_.warehouse.GetTable(table);
    if (!info.ok()) {
      if (info.error().code != Code::kNotFound) return info.error();
      AddVanished(table);
      return Ok();
    }
    std::vector<PartitionInfo> partitions;
    // The partitions of a materialized view are not ours to back up.
    if (info->kind == TableKind::kTable && info->partitioning.kind != Partitioning::Kind::kNone) {
      HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
          [&](const std::string& token) {
            return services_.warehouse.ListPartitions(table, token);
          },
          [&](PartitionInfo&& partition) -> Status {
            partitions.push_back(std::move(partition));
            return context_.keep_alive();
          }));
    }
    Add(table, PlanTable(*info, partitions, last, table_policy.policy, now_ms_), table_policy);
    return Ok();
  }

  const CheckProjectTables& message_;
  const StageContext& context_;
  const Services& services_;
  const ScanLimits& limits_;
  const DatasetInfo info_;  // as the project's listing told it
  int64_t now_ms_;
  ProjectPolicies policies_;
  IntactBackups intact_;
  std::optional<RangePartitions> partitions_;  // of the group that is looked at
  std::string after_;                          // the last table that was looked at
  size_t units_ = 0;
  StageResult result_;
};

}  // namespace

Result<StageResult> ScanDatasetPiece(const CheckProjectTables& message, const StageContext& context,
                                     const Services& services, const ScanLimits& limits) {
  return DatasetScan(message, context, services, limits).Run();
}

bool IsRefusedToken(const Error& error, const std::string& token) {
  return !token.empty() && !IsInterrupted(error) && !IsRetryable(error) &&
         error.code != Code::kPermissionDenied && error.code != Code::kUnauthenticated &&
         error.id != ErrorId::kPageTokenRepeated;
}

Status AddRestart(const CheckProjectTables& message, const std::string& after, const Error& refused,
                  StageResult& result) {
  if (message.restarts >= kRestartsMax) return refused;
  LogInfo("a listing is begun anew: its page token is not taken any more",
          {{"project", message.project_to_check},
           {"dataset", message.piece.dataset},
           {"error", refused.message}});
  CheckProjectTables next = message;
  next.page_token.clear();
  next.after = after;
  ++next.restarts;
  result.follow_ups.emplace_back(std::move(next));
  return Ok();
}

Status CheckNextToken(const std::string& token, const std::string& next) {
  if (token.empty() || token != next) return Ok();
  return MakeError(ErrorId::kPageTokenRepeated, "the service gave the same page token twice");
}

}  // namespace holdfast::backup
