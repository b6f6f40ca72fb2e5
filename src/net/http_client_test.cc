#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <thread>

#include "net/http_server.h"
#include "net/raw_connection_for_test.h"

namespace holdfast::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string UrlOf(uint16_t port, std::string_view path) {
  return "http://127.0.0.1:" + std::to_string(port) + std::string(path);
}

// Plays a server for one connection: reads a request's header, sends `answer`, and resets or
// closes.
std::jthread AnswerOnce(const RawListener& listener, std::string answer, bool reset = false) {
  return std::jthread([&listener, answer = std::move(answer), reset] {
    RawConnection connection = listener.Accept();
    connection.ReadUntil("\r\n\r\n");
    connection.Send(answer);
    if (reset) connection.Reset();
  });
}

class HttpClientTest : public testing::Test {
 protected:
  // A server that tells what it got in JSON-free text: method, path, headers of interest, body.
  HttpClientTest() {
    auto server = HttpServer::Start({}, [this](ServerRequest& request) {
      ++requests_;
      const auto body = request.ReadBody(size_t{1} << 20U);
      HttpResponse response;
      response.status = request.query.Get("status").empty()
                            ? 200
                            : std::atoi(request.query.Get("status").c_str());
      response.headers.Set("X-Echo", request.headers.Get("X-Ask"));
      response.headers.Add("X-Twice", "1");
      response.headers.Add("X-Twice", "2");
      response.body = request.method + " " + request.path + " [" +
                      std::string(request.headers.Get("Content-Type")) + "] " +
                      (request.content_length ? std::to_string(*request.content_length) : "?") +
                      " " + (body.ok() ? *body : body.error().message);
      return response;
    });
    EXPECT_TRUE(server.ok());
    server_ = *std::move(server);
  }

  std::string Url(std::string_view path) const { return UrlOf(server_->port(), path); }

  std::atomic<int> requests_ = 0;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_ = MakeCurlHttpClient();
};

TEST_F(HttpClientTest, SendsEveryMethodWithAndWithoutABody) {
  const struct {
    std::string method;
    std::string body;
    std::string expected;
  } cases[] = {
      {"GET", "", "GET /a [] ? "},
      {"GET", "abc", "GET /a [] 3 abc"},
      {"POST", "", "POST /a [] 0 "},
      {"POST", "abc", "POST /a [] 3 abc"},
      {"PUT", "", "PUT /a [] 0 "},
      {"PUT", "abc", "PUT /a [] 3 abc"},
      {"PATCH", "", "PATCH /a [] 0 "},
      {"PATCH", "abc", "PATCH /a [] 3 abc"},
      {"DELETE", "", "DELETE /a [] ? "},
      {"DELETE", "abc", "DELETE /a [] 3 abc"},
      {"HEAD", "", ""},
  };
  for (const auto& expected : cases) {
    const auto response =
        client_->Send({.method = expected.method, .url = Url("/a"), .body = expected.body});
    ASSERT_TRUE(response.ok()) << expected.method << ": " << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, expected.expected);
  }
}

TEST_F(HttpClientTest, CarriesHeadersBothWays) {
  ClientRequest request{.method = "POST", .url = Url("/a"), .body = "{}"};
  request.headers.Set("X-Ask", "hello");
  request.headers.Set("Content-Type", "application/json");
  const auto response = client_->Send(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->headers.Get("x-echo"), "hello");
  EXPECT_EQ(response->headers.all().size(), 4U);
  EXPECT_THAT(response->body, HasSubstr("[application/json]"));
}

TEST_F(HttpClientTest, AnyStatusIsAnAnswer) {
  for (const int status : {200, 204, 304, 308, 404, 429, 500, 503}) {
    const auto response = client_->Send({.url = Url("/a?status=" + std::to_string(status))});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->status, status);
  }
}

TEST_F(HttpClientTest, FollowsNoRedirect) {
  const RawListener listener;
  const auto answer = AnswerOnce(
      listener, "HTTP/1.1 302 Found\r\nLocation: " + Url("/b") + "\r\nContent-Length: 0\r\n\r\n");
  const auto response = client_->Send({.url = UrlOf(listener.port(), "/a")});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->headers.Get("Location"), Url("/b"));
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpClientTest, OnlySuccessGoesToTheResponseWriter) {
  std::string taken;
  const BodyWriter writer = [&](std::string_view bytes) {
    taken.append(bytes);
    return Ok();
  };
  const auto good = client_->Send({.url = Url("/good"), .response_writer = writer});
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->body, "");
  EXPECT_THAT(taken, StartsWith("GET /good"));
  taken.clear();
  const auto bad = client_->Send({.url = Url("/bad?status=404"), .response_writer = writer});
  ASSERT_TRUE(bad.ok());
  EXPECT_THAT(bad->body, StartsWith("GET /bad"));
  EXPECT_EQ(taken, "");
}

TEST_F(HttpClientTest, AnErrorOfACallbackComesBackAsItIs) {
  const Error full = MakeError(ErrorId::kDiskFull, "no space left for the download");
  const auto download = client_->Send(
      {.url = Url("/a"), .response_writer = [&](std::string_view) -> Status { return full; }});
  ASSERT_FALSE(download.ok());
  EXPECT_EQ(download.error().id, ErrorId::kDiskFull);
  EXPECT_EQ(download.error().message, full.message);
  const auto upload = client_->Send(
      {.method = "PUT", .url = Url("/a"), .body_reader = [&](std::span<char>) -> Result<size_t> {
         return full;
       }});
  ASSERT_FALSE(upload.ok());
  EXPECT_EQ(upload.error().id, ErrorId::kDiskFull);
}

TEST_F(HttpClientTest, ABodyReaderHasToKeepToItsSize) {
  const auto response =
      client_->Send({.method = "PUT",
                     .url = Url("/a"),
                     .body_reader = [](std::span<char>) -> Result<size_t> { return size_t{0}; },
                     .body_size = 5});
  ASSERT_FALSE(response.ok());
  EXPECT_THAT(response.error().message, HasSubstr("body of 5 bytes"));
}

TEST_F(HttpClientTest, ReusesItsConnections) {
  RawListener listener;
  std::jthread peer([&] {
    RawConnection connection = listener.Accept();
    for (int i = 0; i < 3; ++i) {
      connection.ReadUntil("\r\n\r\n");
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  for (int i = 0; i < 3; ++i) {
    const auto response = client_->Send({.url = UrlOf(listener.port(), "/")});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, "ok");
  }
}

TEST_F(HttpClientTest, SendsNoRequestTwiceWhenAKeptConnectionBreaks) {
  RawListener listener;
  std::atomic<int> seen = 0;
  std::jthread peer([&] {
    RawConnection connection = listener.Accept();
    connection.ReadUntil("\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for (int i = 0; i < 2; ++i) {
      if (connection.ReadUntil("\r\n\r\n").empty()) return;
      ++seen;
      connection.Reset();
      connection = listener.Accept();
    }
  });
  ASSERT_TRUE(client_->Send({.url = UrlOf(listener.port(), "/")}).ok());
  const auto second = client_->Send({.method = "POST", .url = UrlOf(listener.port(), "/")});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  RawConnection unblock(listener.port());  // ends the peer's last Accept
  unblock.Close();
  peer.join();
  EXPECT_EQ(seen, 1);
}

TEST_F(HttpClientTest, NamesEveryWayToLoseAConnection) {
  const struct {
    std::string answer;
    bool reset;
  } cases[] = {
      {"", false},
      {"", true},
      {"HTTP/1.1 200 OK\r\nContent-Le", true},
      {"HTTP/1.1 200 OK\r\nX: whole\r\n", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", false},
      {"SSH-2.0-something\r\n\r\n", false},
  };
  for (const auto& expected : cases) {
    const RawListener listener;
    const auto answer = AnswerOnce(listener, expected.answer, expected.reset);
    const auto response = client_->Send({.url = UrlOf(listener.port(), "/x?token=secret")});
    ASSERT_FALSE(response.ok()) << expected.answer;
    EXPECT_EQ(response.error().id, ErrorId::kHttpConnectionLost) << expected.answer;
    EXPECT_EQ(response.error().code, Code::kUnavailable);
    EXPECT_THAT(response.error().message,
                AllOf(HasSubstr("GET http://127.0.0.1:"), Not(HasSubstr("secret"))));
  }
}

TEST_F(HttpClientTest, ARefusedConnectionIsUnavailable) {
  uint16_t port = 0;
  {
    const RawListener listener;
    port = listener.port();
  }
  const auto response = client_->Send({.url = UrlOf(port, "/")});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, Code::kUnavailable);
}

TEST_F(HttpClientTest, ASilentServerRunsIntoTheTimeout) {
  const RawListener listener;  // never accepts; the kernel does
  const auto whole = client_->Send({.url = UrlOf(listener.port(), "/"), .timeout = 50ms});
  ASSERT_FALSE(whole.ok());
  EXPECT_EQ(whole.error().id, ErrorId::kHttpTimeout);
  EXPECT_EQ(whole.error().code, Code::kDeadlineExceeded);
}

TEST_F(HttpClientTest, AStreamRunsIntoTheStallTimeout) {
  RawListener listener;
  std::latch done(1);
  std::jthread peer([&] {
    RawConnection connection = listener.Accept();
    connection.ReadUntil("\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    done.wait();
  });
  const auto response = client_->Send({.url = UrlOf(listener.port(), "/"),
                                       .response_writer = [](std::string_view) { return Ok(); },
                                       .timeout = 1ms,  // does not count for a stream
                                       .stall_timeout = 1s});
  done.count_down();
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().id, ErrorId::kHttpTimeout);
}

TEST_F(HttpClientTest, RefusesAnAnswerOverItsLimit) {
  const auto response = client_->Send({.method = "POST",
                                       .url = Url("/"),
                                       .body = std::string(5000, 'x'),
                                       .response_bytes_max = 4000});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().id, ErrorId::kHttpBodyTooLarge);
  const RawListener listener;
  std::string header = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 30; ++i) header += "X: " + std::string(10'000, 'x') + "\r\n";
  const auto answer = AnswerOnce(listener, header + "Content-Length: 0\r\n\r\n");
  const auto long_header = client_->Send({.url = UrlOf(listener.port(), "/")});
  ASSERT_FALSE(long_header.ok());
  EXPECT_EQ(long_header.error().id, ErrorId::kHttpBodyTooLarge);
}

TEST_F(HttpClientTest, RefusesWhatIsNoHttpUrlAndHeadersWithLineBreaks) {
  for (const char* url : {"", "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "//host/"}) {
    const auto response = client_->Send({.url = url});
    ASSERT_FALSE(response.ok()) << url;
    EXPECT_EQ(response.error().id, ErrorId::kHttpInvalidRequest) << url;
  }
  ClientRequest request{.url = Url("/")};
  request.headers.Set("X-Name", "value\r\nX-Other: smuggled");
  const auto response = client_->Send(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().id, ErrorId::kHttpInvalidRequest);
}

TEST_F(HttpClientTest, LoopbackNeedsNoProxy) {
  setenv("http_proxy", "http://192.0.2.1:9", 1);
  const auto response = client_->Send({.url = Url("/direct"), .timeout = 5s});
  unsetenv("http_proxy");
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_THAT(response->body, StartsWith("GET /direct"));
}

TEST_F(HttpClientTest, ManyRequestsAtOnceAreAllAnswered) {
  constexpr int kThreads = 200;
  std::atomic<int> answered = 0;
  {
    std::latch start(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        const std::string body = std::to_string(i);
        const auto response = client_->Send({.method = "POST", .url = Url("/"), .body = body});
        if (response.ok() && response->body.ends_with(" " + body)) ++answered;
      });
    }
  }
  EXPECT_EQ(answered, kThreads);
  EXPECT_EQ(requests_, kThreads);
}

TEST_F(HttpClientTest, AnInterimAnswerIsNotTheAnswer) {
  const RawListener listener;
  const auto answer = AnswerOnce(listener,
                                 "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
                                 "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na");
  const auto response = client_->Send({.url = UrlOf(listener.port(), "/")});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 201);
  EXPECT_FALSE(response->headers.Find("X-Early").has_value());
}

}  // namespace
}  // namespace holdfast::net
