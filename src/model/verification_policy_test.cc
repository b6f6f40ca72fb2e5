#include "model/verification_policy.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(VerificationPolicy, ReadsItsMembersAndKeepsDefaults) {
  EXPECT_EQ(*VerificationPolicy::FromJson(Json::object()), VerificationPolicy());
  const auto policy = VerificationPolicy::FromJson(
      {{"read_within", "2w"}, {"restore_within", "90d"}, {"live", true}});
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->read_within, std::chrono::hours{14 * 24});
  EXPECT_EQ(policy->restore_within, std::chrono::hours{90 * 24});
  EXPECT_TRUE(policy->live);
}

TEST(VerificationPolicy, NamesWhatIsWrong) {
  const std::pair<Json, const char*> wrong[] = {
      {Json::array(), "not a map"},          {{{"read_in", "7d"}}, "read_in"},
      {{{"read_within", 7}}, "read_within"}, {{{"restore_within", "soon"}}, "restore_within"},
      {{{"live", "yes"}}, "live"},
  };
  for (const auto& [json, part] : wrong) {
    const auto policy = VerificationPolicy::FromJson(json);
    ASSERT_FALSE(policy.ok()) << DumpJson(json);
    EXPECT_NE(policy.error().message.find(part), std::string::npos) << policy.error().message;
  }
}

}  // namespace
}  // namespace holdfast
