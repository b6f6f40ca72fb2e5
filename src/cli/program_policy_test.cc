// `policy` and `config`, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "cli/exit_code.h"
#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ProgramTest, ValidatesThePoliciesOfTheConfigurationToo) {
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults: {colour: red}\n";
  const Ran ran = Run({"config", "validate"});
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.out, Not(HasSubstr("is valid")));
  EXPECT_THAT(ran.err, HasSubstr("line 5, column 14: there is no field \"colour\""));
}

TEST_F(ProgramTest, SaysOfRpoThatItIsActedOn) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults: {rpo: 1h, rto: 2h}\n";
  EXPECT_THAT(Run({"policy", "show", "acme-shop.sales.people"}).err,
              HasSubstr("not acted on yet: rto."));
}

TEST_F(ProgramTest, TellsWhatHoldsForATableAndWhere) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app) << "policy_file: policy.yaml\n";
  std::ofstream(directory_ + "/policy.yaml")
      << "defaults: {forced_full_days: 3, schedule: '0 2 * * *'}\n"
         "tables: {acme-shop.sales.peo*: {codec: NONE}}\n"
         "owner_bounds: {labels: true, fields: {codec: {allow: [SNAPPY]}}}\n";
  ASSERT_TRUE(Open()
                  ->warehouse()
                  .UpdateTable({"acme-shop", "sales", "people", ""},
                               {{"labels", {{"holdfast-codec", "deflate"}}}})
                  .ok());
  const Json shown = RunJson({"policy", "show", "acme-shop.sales.people"});
  const auto field = [&](const std::string& name) {
    for (const Json& row : shown["fields"]) {
      if (row["field"] == name) return row;
    }
    return Json();
  };
  EXPECT_EQ(field("codec")["value"], "NONE");
  EXPECT_THAT(field("codec")["origin"].get<std::string>(),
              testing::MatchesRegex("tables.acme-shop.sales.peo. at .*/policy.yaml:2"));
  EXPECT_EQ(field("shrink_threshold")["origin"], "default");
  ASSERT_EQ(shown["refusals"].size(), 1U);
  EXPECT_EQ(shown["refusals"][0]["field"], "codec");
  EXPECT_THAT(Run({"policy", "show", "acme-shop.sales.people"}).err, HasSubstr("only \"SNAPPY\""));
  EXPECT_THAT(Run({"policy", "validate"}).out, HasSubstr("2 rules, 1 schedule"));

  std::ofstream(directory_ + "/policy.yaml") << "defaults:\n  codec: ZIP\n  colour: red\n";
  const Ran wrong = Run({"policy", "validate"});
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_THAT(wrong.out, HasSubstr("policy.yaml:2:10: codec is"));
  EXPECT_THAT(wrong.out, HasSubstr("policy.yaml:3:3: there is no field"));
  EXPECT_THAT(Run({"backup", "run"}).err, HasSubstr("P0002"));
  EXPECT_EQ(Run({"backup", "list"}).exit_code, 0) << "what needs no policy goes on";
}

}  // namespace
}  // namespace holdfast::cli
