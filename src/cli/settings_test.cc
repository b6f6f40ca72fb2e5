#include "cli/settings.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/config.h"
#include "model/policy.h"

namespace holdfast::cli {
namespace {

const Setting& Get(std::string_view name) {
  const Setting* setting = FindSetting(name);
  EXPECT_NE(setting, nullptr) << name;
  return *setting;
}

TEST(Settings, NamesAndVariablesAreUnique) {
  std::set<std::string> names;
  std::set<std::string> variables = {"HOLDFAST_CONFIG"};  // it names the file
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(names.emplace(setting.name).second) << setting.name;
    EXPECT_TRUE(variables.insert(VariableOf(setting)).second) << setting.name;
    EXPECT_FALSE(setting.doc.empty()) << setting.name;
    EXPECT_EQ(setting.flag.empty(), setting.flag_doc.empty()) << setting.name;
  }
  EXPECT_GT(names.size(), 20U);
}

TEST(Settings, VariableIsSectionAndKeyInCapitals) {
  EXPECT_EQ(VariableOf(Get("policy.scope.include")), "HOLDFAST_POLICY_SCOPE_INCLUDE");
  EXPECT_EQ(VariableOf(Get("data_dir")), "HOLDFAST_DATA_DIR");
}

TEST(Settings, EveryMemberOfAPolicyIsOne) {
  const Json policy = BackupPolicy().ToJson();
  for (const auto& [key, value] : policy.items()) {
    // What only the policy document says.
    if (key == "scope" || key == "freeze" || key == "time_travel_days") continue;
    EXPECT_NE(FindSetting("policy." + key), nullptr) << key;
  }
  for (const auto& [key, value] : policy["scope"].items()) {
    EXPECT_NE(FindSetting("policy.scope." + key), nullptr) << key;
  }
}

TEST(Settings, EveryDefaultIsAValueOfItsType) {
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(ParseSettingText(setting, setting.fallback).ok()) << setting.name;
    EXPECT_NE(setting.fallback.empty(), setting.unset.empty()) << setting.name;
  }
}

TEST(ParseSettingText, ReadsEachType) {
  const struct {
    const char* name;
    const char* text;
    Json value;
  } kCases[] = {
      {"workers", "64", 64},
      {"policy.shrink_threshold", "0.25", 0.25},
      {"policy.shrink_threshold", "1", 1.0},
      {"policy.direct_extract", "Yes", true},
      {"policy.direct_extract", "0", false},
      {"policy.codec", "DEFLATE", "DEFLATE"},
      {"policy.prefix", "", ""},
      {"policy.scope.include", "acme-a.x,acme-b:y.z", Json::array({"acme-a.x", "acme-b.y.z"})},
      {"policy.scope.exclude", "", Json::array()},
  };
  for (const auto& test : kCases) {
    const auto value = ParseSettingText(Get(test.name), test.text);
    ASSERT_TRUE(value.ok()) << test.name << ": " << value.error().message;
    EXPECT_EQ(*value, test.value) << test.name;
    EXPECT_EQ(*ParseSettingText(Get(test.name), SettingText(*value)), test.value) << test.name;
  }
}

TEST(ParseSettingText, RefusesAndSaysWhatWasExpected) {
  const struct {
    const char* name;
    const char* text;
    const char* message;
  } kCases[] = {
      {"workers", "0", "is \"0\": expected a whole number from 1 to 64"},
      {"workers", "65", "is \"65\": expected a whole number from 1 to 64"},
      {"workers", "4x", "is \"4x\": expected a whole number from 1 to 64"},
      {"workers", "99999999999999999999",
       "is \"99999999999999999999\": expected a whole number from 1 to 64"},
      {"policy.shrink_threshold", "nan", "is \"nan\": expected a number from 0 to 1"},
      {"policy.direct_extract", "maybe", "is \"maybe\": expected true or false"},
      {"policy.codec", "SNAPY",
       "is \"SNAPY\": expected one of NONE, DEFLATE, SNAPPY; did you mean \"SNAPPY\"?"},
      {"policy.method", "teleport", "is \"teleport\": expected one of export, copy, snapshot"},
  };
  for (const auto& test : kCases) {
    const auto value = ParseSettingText(Get(test.name), test.text);
    ASSERT_FALSE(value.ok()) << test.name << " " << test.text;
    EXPECT_EQ(value.error().id, ErrorId::kConfigInvalid);
    EXPECT_EQ(value.error().message, test.message);
  }
  EXPECT_FALSE(ParseSettingText(Get("policy.scope.include"), "a..b").ok());
}

TEST(ParseSettingItems, IsForListsOnly) {
  EXPECT_TRUE(ParseSettingItems(Get("policy.scope.include"), {"acme-a", "acme-b.x"}).ok());
  EXPECT_FALSE(ParseSettingItems(Get("policy.codec"), {"NONE"}).ok());
}

}  // namespace
}  // namespace holdfast::cli
