#include "observe/alert_settings.h"

#include <gtest/gtest.h>

#include "model/yaml_tree.h"

namespace holdfast::observe {
namespace {

constexpr const char* kWhole = R"(
repeat_after: 12h
channels:
  oncall: {email: {smtp_url: "smtp://mail:587", username: u, password: "env:P", from: a@b.c,
                   to: [d@e.f, g@h.i], ca_file: /ca.pem}}
  chat: {webhook: {url: "https://chat.example/x", secret: "file:/s"}}
rules:
  - {kinds: [suspect, verify_defect], channels: [oncall], repeat_after: 4h}
  - {minimum_severity: warning, channels: [chat]}
  - {kinds: [suspect], channels: [oncall], repeat_after: 1h}
)";

Result<AlertSettings> Parse(const std::string& yaml) {
  const auto tree = ParseYamlTree(yaml);
  return ParseAlertSettings(tree.value().ToJson());
}

TEST(AlertSettings, AreReadWhole) {
  const auto settings = Parse(kWhole);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  ASSERT_EQ(settings->channels.size(), 2U);
  const AlertChannel* oncall = settings->FindChannel("oncall");
  ASSERT_NE(oncall, nullptr);
  EXPECT_EQ(oncall->email, (EmailChannel{.smtp_url = "smtp://mail:587",
                                         .require_tls = true,
                                         .username = "u",
                                         .password = "env:P",
                                         .from = "a@b.c",
                                         .to = {"d@e.f", "g@h.i"},
                                         .ca_file = "/ca.pem"}));
  EXPECT_EQ(settings->FindChannel("chat")->webhook->secret, "file:/s");
  EXPECT_EQ(settings->FindChannel("other"), nullptr);
}

TEST(AlertSettings, SayWhatGoesWhereAndHowOften) {
  using std::chrono::hours;
  const AlertSettings settings = Parse(kWhole).value();
  EXPECT_EQ(settings.RepeatAfter(AlertKind::kSuspect, "oncall"), hours{1}) << "the shortest";
  EXPECT_EQ(settings.RepeatAfter(AlertKind::kVerifyDefect, "oncall"), hours{4});
  EXPECT_EQ(settings.RepeatAfter(AlertKind::kFailedStep, "oncall"), std::nullopt);
  EXPECT_EQ(settings.RepeatAfter(AlertKind::kFailedStep, "chat"), hours{12});
  EXPECT_EQ(settings.RepeatAfter(AlertKind::kTest, "chat"), std::nullopt) << "below the minimum";
}

TEST(AlertSettings, SendEverythingEverywhereWithoutRules) {
  const auto settings = Parse("channels: {chat: {webhook: {url: 'env:URL'}}}");
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  for (const AlertKindEntry& kind : AllAlertKinds()) {
    EXPECT_EQ(settings->RepeatAfter(kind.kind, "chat"), std::chrono::hours{24}) << kind.id;
  }
}

TEST(AlertSettings, AreAbsentByDefault) {
  EXPECT_EQ(ParseAlertSettings(Json::object()).value(), AlertSettings());
}

TEST(AlertSettings, RefuseMistakesByTheirPlace) {
  const std::string mail = "channels: {m: {email: {smtp_url: 'smtp://h', from: a@b.c, to: d@e.f";
  const struct {
    std::string yaml;
    const char* expected;
  } kCases[] = {
      {"channel: {}", "no member \"channel\""},
      {"repeat_after: 3 days", "alerts.repeat_after"},
      {"repeat_after: 1s", "alerts.repeat_after"},
      {"channels: {m: {}}", "one of `email` and `webhook`"},
      {"channels: {m: {webhook: {url: 'ftp://x'}}}", "alerts.channels.m.webhook.url"},
      {"channels: {m: {webhook: {url: 'https://x', secret: hunter2}}}", "is not a reference"},
      {mail + ", username: u, password: hunter2}}}", "is not a reference"},
      {mail + ", username: u}}}", "go together"},
      {mail + ", username: u, password: 'env:P', starttls: off}}}", "in the clear"},
      {mail + ", starttls: maybe}}}", "neither required nor off"},
      {mail + ", port: 25}}}", "no member \"port\""},
      {"channels: {m: {email: {smtp_url: 'http://h', from: a@b.c, to: d@e.f}}}", "smtp_url"},
      {"channels: {m: {email: {smtp_url: 'smtp://u:p@h', from: a@b.c, to: d@e.f}}}", "a login"},
      {"channels: {m: {email: {smtp_url: 'smtp://h', from: a@b.c}}}", "email.to is missing"},
      {"channels: {m: {email: {smtp_url: 'smtp://h', from: 'a@b.c>', to: d@e.f}}}", "email.from"},
      {"channels: {m: {email: {smtp_url: \"smtp://h\\r\\n\", from: a@b.c, to: d@e.f}}}",
       "control character"},
      {"channels: {m: {email: {smtp_url: 'smtp://h', from: a@b.c, to: [\"x@y.z\\r\\nRCPT\"]}}}",
       "no address"},
      {"rules: [{kinds: [suspects]}]", "alerts.rules[0].kinds"},
      {"rules: [{channels: [nobody]}]", "which is no channel"},
      {"rules: [{minimum_severity: high}]", "expected info, warning or critical"},
  };
  for (const auto& test : kCases) {
    const auto settings = Parse(test.yaml);
    ASSERT_FALSE(settings.ok()) << test.yaml;
    EXPECT_EQ(settings.error().id, ErrorId::kConfigInvalid);
    EXPECT_NE(settings.error().message.find(test.expected), std::string::npos)
        << settings.error().message;
    EXPECT_EQ(settings.error().message.find("hunter2"), std::string::npos);
  }
}

TEST(AlertKinds, AreInOrderAndHaveWords) {
  int order = 0;
  for (const AlertKindEntry& kind : AllAlertKinds()) {
    EXPECT_EQ(static_cast<int>(kind.kind), order++);
    EXPECT_EQ(FindAlertKind(kind.id), &kind);
    EXPECT_FALSE(kind.title.empty());
    EXPECT_FALSE(kind.action.empty());
  }
  EXPECT_EQ(FindAlertKind("other"), nullptr);
}

}  // namespace
}  // namespace holdfast::observe
