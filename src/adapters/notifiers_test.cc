#include "adapters/notifiers.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "base/hash.h"
#include "base/hmac.h"
#include "base/json.h"
#include "base/virtual_clock.h"

namespace holdfast {
namespace {

struct FakeHttp final : net::HttpClient {
  std::vector<net::ClientRequest> requests;
  std::vector<int> answers;  // 0: the connection is lost
  Result<net::HttpResponse> Send(const net::ClientRequest& request) override {
    requests.push_back(request);
    const int status = requests.size() <= answers.size() ? answers[requests.size() - 1] : 200;
    if (status == 0)
      return MakeError(ErrorId::kHttpConnectionLost, "POST " + request.url + " lost");
    return net::HttpResponse{.status = status, .headers = {}, .body = "why\r\nnot"};
  }
};

struct FakeSmtp final : net::SmtpClient {
  std::vector<net::SmtpMessage> messages;
  int failures = 0;
  Code code = Code::kUnavailable;
  Status Send(const net::SmtpMessage& message) override {
    messages.push_back(message);
    if (failures-- > 0) return MakeError(ErrorId::kSmtpRefused, code, "450 busy");
    return Ok();
  }
};

class Notifiers : public testing::Test {
 protected:
  std::unique_ptr<cloud::Notifier> Hook(const std::string& secret) {
    return MakeWebhookNotifier({.url = "https://chat.example/services/T0/hidden", .secret = secret},
                               http_, clock_, *random_);
  }

  cloud::Alert alert_{.key = "suspect",
                      .kind = "suspect",
                      .title = "t",
                      .detail = {},
                      .action = {},
                      .objects = {"a.b.c"},
                      .at_ms = 1'790'000'000'000};
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  FakeHttp http_;
  FakeSmtp smtp_;
};

TEST_F(Notifiers, WebhookPostsAndSignsTheBody) {
  ASSERT_TRUE(Hook("key")->Notify(alert_).ok());
  ASSERT_EQ(http_.requests.size(), 1U);
  const net::ClientRequest& request = http_.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.headers.Get("Holdfast-Signature"),
            "sha256=" + HexEncode(HmacSha256("key", request.body)));
  const Json body = ParseJson(request.body).value();
  EXPECT_EQ(body["schema"], "holdfast.alert.v1");
  EXPECT_EQ(body["objects"], Json({"a.b.c"}));
  EXPECT_EQ(body["at"], "2026-09-21T14:13:20Z");
}

TEST_F(Notifiers, WebhookIsNotSignedWithoutASecret) {
  ASSERT_TRUE(Hook("")->Notify(alert_).ok());
  EXPECT_FALSE(http_.requests[0].headers.Find("Holdfast-Signature"));
}

TEST_F(Notifiers, WebhookTriesAgainWhatFailedForNow) {
  http_.answers = {503, 0, 429};
  ASSERT_TRUE(Hook("")->Notify(alert_).ok());
  ASSERT_EQ(http_.requests.size(), 4U);
  EXPECT_EQ(http_.requests[0].headers.Get("Holdfast-Delivery"),
            http_.requests[3].headers.Get("Holdfast-Delivery"));
}

TEST_F(Notifiers, WebhookGivesUpInTheEndAndNeverShowsItsPath) {
  const struct {
    std::vector<int> answers;
    size_t requests;
  } kCases[] = {{{404}, 1}, {{0, 0, 0, 0}, 4}, {{500, 500, 500, 500}, 4}};
  for (const auto& test : kCases) {
    http_.requests.clear();
    http_.answers = test.answers;
    const Status sent = Hook("")->Notify(alert_);
    ASSERT_FALSE(sent.ok());
    EXPECT_EQ(http_.requests.size(), test.requests);
    EXPECT_NE(sent.error().message.find("https://chat.example"), std::string::npos);
    EXPECT_EQ(sent.error().message.find("hidden"), std::string::npos) << sent.error().message;
    EXPECT_EQ(sent.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(Notifiers, MailGoesToAllAndIsTriedAgainForNowOnly) {
  const MailChannel channel{.url = "smtp://m",
                            .username = "u",
                            .password = "p",
                            .addresses = {.from = "h@a.b", .to = {"x@a.b", "y@a.b"}}};
  smtp_.failures = 2;
  ASSERT_TRUE(MakeMailNotifier(channel, smtp_, clock_, *random_)->Notify(alert_).ok());
  ASSERT_EQ(smtp_.messages.size(), 3U);
  EXPECT_EQ(smtp_.messages[2].to, channel.addresses.to);
  EXPECT_TRUE(smtp_.messages[2].require_tls);
  smtp_ = {};
  smtp_.failures = 9;
  smtp_.code = Code::kFailedPrecondition;
  EXPECT_FALSE(MakeMailNotifier(channel, smtp_, clock_, *random_)->Notify(alert_).ok());
  EXPECT_EQ(smtp_.messages.size(), 1U);
}

}  // namespace
}  // namespace holdfast
