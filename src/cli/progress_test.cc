#include "cli/progress.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/virtual_clock.h"

namespace holdfast::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What ten calls write, `interval` apart.
std::string Shown(ProgressMode mode, bool is_terminal, Duration interval) {
  VirtualClock clock{Timestamp{}};
  std::ostringstream out;
  {
    Progress progress(mode, is_terminal, clock, out);
    for (int i = 0; i < 10; ++i) {
      progress.Show("at " + std::to_string(i), {{"done", i}});
      clock.Advance(interval);
    }
  }
  return out.str();
}

TEST(Progress, RewritesOneLineOnATerminal) {
  EXPECT_EQ(Shown(ProgressMode::kAuto, true, milliseconds{60}),
            "\r\x1b[Kat 0\r\x1b[Kat 2\r\x1b[Kat 4\r\x1b[Kat 6\r\x1b[Kat 8\r\x1b[K");
}

TEST(Progress, SaysNothingOfShortWorkWithoutATerminal) {
  EXPECT_EQ(Shown(ProgressMode::kAuto, false, seconds{2}), "");
  EXPECT_EQ(Shown(ProgressMode::kPlain, true, seconds{2}), "");
}

TEST(Progress, WritesALineEveryHalfMinuteWithoutATerminal) {
  EXPECT_EQ(Shown(ProgressMode::kAuto, false, seconds{10}), "at 3\nat 6\nat 9\n");
  EXPECT_EQ(Shown(ProgressMode::kPlain, true, seconds{10}), "at 3\nat 6\nat 9\n");
}

TEST(Progress, WritesJsonLinesForMachines) {
  EXPECT_EQ(Shown(ProgressMode::kJson, true, milliseconds{400}),
            "{\"done\":3}\n{\"done\":6}\n{\"done\":9}\n");
}

TEST(Progress, CanBeSilenced) { EXPECT_EQ(Shown(ProgressMode::kNone, true, seconds{60}), ""); }

TEST(Progress, WritesNoControlCharacterOfAName) {
  VirtualClock clock{Timestamp{}};
  std::ostringstream out;
  {
    Progress progress(ProgressMode::kAuto, true, clock, out);
    progress.Show("restoring a\x1b[31m\nb", {});
    progress.Clear();
    progress.Clear();
  }
  EXPECT_EQ(out.str(), "\r\x1b[Krestoring a?[31m?b\r\x1b[K");
}

TEST(FindProgressMode, KnowsEveryNameAndNoOther) {
  EXPECT_EQ(FindProgressMode("auto"), ProgressMode::kAuto);
  EXPECT_EQ(FindProgressMode("plain"), ProgressMode::kPlain);
  EXPECT_EQ(FindProgressMode("json"), ProgressMode::kJson);
  EXPECT_EQ(FindProgressMode("none"), ProgressMode::kNone);
  EXPECT_FALSE(FindProgressMode("bar").has_value());
}

}  // namespace
}  // namespace holdfast::cli
