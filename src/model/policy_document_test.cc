#include "model/policy_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

constexpr const char* kWholeDocument = R"(
defaults:
  method: export
  schedule: {cron: "0 23 * * *", time_zone: America/New_York}
  retention: {keep_daily: 7, keep_within: 30d}
classes:
  critical: {rpo: 1h, forced_full_days: 1}
folders:
  folders/12*: {class: important}
projects:
  acme-*:
    methods: [export, snapshot]
    backup_operation_projects: [ops-1a, ops-2b]
    repositories:
      - {bucket_pattern: "{project}-far", location: EU}
datasets:
  acme-prod.sales: {verification: {read_within: 30d, live: true}}
tables:
  "acme-*.*.tmp_*": {exclude: true}
labels:
  env=prod,team=*: {class: critical}
owner_bounds:
  labels: true
  bucket: acme-policies
  fields:
    class: {allow: [critical, important]}
    forced_full_days: {min: 1, max: 30}
    schedule: {allow: ["0 2 * * *"]}
    retention:
    retention.keep_daily: {min: 7}
)";

TEST(PolicyDocument, ReadsEverySection) {
  const ParsedPolicy parsed = ParsePolicyText(kWholeDocument, "policy.yaml");
  for (const PolicyProblem& problem : parsed.problems) ADD_FAILURE() << problem.ToString();
  ASSERT_EQ(parsed.document.rules.size(), 7);
  const PolicyRule& defaults = parsed.document.rules.front();
  EXPECT_EQ(defaults.fields.at("methods").value, Json::array({"export"}));
  EXPECT_EQ(defaults.fields.at("methods").line, 3);
  EXPECT_EQ(parsed.document.rules[5].fields.at("enabled").value, false);
  EXPECT_TRUE(parsed.document.NeedsLabels());
  EXPECT_TRUE(parsed.document.HasClass("reference"));
  EXPECT_FALSE(parsed.document.HasClass("nonsense"));
  const auto schedules = parsed.document.Schedules();
  ASSERT_EQ(schedules.size(), 2);
  EXPECT_EQ(schedules[0].ToString(), "0 2 * * * UTC");
  EXPECT_EQ(schedules[1].ToString(), "0 23 * * * America/New_York");
}

TEST(PolicyDocument, SurvivesBeingCarriedAsJson) {
  const auto document = ReadPolicyText(kWholeDocument, "policy.yaml");
  ASSERT_TRUE(document.ok()) << document.error().message;
  const auto again = PolicyDocument::FromJson(*ParseJson(DumpJson(document->ToJson())));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *document);
}

TEST(PolicyDocument, IsEmptyWhereTheFileHasNoSuchMember) {
  const auto document = ReadPolicyText("workers: 3\n", "config.yaml", "policies");
  ASSERT_TRUE(document.ok());
  EXPECT_TRUE(document->rules.empty());
  const auto inside =
      ReadPolicyText("workers: 3\npolicies:\n  defaults: {codec: NONE}\n", "c.yaml", "policies");
  ASSERT_TRUE(inside.ok());
  EXPECT_EQ(inside->rules.at(0).fields.at("codec").line, 3);
}

struct MistakeCase {
  const char* text;
  const char* place;
  const char* words;
};

TEST(PolicyDocument, TellsThePlaceOfEachMistake) {
  const MistakeCase cases[] = {
      {"default: {codec: NONE}", "line 1, column 1", "no section \"default\""},
      {"defaults:\n  kodec: NONE", "line 2, column 3", "no field \"kodec\""},
      {"defaults:\n  codec: ZSTD", "line 2, column 10", "NONE, DEFLATE, SNAPPY"},
      {"defaults:\n  codec:", "line 2, column 3", "no value"},
      {"defaults: 7", "line 1, column 11", "not a map"},
      {"defaults: {forced_full_days: -1}", "line 1, column 30", "from 0 to 36500"},
      {"defaults: {forced_full_days: \"3\"}", "line 1, column 30", "whole number"},
      {"defaults: {rpo: 3 days}", "line 1, column 17", "duration"},
      {"defaults: {rpo: 0h}", "line 1, column 17", "duration"},
      {"defaults: {method: [export, magic]}", "line 1, column 29", "export, copy or snapshot"},
      {"defaults: {method: [export, export]}", "line 1, column 29", "each item once"},
      {"defaults: {method: copy, methods: copy}", "line 1, column 26", "again"},
      {"defaults: {exclude: maybe}", "line 1, column 21", "true or false"},
      {"defaults: {schedule: '0 99 * * *'}", "line 1, column 22", "hour"},
      {"defaults: {schedule: [{cron: '0 1 * * *', time_zone: Mars}]}", "line 1, column 23",
       "no time zone"},
      {"defaults: {verification: {read_within: soon}}", "line 1, column 40", "duration"},
      {"defaults: {verification: {often: 1d}}", "line 1, column 34", "no member \"often\""},
      {"defaults: {bucket_pattern: Upper}", "line 1, column 28", "no bucket's name"},
      {"version: 2", "line 1, column 10", "version 1"},
      {"defaults: {prefix: a//b}", "line 1, column 20", "some/path"},
      {"defaults: {repositories: [{location: EU}]}", "line 1, column 27", "bucket_pattern"},
      {"defaults: {repositories: [{bucket_pattern: No One}]}", "line 1, column 27",
       "no bucket's name"},
      {"defaults: {retention: 7}", "line 1, column 23", "a map"},
      {"defaults: {class: precious}", "line 1, column 19", "no class \"precious\""},
      {"classes: {a: {class: critical}}", "line 1, column 11", "class itself"},
      {"folders: {123: {}}", "line 1, column 11", "folders/NUMBER"},
      {"projects: {a.b: {}}", "line 1, column 12", "the id of a project"},
      {"datasets: {a: {}}", "line 1, column 12", "project.dataset"},
      {"tables: {a.b: {}}", "line 1, column 10", "project.dataset.table"},
      {"tables: {a..c: {}}", "line 1, column 10", "project.dataset.table"},
      {"labels: {'=x': {}}", "line 1, column 10", "no label selector"},
      {"labels: {'a=1,a=2': {}}", "line 1, column 10", "no label selector"},
      {"projects:\n  a: {}\n  a: {}", "line 3, column 3", "twice"},
      {"owner_bounds: {fields: {colour: {}}}", "line 1, column 25", "no field"},
      {"owner_bounds: {fields: {codec: {min: 1}}}", "line 1, column 38", "min of codec"},
      {"owner_bounds: {fields: {codec: {allow: [ZIP]}}}", "line 1, column 41", "codec is"},
      {"owner_bounds: {fields: {schedule: {}}}", "line 1, column 25", "needs allow"},
      {"owner_bounds: {labels: 3}", "line 1, column 24", "true or false"},
      {"defaults: {codec: [", "line 1", ""},
  };
  for (const MistakeCase& at : cases) {
    const ParsedPolicy parsed = ParsePolicyText(at.text, "p.yaml");
    ASSERT_EQ(parsed.problems.size(), 1) << at.text;
    EXPECT_THAT(parsed.problems.front().ToString(), testing::StartsWith(at.place)) << at.text;
    EXPECT_THAT(parsed.problems.front().message, testing::HasSubstr(at.words)) << at.text;
  }
}

TEST(PolicyDocument, TellsEveryMistakeInOrderOfPlace) {
  const auto document =
      ReadPolicyText("tables: {a: {}}\ndefaults:\n  codec: ZIP\n  colour: red\n", "policy.yaml");
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().id, ErrorId::kInvalidPolicy);
  EXPECT_THAT(document.error().message, testing::MatchesRegex("policy.yaml: line 1, .*; line 3, "
                                                              ".*; line 4, column 3: .*"));
}

TEST(PolicyDocument, BoundsWhatATextMayHold) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name < 'i'; ++name) {
    const char before = static_cast<char>(name - 1);
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) bomb += std::string(i == 0 ? "*" : ",*") + before;
    bomb += "]\n";
  }
  const ParsedPolicy parsed = ParsePolicyText(bomb, "p.yaml");
  ASSERT_EQ(parsed.problems.size(), 1);
  EXPECT_THAT(parsed.problems.front().message, testing::HasSubstr("more than 200000 values"));
  EXPECT_EQ(ParsePolicyText(std::string(2 << 20, ' '), "p.yaml").problems.size(), 1);
}

}  // namespace
}  // namespace holdfast
