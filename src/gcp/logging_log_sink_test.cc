#include "gcp/logging_log_sink.h"

#include <gtest/gtest.h>

#include "gcp/scripted_http_for_test.h"

namespace holdfast::gcp {
namespace {

class LoggingLogSinkTest : public testing::Test, protected RestSurroundings {
 protected:
  LoggingLogSink Sink() { return {kEndpoint, Environment(), "acme-ops", "hold/fast"}; }

  static cloud::LogEntry Entry(int number) {
    return {.at = FromUnixMillis(1'790'000'000'123),
            .level = LogLevel::kWarning,
            .id = "p-" + std::to_string(number),
            .message = "object failed",
            .fields = {{"run", "r1"}, {"object", "a.b.\"c\""}, {"reason", "no"}}};
  }

  // What the n-th request carried.
  Json Body(size_t number) { return ParseJson(http.requests().at(number).body).value(); }
};

TEST_F(LoggingLogSinkTest, WritesEntriesWithSeverityIdAndPayload) {
  http.Answer(200, "{}");
  ASSERT_TRUE(Sink().WriteEntries(std::vector{Entry(1)}).ok());
  EXPECT_EQ(http.requests().at(0).url, "https://service.test/v2/entries:write");
  EXPECT_EQ(http.requests().at(0).method, "POST");
  EXPECT_EQ(Body(0), ParseJson(R"({
    "logName": "projects/acme-ops/logs/hold%2Ffast",
    "resource": {"type": "global", "labels": {"project_id": "acme-ops"}},
    "partialSuccess": true,
    "entries": [{"timestamp": "2026-09-21T14:13:20.123Z", "severity": "WARNING",
                 "insertId": "p-1", "labels": {"run": "r1"},
                 "jsonPayload": {"message": "object failed", "run": "r1", "object": "a.b.\"c\"",
                                 "reason": "no"}}]})")
                         .value());
}

TEST_F(LoggingLogSinkTest, StaysBelowTheLimitsOfARequest) {
  http.Always([](const net::ClientRequest& request) -> Result<net::HttpResponse> {
    EXPECT_LE(request.body.size(), size_t{10'000'000});
    return net::HttpResponse{.status = 200, .headers = {}, .body = "{}"};
  });
  std::vector<cloud::LogEntry> many;
  for (int i = 0; i < 2'345; ++i) many.push_back(Entry(i));
  ASSERT_TRUE(Sink().WriteEntries(many).ok());
  std::vector<size_t> sizes;
  for (size_t i = 0; i < http.requests().size(); ++i) sizes.push_back(Body(i)["entries"].size());
  EXPECT_EQ(sizes, (std::vector<size_t>{1'000, 1'000, 345}));

  std::vector<cloud::LogEntry> large(100, Entry(1));
  for (cloud::LogEntry& entry : large) entry.message = std::string(150'000, 'x');
  ASSERT_TRUE(Sink().WriteEntries(large).ok());
  EXPECT_EQ(http.requests().size(), 3U + 2U);
}

TEST_F(LoggingLogSinkTest, NothingIsNoRequest) {
  EXPECT_TRUE(Sink().WriteEntries({}).ok());
  EXPECT_TRUE(http.requests().empty());
}

TEST_F(LoggingLogSinkTest, ARepetitionCarriesTheSameIds) {
  http.Answer(503).Lose().Answer(200, "{}");
  ASSERT_TRUE(Sink().WriteEntries(std::vector{Entry(1)}).ok());
  ASSERT_EQ(http.requests().size(), 3U);
  EXPECT_EQ(Body(0), Body(2));
}

TEST_F(LoggingLogSinkTest, ARefusalIsAnErrorWithoutTheToken) {
  http.Answer(403, R"({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}})");
  const Status refused = Sink().WriteEntries(std::vector{Entry(1)});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, ErrorId::kAccessDenied);
  EXPECT_EQ(refused.error().message.find(kToken), std::string::npos);
}

TEST(LogEntryJson, CutsWhatIsTooLongAndSaysSo) {
  for (const char* filling : {"x", "\"", "\x01", "\xC3\xBC", "\xFF"}) {
    std::string text;
    while (text.size() < 600'000) text += filling;
    const Json json = LogEntryJson(
        {.at = {}, .id = "1", .message = "short", .fields = {{"reason", text}, {"run", text}}});
    EXPECT_LT(DumpJson(json).size(), size_t{240} << 10U) << filling;
    const std::string reason = json["jsonPayload"]["reason"];
    EXPECT_NE(reason.find(" bytes cut]"), std::string::npos) << filling;
    EXPECT_GT(reason.size(), 20'000U) << filling;
    EXPECT_EQ(json["jsonPayload"]["message"], "short");
  }
}

}  // namespace
}  // namespace holdfast::gcp
