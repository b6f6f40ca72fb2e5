// Selecting more than one thing: scopes, runs, what was deleted, what goes too far back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restore/partition_window.h"
#include "restore/selection.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::HasSubstr;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kOrdersOfShop{"acme-shop", "sales", "orders", ""};
const TableRef kPeopleOfShop{"acme-shop", "sales", "people", ""};
const TableRef kPagesOfWeb{"acme-web", "site", "pages", ""};

// Three tables in two projects; the day after, one has more rows and another is gone.
class ScopeSelection : public testing::Test {
 protected:
  void SetUp() override {
    for (const TableRef& table : {kOrdersOfShop, kPeopleOfShop, kPagesOfWeb}) {
      fixture_.cloud().AddTable(table, TwoColumns(), NumberedRows(1, 10));
    }
    first_run_ = fixture_.BackUp()->run.id;
    first_ms_ = ToUnixMillis(fixture_.clock().Now());
    fixture_.clock().Advance(std::chrono::hours{24});
    fixture_.cloud().AppendRows(kOrdersOfShop, NumberedRows(11, 5));
    fixture_.cloud().DropTable(kPeopleOfShop);
    ASSERT_TRUE(fixture_.BackUp().ok());
  }

  static RestoreRequest Within(std::vector<std::string> include,
                               std::vector<std::string> exclude = {}) {
    RestoreRequest request;
    request.scope = Scope{.include = std::move(include), .exclude = std::move(exclude)};
    return request;
  }

  // "orders:15 pages:10": tables and rows, in order; or the error.
  std::string Chosen(const RestoreRequest& request) {
    const auto selection = Select(fixture_.catalog(), request, fixture_.clock().Now());
    if (!selection.ok()) return selection.error().message;
    selection_ = *selection;
    std::map<TableRef, int64_t> rows;
    for (const SelectedBackup& chosen : selection->backups) {
      if (chosen.record.kind == ObjectKind::kDataset) continue;
      EXPECT_TRUE(rows.emplace(chosen.record.object, chosen.record.rows).second);
    }
    std::string text;
    for (const auto& [object, count] : rows) {
      text += (text.empty() ? "" : " ") + object.table + ":" + std::to_string(count);
    }
    return text;
  }

  SimFixture fixture_;
  Selection selection_;
  std::string first_run_;
  int64_t first_ms_ = 0;
};

TEST_F(ScopeSelection, TakesWhatThePatternsCover) {
  struct Case {
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    const char* chosen;
  };
  const Case cases[] = {
      {{}, {}, "orders:15 pages:10"},
      {{"*"}, {}, "orders:15 pages:10"},
      {{"acme-shop"}, {}, "orders:15"},
      {{"acme-*"}, {"acme-shop"}, "pages:10"},
      {{"acme-shop.sales.ord*"}, {}, "orders:15"},
      {{"acme-web.site.pages", "acme-shop.sales.orders"}, {}, "orders:15 pages:10"},
      {{"acme-shop"}, {"acme-shop.sales.orders"}, ""},
      {{"acme-shop"}, {"acme-shop.sales"}, "there is no good backup of acme-shop"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Chosen(Within(c.include, c.exclude)), c.chosen);
  }
}

TEST_F(ScopeSelection, TakesWhatWasDeletedOnlyWhenAsked) {
  RestoreRequest request = Within({"acme-shop"});
  EXPECT_EQ(Chosen(request), "orders:15");
  EXPECT_THAT(selection_.notes, testing::Contains(HasSubstr("people")));
  request.include_deleted = true;
  EXPECT_EQ(Chosen(request), "orders:15 people:10");
  RestoreRequest dataset;
  dataset.source = {"acme-shop", "sales", "", ""};
  dataset.include_deleted = true;
  EXPECT_EQ(Chosen(dataset), "orders:15 people:10");
}

// A dataset that is gone comes back when it is named, not when its project is.
TEST_F(ScopeSelection, TakesADatasetThatIsGoneOnlyByItsName) {
  fixture_.cloud().DropDataset({"acme-web", "site"});
  ASSERT_TRUE(fixture_.BackUp().ok());
  EXPECT_EQ(Chosen(Within({"acme-*"})), "orders:15");
  EXPECT_EQ(Chosen(Within({"acme-shop", "acme-web.site"})), "orders:15 pages:10");
}

// As it is when it is the only one that is named.
TEST_F(ScopeSelection, TakesATableThatIsGoneByItsNameBesideOthers) {
  EXPECT_EQ(Chosen(Within({"acme-shop.sales.orders", "acme-shop.sales.people"})),
            "orders:15 people:10");
}

TEST_F(ScopeSelection, RefusesANameThatMeansNothing) {
  for (const char* name : {"acme-shop.sales.odrers", "acme-shop.slaes", "acme-shpo", "acme-b*"}) {
    const auto selection =
        Select(fixture_.catalog(), Within({"acme-web", name}), fixture_.clock().Now());
    ASSERT_FALSE(selection.ok()) << name;
    EXPECT_EQ(selection.error().id, ErrorId::kNothingToRestore);
    EXPECT_THAT(selection.error().message, HasSubstr(name));
  }
  const auto near = Select(fixture_.catalog(), Within({"acme-web", "acme-shop.sales.odrers"}),
                           fixture_.clock().Now());
  EXPECT_THAT(near.error().hint, HasSubstr("acme-shop.sales.orders"));
}

// A dataset of which nothing was ever saved is missing, not left out.
TEST_F(ScopeSelection, ListsWhatWasNeverSavedOfAProject) {
  const TableRef never{"acme-shop", "lab", "probes", ""};
  fixture_.cloud().AddTable(never, TwoColumns(), NumberedRows(1, 3));
  fixture_.cloud().faults().FailJobs("extract", "accessDenied", 10);
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.cloud().faults().FailJobs("extract", "accessDenied", 0);
  EXPECT_EQ(Chosen(Within({"acme-shop"})), "orders:15");
  EXPECT_THAT(selection_.missing, testing::Contains(testing::Field(&MissingObject::object, never)));
}

const TableRef kDaysOfShop{"acme-shop", "sales", "days", ""};

void AddDaysOfShop(SimFixture& fixture) {
  fixture.cloud().AddTable(kDaysOfShop, {{{.name = "day", .type = FieldType::kDate}}},
                           {Json{{"day", "2026-01-01"}}, Json{{"day", "2026-01-02"}}},
                           {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
}

// Its snapshot is of the whole table.
TEST_F(ScopeSelection, TakesNoMoreThanThePartitionThatIsNamedBesideOthers) {
  AddDaysOfShop(fixture_);
  BackupPolicy policy;
  policy.further_methods = {Method::kSnapshot};
  ASSERT_TRUE(fixture_.BackUp(policy).ok());
  fixture_.clock().Advance(std::chrono::hours{1});
  policy = {};
  policy.method = Method::kSnapshot;
  fixture_.cloud().AppendRows(kDaysOfShop, {Json{{"day", "2026-01-01"}}});
  ASSERT_TRUE(fixture_.BackUp(policy).ok());
  RestoreRequest request = Within({"acme-shop.sales.days", "acme-web.site.pages"});
  request.scope->partitions = {kDaysOfShop.WithPartition("20260102")};
  EXPECT_EQ(Chosen(request), "days:1 pages:10");
}

// It was whole, then it was made anew in partitions, and it is gone: both together would hold its
// rows twice.
TEST_F(ScopeSelection, TakesWhatWasDeletedAsItWasDividedLast) {
  fixture_.cloud().AddTable(kDaysOfShop, {{{.name = "day", .type = FieldType::kDate}}},
                            {Json{{"day", "2026-01-01"}}, Json{{"day", "2026-01-02"}}});
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.cloud().DropTable(kDaysOfShop);
  AddDaysOfShop(fixture_);
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.cloud().DropTable(kDaysOfShop);
  RestoreRequest request = Within({"acme-shop"});
  request.include_deleted = true;
  for (int i = 0; i < 2; ++i) {
    fixture_.clock().Advance(std::chrono::hours{1});
    ASSERT_TRUE(fixture_.BackUp().ok());
    EXPECT_EQ(Chosen(request), "days:1 days:1 orders:15 people:10");
  }
}

TEST_F(ScopeSelection, TakesTheSetThatARunFound) {
  RestoreRequest request;
  request.scope = Scope{};
  request.run = first_run_;
  EXPECT_EQ(Chosen(request), "orders:10 people:10 pages:10");
  request.scope = Scope{.include = {"acme-shop"}, .exclude = {}};
  EXPECT_EQ(Chosen(request), "orders:10 people:10");
  request.run = "20200101T000000Z-00000000";
  EXPECT_EQ(Select(fixture_.catalog(), request, fixture_.clock().Now()).error().id,
            ErrorId::kRunNotFound);
}

// A set is a set: another version does not take the place of one that is lost.
TEST_F(ScopeSelection, MissesOfARunWhatIsDamagedAndTellsTheNearest) {
  const auto damaged =
      catalog::LatestGood(fixture_.catalog(), kOrdersOfShop, first_ms_).value().value();
  ASSERT_TRUE(fixture_.catalog()
                  .RecordVerification({.backup = damaged.backup,
                                       .at_ms = first_ms_ + 1,
                                       .level = VerifyLevel::kL2,
                                       .passed = false,
                                       .detail = "bytes differ"})
                  .ok());
  RestoreRequest request = Within({"acme-shop"});
  request.run = first_run_;
  EXPECT_EQ(Chosen(request), "people:10");
  ASSERT_EQ(selection_.missing.size(), 1u);
  EXPECT_EQ(selection_.missing[0].object, kOrdersOfShop);
  EXPECT_FALSE(selection_.missing[0].before_ms) << "it was the first run";
  EXPECT_GT(selection_.missing[0].after_ms.value_or(0), first_ms_);
}

TEST_F(ScopeSelection, ListsWhatWasThereAtTheTimeAndHadNoBackupYet) {
  const TableRef late{"acme-shop", "sales", "late", ""};
  fixture_.cloud().AddTable(late, TwoColumns(), NumberedRows(1, 3));
  const int64_t made_ms = ToUnixMillis(fixture_.clock().Now());
  fixture_.clock().Advance(std::chrono::hours{1});
  ASSERT_TRUE(fixture_.BackUp().ok());
  RestoreRequest request = Within({"acme-shop"});
  request.as_of_ms = made_ms;
  EXPECT_EQ(Chosen(request), "orders:15");
  ASSERT_EQ(selection_.missing.size(), 1u);
  EXPECT_EQ(selection_.missing[0].object, late);
  const auto backup = catalog::LatestGood(fixture_.catalog(), late).value().value();
  EXPECT_EQ(selection_.missing[0].after_ms, backup.consistent_through_ms);
  request.as_of_ms = made_ms - 1;
  EXPECT_EQ(Chosen(request), "orders:15");
  EXPECT_TRUE(selection_.missing.empty()) << "it was not there";
}

TEST_F(ScopeSelection, NamesTheFirstBackupWhenTheTimeIsBeforeIt) {
  RestoreRequest request;
  request.source = kPagesOfWeb;
  request.as_of_ms = first_ms_ - 24LL * 3600 * 1000;
  const auto selection = Select(fixture_.catalog(), request, fixture_.clock().Now());
  ASSERT_FALSE(selection.ok());
  EXPECT_EQ(selection.error().id, ErrorId::kBeforeFirstBackup);
  const auto first = catalog::LatestGood(fixture_.catalog(), kPagesOfWeb).value().value();
  EXPECT_THAT(selection.error().message,
              HasSubstr(FormatTimestamp(FromUnixMillis(first.consistent_through_ms))));
}

TEST_F(ScopeSelection, SuggestsTheNameThatIsNearest) {
  RestoreRequest request;
  request.source = {"acme-shop", "sales", "poeple", ""};
  const auto selection = Select(fixture_.catalog(), request, fixture_.clock().Now());
  ASSERT_FALSE(selection.ok());
  EXPECT_THAT(selection.error().hint, HasSubstr("There are backups of: acme-shop.sales.people"));
}

struct WindowCase {
  Partitioning::Kind kind;
  const char* partition;
  int64_t days;
  bool is_within;
};

TEST(IsWithinDays, CountsTheDayOfNowAsTheFirst) {
  using Kind = Partitioning::Kind;
  const Timestamp now = ParseTimestamp("2026-03-10T12:00:00Z").value();
  const WindowCase cases[] = {
      {Kind::kDay, "20260310", 1, true},
      {Kind::kDay, "20260309", 1, false},
      {Kind::kDay, "20260309", 2, true},
      {Kind::kDay, "20260501", 1, true},
      {Kind::kHour, "2026030923", 1, false},
      {Kind::kHour, "2026031000", 1, true},
      {Kind::kMonth, "202603", 1, true},
      {Kind::kMonth, "202602", 10, false},
      {Kind::kMonth, "202602", 11, true},
      {Kind::kYear, "2025", 69, false},
      {Kind::kYear, "2025", 70, true},
      {Kind::kIntegerRange, "100", 1, true},
      {Kind::kNone, "", 1, true},
      {Kind::kDay, "", 1, true},
      {Kind::kDay, "__NULL__", 1, true},
      {Kind::kDay, "__UNPARTITIONED__", 1, true},
  };
  for (const WindowCase& c : cases) {
    EXPECT_EQ(IsWithinDays({.kind = c.kind, .field = "at"}, c.partition, c.days, now), c.is_within)
        << c.partition << " within " << c.days;
  }
}

TEST(KeepLastDays, TellsHowManyPartitionsItLeavesOut) {
  Selection selection;
  for (const char* partition : {"20260308", "20260309", "20260310"}) {
    catalog::BackupRecord record;
    record.object = kOrdersOfShop.WithPartition(partition);
    record.source.partitioning = {.kind = Partitioning::Kind::kDay, .field = "at"};
    selection.backups.push_back({.record = record, .note = {}});
  }
  KeepLastDays(selection, 1, ParseTimestamp("2026-03-10T00:00:00Z").value());
  ASSERT_EQ(selection.backups.size(), 1u);
  EXPECT_EQ(selection.backups[0].record.object.partition, "20260310");
  EXPECT_THAT(selection.notes,
              testing::ElementsAre("2 partitions are left out: before the last 1 day"));
}

}  // namespace
}  // namespace holdfast::restore
