#include "observe/run_page.h"

#include <gtest/gtest.h>

#include "tests/support/sim_fixture.h"

namespace holdfast::observe {
namespace {

using testing_support::SimFixture;

// A ledger with one run of these outcomes.
class RunPage : public testing::Test {
 protected:
  void Record(const std::vector<ItemOutcome>& items, bool finish = true) {
    auto& catalog = fixture_.catalog();
    const holdfast::Run run{
        .id = "run-1", .started_ms = 1'790'000'000'000, .policy = {}, .due = {}};
    ASSERT_TRUE(catalog.BeginRun(run).ok());
    ASSERT_TRUE(catalog.CompleteTask(TaskId(StartBackupProcess{"run-1"}), {}, items).ok());
    if (!finish) return;
    ASSERT_TRUE(catalog.FinishRun("run-1", 1'790'000'060'000).ok());
  }

  std::string Page() {
    std::string page;
    const Status written =
        WriteRunPage(fixture_.catalog(), "run-1", [&](std::string_view text) -> Status {
          page += text;
          return Ok();
        });
    EXPECT_TRUE(written.ok());
    return page;
  }

  SimFixture fixture_;
};

ItemOutcome Item(const std::string& table, Outcome outcome, const std::string& reason = "") {
  return {.object = {"p", "d", table, ""},
          .outcome = outcome,
          .reason = reason,
          .backup = {},
          .rows = 1'234,
          .error_id = outcome == Outcome::kFailed ? "G0006" : "",
          .note = {}};
}

TEST_F(RunPage, ShowsWhatFailedAndIsNotProtectedFirst) {
  Record({Item("a", Outcome::kBackedUp), Item("b", Outcome::kFailed, "denied"),
          Item("c", Outcome::kUnsupported, "a model"), Item("e", Outcome::kUnchanged)});
  const std::string page = Page();
  const size_t failed = page.find("p.d.b");
  const size_t unprotected = page.find("p.d.c");
  const size_t backed_up = page.find("p.d.a");
  const size_t unchanged = page.find("p.d.e");
  ASSERT_NE(unchanged, std::string::npos);
  EXPECT_LT(failed, unprotected);
  EXPECT_LT(unprotected, backed_up);
  EXPECT_LT(backed_up, unchanged);
  EXPECT_NE(page.find("denied [G0006]"), std::string::npos);
  EXPECT_NE(page.find("1,234"), std::string::npos);
}

TEST_F(RunPage, EscapesEveryTextAndAsksForNothingElsewhere) {
  Record({Item("<script>alert(1)</script>\"'&", Outcome::kFailed, "<img src=x onerror=\"y\">\n"),
          Item("n", Outcome::kBackedUp)});
  const std::string page = Page();
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("p.d.&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"),
            std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "href="}) {
    const size_t found = page.find(outside);
    EXPECT_TRUE(found == std::string::npos || page.compare(found, 8, "src=x on") == 0) << outside;
  }
}

TEST_F(RunPage, AddsUpOverManyPagesOfTheLedger) {
  std::vector<ItemOutcome> items;
  for (int i = 0; i < 2'500; ++i) {
    items.push_back(Item("t" + std::to_string(i), static_cast<Outcome>(i % kOutcomes), "why"));
  }
  Record(items);
  const std::string page = Page();
  EXPECT_NE(page.find("2,500 objects in all sections, as in the totals."), std::string::npos);
  size_t rows = 0;
  for (size_t at = page.find("<td class=o>"); at != std::string::npos;
       at = page.find("<td class=o>", at + 1)) {
    ++rows;
  }
  EXPECT_EQ(rows, 2'500U);
}

TEST_F(RunPage, SaysThatARunIsNotFinished) {
  Record({Item("a", Outcome::kBackedUp)}, false);
  EXPECT_NE(Page().find("This run is not finished"), std::string::npos);
}

TEST_F(RunPage, IsOfARunThatIsThere) {
  const Status written =
      WriteRunPage(fixture_.catalog(), "other", [](std::string_view) -> Status { return Ok(); });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().id, ErrorId::kRunNotFound);
}

}  // namespace
}  // namespace holdfast::observe
