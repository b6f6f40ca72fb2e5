#include "adapters/secret.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

namespace holdfast {
namespace {

std::optional<std::string> Variables(const std::string& name) {
  if (name == "EMPTY") return "";
  return name == "DB_PASSWORD" ? std::optional<std::string>("hunter2") : std::nullopt;
}

TEST(Secret, IsReadFromWhereItIsSaidToBe) {
  const testing_support::TemporaryDirectory directory;
  const std::string path = directory.path() + "/password";
  std::ofstream(path) << " hunter 3\n";
  EXPECT_EQ(ReadSecret("env:DB_PASSWORD", Variables).value(), "hunter2");
  EXPECT_EQ(ReadSecret("file:" + path, Variables).value(), " hunter 3");
}

TEST(Secret, WhatCannotBeReadIsNamedAndWhatMayBeOneIsNot) {
  const testing_support::TemporaryDirectory directory;
  const std::string large = directory.path() + "/large";
  std::ofstream(large) << std::string(100'000, 'x');
  const struct {
    std::string reference;
    std::string named;
  } cases[] = {
      {"env:OTHER", "OTHER"},   {"env:EMPTY", "EMPTY"},  {"file:/absent/x", "/absent/x"},
      {"file:" + large, large}, {"hunter2", "env:NAME"}, {"env:", "env:NAME"},
      {"", "env:NAME"},
  };
  for (const auto& each : cases) {
    const auto secret = ReadSecret(each.reference, Variables);
    ASSERT_FALSE(secret.ok()) << each.reference;
    EXPECT_EQ(secret.error().id, ErrorId::kSecretUnavailable) << each.reference;
    EXPECT_NE(secret.error().message.find(each.named), std::string::npos) << each.reference;
    EXPECT_EQ(secret.error().ToString().find("hunter2"), std::string::npos) << each.reference;
  }
}

}  // namespace
}  // namespace holdfast
