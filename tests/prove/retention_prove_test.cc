// Every small history under every policy of a list, judged by an oracle that shares no code with
// the plan. With HOLDFAST_PROVE=1 all of them (`make prove`), else every 997th.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/random.h"
#include "retain/plan_retention.h"
#include "tests/prove/retention_oracle.h"

namespace holdfast::prove {
namespace {

using retain::BackupState;
using retain::HistoryEntry;
using retain::ObjectHistory;
using std::chrono::days;
using std::chrono::hours;

// Noon of a day after which months are shorter.
const Timestamp kNow = ParseTimestamp("2026-03-31T12:00:00Z").value();
constexpr int kBackups = 4;
constexpr int64_t kSampleStride = 997;  // a prime: no coordinate is sampled at one value only

// Of a time after now, of one hour, of one day, of the edge of days, weeks, months and years.
const std::vector<Timestamp> kTimes = {kNow - days{400}, kNow - days{31}, kNow - hours{37},
                                       kNow - hours{12}, kNow - hours{1}, kNow,
                                       kNow + hours{1}};
constexpr std::array kStates = {BackupState::kGood, BackupState::kSuspect, BackupState::kDamaged};
const std::vector<std::optional<Timestamp>> kDeleted = {std::nullopt, kNow - days{1},
                                                        kNow - days{300}};

const std::vector<RetentionPolicy>& Policies() {
  static const std::vector<RetentionPolicy> policies = [] {
    std::vector<RetentionPolicy> parsed;
    for (const char* text :
         {R"({})",
          R"({"keep_last": 1})",
          R"({"keep_last": 2, "minimum_count": 3})",
          R"({"keep_hourly": 2})",
          R"({"keep_daily": 1})",
          R"({"keep_daily": 3})",
          R"({"keep_weekly": 2})",
          R"({"keep_monthly": 2, "keep_last": 1})",
          R"({"keep_yearly": "unlimited"})",
          R"({"keep_within": "2d"})",
          R"({"keep_within_daily": "30d", "minimum_count": 0})",
          R"({"keep_within_hourly": "1d", "keep_yearly": 1})",
          R"({"max_age": "30d"})",
          R"({"max_age": "1h", "minimum_count": 0})",
          R"({"max_versions": 2})",
          R"({"keep_daily": 3, "max_versions": 1, "max_age": "2d"})",
          R"({"keep_last": 1, "minimum_age": "2d"})",
          R"({"keep_last": 1, "deleted_source": {"grace": "30d"}})",
          R"({"keep_last": 1, "deleted_source": {"grace": "1d", "keep_daily": 2}})",
          R"({"deleted_source": {"grace": "30d", "max_age": "60d", "minimum_count": 1}})",
          R"({"preset": "bbq", "keep_young": 2, "young_old_months": 1, "grace_months": 1})",
          R"({"preset": "bbq"})"}) {
      parsed.push_back(RetentionPolicy::FromJson(ParseJson(text).value()).value());
    }
    return parsed;
  }();
  return policies;
}

// Counts down a number in mixed radix: takes the next digit.
int64_t Take(int64_t& number, size_t radix) {
  const int64_t digit = number % static_cast<int64_t>(radix);
  number /= static_cast<int64_t>(radix);
  return digit;
}

// Times of `count` backups that do not descend, each such choice once.
std::vector<std::vector<Timestamp>> TimeChoices(int count) {
  std::vector<std::vector<Timestamp>> choices = {{}};
  for (int i = 0; i < count; ++i) {
    std::vector<std::vector<Timestamp>> longer;
    for (const auto& choice : choices) {
      for (const Timestamp time : kTimes) {
        if (!choice.empty() && time < choice.back()) continue;
        longer.push_back(choice);
        longer.back().push_back(time);
      }
    }
    choices = std::move(longer);
  }
  return choices;
}

// The judgement of one history; false: see the failures.
void Judge(const ObjectHistory& history, const RetentionPolicy& policy, Timestamp now) {
  const retain::RetentionPlan plan = PlanRetention(history, policy, now);
  const RetentionOracle oracle(history, policy, now);
  bool right = plan.verdicts.size() == history.backups.size();
  for (const retain::Verdict& verdict : plan.verdicts) {
    const auto entry = std::ranges::find(history.backups, verdict.backup.id, &HistoryEntry::id);
    right = right && entry != history.backups.end() && !verdict.reasons.empty() &&
            verdict.keep == oracle.MustKeep(*entry);
  }
  if (right) return;
  std::string text = DumpJson(policy.ToJson());
  for (const retain::Verdict& verdict : plan.verdicts) {
    text += "\n" + FormatTimestamp(verdict.backup.time) + " " + verdict.backup.id + " " +
            std::string(BackupStateName(verdict.backup.state)) +
            (verdict.backup.pinned ? " pinned" : "") + (verdict.keep ? " keep: " : " remove: ");
    for (const std::string& reason : verdict.reasons) text += reason + "; ";
  }
  ADD_FAILURE() << text;
}

// The invariants alone, without an oracle of the rules: what no policy may do.
void CheckInvariants(const ObjectHistory& history, const RetentionPolicy& policy, Timestamp now) {
  const retain::RetentionPlan plan = PlanRetention(history, policy, now);
  const bool has_rules_for_gone = policy.bbq || policy.deleted_source;
  const bool may_all_go = history.source_deleted_at && has_rules_for_gone;
  bool seen_good = false;
  for (const retain::Verdict& verdict : plan.verdicts) {
    const HistoryEntry& backup = verdict.backup;
    EXPECT_TRUE(verdict.keep || (!backup.pinned && !backup.held && backup.time <= now));
    if (backup.state != BackupState::kGood || backup.time > now) continue;
    EXPECT_TRUE(seen_good || verdict.keep || may_all_go) << "the newest good one";
    seen_good = true;
  }
  EXPECT_TRUE(plan.verdicts.empty() || plan.CountKept() > 0 || may_all_go) << "everything went";
  // Without the bad ones the good ones fare no better.
  ObjectHistory good = history;
  std::erase_if(good.backups,
                [](const HistoryEntry& entry) { return entry.state != BackupState::kGood; });
  for (const retain::Verdict& alone : PlanRetention(good, policy, now).verdicts) {
    const auto beside = std::ranges::find_if(plan.verdicts, [&](const retain::Verdict& verdict) {
      return verdict.backup.id == alone.backup.id;
    });
    EXPECT_EQ(beside->keep, alone.keep) << "a bad backup changed what becomes of a good one";
  }
}

bool ProvesAll() { return std::getenv("HOLDFAST_PROVE") != nullptr; }

TEST(ProveRetention, EverySmallHistoryIsJudgedAsTheOracleDoes) {
  int64_t judged = 0;
  int64_t states = 0;
  for (int count = 0; count <= kBackups; ++count) {
    const auto choices = TimeChoices(count);
    auto size = static_cast<int64_t>(choices.size() * kDeleted.size() * Policies().size());
    for (int i = 0; i < count; ++i) size *= static_cast<int64_t>(kStates.size() * 2);
    states += size;
    const int64_t stride = ProvesAll() || count < 2 ? 1 : kSampleStride;
    for (int64_t number = 0; number < size; number += stride) {
      int64_t rest = number;
      const RetentionPolicy& policy =
          Policies().at(static_cast<size_t>(Take(rest, Policies().size())));
      ObjectHistory history;
      history.source_deleted_at = kDeleted.at(static_cast<size_t>(Take(rest, kDeleted.size())));
      const auto& times = choices.at(static_cast<size_t>(Take(rest, choices.size())));
      for (const Timestamp time : times) {
        const auto state = kStates.at(static_cast<size_t>(Take(rest, kStates.size())));
        const bool pinned = Take(rest, 2) == 1;
        history.backups.push_back(
            {.id = std::string(1, static_cast<char>('a' + times.size() - history.backups.size())),
             .time = time,
             .state = state,
             .pinned = pinned});
      }
      Judge(history, policy, kNow);
      CheckInvariants(history, policy, kNow);
      ++judged;
      if (testing::Test::HasFailure()) return;
    }
  }
  RecordProperty("judged", std::to_string(judged));
  std::printf("judged %ld of %ld states\n", static_cast<long>(judged), static_cast<long>(states));
  EXPECT_GE(states, 10'000'000);
  EXPECT_GE(judged, ProvesAll() ? 10'000'000 : 10'000);
}

TEST(ProveRetention, LongHistoriesAreJudgedAsTheOracleDoes) {
  const auto random = MakeSeededRandom(7);
  const auto pick = [&](uint64_t bound) { return static_cast<int64_t>(random->Next() % bound); };
  for (int round = 0; round < (ProvesAll() ? 20'000 : 200); ++round) {
    ObjectHistory history;
    const Timestamp now = kNow + hours{pick(24 * 800)};
    const int64_t span_days = 1 + pick(900);
    for (int64_t i = pick(40); i > 0; --i) {
      history.backups.push_back(
          {.id = std::to_string(1000 + i),
           .time = now - hours{pick(static_cast<uint64_t>(24 * span_days))} + hours{pick(2)},
           .state = pick(4) == 0 ? BackupState::kSuspect : BackupState::kGood,
           .pinned = pick(20) == 0,
           .held = pick(20) == 0});
    }
    if (pick(3) == 0) history.source_deleted_at = now - days{pick(600)};
    if (pick(3) == 0) history.source_last_seen = now - days{pick(600)};
    for (const RetentionPolicy& policy : Policies()) {
      Judge(history, policy, now);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace holdfast::prove
