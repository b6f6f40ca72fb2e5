// The REST transport, driven through the router as the HTTP server would.
#include "localcloud/pubsub/pubsub_rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/json.h"
#include "localcloud/pubsub/broker_fixture.h"

namespace holdfast::pubsub {
namespace {

class PubsubRest : public BrokerFixture {
 protected:
  struct Answer {
    int status = 0;
    Json body;
  };

  PubsubRest() {
    RegisterRoutes({.pull_wait_max = std::chrono::milliseconds{10}}, *broker_, router_);
  }

  Answer Send(const std::string& method, const std::string& path, const std::string& body = {},
              const std::string& query = {}) {
    net::ServerRequest request;
    request.method = method;
    request.path = path;
    size_t start = 1;
    for (size_t end = 0; end != std::string::npos; start = end + 1) {
      end = path.find('/', start);
      request.segments.push_back(path.substr(start, end - start));
    }
    request.query = net::QueryParameters::Parse(query);
    request.headers.Set("Content-Type", "application/json");
    request.content_length = body.size();
    size_t sent = 0;
    request.body = [&body, sent](std::span<char> buffer) mutable -> Result<size_t> {
      const size_t size = std::min(buffer.size(), body.size() - sent);
      std::ranges::copy(body.substr(sent, size), buffer.begin());
      sent += size;
      return size;
    };
    const net::HttpResponse response = router_.Handle(request);
    const auto json = ParseJson(response.body);
    EXPECT_TRUE(json.ok()) << response.body;
    return {response.status, json.ok() ? *json : Json()};
  }

  rest::Router router_;
};

constexpr const char* kTopic = "/v1/projects/test/topics/topic";
constexpr const char* kSub = "/v1/projects/test/subscriptions/sub";

TEST_F(PubsubRest, CarriesAMessageFromPublishToAcknowledge) {
  EXPECT_EQ(Send("PUT", kTopic, R"({"labels": {"a": "b"}})").body["name"],
            "projects/test/topics/topic");
  const auto made =
      Send("PUT", kSub, R"({"topic": "projects/test/topics/topic", "ackDeadlineSeconds": 20})");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.body["messageRetentionDuration"], "604800s");
  const auto published = Send("POST", std::string(kTopic) + ":publish",
                              R"({"messages": [{"data": ")" + Base64Encode("hello") +
                                  R"(", "attributes": {"k": "v"}, "orderingKey": "o"}]})");
  ASSERT_EQ(published.status, 200) << published.body;
  const auto pulled = Send("POST", std::string(kSub) + ":pull", R"({"maxMessages": 10})");
  ASSERT_EQ(pulled.body["receivedMessages"].size(), 1U) << pulled.body;
  const Json& received = pulled.body["receivedMessages"][0];
  EXPECT_EQ(received["message"]["data"], Base64Encode("hello"));
  EXPECT_EQ(received["message"]["attributes"]["k"], "v");
  EXPECT_EQ(received["message"]["orderingKey"], "o");
  EXPECT_EQ(received["message"]["messageId"], published.body["messageIds"][0]);
  EXPECT_EQ(received["message"]["publishTime"], "2026-11-21T00:00:00Z");
  const Json ids = {{"ackIds", {received["ackId"]}}};
  Json give_back = ids;
  give_back["ackDeadlineSeconds"] = 0;
  EXPECT_EQ(Send("POST", std::string(kSub) + ":modifyAckDeadline", DumpJson(give_back)).status,
            200);
  const auto again = Send("POST", std::string(kSub) + ":pull", R"({"maxMessages": 10})");
  const Json done = {{"ackIds", {again.body["receivedMessages"][0]["ackId"]}}};
  EXPECT_EQ(Send("POST", std::string(kSub) + ":acknowledge", DumpJson(done)).body, Json::object());
  Advance(std::chrono::hours{1});
  EXPECT_EQ(Send("POST", std::string(kSub) + ":pull", R"({"maxMessages": 10})").body,
            Json::object());
}

TEST_F(PubsubRest, ListsUpdatesSeeksAndDeletes) {
  for (const char* id : {"topic", "another"}) MakeTopic(id);
  MakeSubscription(Settings("sub"));
  const auto first = Send("GET", "/v1/projects/test/topics", "", "pageSize=1");
  ASSERT_EQ(first.body["topics"].size(), 1U);
  const auto second =
      Send("GET", "/v1/projects/test/topics", "",
           "pageToken=" + net::PercentEncode(std::string(first.body["nextPageToken"])));
  EXPECT_EQ(second.body["topics"][0]["name"], Topic("topic"));
  EXPECT_EQ(Send("GET", std::string(kTopic) + "/subscriptions").body["subscriptions"][0],
            Sub("sub"));
  EXPECT_EQ(Send("GET", "/v1/projects/test/subscriptions").body["subscriptions"].size(), 1U);
  const auto updated = Send("PATCH", kSub,
                            R"({"subscription": {"ackDeadlineSeconds": 30},
                                "updateMask": "ackDeadlineSeconds"})");
  EXPECT_EQ(updated.body["ackDeadlineSeconds"], 30) << updated.body;
  EXPECT_EQ(Send("POST", std::string(kSub) + ":seek", R"({"time": "2026-11-20T00:00:00Z"})").status,
            200);
  EXPECT_EQ(Send("POST", std::string(kSub) + ":detach").status, 200);
  EXPECT_EQ(Send("DELETE", kSub).status, 200);
  EXPECT_EQ(Send("DELETE", kTopic).status, 200);
  EXPECT_EQ(Send("GET", kTopic).status, 404);
}

TEST_F(PubsubRest, AnswersErrorsInGooglesForm) {
  MakeTopic("topic");
  MakeSubscription(Settings("sub"));
  struct Case {
    std::string method, path, body;
    int status;
    std::string name;
  };
  const std::string pull = std::string(kSub) + ":pull";
  const std::vector<Case> cases = {
      {"PUT", kTopic, "", 409, "ALREADY_EXISTS"},
      {"GET", "/v1/projects/test/topics/absent", "", 404, "NOT_FOUND"},
      {"PUT", "/v1/projects/test/topics/x", "", 400, "INVALID_ARGUMENT"},
      {"POST", pull, "{", 400, "INVALID_ARGUMENT"},
      {"POST", pull, R"({"maxMessages": 0})", 400, "INVALID_ARGUMENT"},
      {"POST", pull, R"({"maxMessages": 1, "nonsense": 1})", 400, "INVALID_ARGUMENT"},
      {"POST", std::string(kSub) + ":seek", R"({"snapshot": "projects/test/snapshots/s"})", 501,
       "UNIMPLEMENTED"},
      {"PUT", "/v1/projects/test/snapshots/s", "", 501, "UNIMPLEMENTED"},
      {"GET", "/v1/projects/test/schemas", "", 501, "UNIMPLEMENTED"},
  };
  for (const Case& c : cases) {
    const auto answer = Send(c.method, c.path, c.body);
    EXPECT_EQ(answer.status, c.status) << c.method << " " << c.path << answer.body;
    EXPECT_EQ(answer.body["error"]["code"], c.status) << answer.body;
    EXPECT_EQ(answer.body["error"]["status"], c.name) << answer.body;
  }
}

}  // namespace
}  // namespace holdfast::pubsub
