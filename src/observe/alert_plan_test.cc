#include "observe/alert_plan.h"

#include <gtest/gtest.h>

namespace holdfast::observe {
namespace {

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'790'000'000'000;

AlertSettings TwoChannels() {
  AlertSettings settings;
  settings.channels = {{.name = "chat", .email = {}, .webhook = WebhookChannel{}},
                       {.name = "mail", .email = EmailChannel{}, .webhook = {}}};
  settings.rules = {{.kinds = {}, .channels = {"chat"}},
                    {.kinds = {AlertKind::kSuspect},
                     .channels = {"mail"},
                     .repeat_after = std::chrono::hours{4}}};
  return settings;
}

Finding Of(AlertKind kind, const std::vector<std::string>& objects) {
  Finding finding{.kind = kind, .subject = {}, .objects = {}, .detail = {}};
  for (const std::string& object : objects) finding.Add(object);
  return finding;
}

// Plans, and notes all of it as sent.
std::vector<PlannedAlert> Pass(const AlertSettings& settings, const std::vector<Finding>& findings,
                               AlertState& state, int64_t now_ms) {
  auto planned = PlanAlerts(settings, findings, state, now_ms);
  for (const PlannedAlert& alert : planned) NoteSent(state, alert);
  return planned;
}

TEST(PlanAlerts, TellsEachChannelOnceOfWhatItIsToKnow) {
  AlertState state;
  const std::vector<Finding> findings = {Of(AlertKind::kFailedStep, {"a.b.c"}),
                                         Of(AlertKind::kSuspect, {"a.b.d", "a.b.e"})};
  const auto planned = Pass(TwoChannels(), findings, state, kNow);
  ASSERT_EQ(planned.size(), 3U);
  EXPECT_EQ(planned[0].channel, "chat");
  EXPECT_EQ(planned[0].alert.title, "1 object could not be backed up");
  EXPECT_EQ(planned[1].alert.title, "Rows or bytes are missing from 2 objects");
  EXPECT_EQ(planned[2].channel, "mail");
  EXPECT_EQ(planned[2].alert.kind, "suspect");
  EXPECT_EQ(planned[2].alert.objects, (std::vector<std::string>{"a.b.d", "a.b.e"}));
  EXPECT_FALSE(planned[2].alert.is_repetition);
  EXPECT_TRUE(Pass(TwoChannels(), findings, state, kNow + kHour).empty());
}

TEST(PlanAlerts, SendsAgainAfterThePeriodOfTheChannel) {
  AlertState state;
  const std::vector<Finding> findings = {Of(AlertKind::kSuspect, {"a.b.c"})};
  Pass(TwoChannels(), findings, state, kNow);
  EXPECT_TRUE(Pass(TwoChannels(), findings, state, kNow + 4 * kHour - 1).empty());
  const auto again = Pass(TwoChannels(), findings, state, kNow + 4 * kHour);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].channel, "mail");
  EXPECT_TRUE(again[0].alert.is_repetition);
  EXPECT_EQ(again[0].alert.since_ms, kNow);
}

TEST(PlanAlerts, SendsAtOnceWhatGotWorseAndNotWhatGotBetter) {
  const struct {
    std::vector<std::string> then;
    std::vector<std::string> now;
    bool is_sent;
  } kCases[] = {
      {{"a", "b"}, {"a", "b", "c"}, true},
      {{"a", "b"}, {"b", "a"}, false},
      {{"a", "b"}, {"a", "c"}, true},
      {{"a", "b"}, {"a"}, false},
  };
  for (const auto& test : kCases) {
    AlertState state;
    Pass(TwoChannels(), {Of(AlertKind::kFailedStep, test.then)}, state, kNow);
    const auto planned =
        Pass(TwoChannels(), {Of(AlertKind::kFailedStep, test.now)}, state, kNow + 1);
    EXPECT_EQ(!planned.empty(), test.is_sent) << test.now.front();
  }
}

TEST(PlanAlerts, SaysOnceThatItIsOver) {
  AlertState state;
  Pass(TwoChannels(), {Of(AlertKind::kSuspect, {"a.b.c"})}, state, kNow);
  const auto over = Pass(TwoChannels(), {}, state, kNow + kHour);
  ASSERT_EQ(over.size(), 2U);
  for (const PlannedAlert& planned : over) {
    EXPECT_TRUE(planned.alert.is_resolved);
    EXPECT_EQ(planned.alert.title, "Rows or bytes are missing from 1 object");
  }
  EXPECT_TRUE(state.sent.empty());
  EXPECT_TRUE(Pass(TwoChannels(), {}, state, kNow + 2 * kHour).empty());
}

TEST(PlanAlerts, TriesAgainWhatAChannelDidNotTakeAndOnlyThere) {
  AlertState state;
  const std::vector<Finding> findings = {Of(AlertKind::kSuspect, {"a.b.c"})};
  const auto planned = PlanAlerts(TwoChannels(), findings, state, kNow);
  ASSERT_EQ(planned.size(), 2U);
  NoteSent(state, planned[0]);  // the other one failed
  const auto again = PlanAlerts(TwoChannels(), findings, state, kNow + 1);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].channel, "mail");
}

TEST(PlanAlerts, PartsSchedulesByTheirText) {
  AlertState state;
  const auto late = [](const char* schedule) {
    return Finding{.kind = AlertKind::kMissedSchedule,
                   .subject = schedule,
                   .count = 1,
                   .objects = {},
                   .detail = {}};
  };
  Pass(TwoChannels(), {late("0 2 * * * UTC")}, state, kNow);
  const auto planned =
      Pass(TwoChannels(), {late("0 2 * * * UTC"), late("0 3 * * * UTC")}, state, kNow + 1);
  ASSERT_EQ(planned.size(), 1U);
  EXPECT_EQ(planned[0].alert.title, "The schedule \"0 3 * * * UTC\" was missed");
}

TEST(PlanAlerts, IsNotSilencedByAClockThatWasSetBack) {
  AlertState state;
  const std::vector<Finding> findings = {Of(AlertKind::kSuspect, {"a.b.c"})};
  Pass(TwoChannels(), findings, state, kNow);
  EXPECT_EQ(PlanAlerts(TwoChannels(), findings, state, kNow - kHour).size(), 2U);
}

TEST(PlanAlerts, IsSilentToWhatTheSettingsDoNotHaveAnyMore) {
  AlertState state;
  Pass(TwoChannels(), {Of(AlertKind::kSuspect, {"a.b.c"})}, state, kNow);
  AlertSettings settings = TwoChannels();
  settings.channels.pop_back();
  EXPECT_EQ(PlanAlerts(settings, {}, state, kNow + 1).size(), 1U);
  Forget(state, settings);
  ASSERT_EQ(state.sent.size(), 1U);
  EXPECT_EQ(state.sent[0].channel, "chat");
}

TEST(Finding, NamesTheFirstObjectsAndCountsAll) {
  Finding finding{.kind = AlertKind::kFailedStep, .subject = {}, .objects = {}, .detail = {}};
  for (int i = 0; i < 100'000; ++i) finding.Add("a.b.t" + std::to_string(i));
  EXPECT_EQ(finding.count, 100'000);
  EXPECT_EQ(finding.objects.size(), kAlertObjectsMax);
}

TEST(AlertState, SurvivesItsDocument) {
  AlertState state;
  Pass(TwoChannels(), {Of(AlertKind::kSuspect, {"a.b.c"})}, state, kNow);
  ASSERT_EQ(state.sent.size(), 2U);
  EXPECT_EQ(AlertState::FromJson(state.ToJson()).value(), state);
  Json json = state.ToJson();
  for (const char* key : {"channel", "key", "kind", "title", "since_ms", "count", "digest"}) {
    Json broken = json;
    broken["sent"][0].erase(key);
    const auto read = AlertState::FromJson(broken);
    ASSERT_FALSE(read.ok()) << key;
    EXPECT_EQ(read.error().id, ErrorId::kAlertStateDamaged);
  }
}

}  // namespace
}  // namespace holdfast::observe
