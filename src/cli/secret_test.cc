#include "cli/secret.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

namespace holdfast::cli {
namespace {

std::optional<std::string> Variables(const std::string& name) {
  return name == "DB_PASSWORD" ? std::optional<std::string>("hunter2") : std::nullopt;
}

TEST(Secret, IsReadFromWhereItIsSaidToBe) {
  const testing_support::TemporaryDirectory directory;
  const std::string path = directory.path() + "/password";
  std::ofstream(path) << " hunter 3\n";
  EXPECT_EQ(ResolveSecret("env:DB_PASSWORD", Variables).value(), "hunter2");
  EXPECT_EQ(ResolveSecret("file:" + path, Variables).value(), " hunter 3");
}

TEST(Secret, WhatCannotBeReadIsNamedAndWhatMayBeOneIsNot) {
  const testing_support::TemporaryDirectory directory;
  const std::string large = directory.path() + "/large";
  std::ofstream(large) << std::string(100'000, 'x');
  const struct {
    std::string reference;
    ErrorId id;
    std::string named;
  } cases[] = {
      {"env:OTHER", ErrorId::kConfigInvalid, "OTHER"},
      {"file:/absent/x", ErrorId::kConfigInvalid, "/absent/x"},
      {"file:" + large, ErrorId::kLimitExceeded, large},
      {"hunter2", ErrorId::kConfigInvalid, "where the secret is"},
      {"env:", ErrorId::kConfigInvalid, "where the secret is"},
      {"", ErrorId::kConfigInvalid, "where the secret is"},
  };
  for (const auto& each : cases) {
    const auto secret = ResolveSecret(each.reference, Variables);
    ASSERT_FALSE(secret.ok()) << each.reference;
    EXPECT_EQ(secret.error().id, each.id) << each.reference;
    EXPECT_NE(secret.error().message.find(each.named), std::string::npos) << each.reference;
    EXPECT_EQ(secret.error().ToString().find("hunter2"), std::string::npos) << each.reference;
  }
}

}  // namespace
}  // namespace holdfast::cli
