#include "backup/dataset_scan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "backup/intact_backups.h"
#include "backup/replicate.h"
#include "backup/scan_plan.h"
#include "backup/table_policy.h"
#include "base/log.h"
#include "base/retry.h"
#include "model/staged_table.h"

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

  bool IsLeftToRetry(const Error& error) const {
    return IsInterrupted(error) || (IsRetryable(error) && !context_.is_last_attempt);
  }

  // Records that something could not be looked at; an error that may pass is left to a retry.
  Status Settle(const TableRef& object, Status status) {
    if (status.ok()) return Ok();
    if (IsLeftToRetry(status.error())) return status;
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
    if (IsInScope(itself)) {
      HF_RETURN_IF_ERROR(EnterDataset({}));
      HF_RETURN_IF_ERROR(Settle(itself, LookAtDataset(itself)));
    }
    return policy().scope.MayCoverRoutines(info_.ref) ? ScanRoutines("") : Ok();
  }

  // Of a listing that begins anew what was looked at is left out. False: it was left in the middle,
  // behind `after_`; at least one table was looked at, so the next piece gets on.
  Result<bool> ScanPage(std::vector<TableSummary>& page) {
    std::vector<ItemOutcome> left_out;
    std::erase_if(page, [&](const TableSummary& table) {
      if (!after_.empty() && table.ref.table <= after_) return true;
      if (IsStagedTable(table.ref.table)) return true;
      if (policy().scope.MayCoverTable(table.ref)) return false;
      auto outcome = LeftOutOutcome(policy().scope, table.ref);
      if (outcome) left_out.push_back(*std::move(outcome));
      return true;
    });
    HF_ASSIGN_OR_RETURN(const bool is_done, ScanCovered(page));
    // Of a page that is left in the middle the piece that goes on tells the rest.
    if (!is_done) {
      std::erase_if(left_out, [&](const ItemOutcome& item) { return item.object.table > after_; });
    }
    std::ranges::move(left_out, std::back_inserter(result_.outcomes));
    return is_done;
  }

  Result<bool> ScanCovered(const std::vector<TableSummary>& page) {
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
      if (policy().scope.MayCoverTable(object)) names.push_back(object.table);
    }
    std::ranges::sort(names);
    // A routine has one backup that is the newest: a page of them is bounded.
    if (!names.empty()) HF_RETURN_IF_ERROR(intact_.Load(names, names.size() + 1));
    for (const cloud::RoutineInfo& routine : page) {
      HF_RETURN_IF_ERROR(context_.keep_alive());
      const TableRef object = RoutineObject(info_.ref, routine.routine);
      if (!IsInScope(object)) continue;
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
      return AddOutcome(*std::move(settled), *table_policy);
    }
    const auto routine = services_.definitions.GetRoutine(object.dataset_ref(), listed.routine);
    if (!routine.ok()) {
      if (routine.error().id != ErrorId::kRoutineNotFound) return routine.error();
      result_.outcomes.push_back(DroppedOutcome(object));
      return Ok();
    }
    return Add(object,
               PlanDefinition(object, ObjectKind::kRoutine,
                              FingerprintOfDefinition(routine->resource), last, policy()),
               *table_policy);
  }

  // Whether the run is to look at it. What its scope leaves out by name is told as left out.
  bool IsInScope(const TableRef& object) {
    if (policy().scope.MayCoverTable(object)) return true;
    if (auto left_out = LeftOutOutcome(policy().scope, object)) {
      result_.outcomes.push_back(*std::move(left_out));
    }
    return false;
  }

  static ItemOutcome DroppedOutcome(const TableRef& object) {
    return {.object = object,
            .outcome = Outcome::kVanished,
            .reason = "was listed, then dropped before it could be read"};
  }

  // The dataset's own definition. A listing tells neither its access nor when it was changed.
  Status LookAtDataset(const TableRef& itself) {
    HF_ASSIGN_OR_RETURN(const auto table_policy, PolicyOf(itself));
    if (!table_policy) return Ok();
    HF_ASSIGN_OR_RETURN(const DatasetInfo info,
                        services_.warehouse.GetDataset(itself.dataset_ref()));
    HF_ASSIGN_OR_RETURN(const LastBackups last, intact_.Of(itself, table_policy->policy));
    return Add(itself,
               PlanDefinition(itself, ObjectKind::kDataset, FingerprintOfDefinition(info.resource),
                              last, policy()),
               *table_policy);
  }

  // An outcome of the object by the policy's method. One that is unchanged, and whose backup a
  // further repository lacks, is work.
  Status AddOutcome(ItemOutcome outcome, const TablePolicy& table_policy) {
    HF_ASSIGN_OR_RETURN(outcome.note, NoteOf(table_policy));
    HF_ASSIGN_OR_RETURN(const bool is_everywhere, IsEverywhere(outcome, table_policy.policy));
    if (!is_everywhere) {
      AddMissingCopy(outcome, table_policy);
      return Ok();
    }
    if (!IsDefinitionOnly(outcome.kind)) outcome.method = MethodSought(table_policy.policy);
    result_.outcomes.push_back(std::move(outcome));
    return Ok();
  }

  // The table's note, and what is to be known of the bucket: said once for each bucket in a task,
  // of whatever is found there first, changed or not.
  Result<std::string> NoteOf(const TablePolicy& table_policy) {
    const BackupPolicy& policy = table_policy.policy;
    const auto [at, is_new] = buckets_.insert(
        FillBucketPattern(policy.bucket_pattern, info_.ref.project, info_.location));
    if (!is_new) return table_policy.note;
    auto warning = BucketWarning(services_, policy, info_.ref.project, info_.location);
    if (!warning.ok()) {
      buckets_.erase(at);
      return std::move(warning).error();
    }
    if (warning->empty()) return table_policy.note;
    LogWarning("a bucket of backups is not as it should be", {{"warning", *warning}});
    return table_policy.note.empty() ? *warning : table_policy.note + "; " + *warning;
  }

  // One more unit of the last message, where that is of the same kind.
  void AddMissingCopy(const ItemOutcome& outcome, const TablePolicy& table_policy) {
    ++units_;
    BackupUnit unit{.partition = outcome.object.partition,
                    .change = Change::kUnchanged,
                    .made_before = outcome.backup};
    const Method method = MethodOf(outcome, table_policy.policy);
    RunBackup* last =
        result_.follow_ups.empty() ? nullptr : std::get_if<RunBackup>(&result_.follow_ups.back());
    if (last != nullptr && last->table_to_backup == outcome.object.WholeTable() &&
        last->method == method && !last->units.front().made_before.empty() &&
        last->units.size() < kUnitsPerMessage) {
      last->units.push_back(std::move(unit));
      return;
    }
    result_.follow_ups.push_back(RunBackup{.run = context_.run.id,
                                           .table_to_backup = outcome.object.WholeTable(),
                                           .method = method,
                                           .units = {std::move(unit)},
                                           .policy = table_policy.patch,
                                           .note = outcome.note});
  }

  static Method MethodOf(const ItemOutcome& outcome, const BackupPolicy& policy) {
    return IsDefinitionOnly(outcome.kind) ? Method::kDefinition : policy.method;
  }

  // Whether every further repository has the backup that an unchanged object is left with.
  Result<bool> IsEverywhere(const ItemOutcome& outcome, const BackupPolicy& policy) {
    if (outcome.outcome != Outcome::kUnchanged || !IsReplicated(MethodOf(outcome, policy))) {
      return true;
    }
    for (const FurtherRepository& further : policy.repositories) {
      HF_ASSIGN_OR_RETURN(const bool is_there,
                          intact_.IsAt(PlaceOfFurther(further, outcome.object, info_.location),
                                       outcome.object, outcome.backup));
      if (!is_there) return false;
    }
    return true;
  }

  Status Add(const TableRef& object, TablePlan plan, const TablePolicy& table_policy) {
    for (ItemOutcome& outcome : plan.outcomes) {
      HF_RETURN_IF_ERROR(AddOutcome(std::move(outcome), table_policy));
    }
    units_ += plan.units.size();
    HF_ASSIGN_OR_RETURN(const std::string note, NoteOf(table_policy));
    const RunBackup message{.run = context_.run.id,
                            .table_to_backup = object.WholeTable(),
                            .method = plan.method,
                            .units = {},
                            .policy = table_policy.patch,
                            .note = note,
                            .as_of_ms = plan.as_of_ms,
                            .data_class = table_policy.data_class,
                            .rpo_seconds = table_policy.rpo_seconds};
    std::ranges::move(MessagesFor(message, plan.units, kUnitsPerMessage),
                      std::back_inserter(result_.follow_ups));
    return Ok();
  }

  // What is to be done with the object; nullopt: it is settled, being excluded or not due.
  Result<std::optional<TablePolicy>> PolicyOf(const TableRef& object) {
    HF_ASSIGN_OR_RETURN(TablePolicy found, policies_.Of(object));
    // A definition is saved once, whatever the methods for tables.
    if (ParseReservedName(object.table)) found.policy.further_methods.clear();
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

  // A method for which the listing does not settle the table.
  struct OpenMethod {
    TablePolicy policy;
    LastBackups last;
  };

  Status ScanUnder(const TableSummary& summary, const TablePolicy& table_policy) {
    HF_ASSIGN_OR_RETURN(std::vector<OpenMethod> open, OpenMethodsOf(summary, table_policy));
    Status looked = SettleByPartitions(summary, open);
    if (open.empty() && looked.ok()) return Ok();
    if (looked.ok()) looked = LookAtTable(summary.ref, open);
    if (looked.ok() || IsLeftToRetry(looked.error())) return looked;
    for (const OpenMethod& each : open) {
      HF_RETURN_IF_ERROR(AddOutcome(FailedOutcome(summary.ref, looked.error()), each.policy));
    }
    return Ok();
  }

  Result<std::vector<OpenMethod>> OpenMethodsOf(const TableSummary& summary,
                                                const TablePolicy& table_policy) {
    const auto kind = ObjectKindOf(summary.kind);
    const bool has_rows = summary.kind == TableKind::kUnknown || (kind && !IsDefinitionOnly(*kind));
    std::vector<OpenMethod> open;
    for (const Method method : table_policy.policy.Methods()) {
      TablePolicy own = table_policy;
      own.policy = table_policy.policy.ForMethod(method);
      if (!has_rows) own.policy.further_methods.clear();
      HF_ASSIGN_OR_RETURN(LastBackups last, intact_.Of(summary.ref, own.policy));
      if (auto settled = PlanFromSummary(summary, last, own.policy, now_ms_)) {
        HF_RETURN_IF_ERROR(AddOutcome(*std::move(settled), own));
      } else {
        open.push_back({std::move(own), std::move(last)});
      }
      if (!has_rows) break;  // its definition is saved, once
    }
    return open;
  }

  // Takes out of `open` those methods for which the bulk listing of partitions tells that none of
  // the table's changed.
  Status SettleByPartitions(const TableSummary& summary, std::vector<OpenMethod>& open) {
    const auto by_partition = [](const OpenMethod& each) {
      return each.policy.policy.method != Method::kSnapshot &&
             std::ranges::any_of(each.last, [](const auto& entry) { return !entry.first.empty(); });
    };
    if (summary.kind != TableKind::kTable || std::ranges::none_of(open, by_partition)) return Ok();
    const auto partitions = partitions_->Of(summary.ref.table);
    if (!partitions.ok()) {
      const bool may_pass = IsInterrupted(partitions.error()) || IsRetryable(partitions.error());
      // What cannot be told in bulk is asked of the table.
      return may_pass ? Status(partitions.error()) : Ok();
    }
    for (size_t at = 0; at < open.size();) {
      const OpenMethod& each = open[at];
      auto outcomes = by_partition(each) ? PlanFromPartitions(summary, *partitions, each.last,
                                                              each.policy.policy, now_ms_)
                                         : std::nullopt;
      if (!outcomes) {
        ++at;
        continue;
      }
      for (ItemOutcome& outcome : *outcomes) {
        HF_RETURN_IF_ERROR(AddOutcome(std::move(outcome), each.policy));
      }
      open.erase(open.begin() + static_cast<ptrdiff_t>(at));
    }
    return Ok();
  }

  Status LookAtTable(const TableRef& table, const std::vector<OpenMethod>& open) {
    const auto info = services_.warehouse.GetTable(table);
    if (!info.ok()) {
      if (info.error().code != Code::kNotFound) return info.error();
      for (const OpenMethod& each : open) {
        HF_RETURN_IF_ERROR(AddOutcome(DroppedOutcome(table), each.policy));
      }
      return Ok();
    }
    std::optional<int64_t> as_of_ms;
    if (info->kind == TableKind::kTable) {
      HF_ASSIGN_OR_RETURN(as_of_ms, MomentOf(open.front().policy.policy));
    }
    HF_ASSIGN_OR_RETURN(const std::vector<PartitionInfo> partitions, PartitionsOf(*info, open));
    for (const OpenMethod& each : open) {
      TablePlan plan = PlanTable(*info, partitions, each.last, each.policy.policy, now_ms_);
      if (as_of_ms) plan = TakenAsOf(std::move(plan), *info, *as_of_ms);
      HF_RETURN_IF_ERROR(Add(table, std::move(plan), each.policy));
    }
    return Ok();
  }

  // All partitions, where a method asks for them. Those of a materialized view are not ours to back
  // up.
  Result<std::vector<PartitionInfo>> PartitionsOf(const TableInfo& info,
                                                  const std::vector<OpenMethod>& open) {
    std::vector<PartitionInfo> partitions;
    const bool by_partition = std::ranges::any_of(open, [](const OpenMethod& each) {
      return each.policy.policy.method != Method::kSnapshot;
    });
    if (!by_partition || info.kind != TableKind::kTable ||
        info.partitioning.kind == Partitioning::Kind::kNone) {
      return partitions;
    }
    HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
        [&](const std::string& token) {
          return services_.warehouse.ListPartitions(info.ref, token);
        },
        [&](PartitionInfo&& partition) -> Status {
          partitions.push_back(std::move(partition));
          return context_.keep_alive();
        }));
    return partitions;
  }

  // Of a listing a dataset is without its time travel window.
  Result<std::optional<int64_t>> MomentOf(const BackupPolicy& policy) {
    if (policy.time_travel_days == 0) return std::optional<int64_t>();
    if (!whole_info_) {
      HF_ASSIGN_OR_RETURN(whole_info_, services_.warehouse.GetDataset(info_.ref));
    }
    return TimeTravelMoment(policy, *whole_info_, context_.run.started_ms);
  }

  const CheckProjectTables& message_;
  const StageContext& context_;
  const Services& services_;
  const ScanLimits& limits_;
  const DatasetInfo info_;                 // as the project's listing told it
  std::optional<DatasetInfo> whole_info_;  // as it tells itself; where that was asked for
  int64_t now_ms_;
  ProjectPolicies policies_;
  IntactBackups intact_;
  std::optional<RangePartitions> partitions_;  // of the group that is looked at
  std::string after_;                          // the last table that was looked at
  size_t units_ = 0;
  std::set<std::string> buckets_;  // of which all was said
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
