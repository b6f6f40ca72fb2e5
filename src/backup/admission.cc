#include "backup/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "backup/freeze.h"
#include "base/log.h"
#include "model/effective_policy.h"
#include "model/ids.h"

namespace holdfast::backup {

namespace {

constexpr size_t kPublishedAtOnce = 200;
constexpr size_t kReservedAtOnce = 5'000;  // tasks in one transaction, which adds up the day's use
constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kUsualRpoSeconds = int64_t{24} * 60 * 60;  // where none is said

// Google's words where the limit is one table's and not the project's.
constexpr std::string_view kOfOneTable = "our table exceeded quota";

std::string UseKey(const std::string& task, int attempt) {
  return fmt::format("{}/{}", task, attempt);
}

// The mark of a quota that the service said is used up, within one run: a later one asks again.
std::string UsedUpKey(const std::string& run, const std::string& project, Method method) {
  return fmt::format("used-up/{}/{}/{}", run, project, MethodName(method));
}

// Units of one message whose jobs run in one project.
struct UnitGroup {
  std::string project;
  std::vector<size_t> units;  // of the message, ascending
  bool freezes = false;       // the clone that the message's units are read from is made there
};

Result<std::vector<UnitGroup>> GroupUnits(const BackupPolicy& run_policy,
                                          const RunBackup& message) {
  HF_ASSIGN_OR_RETURN(const BackupPolicy policy, PatchPolicy(run_policy, message.policy));
  std::vector<UnitGroup> groups;
  for (size_t i = 0; i < message.units.size(); ++i) {
    std::string project =
        JobProjectOf(policy, message.table_to_backup.WithPartition(message.units[i].partition));
    auto found = std::ranges::find(groups, project, &UnitGroup::project);
    if (found == groups.end()) {
      groups.push_back({.project = std::move(project), .units = {}});
      found = std::prev(groups.end());
    }
    found->units.push_back(i);
  }
  groups.front().freezes = ReadsFrozenTable(message);
  return groups;
}

// The message with only those of its units, which are ascending.
RunBackup Part(const RunBackup& message, const std::vector<size_t>& units) {
  RunBackup part = message;
  part.units.clear();
  for (const size_t unit : units) part.units.push_back(message.units[unit]);
  return part;
}

ItemOutcome CarriedOutcome(const RunBackup& message, const BackupUnit& unit, std::string reason,
                           std::string expected) {
  return {.object = message.table_to_backup.WithPartition(unit.partition),
          .outcome = Outcome::kCarried,
          .reason = std::move(reason),
          .error_id = {},
          .note = message.note,
          .method = message.method,
          .expected = std::move(expected)};
}

// What is planned: items, and the message that each belongs to.
class Demand {
 public:
  Demand(const Services& services, const BackupPolicy& policy)
      : services_(services), policy_(policy), now_ms_(ToUnixMillis(services.clock.Now())) {}

  int64_t now_ms() const { return now_ms_; }
  const std::vector<QuotaProject>& projects() const { return projects_; }
  const std::vector<QuotaItem>& items() const { return items_; }

  // Reads what was used today. Errors: of the ledger.
  Status Begin() {
    HF_ASSIGN_OR_RETURN(
        used_, services_.catalog.UsedOn(ToUnixMillis(QuotaDayStart(FromUnixMillis(now_ms_)))));
    return Ok();
  }

  // The units of the message that fit no day, with the quota that each is too large for.
  Result<std::map<size_t, Quota>> TooLarge(const RunBackup& message) {
    HF_ASSIGN_OR_RETURN(const auto groups, GroupUnits(policy_, message));
    std::map<size_t, Quota> found;
    for (const UnitGroup& group : groups) {
      const QuotaAmounts& limit = services_.quotas.Of(group.project);
      for (const size_t unit : group.units) {
        const int64_t bytes = message.units[unit].fingerprint.bytes;
        if (const auto quota = NeverFits(message.method, bytes, limit)) found[unit] = *quota;
      }
    }
    return found;
  }

  // Adds the message's items, one for each project that its jobs run in, and returns how many.
  // None of its units is too large.
  Result<size_t> Add(const RunBackup& message) {
    HF_ASSIGN_OR_RETURN(const auto groups, GroupUnits(policy_, message));
    HF_ASSIGN_OR_RETURN(const auto since, services_.catalog.WaitingSince(message.table_to_backup));
    const int64_t since_ms = std::min(since.value_or(now_ms_), now_ms_);
    for (const UnitGroup& group : groups) {
      QuotaItem item{.project = IndexOf(group.project),
                     .method = message.method,
                     .data_class = DataClassOf(message.data_class),
                     .waiting_since_ms = since_ms,
                     .unit_bytes = {},
                     .freezes = group.freezes};
      const int64_t rpo_seconds = message.rpo_seconds > 0 ? message.rpo_seconds : kUsualRpoSeconds;
      item.due_ms = since_ms + rpo_seconds * kMsPerSecond;
      for (const size_t unit : group.units) {
        item.unit_bytes.push_back(message.units[unit].fingerprint.bytes);
      }
      items_.push_back(std::move(item));
    }
    return groups.size();
  }

 private:
  uint32_t IndexOf(const std::string& project) {
    const auto [found, is_new] = index_.emplace(project, static_cast<uint32_t>(projects_.size()));
    if (is_new) {
      projects_.push_back(
          {.id = project, .limit = services_.quotas.Of(project), .used = used_[project]});
    }
    return found->second;
  }

  const Services& services_;
  const BackupPolicy& policy_;
  int64_t now_ms_;
  std::map<std::string, QuotaAmounts> used_;
  std::map<std::string, uint32_t> index_;
  std::vector<QuotaProject> projects_;
  std::vector<QuotaItem> items_;
};

// What is to be let through, and is not reserved yet.
struct ReadyTask {
  RunBackup message;
  std::string key;
  bool was_waiting = false;
};

// A pending task of the run that is not let through yet.
struct WantedTask {
  std::string id;
  size_t first_item = 0;
  bool was_waiting = false;
  bool is_settled = false;
};

class Admission {
 public:
  Admission(const BusSetup& setup, const Services& services, Run run)
      : setup_(setup), services_(services), run_(std::move(run)), demand_(services, run_.policy) {}

  // Whether all that fits today is let through; false: others took of the quotas meanwhile, or the
  // day is over, so that what is left is to be planned anew.
  Result<bool> Execute(bool republish) {
    HF_RETURN_IF_ERROR(demand_.Begin());
    HF_RETURN_IF_ERROR(ReadTasks(republish));
    HF_RETURN_IF_ERROR(Flush());
    if (wanted_.empty()) return true;
    plan_ = PlanQuota(demand_.projects(), demand_.items(), demand_.now_ms());
    if (plan_.units_carried > 0) {
      LogWarning("the day's quotas are too small for the run: the rest is carried",
                 {{"run", run_.id},
                  {"today", std::to_string(plan_.units_today)},
                  {"carried", std::to_string(plan_.units_carried)},
                  {"days", std::to_string(plan_.days)}});
    }
    for (const uint32_t item : plan_.order) {
      if (IsDayOver()) break;
      HF_RETURN_IF_ERROR(Settle(owner_[item]));
    }
    HF_RETURN_IF_ERROR(Flush());
    return !is_overtaken_;
  }

 private:
  Status ReadTasks(bool republish) {
    std::string token;
    do {
      HF_ASSIGN_OR_RETURN(auto page, services_.catalog.PendingTasks(run_.id, token));
      for (catalog::Task& task : page.items) {
        if (!NeedsAdmission(task.message)) continue;
        HF_ASSIGN_OR_RETURN(const bool admitted, services_.catalog.IsCounted(UseKey(task.id, 1)));
        if (!admitted) {
          HF_RETURN_IF_ERROR(Want(task));
        } else if (republish) {
          HF_RETURN_IF_ERROR(Publish(std::move(task.message)));
        }
      }
      token = page.next_page_token;
    } while (!token.empty());
    return Ok();
  }

  Status Want(const catalog::Task& task) {
    const auto& message = std::get<RunBackup>(task.message);
    HF_ASSIGN_OR_RETURN(const auto too_large, demand_.TooLarge(message));
    // What is left of it becomes a task of its own, which this listing comes to in the end.
    if (!too_large.empty()) return Refuse(task.id, message, too_large);
    const size_t first = demand_.items().size();
    HF_ASSIGN_OR_RETURN(const size_t count, demand_.Add(message));
    owner_.insert(owner_.end(), count, static_cast<uint32_t>(wanted_.size()));
    wanted_.push_back({.id = task.id,
                       .first_item = first,
                       .was_waiting = demand_.items()[first].waiting_since_ms < demand_.now_ms()});
    return Ok();
  }

  Status Refuse(const std::string& task, const RunBackup& message,
                const std::map<size_t, Quota>& too_large) {
    std::vector<ItemOutcome> failed;
    std::vector<size_t> others;
    for (size_t i = 0; i < message.units.size(); ++i) {
      const auto found = too_large.find(i);
      if (found == too_large.end()) {
        others.push_back(i);
        continue;
      }
      const BackupUnit& unit = message.units[i];
      const TableRef object = message.table_to_backup.WithPartition(unit.partition);
      failed.push_back(FailedOutcome(
          object, MakeError(ErrorId::kQuotaTooSmall,
                            fmt::format("{}: its {} bytes are more than {} of a whole day",
                                        object.ToString(), unit.fingerprint.bytes,
                                        QuotaName(found->second)))));
      failed.back().note = message.note;
    }
    std::vector<WorkMessage> rest;
    if (!others.empty()) rest.emplace_back(Part(message, others));
    return services_.catalog.CompleteTask(task, rest, failed);
  }

  // Nothing is to be carried by a plan of yesterday.
  bool IsDayOver() {
    const bool is_over =
        QuotaDayStart(services_.clock.Now()) != QuotaDayStart(FromUnixMillis(demand_.now_ms()));
    is_overtaken_ = is_overtaken_ || is_over;
    return is_over;
  }

  // Lets the task through, in whole or in part, and carries the rest.
  Status Settle(uint32_t index) {
    WantedTask& wanted = wanted_[index];
    if (std::exchange(wanted.is_settled, true)) return Ok();
    HF_ASSIGN_OR_RETURN(const catalog::Task task, services_.catalog.GetTask(wanted.id));
    if (task.state == catalog::TaskState::kDone) return Ok();
    const auto& message = std::get<RunBackup>(task.message);
    HF_ASSIGN_OR_RETURN(const auto groups, GroupUnits(run_.policy, message));
    std::vector<size_t> today;
    std::vector<ItemOutcome> carried;
    for (size_t g = 0; g < groups.size(); ++g) {
      const QuotaVerdict& verdict = plan_.verdicts[wanted.first_item + g];
      const auto& units = groups[g].units;
      today.insert(today.end(), units.begin(),
                   units.begin() + static_cast<ptrdiff_t>(verdict.units_today));
      for (size_t u = verdict.units_today; u < units.size(); ++u) {
        carried.push_back(Carry(message, message.units[units[u]], groups[g].project, verdict));
      }
    }
    std::ranges::sort(today);
    if (carried.empty()) return LetThrough(wanted.id, message, wanted.was_waiting);
    return Divide(task, message, today, carried);
  }

  Status Divide(const catalog::Task& task, const RunBackup& message,
                const std::vector<size_t>& today, const std::vector<ItemOutcome>& carried) {
    // Another process may have let it through meanwhile: then it is not ours to divide.
    HF_ASSIGN_OR_RETURN(const bool admitted, services_.catalog.IsCounted(UseKey(task.id, 1)));
    if (admitted) return Ok();
    waiting_.push_back(message.table_to_backup);
    std::vector<WorkMessage> part;
    if (!today.empty()) part.emplace_back(Part(message, today));
    HF_RETURN_IF_ERROR(services_.catalog.CompleteTask(task.id, part, carried));
    if (waiting_.size() >= kPublishedAtOnce) HF_RETURN_IF_ERROR(NoteTables());
    if (part.empty()) return Ok();
    return LetThrough(TaskId(part.front()), std::get<RunBackup>(part.front()), false);
  }

  ItemOutcome Carry(const RunBackup& message, const BackupUnit& unit, const std::string& project,
                    const QuotaVerdict& verdict) const {
    const Quota quota = *verdict.short_of;
    const int64_t limit = services_.quotas.Of(project)[static_cast<size_t>(quota)];
    std::string expected = QuotaDate(services_.clock.Now(), verdict.days_later);
    std::string reason =
        fmt::format("does not fit the {} that project {} may use in a day; expected on {}",
                    QuotaAmountText(quota, limit), project, expected);
    return CarriedOutcome(message, unit, std::move(reason), std::move(expected));
  }

  Status LetThrough(const std::string& task, const RunBackup& message, bool was_waiting) {
    const std::string key = UseKey(task, 1);
    HF_ASSIGN_OR_RETURN(auto uses, UsesOf(run_.policy, message, key));
    std::ranges::move(uses, std::back_inserter(uses_));
    ready_.push_back({.message = message, .key = key, .was_waiting = was_waiting});
    return ready_.size() < kReservedAtOnce ? Ok() : Flush();
  }

  Status Publish(WorkMessage message) {
    publish_.push_back(std::move(message));
    return publish_.size() < kPublishedAtOnce ? Ok() : PublishAll();
  }

  Status PublishAll() {
    HF_RETURN_IF_ERROR(PublishWork(setup_, publish_));
    publish_.clear();
    return Ok();
  }

  Status NoteTables() {
    if (!waiting_.empty()) {
      HF_RETURN_IF_ERROR(services_.catalog.NoteWaiting(waiting_, demand_.now_ms()));
    }
    if (!served_.empty()) HF_RETURN_IF_ERROR(services_.catalog.NoteServed(served_));
    waiting_.clear();
    served_.clear();
    return Ok();
  }

  // What is let through is reserved before it is published: a worker takes nothing else.
  Status Flush() {
    HF_ASSIGN_OR_RETURN(std::vector<ReadyTask> reserved, Reserve());
    for (const ReadyTask& task : reserved) {
      if (task.was_waiting) served_.push_back(task.message.table_to_backup);
    }
    HF_RETURN_IF_ERROR(NoteTables());
    for (ReadyTask& task : reserved) HF_RETURN_IF_ERROR(Publish(std::move(task.message)));
    return PublishAll();
  }

  // Those of the ready tasks whose uses are counted now.
  Result<std::vector<ReadyTask>> Reserve() {
    if (ready_.empty()) return std::vector<ReadyTask>();
    HF_ASSIGN_OR_RETURN(
        const std::vector<std::string> refused,
        services_.catalog.ReserveUse(ToUnixMillis(QuotaDayStart(services_.clock.Now())), uses_,
                                     services_.quotas));
    std::vector<ReadyTask> reserved = std::exchange(ready_, {});
    uses_.clear();
    if (refused.empty()) return reserved;
    is_overtaken_ = true;
    const std::set<std::string_view> keys(refused.begin(), refused.end());
    std::erase_if(reserved, [&](const ReadyTask& task) { return keys.contains(task.key); });
    return reserved;
  }

 public:
  // What the message's jobs take, by project.
  static Result<std::vector<catalog::QuotaUse>> UsesOf(const BackupPolicy& policy,
                                                       const RunBackup& message,
                                                       const std::string& key) {
    HF_ASSIGN_OR_RETURN(const auto groups, GroupUnits(policy, message));
    std::vector<catalog::QuotaUse> uses;
    for (const UnitGroup& group : groups) {
      catalog::QuotaUse& use = uses.emplace_back();
      use.key = key;
      use.project = group.project;
      const auto add = [&use](const QuotaAmounts& more) {
        for (size_t i = 0; i < kPlannedQuotas; ++i) use.amounts[i] += more[i];
      };
      if (group.freezes) add(UseOfFreeze());
      for (const size_t unit : group.units) {
        add(UseOf(message.method, message.units[unit].fingerprint.bytes));
      }
    }
    return uses;
  }

 private:
  const BusSetup& setup_;
  const Services& services_;
  Run run_;
  Demand demand_;
  std::vector<WantedTask> wanted_;
  std::vector<uint32_t> owner_;  // by item: the index of its task
  QuotaPlan plan_;
  std::vector<ReadyTask> ready_;         // these five: not recorded, or not published yet
  std::vector<catalog::QuotaUse> uses_;  // of the ready tasks
  std::vector<TableRef> waiting_;
  std::vector<TableRef> served_;
  std::vector<WorkMessage> publish_;
  bool is_overtaken_ = false;
};

// Whether a backup of the message's objects was recorded in this run: an earlier attempt got so
// far, or another worker.
Result<bool> IsBegun(const Services& services, const RunBackup& message) {
  for (const BackupUnit& unit : message.units) {
    const TableRef object = message.table_to_backup.WithPartition(unit.partition);
    const auto found =
        catalog::GetBackup(services.catalog, BackupId(message.run, object, message.method));
    if (found.ok()) return true;
    if (found.error().code != Code::kNotFound) return found.error();
  }
  return false;
}

ItemOutcome RefusedOutcome(const Services& services, const RunBackup& message,
                           const BackupUnit& unit, const std::string& project) {
  std::string expected = QuotaDate(services.clock.Now(), 1);
  std::string reason =
      fmt::format("the service says that the quota of project {} is used up; expected on {}",
                  project, expected);
  return CarriedOutcome(message, unit, std::move(reason), std::move(expected));
}

}  // namespace

bool NeedsAdmission(const WorkMessage& message) {
  const auto* backup = std::get_if<RunBackup>(&message);
  if (backup == nullptr || UseOf(backup->method, 0) == QuotaAmounts{}) return false;
  // To copy what was made before into a further repository is no job.
  return backup->units.front().made_before.empty();
}

Status AdmitWork(const BusSetup& setup, const Services& services, const std::string& run,
                 bool republish) {
  HF_ASSIGN_OR_RETURN(const bool looking, services.catalog.IsLookingForWork(run));
  if (looking) return Ok();
  HF_ASSIGN_OR_RETURN(const Run found, services.catalog.GetRun(run));
  // It ends: each time another process took of the quotas, of which there is less and less.
  for (bool is_done = false; !is_done; republish = false) {
    HF_ASSIGN_OR_RETURN(is_done, Admission(setup, services, found).Execute(republish));
  }
  return Ok();
}

Result<bool> WasLetThrough(const Services& services, const catalog::Task& task) {
  if (!NeedsAdmission(task.message)) return true;
  return services.catalog.IsCounted(UseKey(task.id, 1));
}

Result<bool> IsAdmitted(const Services& services, const catalog::Task& task) {
  if (!NeedsAdmission(task.message)) return true;
  HF_ASSIGN_OR_RETURN(const bool admitted, services.catalog.IsCounted(UseKey(task.id, 1)));
  if (!admitted || task.attempt == 1) return admitted;
  const auto& message = std::get<RunBackup>(task.message);
  HF_ASSIGN_OR_RETURN(const Run run, services.catalog.GetRun(message.run));
  HF_ASSIGN_OR_RETURN(const auto uses,
                      Admission::UsesOf(run.policy, message, UseKey(task.id, task.attempt)));
  HF_RETURN_IF_ERROR(
      services.catalog.CountUse(ToUnixMillis(QuotaDayStart(services.clock.Now())), uses));
  return true;
}

Result<std::optional<StageResult>> CarryWhereUsedUp(const Services& services, const Run& run,
                                                    const catalog::Task& task) {
  std::optional<StageResult> result;
  if (!NeedsAdmission(task.message)) return result;
  const auto& message = std::get<RunBackup>(task.message);
  HF_ASSIGN_OR_RETURN(const auto groups, GroupUnits(run.policy, message));
  StageResult carried;
  for (const UnitGroup& group : groups) {
    HF_ASSIGN_OR_RETURN(const bool used_up, services.catalog.IsCounted(
                                                UsedUpKey(run.id, group.project, message.method)));
    if (!used_up) return result;
    for (const size_t unit : group.units) {
      carried.outcomes.push_back(
          RefusedOutcome(services, message, message.units[unit], group.project));
    }
  }
  HF_ASSIGN_OR_RETURN(const bool begun, IsBegun(services, message));
  if (begun) return result;
  HF_RETURN_IF_ERROR(
      services.catalog.NoteWaiting({message.table_to_backup}, ToUnixMillis(services.clock.Now())));
  result = std::move(carried);
  return result;
}

Status CarryWhatWasRefused(const Services& services, const Run& run, const catalog::Task& task,
                           StageResult& result) {
  if (!NeedsAdmission(task.message)) return Ok();
  const auto& message = std::get<RunBackup>(task.message);
  const std::string_view refused = FindError(ErrorId::kQuotaExceeded).id;
  HF_ASSIGN_OR_RETURN(const BackupPolicy policy, PatchPolicy(run.policy, message.policy));
  bool any = false;
  for (ItemOutcome& outcome : result.outcomes) {
    if (outcome.outcome != Outcome::kFailed || outcome.error_id != refused) continue;
    const std::string project = JobProjectOf(policy, outcome.object);
    const BackupUnit unit{.partition = outcome.object.partition, .fingerprint = {}};
    if (outcome.reason.find(kOfOneTable) == std::string::npos) {
      LogWarning("a quota is used up: what is left of the run and needs it is carried",
                 {{"project", project}, {"run", run.id}, {"error", outcome.reason}});
      HF_RETURN_IF_ERROR(services.catalog.CountUse(
          ToUnixMillis(QuotaDayStart(services.clock.Now())),
          {{.key = UsedUpKey(run.id, project, message.method), .project = project}}));
    }
    const std::string words = std::move(outcome.reason);
    outcome = RefusedOutcome(services, message, unit, project);
    outcome.reason += ": " + words;
    any = true;
  }
  if (!any) return Ok();
  return services.catalog.NoteWaiting({message.table_to_backup},
                                      ToUnixMillis(services.clock.Now()));
}

Result<QuotaForecast> ForecastQuota(const Services& services, const BackupPolicy& policy,
                                    const std::vector<RunBackup>& messages) {
  Demand demand(services, policy);
  HF_RETURN_IF_ERROR(demand.Begin());
  QuotaForecast forecast;
  forecast.days_later.resize(messages.size());
  std::vector<std::vector<size_t>> fitting(messages.size());  // units, by message
  std::vector<size_t> first_item(messages.size());
  for (size_t m = 0; m < messages.size(); ++m) {
    const RunBackup& message = messages[m];
    forecast.days_later[m].assign(message.units.size(), 0);
    first_item[m] = demand.items().size();
    if (!NeedsAdmission(message)) continue;
    HF_ASSIGN_OR_RETURN(const auto too_large, demand.TooLarge(message));
    for (size_t i = 0; i < message.units.size(); ++i) {
      if (too_large.contains(i)) {
        forecast.days_later[m][i] = -1;
      } else {
        fitting[m].push_back(i);
      }
    }
    if (fitting[m].empty()) continue;
    HF_RETURN_IF_ERROR(demand.Add(Part(message, fitting[m])));
  }
  forecast.plan = PlanQuota(demand.projects(), demand.items(), demand.now_ms());
  for (size_t m = 0; m < messages.size(); ++m) {
    if (fitting[m].empty()) continue;
    HF_ASSIGN_OR_RETURN(const auto groups, GroupUnits(policy, Part(messages[m], fitting[m])));
    for (size_t g = 0; g < groups.size(); ++g) {
      const QuotaVerdict& verdict = forecast.plan.verdicts[first_item[m] + g];
      for (size_t u = verdict.units_today; u < groups[g].units.size(); ++u) {
        forecast.days_later[m][fitting[m][groups[g].units[u]]] = verdict.days_later;
      }
    }
  }
  forecast.projects = demand.projects();
  return forecast;
}

}  // namespace holdfast::backup
