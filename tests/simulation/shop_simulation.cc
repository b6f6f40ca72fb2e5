#include "tests/simulation/shop_simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "restore/apply.h"
#include "restore/unfinished.h"
#include "retain/pins.h"
#include "retain/prune.h"
#include "tests/simulation/fault_rates.h"
#include "tests/support/faulty_catalog.h"

namespace holdfast::simulation {

namespace {

using testing_support::NumberedRows;
using testing_support::TwoColumns;

constexpr uint64_t kLargeEvery = 16;
constexpr int kManyTables = 12;
const TableRef kOrders{"acme-shop", "sales", "orders", ""};
const TableRef kKept{"acme-shop", "sales", "kept", ""};
const TableRef kEvents{"acme-shop", "sales", "events", ""};
const TableRef kView{"acme-shop", "sales", "latest", ""};
const DatasetRef kDataset{"acme-shop", "sales"};
constexpr const char* kRoutine = "net";
constexpr int64_t kKeepLast = 2;

// The clock of a worker: each wait is a chance for somebody else.
class InterruptedClock final : public Clock {
 public:
  InterruptedClock(Clock& clock, std::function<void()> interruption)
      : clock_(clock), interruption_(std::move(interruption)) {}

  Timestamp Now() const override { return clock_.Now(); }
  void SleepFor(Duration duration) override {
    interruption_();
    clock_.SleepFor(duration);
  }

 private:
  Clock& clock_;
  std::function<void()> interruption_;
};

}  // namespace

ShopSimulation::ShopSimulation(uint64_t seed)
    : is_large_(seed % kLargeEvery == 0), fixture_(seed), random_(seed), plain_{kOrders} {
  fixture_.UseCatalog(testing_support::FaultyCatalog::Open(fixture_.cloud().faults()));
  fixture_.cloud().AddProject("acme-shop");
  fixture_.cloud().AddProject("acme-scratch", "organizations/2");
  fixture_.cloud().AddDataset(kDataset);
  for (int i = 0; is_large_ && i < kManyTables; ++i) {
    plain_.push_back({"acme-shop", "sales", fmt::format("part_{:02}", i), ""});
    fixture_.cloud().AddTable(plain_.back(), TwoColumns(), NumberedRows(i, 5));
  }
  policy_.shrink_threshold = 0;  // people delete at will here, and mean it
  if (Chance(30)) policy_.method = Method::kCopy;
}

void ShopSimulation::Say(const std::string& line) {
  trace_.push_back(fmt::format("{} {} calls: {}", FormatTimestamp(fixture_.clock().Now()),
                               fixture_.cloud().faults().calls(), line));
}

void ShopSimulation::Run() {
  const int days = is_large_ ? 6 : Chance(50) ? 2 : 1;
  for (int day = 0; day < days && !testing::Test::HasFailure(); ++day) LiveDay(day);
  for (const auto& [kind, times] : fixture_.cloud().faults().Struck()) {
    happened_["fault " + kind] += times;
    Say(fmt::format("{} {}", kind, times));
  }
}

void ShopSimulation::LiveDay(int day) {
  for (uint64_t edits = Below(is_large_ ? 12 : 4); edits > 0; --edits) Say(Edit());
  BackUpUnderFaults();
  fixture_.clock().Advance(std::chrono::hours{1});
  // A run that sees no table at all is an error.
  if (!fixture_.cloud().HasTable(kKept)) {
    fixture_.cloud().AddTable(kKept, TwoColumns(), NumberedRows(1, 1));
  }
  // What the faults left unfinished; an object whose tries they used up has failed in it.
  const auto finished = fixture_.BackUp(policy_);
  ASSERT_TRUE(finished.ok()) << finished.error().message;
  const auto report = fixture_.BackUp(policy_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->totals.Of(Outcome::kFailed), 0) << DumpJson(report->ToJson());
  Say(DumpJson(report->totals.ToJson()));
  // Whoever emptied a table meant it, and says so.
  for (const ItemOutcome& item : report->items) {
    if (!item.suspect || item.backup.empty()) continue;
    ASSERT_TRUE(fixture_.catalog().AcceptBackup(item.backup).ok()) << item.reason;
    Note("a suspect backup was accepted");
  }
  if (Chance(50)) {
    PinOne();
    PruneUnderFaults();
  }
  ExpectEverythingProtected();
  ExpectEveryManifestWhole();
  ExpectNothingTwice();
  EXPECT_TRUE(catalog::VerifyAuditChain(fixture_.catalog()).ok());
  ExpectRestoreEqual("day_" + std::to_string(day));
  fixture_.clock().Advance(std::chrono::hours{22});
}

std::string ShopSimulation::Day() { return "2026-01-0" + std::to_string(1 + Below(5)); }

sim::Rows ShopSimulation::EventRows() {
  sim::Rows rows;
  for (uint64_t i = 0; i <= Below(4); ++i) {
    rows.push_back({{"day", Day()}, {"what", "event " + std::to_string(Below(1000))}});
  }
  return rows;
}

std::string ShopSimulation::Edit() {
  sim::SimCloud& cloud = fixture_.cloud();
  fixture_.clock().Advance(std::chrono::minutes{1});
  if (!cloud.HasTable(kEvents)) {
    const Schema schema{
        {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
    cloud.AddTable(kEvents, schema, EventRows(),
                   {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    return "create events";
  }
  switch (Below(10)) {
    case 0:
      return EditView();
    case 1:
      return EditRoutine();
    case 2:
      cloud.AppendRows(kEvents, EventRows());
      return "append events";
    case 3:
      cloud.StreamRows(kEvents, EventRows());
      Note("rows were streamed");
      return "stream events";
    case 4:
      cloud.FlushStreaming(kEvents);
      return "flush events";
    case 5:
      cloud.DeletePartition(kEvents.WithPartition("20260101"));
      return "delete a day of events";
    case 6:
      if (Chance(50)) {
        cloud.SetDescription(kEvents, "edited");
        return "describe events";
      }
      Note("a table was dropped");
      cloud.DropTable(kEvents);
      return "drop events";
    default:
      return EditRows();
  }
}

std::string ShopSimulation::EditRows() {
  sim::SimCloud& cloud = fixture_.cloud();
  const TableRef& table = plain_[Below(plain_.size())];
  if (!cloud.HasTable(table)) {
    cloud.AddTable(table, TwoColumns(), NumberedRows(1, 20));
    Note("a table was created anew");
    return "create " + table.table;
  }
  switch (Below(4)) {
    case 0:
      cloud.AppendRows(table, NumberedRows(static_cast<int64_t>(Below(1000)), 3));
      return "append " + table.table;
    case 1:
      // As many rows, of as many bytes: only the time tells.
      cloud.ReplaceRows(table, NumberedRows(100 + static_cast<int64_t>(Below(800)), 20));
      return "replace " + table.table;
    case 2:
      cloud.SetDescription(table, "edited");
      return "describe " + table.table;
    default:
      Note("a table was dropped");
      cloud.DropTable(table);
      return "drop " + table.table;
  }
}

std::string ShopSimulation::EditView() {
  sim::SimCloud& cloud = fixture_.cloud();
  if (cloud.HasTable(kView) && Chance(30)) {
    cloud.DropTable(kView);
    return "drop the view";
  }
  cloud.PutView(kView, "SELECT " + std::to_string(Below(3)) + " FROM sales.kept");
  Note("a view was edited");
  return "edit the view";
}

std::string ShopSimulation::EditRoutine() {
  routine_ = Chance(30) ? "" : std::to_string(Below(3)) + " * x";
  if (routine_.empty()) {
    fixture_.cloud().DropRoutine(kDataset, kRoutine);
    return "drop the routine";
  }
  fixture_.cloud().PutRoutine(kDataset, kRoutine, routine_);
  Note("a routine was edited");
  return "edit the routine";
}

void ShopSimulation::SetFaults() {
  sim::FaultPlan& faults = fixture_.cloud().faults();
  if (Chance(60)) {
    faults.SetRates(DrawFaultRates(AtWork::kShopBackup, random_));
    Note("services failed");
  }
  if (Chance(10)) faults.DenyAccess(Chance(50) ? "acme-shop.sales" : kOrders.ToString());
  if (Chance(10)) faults.FailJobs(Chance(50) ? "extract" : "copy", "quotaExceeded", 3);
  if (Chance(15)) {
    const bool back = Chance(50);
    fixture_.clock().Advance(back ? std::chrono::minutes{-30} : std::chrono::hours{5});
    was_set_back_ = was_set_back_ || back;
    Note("the clock jumped");
  }
  if (Chance(50)) faults.CrashAtCall(1 + static_cast<int64_t>(Below(300)), Chance(50));
}

void ShopSimulation::ClearFaults() {
  sim::FaultPlan& faults = fixture_.cloud().faults();
  if (faults.crashed()) Note("the process died");
  faults.Revive();
  faults.SetRates({});
  faults.AllowAccess("acme-shop.sales");
  faults.AllowAccess(kOrders.ToString());
  for (const char* kind : {"extract", "copy"}) faults.FailJobs(kind, "", 0);
}

void ShopSimulation::BackUpUnderFaults() {
  SetFaults();
  // A process that ends with an error is started again, as by whoever watches over it.
  auto report = BackUpWithSeveralWorkers();
  for (int again = 0; again < 8 && !report.ok() && !fixture_.cloud().faults().crashed(); ++again) {
    if (report.error().id == ErrorId::kDiskFull) Note("a run ended for want of space");
    report = BackUpWithSeveralWorkers();
  }
  if (report.ok()) Note("a run ended under faults");
  if (report.ok() && report->totals.Of(Outcome::kFailed) > 0) Note("an object failed");
  Say(report.ok() ? DumpJson(report->totals.ToJson()) : report.error().message);
  ClearFaults();
}

void ShopSimulation::MakeOrdersAnew() {
  fixture_.cloud().DropTable(kOrders);
  fixture_.clock().Advance(std::chrono::milliseconds{1});
  fixture_.cloud().AddTable(kOrders, TwoColumns(),
                            NumberedRows(static_cast<int64_t>(Below(1000)), 20));
  Note("a table was made anew under a run");
}

void ShopSimulation::LetOthersWork(const backup::BusSetup& setup, const backup::Services& with) {
  if (at_work_ >= 3) return;
  ++at_work_;
  (void)backup::Worker(setup, with).RunOnce(Duration{0});
  --at_work_;
  Note("workers took turns");
}

Result<RunReport> ShopSimulation::BackUpWithSeveralWorkers() {
  const backup::Services mine = fixture_.services();
  const backup::BusSetup setup{.bus = fixture_.cloud().bus(), .project = "platform"};
  const backup::Services* others = nullptr;
  InterruptedClock clock(fixture_.clock(), [&] {
    if (Chance(30)) LetOthersWork(setup, *others);
    if (Chance(1) && fixture_.cloud().HasTable(kOrders)) MakeOrdersAnew();
  });
  const backup::Services with{mine.warehouse, mine.definitions,  mine.objects,
                              mine.projects,  mine.catalog,      clock,
                              mine.random,    mine.organization, mine.tool_version};
  others = &with;
  fixture_.cloud().faults().SetRival([&] { LetOthersWork(setup, with); });
  fixture_.clock().Advance(std::chrono::seconds{1});
  auto report = backup::RunBackups(
      {.policy = policy_, .workers = 0, .stall_timeout = std::chrono::minutes{4}}, setup, with,
      [](const backup::BackupProgress&) {});
  fixture_.cloud().faults().SetRival({});
  return report;
}

retain::Services ShopSimulation::retain_services() {
  const backup::Services mine = fixture_.services();
  return {.warehouse = mine.warehouse,
          .definitions = mine.definitions,
          .objects = mine.objects,
          .catalog = mine.catalog,
          .clock = mine.clock,
          .random = mine.random,
          .policy_of = [](const TableRef&) -> Result<RetentionPolicy> {
            return RetentionPolicy::FromJson({{"keep_last", kKeepLast}});
          }};
}

verify::Services ShopSimulation::verify_services() {
  const backup::Services mine = fixture_.services();
  return {mine.warehouse, mine.objects, mine.catalog,
          mine.clock,     mine.random,  policy_.staging_bucket_pattern};
}

repository::Location ShopSimulation::place() const {
  return {FillBucketPattern(policy_.bucket_pattern, "acme-shop", "US"), policy_.prefix};
}

// A person pins a backup of any age.
void ShopSimulation::PinOne() {
  const auto known = fixture_.catalog().FindBackups({.project = "acme-shop"}, "");
  ASSERT_TRUE(known.ok());
  if (!pinned_.empty() || known->items.empty()) return;
  const catalog::BackupRecord& record = known->items[Below(known->items.size())];
  auto repository =
      repository::Repository::Open(fixture_.cloud().objects(), {record.bucket, record.prefix});
  ASSERT_TRUE(repository.ok());
  const auto random = MakeSeededRandom(random_());
  const Status pinned = retain::AddPin(*repository, record, {retain::PinKind::kPin, "why", "test"},
                                       fixture_.clock().Now(), *random);
  if (pinned.ok()) pinned_ = record.backup;  // not one whose deletion was begun
}

std::map<TableRef, int64_t> ShopSimulation::CountGood() {
  std::map<TableRef, int64_t> good;
  const Status read = cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) {
        return fixture_.catalog().FindBackups({.good_only = true}, token);
      },
      [&](catalog::BackupRecord&& record) -> Status {
        ++good[record.object];
        return Ok();
      });
  EXPECT_TRUE(read.ok());
  return good;
}

// As many passes as it takes, of which the first ones fail or die; what retention promises holds
// all the while: the newest ones, and what is pinned, stay.
void ShopSimulation::PruneUnderFaults() {
  sim::FaultPlan& faults = fixture_.cloud().faults();
  const auto before = CountGood();
  const retain::PruneOptions options{
      .grace = std::chrono::hours{1}, .share_max = 1, .accept_clock = true};
  for (int pass = 0; pass < 3; ++pass) {
    const bool is_quiet = pass == 2;
    if (!is_quiet) {
      faults.SetRates(DrawFaultRates(AtWork::kShopPrune, random_));
      if (Chance(50)) faults.CrashAtCall(1 + static_cast<int64_t>(Below(80)), Chance(50));
    }
    const retain::Services services = retain_services();
    const auto plan =
        retain::PlanPrune(services, options, [](const retain::RetentionPlan&) { return Ok(); });
    const auto report = plan.ok() ? retain::ApplyPrune(services, options, *plan)
                                  : Result<retain::PruneReport>(plan.error());
    EXPECT_TRUE(!is_quiet || report.ok()) << report.error().message;
    if (report.ok()) {
      happened_["a backup was pruned"] +=
          report->Count(retain::PruneAction::kDelete, retain::PruneOutcome::kDone);
    }
    if (faults.crashed()) Note("a prune was cut short");
    ClearFaults();
    fixture_.clock().Advance(std::chrono::hours{2});
  }
  for (const auto& [object, count] : CountGood()) {
    EXPECT_GE(count, std::min(before.at(object), kKeepLast)) << object.ToString();
  }
  for (const auto& [object, count] : before) EXPECT_GT(CountGood()[object], 0) << object.ToString();
  if (pinned_.empty()) return;
  const auto pinned = catalog::GetBackup(fixture_.catalog(), pinned_);
  EXPECT_TRUE(pinned.ok()) << "a pinned backup was pruned";
  Say("pruned");
}

// Objects as they are at the source: the table, or each of its partitions.
std::vector<TableRef> ShopSimulation::Present() {
  std::vector<TableRef> objects;
  for (const TableRef& table : plain_) {
    if (fixture_.cloud().HasTable(table)) objects.push_back(table);
  }
  if (!fixture_.cloud().HasTable(kEvents)) return objects;
  std::set<TableRef> partitions;
  for (const Json& row : fixture_.cloud().ReadRows(kEvents)) {
    std::string day = row.at(0).get<std::string>();
    std::erase(day, '-');
    partitions.insert(kEvents.WithPartition(day));
  }
  objects.insert(objects.end(), partitions.begin(), partitions.end());
  return objects;
}

// Each object that is there has a good backup with as many rows as it has.
void ShopSimulation::ExpectEverythingProtected() {
  std::vector<TableRef> definitions = {DatasetObject(kDataset)};
  if (fixture_.cloud().HasTable(kView)) definitions.push_back(kView);
  if (!routine_.empty()) definitions.push_back(RoutineObject(kDataset, kRoutine));
  for (const TableRef& object : definitions) {
    const auto latest = catalog::LatestGood(fixture_.catalog(), object);
    ASSERT_TRUE(latest.ok() && latest->has_value()) << object.ToString() << " has no backup";
    EXPECT_TRUE(IsDefinitionOnly((*latest)->kind)) << object.ToString();
  }
  for (const TableRef& object : Present()) {
    const auto latest = catalog::LatestGood(fixture_.catalog(), object);
    ASSERT_TRUE(latest.ok() && latest->has_value()) << object.ToString() << " has no backup";
    EXPECT_EQ((*latest)->rows, static_cast<int64_t>(fixture_.cloud().ReadRows(object).size()))
        << object.ToString();
  }
}

// A manifest that can be seen has all its data, to the last bit, and the catalog knows it.
void ShopSimulation::ExpectEveryManifestWhole() {
  auto repository = repository::Repository::Open(fixture_.cloud().objects(), place());
  if (!repository.ok()) return;  // nothing was there to be backed up yet
  std::set<std::string> seen;
  const verify::Services services = verify_services();
  const Status read =
      repository::ForEachManifest(*repository, {}, [&](const Result<Manifest>& manifest) -> Status {
        HF_RETURN_IF_ERROR(manifest);
        EXPECT_TRUE(seen.insert(manifest->backup).second) << manifest->backup;
        EXPECT_TRUE(catalog::GetBackup(fixture_.catalog(), manifest->backup).ok() ||
                    IsToldFailed(manifest->run, manifest->object))
            << manifest->backup << " is not in the catalog";
        if (manifest->copy) {
          const sim::Rows rows = fixture_.cloud().ReadRows(*manifest->copy);
          EXPECT_EQ(manifest->rows, static_cast<int64_t>(rows.size())) << manifest->backup;
          Note("a copy was made");
          return Ok();
        }
        HF_ASSIGN_OR_RETURN(const auto report,
                            verify::VerifyManifest(services, *manifest, VerifyLevel::kL2));
        EXPECT_TRUE(report.Passed()) << DumpJson(report.ToJson());
        return Ok();
      });
  EXPECT_TRUE(read.ok()) << read.error().message;
}

bool ShopSimulation::IsToldFailed(const std::string& run, const TableRef& object) {
  const auto items = catalog::AllOutcomes(fixture_.catalog(), run);
  return items.ok() && std::ranges::any_of(*items, [&](const ItemOutcome& item) {
           return item.object == object && item.outcome == Outcome::kFailed;
         });
}

// No two backups of an object hold the same state of it, but for what streams in (nobody can tell
// whether that changed) and what was taken again since it was told that it failed.
void ShopSimulation::ExpectNothingTwice() {
  // By a clock that was set back, what was written is ahead of the moment as of which it was taken.
  if (was_set_back_) return;
  std::map<std::pair<TableRef, std::string>, std::string> states;
  const Status read = cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return fixture_.catalog().FindBackups({}, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        if (record.damaged || record.source.streaming) return Ok();
        const std::string state = DumpJson(record.source.ToJson());
        const auto [at, is_new] = states.emplace(std::pair(record.object, state), record.backup);
        EXPECT_TRUE(is_new || IsToldFailed(record.run, record.object))
            << record.object.ToString() << ": " << record.backup << " and " << at->second
            << " are of " << state;
        return Ok();
      });
  EXPECT_TRUE(read.ok()) << read.error().message;
}

Result<restore::RestoreReport> ShopSimulation::Restore(const std::string& to) {
  restore::RestoreRequest request;
  request.source = {.project = "acme-shop", .dataset = "sales"};
  request.to_project = "acme-scratch";
  request.to_dataset = to;
  HF_ASSIGN_OR_RETURN(const auto plan, restore::PlanRestore(request, fixture_.restore_services()));
  return restore::Apply(request, plan, fixture_.restore_services());
}

// The dataset comes back as it is, even if the process dies once meanwhile.
void ShopSimulation::ExpectRestoreEqual(const std::string& to) {
  if (Present().empty()) return;
  sim::SimCloud& cloud = fixture_.cloud();
  cloud.faults().CrashAtCall(1 + static_cast<int64_t>(Below(80)), Chance(50));
  const auto first = Restore(to);
  if (cloud.faults().crashed()) Note("a restore was cut short");
  const bool done = first.ok() && first->Succeeded();
  cloud.faults().Revive();
  if (!done) {
    const auto report = Restore(to);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->Succeeded()) << DumpJson(report->ToJson());
  }
  std::vector<TableRef> tables = plain_;
  tables.push_back(kEvents);
  for (const TableRef& table : tables) {
    const TableRef back{"acme-scratch", to, table.table, ""};
    ASSERT_EQ(cloud.HasTable(back), cloud.HasTable(table)) << table.ToString();
    if (!cloud.HasTable(table)) continue;
    EXPECT_EQ(cloud.ReadRows(back), cloud.ReadRows(table)) << table.ToString();
    Note("a table was restored");
  }
  const TableRef view{"acme-scratch", to, kView.table, ""};
  ASSERT_EQ(cloud.HasTable(view), cloud.HasTable(kView));
  const auto routine = cloud.definitions().GetRoutine({"acme-scratch", to}, kRoutine);
  ASSERT_EQ(routine.ok(), !routine_.empty());
  if (routine.ok()) {
    EXPECT_EQ(routine->resource["definitionBody"], routine_);
    Note("a routine was restored");
  }
}

}  // namespace holdfast::simulation
