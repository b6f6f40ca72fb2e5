#include "cloud/run_job.h"

#include <gtest/gtest.h>

#include "base/virtual_clock.h"
#include "sim/sim_cloud.h"
#include "tests/support/error_id.h"

namespace holdfast::cloud {
namespace {

using testing_support::IdOf;

// A file more or less than the job wrote, and the rows of a table are not what they were.
TEST(ListExtracted, TakesExactlyTheFilesThatTheJobWrote) {
  const struct {
    int there;
    int64_t told;  // -1: the service did not say
    bool taken;
  } cases[] = {{1, 1, true},  {3, 3, true},   {3, 4, false}, {3, 2, false}, {3, 0, false},
               {0, 1, false}, {0, -1, false}, {1, -1, true}, {3, -1, true}};
  for (const auto& [there, told, taken] : cases) {
    VirtualClock clock{FromUnixMillis(1'790'000'000'000)};
    sim::SimCloud cloud(clock);
    ASSERT_TRUE(cloud.objects().EnsureBucket({.name = "b", .project = "p", .location = "US"}).ok());
    for (int file = 0; file < there; ++file) {
      const ObjectRef object{"b", "mine/" + std::to_string(file) + ".avro", 0};
      ASSERT_TRUE(CreateObjectFromString(cloud.objects(), object, "rows").ok());
    }
    ASSERT_TRUE(CreateObjectFromString(cloud.objects(), {"b", "other/0.avro", 0}, "rows").ok());
    const auto listed = ListExtracted(cloud.objects(), "b", "mine/", told);
    ASSERT_EQ(listed.ok(), taken) << there << " there, " << told << " told";
    if (taken) {
      EXPECT_EQ(static_cast<int>(listed->size()), there);
    } else {
      EXPECT_EQ(IdOf(listed), ErrorId::kExtractIncomplete);
    }
  }
}

}  // namespace
}  // namespace holdfast::cloud
