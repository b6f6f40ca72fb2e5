#include "restore/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace holdfast::restore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TableRef kSold{"acme", "sales", "orders", ""};
const TableRef kSoldBack{"acme", "back", "orders", ""};
constexpr int64_t kHourMs = 3'600'000;

catalog::BackupRecord BackupOfPart(const std::string& partition, int64_t objects,
                                   const std::string& schema = "s") {
  catalog::BackupRecord backup;
  backup.backup = "b-" + partition;
  backup.object = kSold.WithPartition(partition);
  backup.location = "US";
  backup.bucket = "vault";
  backup.objects = objects;
  backup.rows = 10;
  backup.stored_bytes = 100;
  backup.content_digest = "d";
  backup.source.schema_hash = schema;
  backup.source.bytes = 1000;
  return backup;
}

TableRestore OfBackups(std::vector<catalog::BackupRecord> backups) {
  return {.source = kSold, .target = kSoldBack, .backups = std::move(backups)};
}

RestorePlan PlanFor(const RestoreRequest& request, TableRestore table) {
  return PlanOf(request, {std::move(table)}, {}, {});
}

std::vector<catalog::BackupRecord> DayBackups(int64_t count, bool by_ingestion_time) {
  std::vector<catalog::BackupRecord> backups;
  for (int64_t i = 0; i < count; ++i) {
    backups.push_back(BackupOfPart(std::to_string(20200101 + i), 1));
    backups.back().source.partitioning = {.kind = Partitioning::Kind::kDay,
                                          .field = by_ingestion_time ? "" : "day"};
  }
  return backups;
}

TEST(JobsOf, CountsAsTheRestoreGroupsThem) {
  auto copy = BackupOfPart("", 0);
  copy.method = Method::kCopy;
  auto narrow = copy;
  narrow.source.schema_hash = "older";
  auto unread = copy;
  unread.content_digest.clear();
  auto view = BackupOfPart("", 0);
  view.kind = ObjectKind::kView;
  auto newer = copy;
  newer.created_ms = 1;
  struct Case {
    const char* what;
    std::vector<catalog::BackupRecord> backups;
    JobCounts jobs;
  };
  const std::vector<Case> cases = {
      {"a table", {BackupOfPart("", 3)}, {.load = 1, .extract = 1}},
      {"of more objects than a job may name",
       {BackupOfPart("", 10'001)},
       {.load = 2, .extract = 1}},
      {"partitions of a column share a job", DayBackups(300, false), {.load = 1, .extract = 1}},
      {"more than a job may write", DayBackups(4'001, false), {.load = 2, .extract = 1}},
      {"those of ingestion time do not", DayBackups(300, true), {.load = 300, .extract = 1}},
      {"one schema a job",
       {BackupOfPart("1", 1, "a"), BackupOfPart("2", 1, "b")},
       {.load = 2, .extract = 1}},
      {"a copy", {copy}, {.copy = 1, .extract = 1}},
      {"one from before a column", {newer, narrow}, {.copy = 3, .extract = 1}},
      {"one that was never read", {unread}, {.copy = 1, .extract = 2}},
      {"a view", {view}, {}},
  };
  for (const Case& c : cases) EXPECT_EQ(JobsOf({}, OfBackups(c.backups)), c.jobs) << c.what;
}

TEST(JobsOf, IsNothingForWhatStaysAsItIs) {
  TableRestore table = OfBackups({BackupOfPart("", 1)});
  RestoreRequest request;
  request.compare = false;
  EXPECT_EQ(JobsOf(request, table), (JobCounts{.load = 1})) << "not compared, not extracted";
  request.if_exists = IfExists::kSkip;
  table.before.exists = true;
  EXPECT_EQ(JobsOf(request, table), JobCounts());
  table.before.exists = false;
  table.finished = true;
  EXPECT_EQ(JobsOf(request, table), JobCounts());
}

Surroundings WithDataset(Json access = nullptr, const std::string& location = "US") {
  Surroundings there;
  there.datasets[kSoldBack.dataset_ref()] = {
      .ref = kSoldBack.dataset_ref(), .location = location, .resource = {{"creationTime", "5"}}};
  if (!access.is_null()) {
    there.datasets[kSoldBack.dataset_ref()].resource["access"] = std::move(access);
  }
  return there;
}

const Json kAnn = {{"role", "READER"}, {"userByEmail", "ann@x.org"}};
const Json kEve = {{"role", "READER"}, {"userByEmail", "eve@x.org"}};

TEST(Judge, FindsAllConflictsAndNotTheFirstOnly) {
  RestoreRequest request;
  RestorePlan plan = PlanFor(request, OfBackups(DayBackups(1'501, true)));
  Surroundings there = WithDataset({kAnn, kEve}, "EU");
  there.targets[kSoldBack] = {.exists = true, .rows = 3};
  there.conflicts = {{kSoldBack, MakeError(ErrorId::kTableExists, "it is there")}};
  there.saved = {{.source = kSold.dataset_ref(),
                  .target = kSoldBack.dataset_ref(),
                  .resource = {{"access", {kAnn}}},
                  .unknown = {}}};
  Judge(request, there, QuotaLimits(), plan);
  std::vector<ErrorId> found;
  for (const Conflict& conflict : plan.conflicts) {
    EXPECT_TRUE(conflict.is_fatal);
    found.push_back(conflict.error.id);
  }
  EXPECT_THAT(found, ElementsAre(ErrorId::kLocationMismatch, ErrorId::kTableExists,
                                 ErrorId::kAccessWider, ErrorId::kRestoreQuota));
  EXPECT_THAT(plan.conflicts[2].error.message, HasSubstr("user:eve@x.org"));
  const Status refused = RefuseConflicts(plan);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, ErrorId::kLocationMismatch);
  EXPECT_THAT(refused.error().message, HasSubstr("3 more"));
}

TEST(Judge, AllowsWhatWasAgreedTo) {
  RestoreRequest request;
  request.allow_wider_access = request.allow_over_quota = true;
  RestorePlan plan = PlanFor(request, OfBackups(DayBackups(1'501, true)));
  Surroundings there = WithDataset({kEve});
  there.saved = {{.source = kSold.dataset_ref(),
                  .target = kSoldBack.dataset_ref(),
                  .resource = {{"access", {kAnn}}},
                  .unknown = {}}};
  Judge(request, there, QuotaLimits(), plan);
  EXPECT_EQ(plan.conflicts.size(), 2u);
  EXPECT_EQ(plan.access_changes.size(), 1u);
  EXPECT_TRUE(RefuseConflicts(plan).ok());
}

TEST(Judge, TellsOfAccessThatIsNotKnownOrLeftOut) {
  RestoreRequest request;
  const SavedDataset saved{
      .source = kSold.dataset_ref(),
      .target = {"other", "back"},
      .resource = {{"access", {{{"role", "READER"}, {"specialGroup", "projectReaders"}}}}},
      .unknown = {}};
  TableRestore table = OfBackups({BackupOfPart("", 1)});
  table.target.project = "other";
  for (const bool unknown : {false, true}) {
    RestorePlan plan = PlanFor(request, table);
    Surroundings there;
    there.saved = {saved};
    if (unknown) there.saved[0].unknown = "its manifest is lost";
    Judge(request, there, QuotaLimits(), plan);
    ASSERT_EQ(plan.access_changes.size(), 1u);
    EXPECT_THAT(plan.access_changes[0].what,
                HasSubstr(unknown ? "its manifest is lost" : "projectReaders"));
    EXPECT_TRUE(plan.conflicts.empty());
  }
}

TEST(Judge, CountsQuotasOfTheTargetsProject) {
  RestoreRequest request;
  RestorePlan plan = PlanFor(request, OfBackups(DayBackups(3, true)));
  const auto limits =
      QuotaLimits::FromJson({{"projects", {{"acme", {{"extract_jobs_per_day", 7}}}}}});
  ASSERT_TRUE(limits.ok()) << limits.error().message;
  Judge(request, {}, *limits, plan, {.bytes_per_second = 100, .seconds_per_object = 2});
  EXPECT_THAT(plan.quotas,
              ElementsAre(QuotaNeed{"acme", "load_jobs_per_day", 3, 100'000},
                          QuotaNeed{"acme", "extract_jobs_per_day", 1, 7},
                          QuotaNeed{"acme", "extract_bytes_per_day", 3000, int64_t{50} << 40U},
                          QuotaNeed{"acme.back.orders", "table_modifications_per_day", 3, 1500}));
  EXPECT_EQ(plan.jobs, (JobCounts{.load = 3, .extract = 1}));
  EXPECT_EQ(plan.estimate_ms, 8'000) << "300 bytes written and read, and one object";
}

class Stale : public testing::Test {
 protected:
  Stale() {
    RestoreRequest request;
    approved_ = PlanFor(request, OfBackups({BackupOfPart("", 1)}));
    Surroundings there = WithDataset(Json::array({kAnn}));
    Judge(request, there, QuotaLimits(), approved_);
    approved_.id = "plan";
    approved_.held_until_ms = kHourMs;
    there_ = there;
    backups_ = {{"b-", BackupOfPart("", 1)}};
  }

  std::vector<std::string> Reasons(bool begun = false, int64_t now_ms = 0) {
    return WhyStale(approved_, there_, backups_, FromUnixMillis(now_ms), begun);
  }

  RestorePlan approved_;
  Surroundings there_;
  std::map<std::string, catalog::BackupRecord> backups_;
};

TEST_F(Stale, APlanHoldsWhileNothingChanged) {
  EXPECT_THAT(Reasons(), ElementsAre());
  there_.datasets.begin()->second.resource["description"] = "a word of theirs";
  EXPECT_THAT(Reasons(), ElementsAre()) << "nobody reads more or less by it";
}

TEST_F(Stale, EachChangeIsAReason) {
  DatasetInfo& dataset = there_.datasets.begin()->second;
  const std::vector<std::pair<const char*, std::function<void()>>> changes = {
      {"acme.back has another access list", [&] { dataset.resource["access"].push_back(kEve); }},
      {"acme.back is in EU now", [&] { dataset.location = "EU"; }},
      {"acme.back was made anew", [&] { dataset.resource["creationTime"] = "6"; }},
      {"acme.back is not there any more", [&] { there_.datasets.clear(); }},
      {"orders is there now", [&] { there_.targets[kSoldBack] = {.exists = true}; }},
      {"is gone", [&] { backups_.clear(); }},
      {"was found damaged", [&] { backups_.begin()->second.damaged = true; }},
      {"is in gs://elsewhere now", [&] { backups_.begin()->second.bucket = "elsewhere"; }},
  };
  const Surroundings there = there_;
  const auto backups = backups_;
  for (const auto& [reason, change] : changes) {
    change();
    EXPECT_THAT(Reasons(), ElementsAre(HasSubstr(reason)));
    there_ = there;
    backups_ = backups;
  }
  EXPECT_THAT(Reasons(false, kHourMs), ElementsAre(HasSubstr("were held until")));
  there_.datasets.clear();
  backups_.clear();
  EXPECT_EQ(Reasons(false, kHourMs).size(), 3u) << "every reason, not the first";
}

TEST_F(Stale, ATargetThatWasThereMustBeAsItWas) {
  const SeenTarget before{.exists = true, .creation_ms = 1, .last_modified_ms = 2, .rows = 3};
  approved_.tables[0].before = before;
  struct Case {
    const char* reason;
    SeenTarget now;
  };
  const std::vector<Case> cases = {
      {"was made anew", {.exists = true, .creation_ms = 9, .last_modified_ms = 2, .rows = 3}},
      {"was modified", {.exists = true, .creation_ms = 1, .last_modified_ms = 9, .rows = 3}},
      {"has 4 rows now, and had 3",
       {.exists = true, .creation_ms = 1, .last_modified_ms = 2, .rows = 4}},
  };
  there_.targets[kSoldBack] = before;
  EXPECT_THAT(Reasons(), ElementsAre());
  for (const Case& c : cases) {
    there_.targets[kSoldBack] = c.now;
    EXPECT_THAT(Reasons(), ElementsAre(HasSubstr(c.reason)));
    EXPECT_THAT(Reasons(true), ElementsAre(HasSubstr(c.reason))) << "though it was begun";
  }
  there_.targets.clear();
  EXPECT_THAT(Reasons(), ElementsAre(HasSubstr("not there any more")));
}

TEST_F(Stale, APlanThatWasBegunFindsWhatItMade) {
  there_.targets[kSoldBack] = {.exists = true};
  backups_.begin()->second.bucket = "elsewhere";
  EXPECT_THAT(Reasons(true, 2 * kHourMs), ElementsAre());
  backups_.clear();
  EXPECT_THAT(Reasons(true), ElementsAre(HasSubstr("is gone")));
}

}  // namespace
}  // namespace holdfast::restore
