#include "localcloud/rest/fault_injection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/virtual_clock.h"
#include "localcloud/rest/api_error.h"
#include "net/http_client.h"

namespace holdfast::rest {
namespace {

using namespace std::chrono_literals;

// The injector in front of a handler that counts, asked in-process.
class FaultInjection : public testing::Test {
 protected:
  net::HttpResponse Ask(std::string method, std::string path, std::string body = {}) {
    net::ServerRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = [body = std::move(body),
                    at = size_t{0}](std::span<char> out) mutable -> Result<size_t> {
      const size_t count = body.copy(out.data(), out.size(), at);
      at += count;
      return count;
    };
    return handler_(request);
  }

  int AddRule(std::string rule) {
    return Ask("POST", "/_localcloud/faults", std::move(rule)).status;
  }

  VirtualClock clock_{Timestamp{}};
  FaultInjector injector_{clock_};
  int handled_ = 0;
  net::HttpHandler handler_ = injector_.Wrap([this](net::ServerRequest&) {
    ++handled_;
    net::HttpResponse response;
    response.body = "0123456789";
    return response;
  });
};

TEST_F(FaultInjection, WithoutRulesNothingFails) {
  EXPECT_EQ(Ask("GET", "/a").status, 200);
  EXPECT_EQ(handled_, 1);
}

TEST_F(FaultInjection, ARuleStrikesWhatFitsAsOftenAsItSays) {
  ASSERT_EQ(
      AddRule(R"({"method": "POST", "path": "/bq/*/jobs", "status": 503, "count": 2, "skip": 1,
                        "retryAfterSeconds": 3})"),
      200);
  EXPECT_EQ(Ask("GET", "/bq/p/jobs").status, 200) << "another method";
  EXPECT_EQ(Ask("POST", "/bq/p/tables").status, 200) << "another path";
  EXPECT_EQ(Ask("POST", "/bq/p/jobs").status, 200) << "skipped";
  const auto struck = Ask("POST", "/bq/p/jobs");
  EXPECT_EQ(struck.status, 503);
  EXPECT_EQ(struck.headers.Get("Retry-After"), "3");
  EXPECT_EQ(ParseJson(struck.body)->at("error").at("errors")[0].at("reason"), "backendError");
  EXPECT_EQ(Ask("POST", "/bq/p/jobs").status, 503);
  EXPECT_EQ(Ask("POST", "/bq/p/jobs").status, 200) << "used up";
  EXPECT_EQ(handled_, 4);
  const Json list = ParseJson(Ask("GET", "/_localcloud/faults").body).value();
  EXPECT_EQ(list["faults"][0]["used"], 2);
  EXPECT_EQ(list["faults"][0]["seen"], 4);
}

TEST_F(FaultInjection, EachEffectDoesWhatItSays) {
  AddRule(R"({"effect": "reset"})");
  EXPECT_EQ(Ask("GET", "/").status, net::HttpResponse::kReset);
  EXPECT_EQ(handled_, 0);
  AddRule(R"({"effect": "dropAnswer"})");
  EXPECT_EQ(Ask("GET", "/").status, net::HttpResponse::kReset);
  EXPECT_EQ(handled_, 1) << "the handler ran, and nobody knows";
  AddRule(R"({"delayMs": 1500})");
  EXPECT_EQ(Ask("GET", "/").status, 200);
  EXPECT_EQ(clock_.Now().time_since_epoch(), 1500ms);
  AddRule(
      R"({"status": 429, "delayMs": 500, "reason": "jobRateLimitExceeded", "message": "slow"})");
  EXPECT_EQ(ParseJson(Ask("GET", "/").body)->at("error").at("message"), "slow");
  EXPECT_EQ(clock_.Now().time_since_epoch(), 2000ms);
}

TEST_F(FaultInjection, ATruncatedAnswerPromisesMoreThanItGives) {
  AddRule(R"({"effect": "truncate"})");
  const auto response = Ask("GET", "/");
  ASSERT_TRUE(response.body_reader);
  EXPECT_EQ(response.body_size, 10U);
  std::string buffer(100, '\0');
  EXPECT_EQ(response.body_reader(buffer).value(), 5U);
  EXPECT_EQ(buffer.substr(0, 5), "01234");
  EXPECT_FALSE(response.body_reader(buffer).ok());
}

TEST_F(FaultInjection, ClearingForgetsAllRules) {
  AddRule(R"({"faults": [{"status": 500, "count": -1}, {"effect": "reset", "count": -1}]})");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask("GET", "/").status, 500);
  EXPECT_EQ(Ask("DELETE", "/_localcloud/faults").status, 204);
  EXPECT_EQ(Ask("GET", "/").status, 200);
  EXPECT_EQ(injector_.List()["faults"].size(), 0U);
}

TEST_F(FaultInjection, AMisspeltRuleIsRefusedAndNoneOfItsBatchAdded) {
  for (const char* rule :
       {"[]", "{}", "7", R"({"staus": 503})", R"({"status": 42})", R"({"status": "x"})",
        R"({"effect": "explode"})", R"({"status": 503, "count": -2})", R"({"delayMs": 86400000})",
        R"({"faults": {"a": 1}})", R"({"status": )",
        R"({"faults": [{"status": 503}, {"staus": 503}]})"}) {
    EXPECT_EQ(AddRule(rule), 400) << rule;
  }
  EXPECT_EQ(Ask("GET", "/").status, 200);
  EXPECT_EQ(Ask("PUT", "/_localcloud/faults").status, 405);
}

TEST_F(FaultInjection, TheNumberOfRulesIsBounded) {
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(injector_.Add({}).ok());
  EXPECT_EQ(injector_.Add({}).error().id, ErrorId::kLimitExceeded);
}

TEST_F(FaultInjection, ARuleReadsBackAsItWasWritten) {
  const Json rule = Json::parse(
      R"({"method": "PUT", "path": "/a?", "effect": "status", "status": 403, "reason": "blocked",
          "message": "m", "retryAfterSeconds": 0, "delayMs": 7, "skip": 2, "count": -1})");
  EXPECT_EQ(FaultRule::FromJson(rule).value().ToJson(), rule);
}

TEST_F(FaultInjection, OverTheWireEachFaultIsALostConnection) {
  const auto server = net::HttpServer::Start({}, handler_);
  ASSERT_TRUE(server.ok());
  const auto client = net::MakeCurlHttpClient();
  const std::string base = "http://127.0.0.1:" + std::to_string((*server)->port());
  for (const std::string effect : {"reset", "dropAnswer", "truncate"}) {
    const auto added = client->Send({.method = "POST",
                                     .url = base + "/_localcloud/faults",
                                     .body = R"({"path": "/x", "effect": ")" + effect + "\"}"});
    ASSERT_TRUE(added.ok());
    ASSERT_EQ(added->status, 200);
    const auto struck = client->Send({.url = base + "/x"});
    ASSERT_FALSE(struck.ok()) << effect;
    EXPECT_EQ(struck.error().code, Code::kUnavailable) << effect;
    EXPECT_TRUE(client->Send({.url = base + "/x"}).ok()) << effect;
  }
}

TEST(GlobMatches, StarsAndQuestionMarks) {
  const struct {
    std::string_view glob;
    std::string_view text;
    bool expected;
  } cases[] = {
      {"*", "", true},
      {"*", "/a/b", true},
      {"", "", true},
      {"", "a", false},
      {"/a", "/a", true},
      {"/a", "/ab", false},
      {"/a*", "/ab", true},
      {"*b", "aab", true},
      {"*b", "aba", false},
      {"a*b*c", "axxbyyc", true},
      {"a*b*c", "axxbyy", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"*a*a*", "ba", false},
      {"**", "x", true},
      {"a*", "a*b", true},
  };
  for (const auto& expected : cases) {
    EXPECT_EQ(GlobMatches(expected.glob, expected.text), expected.expected)
        << expected.glob << " " << expected.text;
  }
  std::string hostile;
  for (int i = 0; i < 50; ++i) hostile += "*a";
  EXPECT_FALSE(GlobMatches(hostile + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace holdfast::rest
