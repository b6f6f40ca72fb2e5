// Cloud Logging v2 through the router.
#include "localcloud/logging/logging_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/virtual_clock.h"
#include "localcloud/logging/log_filter.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::logging {
namespace {

class LoggingApi : public testing::Test {
 protected:
  LoggingApi() { Open(); }

  void Open(LogStoreOptions options = {}) {
    store_.reset();
    auto opened = LogStore::Open(directory_.path() + "/logs.sqlite", clock_, options);
    CHECK(opened.ok(), opened.ok() ? "" : opened.error().message);
    store_ = std::move(opened).value();
    router_ = rest::Router();
    RegisterLoggingRoutes(router_, {.store = *store_,
                                    .clock = clock_,
                                    .random = *random_,
                                    .ensure_project = [this](const std::string& project) {
                                      projects_.insert(project);
                                      return Ok();
                                    }});
  }

  net::HttpResponse Send(const std::string& verb, const Json& body) {
    net::ServerRequest request;
    request.method = "POST";
    request.path = "/v2/entries:" + verb;
    request.segments = {"v2", "entries:" + verb};
    const std::string text = DumpJson(body);
    request.content_length = text.size();
    request.body = [text, at = size_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
      const size_t count = std::min(buffer.size(), text.size() - at);
      std::copy_n(text.data() + at, count, buffer.data());
      at += count;
      return count;
    };
    return router_.Handle(request);
  }

  static Json EntryAt(const std::string& time, const std::string& id,
                      const std::string& severity = "INFO") {
    return {{"timestamp", time},
            {"insertId", id},
            {"severity", severity},
            {"jsonPayload", {{"message", id}, {"run", "r-" + id}}}};
  }

  int Write(const std::vector<Json>& entries, const Json& more = Json::object()) {
    Json body = {{"logName", "projects/acme-ops/logs/holdfast"},
                 {"resource", {{"type", "global"}}},
                 {"entries", Json(entries)}};
    body.merge_patch(more);
    return Send("write", body).status;
  }

  Json List(const Json& more = Json::object(), const std::string& project = "acme-ops") {
    Json body = {{"resourceNames", {"projects/" + project}}};
    body.merge_patch(more);
    const auto answer = Send("list", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return ParseJson(answer.body).value();
  }

  std::vector<std::string> IdsOf(const Json& answer) {
    std::vector<std::string> ids;
    for (const Json& entry : answer.value("entries", Json::array()))
      ids.push_back(entry["insertId"]);
    return ids;
  }

  using Ids = std::vector<std::string>;
  testing_support::TemporaryDirectory directory_;
  VirtualClock clock_{*ParseTimestamp("2026-11-21T12:00:00Z")};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  std::unique_ptr<LogStore> store_;
  rest::Router router_;
  std::set<std::string> projects_;
};

TEST_F(LoggingApi, GivesBackWhatWasWritten) {
  ASSERT_EQ(
      Write({EntryAt("2026-11-21T11:00:00.5Z", "a", "WARNING")}, {{"labels", {{"run", "7"}}}}),
      200);
  const Json entry = List()["entries"][0];
  EXPECT_EQ(entry["logName"], "projects/acme-ops/logs/holdfast");
  EXPECT_EQ(entry["resource"]["type"], "global");
  EXPECT_EQ(entry["labels"]["run"], "7");
  EXPECT_EQ(entry["severity"], "WARNING");
  EXPECT_EQ(entry["timestamp"], "2026-11-21T11:00:00.5Z");
  EXPECT_EQ(entry["jsonPayload"]["run"], "r-a");
  EXPECT_EQ(projects_, std::set<std::string>{"acme-ops"});
  EXPECT_EQ(List(Json::object(), "other-project"), Json::object());
}

TEST_F(LoggingApi, FillsInWhatIsMissing) {
  ASSERT_EQ(Write({Json{{"textPayload", "x"}}, Json{{"textPayload", "y"}}}), 200);
  const Json entries = List()["entries"];
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_NE(entries[0]["insertId"], entries[1]["insertId"]);
  EXPECT_EQ(entries[0]["severity"], "DEFAULT");
  EXPECT_EQ(entries[0]["timestamp"], "2026-11-21T12:00:00Z");
}

TEST_F(LoggingApi, ARepetitionIsOneEntry) {
  const std::vector<Json> entries = {EntryAt("2026-11-21T11:00:00Z", "a"),
                                     EntryAt("2026-11-21T11:00:01Z", "b")};
  ASSERT_EQ(Write(entries), 200);
  ASSERT_EQ(Write(entries), 200);
  EXPECT_EQ(IdsOf(List()), (Ids{"a", "b"}));
}

TEST_F(LoggingApi, ListsInPagesBothWays) {
  std::vector<Json> entries;
  for (int i = 0; i < 25; ++i) {
    entries.push_back(EntryAt("2026-11-21T11:00:0" + std::to_string(i / 5) + "Z",
                              std::string(1, static_cast<char>('a' + i))));
  }
  ASSERT_EQ(Write(entries), 200);
  for (const char* order : {"timestamp asc", "timestamp desc"}) {
    Ids seen;
    Json page;
    std::string token;
    do {
      page = List({{"orderBy", order}, {"pageSize", 4}, {"pageToken", token}});
      const Ids ids = IdsOf(page);
      EXPECT_LE(ids.size(), 4U);
      seen.insert(seen.end(), ids.begin(), ids.end());
      token = StringOr(page, "nextPageToken", "");
    } while (!token.empty());
    if (order == std::string("timestamp desc")) std::ranges::reverse(seen);
    ASSERT_EQ(seen.size(), 25U) << order;
    EXPECT_TRUE(std::ranges::is_sorted(seen)) << order;
  }
  const Json first = List({{"pageSize", 4}});
  EXPECT_EQ(Send("list", {{"resourceNames", {"projects/acme-ops"}},
                          {"filter", "severity=ERROR"},
                          {"pageToken", first["nextPageToken"]}})
                .status,
            400)
      << "a token of another listing";
}

TEST_F(LoggingApi, RefusesWhatIsWrongAndKeepsTheRestWhenAsked) {
  const std::vector<Json> mixed = {EntryAt("2026-11-21T11:00:00Z", "good"),
                                   EntryAt("2026-11-21T11:00:00Z", "bad", "LOUD")};
  EXPECT_EQ(Write(mixed), 400);
  EXPECT_EQ(IdsOf(List()), Ids());
  EXPECT_EQ(Write(mixed, {{"partialSuccess", true}}), 400);
  EXPECT_EQ(IdsOf(List()), Ids{"good"});
  EXPECT_EQ(Write({}, {{"entries", nullptr}}), 400);
  EXPECT_EQ(Write({EntryAt("yesterday", "x")}), 400);
  EXPECT_EQ(Write({EntryAt("2026-11-21T11:00:00Z", "x")}, {{"logName", "holdfast"}}), 400);
  EXPECT_EQ(Write({EntryAt("2026-11-21T11:00:00Z", "x")}, {{"resource", nullptr}}), 400);
  EXPECT_EQ(Write({Json{{"textPayload", std::string(300'000, 'x')}}}), 400);
  EXPECT_EQ(Write(std::vector<Json>(1'001, Json{{"textPayload", "x"}})), 400);
  EXPECT_EQ(Write({EntryAt("2026-11-21T11:00:00Z", "dry")}, {{"dryRun", true}}), 200);
  EXPECT_EQ(IdsOf(List()), Ids{"good"});
  EXPECT_EQ(Send("list", {{"resourceNames", {"folders/1"}}}).status, 400);
  EXPECT_EQ(Send("list", {{"resourceNames", {"projects/p"}}, {"orderBy", "severity"}}).status, 400);
}

TEST_F(LoggingApi, KeepsEntriesForTheRetentionAndNoMoreThanItsNumber) {
  ASSERT_EQ(
      Write({EntryAt("2026-10-01T00:00:00Z", "too-old"), EntryAt("2026-11-23T00:00:00Z", "too-new"),
             EntryAt("2026-11-20T00:00:00Z", "a"), EntryAt("2026-11-21T00:00:00Z", "b")}),
      200);
  EXPECT_EQ(IdsOf(List()), (Ids{"a", "b"}));
  clock_.Advance(std::chrono::hours{24 * 29});
  ASSERT_EQ(Write({EntryAt("2026-12-20T00:00:00Z", "c")}), 200);
  EXPECT_EQ(IdsOf(List()), (Ids{"b", "c"}));
  Open({.entries_max = 2});
  EXPECT_EQ(IdsOf(List()), (Ids{"b", "c"})) << "they survive the process";
  ASSERT_EQ(Write({EntryAt("2026-12-20T01:00:00Z", "d")}), 200);
  EXPECT_EQ(IdsOf(List()), (Ids{"c", "d"}));
}

TEST_F(LoggingApi, FiltersByWhatItUnderstands) {
  ASSERT_EQ(Write({EntryAt("2026-11-21T10:00:00Z", "a", "INFO"),
                   EntryAt("2026-11-21T11:00:00Z", "b", "ERROR")}),
            200);
  const std::pair<const char*, Ids> cases[] = {
      {"severity>=WARNING", {"b"}},
      {"timestamp>=\"2026-11-21T10:30:00+00:00\"", {"b"}},
      {"timestamp>=\"2026-11-21T12:30:00.000001+0200\"", {"b"}},
      {"timestamp<\"2026-11-21T10:30:00Z\" AND severity=INFO", {"a"}},
      {"jsonPayload.run=\"r-a\"", {"a"}},
      {"jsonPayload.run!=\"r-a\"", {"b"}},
      {"jsonPayload.message:\"b\"\nseverity=ERROR", {"b"}},
      {"logName=\"projects/acme-ops/logs/holdfast\"", {"a", "b"}},
      {"labels.none=x", {}}};
  for (const auto& [filter, ids] : cases)
    EXPECT_EQ(IdsOf(List({{"filter", filter}})), ids) << filter;
}

TEST(LogFilter, RefusesWhatItDoesNotUnderstand) {
  for (const char* text :
       {"severity>=WARNING OR severity=INFO", "NOT severity=INFO", "severity",
        "severity=", "severity=LOUD", "timestamp>\"soon\"", "jsonPayload.x=\"open",
        "httpRequest.status=200", "(severity=INFO)", "error"}) {
    EXPECT_FALSE(LogFilter::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace holdfast::logging
