// The real engine on the simulated cloud, for many seeds (shop_simulation.h), and that each kind of
// fault struck in them: a simulation in which nothing goes wrong proves nothing.
//
// HOLDFAST_SEEDS is how many seeds are tried (default 100), HOLDFAST_FIRST_SEED the first (1): a
// seed that fails is named and fails again. Source: DESIGN §8 "simulation".
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/simulation/shop_simulation.h"

namespace holdfast::simulation {
namespace {

constexpr uint64_t kSeedsForAllKinds = 1000;

uint64_t NumberOf(const char* variable, uint64_t fallback) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

constexpr const char* kEvents[] = {"a table was created anew",
                                   "a table was dropped",
                                   "rows were streamed",
                                   "services failed",
                                   "the process died",
                                   "a copy was made",
                                   "a restore was cut short",
                                   "a table was restored",
                                   "a view was edited",
                                   "a routine was edited",
                                   "a routine was restored",
                                   "workers took turns",
                                   "a run ended under faults",
                                   "a run ended for want of space",
                                   "a table was made anew under a run",
                                   "a backup was pruned",
                                   "a prune was cut short",
                                   "the clock jumped",
                                   "fault unavailable",
                                   "fault throttled",
                                   "fault timeout",
                                   "fault reset_before",
                                   "fault reset_after",
                                   "fault cut_read",
                                   "fault crash",
                                   "fault denied",
                                   "fault job_refused",
                                   "fault job_failure",
                                   "fault drop_table",
                                   "fault lost_ack",
                                   "fault lost_message",
                                   "fault duplicate_message",
                                   "fault delayed_message",
                                   "fault reordered_message",
                                   "fault corrupt_write",
                                   "fault rival",
                                   "fault told_409",
                                   "fault found_409",
                                   "fault rival_409",
                                   "fault found_412",
                                   "fault rival_412",
                                   "fault disk_full",
                                   "fault lost_commit"};

TEST(BackupSimulation, WhateverHappenedOneQuietRunProtectsEverything) {
  const uint64_t first = NumberOf("HOLDFAST_FIRST_SEED", 1);
  const uint64_t seeds = NumberOf("HOLDFAST_SEEDS", 100);
  ASSERT_GT(seeds, 0U);
  std::map<std::string, int64_t> happened;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("replay with HOLDFAST_SEEDS=1 HOLDFAST_FIRST_SEED=" + std::to_string(seed));
    ShopSimulation shop(seed);
    shop.Run();
    if (HasFailure()) {
      for (const std::string& line : shop.trace()) std::cerr << line << "\n";
      FAIL() << "what happened is on stderr";
    }
    for (const auto& [kind, times] : shop.happened()) happened[kind] += times;
  }
  if (seeds < kSeedsForAllKinds) return;
  for (const char* event : kEvents) EXPECT_GT(happened[event], 0) << event;
  for (const auto& [kind, times] : happened) std::cout << times << " times: " << kind << "\n";
}

TEST(BackupSimulation, TheSameSeedHasTheSameTrace) {
  const auto trace_of = [](uint64_t seed) {
    ShopSimulation shop(seed);
    shop.Run();
    return shop.trace();
  };
  for (const uint64_t seed : {1U, 2U, 3U, 16U}) {
    const auto trace = trace_of(seed);
    EXPECT_GT(trace.size(), 3U);
    EXPECT_EQ(trace, trace_of(seed));
    EXPECT_NE(trace, trace_of(seed + 1));
  }
}

}  // namespace
}  // namespace holdfast::simulation
