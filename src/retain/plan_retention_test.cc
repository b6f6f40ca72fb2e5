#include "retain/plan_retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace holdfast::retain {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Timestamp At(std::string_view text) { return ParseTimestamp(text).value(); }

RetentionPolicy Policy(std::string_view json) {
  return RetentionPolicy::FromJson(ParseJson(json).value()).value();
}

// A backup named by its time.
HistoryEntry Entry(std::string_view time, BackupState state = BackupState::kGood) {
  return {.id = std::string(time), .time = At(time), .state = state};
}

HistoryEntry Pinned(std::string_view time) {
  HistoryEntry entry = Entry(time);
  entry.pinned = true;
  return entry;
}

HistoryEntry Held(std::string_view time) {
  HistoryEntry entry = Entry(time);
  entry.held = true;
  return entry;
}

ObjectHistory History(std::vector<HistoryEntry> backups) {
  return {.object = "p.d.t", .backups = std::move(backups)};
}

// The ids that are kept, the newest first.
std::vector<std::string> Kept(const RetentionPlan& plan) {
  std::vector<std::string> ids;
  for (const Verdict& verdict : plan.verdicts) {
    EXPECT_FALSE(verdict.reasons.empty()) << verdict.backup.id;
    if (verdict.keep) ids.push_back(verdict.backup.id);
  }
  return ids;
}

std::vector<std::string> Kept(const ObjectHistory& history, std::string_view policy,
                              std::string_view now) {
  return Kept(PlanRetention(history, Policy(policy), At(now)));
}

// One at noon of each of `days` days, the last on 2026-11-20.
ObjectHistory Daily(int days) {
  ObjectHistory history{.object = "p.d.t"};
  for (int i = 0; i < days; ++i) {
    const Timestamp time = At("2026-11-20T12:00:00Z") - std::chrono::hours{24 * i};
    history.backups.push_back({.id = FormatTimestamp(time).substr(0, 10), .time = time});
  }
  return history;
}

constexpr std::string_view kNow = "2026-11-21T00:00:00Z";

TEST(PlanRetention, KeepsEverythingWithoutAKeepRule) {
  EXPECT_EQ(PlanRetention(Daily(50), Policy("{}"), At(kNow)).CountKept(), 50U);
  EXPECT_EQ(Kept(Daily(5), R"({"max_versions": 2})", kNow).size(), 2U) << "a limit is a rule";
}

TEST(PlanRetention, KeepsTheLast) {
  EXPECT_THAT(Kept(Daily(5), R"({"keep_last": 2})", kNow), ElementsAre("2026-11-20", "2026-11-19"));
  EXPECT_EQ(Kept(Daily(5), R"({"keep_last": "unlimited"})", kNow).size(), 5U);
}

TEST(PlanRetention, KeepsTheNewestOfEachCalendarUnit) {
  const ObjectHistory history = History(
      {Entry("2026-11-20T12:30:00Z"), Entry("2026-11-20T12:10:00Z"), Entry("2026-11-20T09:00:00Z"),
       Entry("2026-11-19T09:00:00Z"), Entry("2026-11-15T09:00:00Z"), Entry("2026-10-31T09:00:00Z"),
       Entry("2026-10-30T09:00:00Z"), Entry("2025-12-31T09:00:00Z"),
       Entry("2025-01-01T09:00:00Z")});
  EXPECT_THAT(Kept(history, R"({"keep_hourly": 2})", kNow),
              ElementsAre("2026-11-20T12:30:00Z", "2026-11-20T09:00:00Z"));
  EXPECT_THAT(Kept(history, R"({"keep_daily": 2})", kNow),
              ElementsAre("2026-11-20T12:30:00Z", "2026-11-19T09:00:00Z"));
  // 2026-11-15 is a Sunday: the end of the week before.
  EXPECT_THAT(Kept(history, R"({"keep_weekly": 2})", kNow),
              ElementsAre("2026-11-20T12:30:00Z", "2026-11-15T09:00:00Z"));
  EXPECT_THAT(Kept(history, R"({"keep_monthly": 3})", kNow),
              ElementsAre("2026-11-20T12:30:00Z", "2026-10-31T09:00:00Z", "2025-12-31T09:00:00Z"));
  EXPECT_THAT(Kept(history, R"({"keep_yearly": 2})", kNow),
              ElementsAre("2026-11-20T12:30:00Z", "2025-12-31T09:00:00Z"));
}

TEST(PlanRetention, KeepsTheOldestOfAShortHistory) {
  EXPECT_THAT(Kept(Daily(5), R"({"keep_monthly": 12})", kNow),
              ElementsAre("2026-11-20", "2026-11-16"));
  EXPECT_THAT(Kept(Daily(5), R"({"keep_monthly": 1})", kNow), ElementsAre("2026-11-20"));
}

TEST(PlanRetention, JoinsItsRules) {
  EXPECT_THAT(Kept(Daily(40), R"({"keep_daily": 2, "keep_monthly": 2})", kNow),
              ElementsAre("2026-11-20", "2026-11-19", "2026-10-31"));
}

TEST(PlanRetention, CountsDaysInItsTimeZone) {
  // In New York the first two are of the 1st, around the end of daylight saving at 06:00 UTC.
  const ObjectHistory history =
      History({Entry("2026-11-02T04:30:00Z"), Entry("2026-11-01T04:30:00Z"),
               Entry("2026-11-01T03:30:00Z")});
  EXPECT_THAT(Kept(history, R"({"keep_daily": 2})", kNow),
              ElementsAre("2026-11-02T04:30:00Z", "2026-11-01T04:30:00Z"));
  EXPECT_THAT(Kept(history, R"({"keep_daily": 2, "time_zone": "America/New_York"})", kNow),
              ElementsAre("2026-11-02T04:30:00Z", "2026-11-01T03:30:00Z"));
}

TEST(PlanRetention, CountsSpansBackFromTheNewestGoodBackup) {
  const std::string_view years_later = "2030-01-01T00:00:00Z";
  EXPECT_THAT(Kept(Daily(9), R"({"keep_within": "2d1h"})", years_later),
              ElementsAre("2026-11-20", "2026-11-19", "2026-11-18"));
  EXPECT_THAT(Kept(Daily(60), R"({"keep_within_monthly": "1m1d"})", years_later),
              ElementsAre("2026-11-20", "2026-10-31"));
}

TEST(PlanRetention, LimitsAgeAndVersions) {
  EXPECT_THAT(Kept(Daily(9), R"({"keep_last": 5, "max_age": "2d"})", kNow),
              ElementsAre("2026-11-20", "2026-11-19"));
  EXPECT_THAT(Kept(Daily(9), R"({"keep_weekly": 2, "max_versions": 1})", kNow),
              ElementsAre("2026-11-20"));
  EXPECT_THAT(Kept(Daily(9), R"({"max_age": "1h", "minimum_count": 2})", kNow),
              ElementsAre("2026-11-20", "2026-11-19"));
  EXPECT_THAT(Kept(Daily(9), R"({"keep_last": 1, "minimum_age": "2d"})", kNow),
              ElementsAre("2026-11-20", "2026-11-19"));
}

TEST(PlanRetention, NeverRemovesTheNewestGoodBackupOfASourceThatExists) {
  EXPECT_THAT(Kept(Daily(3), R"({"max_age": "1d", "minimum_count": 0})", "2030-01-01T00:00:00Z"),
              ElementsAre("2026-11-20"));
}

TEST(PlanRetention, NeverLetsABadBackupTakeThePlaceOfAGoodOne) {
  for (const BackupState state :
       {BackupState::kSuspect, BackupState::kDamaged, BackupState::kFailed}) {
    const ObjectHistory history =
        History({Entry("2026-11-20T12:00:00Z", state), Entry("2026-11-20T09:00:00Z"),
                 Entry("2026-11-19T12:00:00Z", state), Entry("2026-11-18T12:00:00Z"),
                 Entry("2026-11-17T12:00:00Z", state)});
    for (const char* policy :
         {R"({"keep_last": 1})", R"({"keep_daily": 1})", R"({"max_versions": 1})",
          R"({"keep_within": "1h"})", R"({"preset": "bbq", "keep_young": 1})"}) {
      EXPECT_THAT(Kept(history, policy, kNow),
                  ElementsAre("2026-11-20T12:00:00Z", "2026-11-20T09:00:00Z"))
          << policy;
    }
  }
}

TEST(PlanRetention, KeepsTheBestThatThereIsWhereNoneIsGood) {
  const ObjectHistory history = History({Entry("2026-11-20T12:00:00Z", BackupState::kFailed),
                                         Entry("2026-11-19T12:00:00Z", BackupState::kSuspect),
                                         Entry("2026-11-18T12:00:00Z", BackupState::kSuspect)});
  EXPECT_THAT(Kept(history, R"({"max_age": "1h"})", kNow), ElementsAre("2026-11-19T12:00:00Z"));
}

TEST(PlanRetention, NeverRemovesWhatIsPinnedOrHeld) {
  ObjectHistory history = History({Entry("2026-11-20T12:00:00Z"), Entry("2026-11-19T12:00:00Z"),
                                   Pinned("2026-11-18T12:00:00Z"), Held("2026-11-17T12:00:00Z")});
  EXPECT_THAT(Kept(history, R"({"keep_last": 1})", kNow),
              ElementsAre("2026-11-20T12:00:00Z", "2026-11-18T12:00:00Z", "2026-11-17T12:00:00Z"));
  history.source_deleted_at = At("2020-01-01T00:00:00Z");
  EXPECT_THAT(Kept(history, R"({"deleted_source": {"grace": "1d"}})", kNow),
              ElementsAre("2026-11-18T12:00:00Z", "2026-11-17T12:00:00Z"));
}

TEST(PlanRetention, KeepsWhatIsOfTheFutureAndDoesNotCountIt) {
  const ObjectHistory history =
      History({Entry("2027-01-01T00:00:00Z"), Entry("2026-11-20T12:00:00Z"),
               Entry("2026-11-19T12:00:00Z")});
  EXPECT_THAT(Kept(history, R"({"keep_last": 1})", kNow),
              ElementsAre("2027-01-01T00:00:00Z", "2026-11-20T12:00:00Z"));
}

TEST(PlanRetention, KeepsADeletedSourceByTheOrdinaryRulesUntilItsGraceIsOver) {
  ObjectHistory history = Daily(5);
  history.source_deleted_at = At("2026-11-20T18:00:00Z");
  const auto kept = [&](std::string_view policy, std::string_view now) {
    return Kept(history, policy, now).size();
  };
  const char* all = R"({"keep_last": 3, "deleted_source": {"grace": "1m"}})";
  EXPECT_EQ(kept(all, "2026-12-20T17:59:59Z"), 3U);
  EXPECT_EQ(kept(all, "2026-12-20T18:00:00Z"), 0U);
  const char* some =
      R"({"keep_last": 3, "deleted_source": {"grace": "1m", "max_age": "1y", "keep_last": 2}})";
  EXPECT_EQ(kept(some, "2027-01-01T00:00:00Z"), 2U);
  EXPECT_EQ(kept(some, "2028-01-01T00:00:00Z"), 0U);
  const char* least = R"({"keep_last": 3, "deleted_source": {"grace": "1m", "minimum_count": 1}})";
  EXPECT_EQ(kept(least, "2030-01-01T00:00:00Z"), 1U);
  EXPECT_EQ(kept(R"({"keep_last": 3})", "2030-01-01T00:00:00Z"), 3U) << "no rules for it";
  EXPECT_EQ(kept(all, "2026-11-20T17:00:00Z"), 3U) << "it is not gone yet";
}

TEST(PlanRetention, FollowsBbq) {
  ObjectHistory history = Daily(11);
  for (const char* old : {"2026-04-21T01:00:00Z", "2026-04-20T23:00:00Z", "2026-04-20T01:00:00Z",
                          "2026-01-01T00:00:00Z"}) {
    history.backups.push_back(Entry(old));
  }
  // 2026-04-21 is young: it is today less seven months; but ten newer days are.
  std::vector<std::string> expected;
  for (int i = 0; i < 10; ++i) expected.push_back(history.backups[static_cast<size_t>(i)].id);
  expected.emplace_back("2026-04-20T23:00:00Z");
  const char* bbq = R"({"preset": "bbq"})";
  EXPECT_EQ(Kept(history, bbq, kNow), expected);

  history.source_deleted_at = At("2026-11-20T13:00:00Z");
  EXPECT_EQ(Kept(history, bbq, kNow), expected) << "it was seen of late";
  EXPECT_TRUE(Kept(history, bbq, "2027-06-21T00:00:00Z").empty());
  history.source_last_seen = At("2027-01-01T00:00:00Z");
  EXPECT_EQ(Kept(history, bbq, "2027-06-21T00:00:00Z").size(), 1U);
  EXPECT_TRUE(
      Kept(history, R"({"preset": "bbq", "grace_months": 5})", "2027-06-21T00:00:00Z").empty());
}

TEST(PlanRetention, SaysWhyInWords) {
  ObjectHistory history = Daily(3);
  history.backups[1].pinned = true;
  const RetentionPlan plan =
      PlanRetention(history, Policy(R"({"keep_last": 1, "keep_monthly": 1})"), At(kNow));
  EXPECT_THAT(plan.verdicts[0].reasons,
              ElementsAre("keep_last: 1 of 1", "keep_monthly: the newest of 2026-11, 1 of 1",
                          "minimum_count: 1 of 1", "it is the newest good backup of its object"));
  EXPECT_THAT(plan.verdicts[1].reasons, ElementsAre("it is pinned"));
  EXPECT_THAT(plan.verdicts[2].reasons, ElementsAre("keep_last: 1 newer good ones are kept",
                                                    "keep_monthly: 1 newer months are kept"));
}

TEST(ParseHistories, GroupsByObjectAndTakesTheSourceFromTheNewest) {
  const auto histories = ParseHistories(R"([
      {"object": "b", "id": "1", "time": "2026-01-01T00:00:00Z", "state": "suspect", "rows": 3},
      {"object": "a", "id": "1", "time": "2026-01-02T00:00:00Z", "held": true,
       "source_deleted_at": null},
      {"object": "a", "id": "2", "time": "2026-01-01T00:00:00Z", "pinned": true,
       "source_deleted_at": "2026-01-01T12:00:00Z"}])");
  ASSERT_TRUE(histories.ok()) << histories.error().ToString();
  ASSERT_EQ(histories->size(), 2U);
  EXPECT_EQ((*histories)[0].object, "a");
  EXPECT_FALSE((*histories)[0].source_deleted_at) << "it was made anew since";
  EXPECT_TRUE((*histories)[0].backups[0].held);
  EXPECT_TRUE((*histories)[0].backups[1].pinned);
  EXPECT_EQ((*histories)[1].backups[0].state, BackupState::kSuspect);
  EXPECT_EQ((*histories)[1].backups[0].rows, 3);
}

TEST(ParseHistories, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "not an array"},
      {R"([3])", "entry 1"},
      {R"([[]])", "entry 1"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z"}, {"id": 1}, 3)", "line 1"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z"},
           {"object": "b", "id": "1", "time": "2026-01-01T00:00:00Z"},
           {"object": "b", "id": "1", "time": "2026-01-01T00:00:00Z"},
           {"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z"}, 3])",
       "entry 3 of the history: the id \"1\" comes twice in b"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z"}, 3,
           {"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z"}])",
       "entry 2"},
      {R"([{"id": "1", "time": "2026-01-01T00:00:00Z"}])", "object"},
      {R"([{"object": "a", "id": "1"}])", "time"},
      {R"([{"object": "a", "id": "1", "time": "yesterday"}])", "time"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z", "state": "fine"}])", "fine"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z", "pined": true}])", "pined"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z", "rows": -1}])", "rows"},
      {R"([{"object": "a", "id": "1", "time": "2026-01-01T00:00:00Z"},
           {"object": "a", "id": "1", "time": "2026-01-02T00:00:00Z"}])",
       "entry 2"},
  };
  for (const auto& [text, part] : cases) {
    const auto histories = ParseHistories(text);
    ASSERT_FALSE(histories.ok()) << text;
    EXPECT_THAT(histories.error().message, HasSubstr(part));
  }
}

}  // namespace
}  // namespace holdfast::retain
