#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "net/raw_connection_for_test.h"

namespace holdfast::net {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

HttpResponse TextResponse(std::string text, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text);
  return response;
}

// Answers with "METHOD path body"; the path "/ignore" leaves the body unread.
HttpResponse Echo(ServerRequest& request) {
  if (request.path == "/ignore") return TextResponse("ignored");
  const auto body = request.ReadBody(1000);
  if (!body.ok()) return TextResponse(body.error().message, 413);
  return TextResponse(request.method + " " + request.path + " " + *body);
}

std::unique_ptr<HttpServer> StartServer(HttpHandler handler, HttpServerOptions options = {}) {
  auto server = HttpServer::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok());
  return *std::move(server);
}

// Sends `request` and gives all that comes until the server closes.
std::string Exchange(const HttpServer& server, std::string_view request) {
  RawConnection connection(server.port());
  EXPECT_TRUE(connection.connected());
  connection.Send(request);
  return connection.ReadToEnd();
}

constexpr std::string_view kClosingGet =
    "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  const auto server = StartServer(Echo);
  RawConnection connection(server->port());
  for (int i = 0; i < 3; ++i) {
    connection.Send("POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz");
    EXPECT_EQ(connection.ReadUntil("xyz"),
              "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nPOST /a%20b xyz");
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  const auto server = StartServer(Echo);
  const std::string answers = Exchange(
      *server, std::string("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                           "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "1\r\na\r\n2;ext=1\r\nbc\r\n0\r\nTrailer: t\r\n\r\n")
                   .append(kClosingGet));
  const size_t first = answers.find("GET /1 ");
  const size_t second = answers.find("POST /2 abc");
  const size_t third = answers.find("GET /last ");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos) << answers;
}

TEST(HttpServer, TellsTheHandlerWhatWasAsked) {
  const auto server = StartServer([](ServerRequest& request) {
    EXPECT_EQ(request.segments, (std::vector<std::string>{"b", "x/y"}));
    EXPECT_EQ(request.query.Get("q"), "1 2");
    EXPECT_EQ(request.headers.Get("x-name"), "value");
    EXPECT_EQ(request.content_length, 0U);
    EXPECT_THAT(request.remote_address, StartsWith("127.0.0.1:"));
    return TextResponse("seen");
  });
  EXPECT_THAT(Exchange(*server,
                       "PUT http://h/b/x%2Fy?q=1+2 HTTP/1.1\r\nHost: h\r\nX-Name:  value \r\n"
                       "Content-Length: 0\r\nConnection: close\r\n\r\n"),
              EndsWith("seen"));
}

TEST(HttpServer, HeadHasTheHeadersAndNoBody) {
  const auto server = StartServer([](ServerRequest&) { return TextResponse("12345"); });
  EXPECT_EQ(Exchange(*server, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST(HttpServer, Speaks10ToThoseWhoDo) {
  const auto server = StartServer([](ServerRequest&) {
    HttpResponse response;
    response.body_reader = [left = 3](std::span<char> buffer) mutable -> Result<size_t> {
      if (left == 0) return size_t{0};
      buffer[0] = static_cast<char>('0' + left--);
      return size_t{1};
    };
    return response;
  });
  EXPECT_EQ(Exchange(*server, "GET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n321");
  EXPECT_EQ(Exchange(*server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            "1\r\n3\r\n1\r\n2\r\n1\r\n1\r\n0\r\n\r\n");
}

TEST(HttpServer, RefusesMalformedAndAmbiguousRequests) {
  const auto server = StartServer(Echo, {.header_bytes_max = 4096});
  const std::string huge(100'000, 'x');
  const struct {
    std::string request;
    std::string_view status;
  } cases[] = {
      {"\x16\x03\x01\x02garbage\r\n\r\n", "400"},
      {"GET /\r\n\r\n", "400"},
      {"GET / HTTP/9.9\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost h\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
       "400"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + huge + "\r\n\r\n", "431"},
      {"GET /" + huge + " HTTP/1.1\r\nHost: h\r\n\r\n", "431"},
  };
  for (const auto& expected : cases) {
    EXPECT_THAT(Exchange(*server, expected.request),
                AllOf(StartsWith("HTTP/1.1 " + std::string(expected.status)),
                      HasSubstr("Connection: close")))
        << expected.request.substr(0, 100);
  }
  EXPECT_THAT(Exchange(*server, kClosingGet), EndsWith("GET /last "));
}

TEST(HttpServer, TellsTheHandlerOfAMalformedOrEndlessBody) {
  const auto server = StartServer(Echo, {.header_bytes_max = 4096});
  constexpr std::string_view kChunked =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(Exchange(*server, std::string(kChunked) + "zz\r\n"), HasSubstr("malformed body"));
  EXPECT_THAT(Exchange(*server, std::string(kChunked) + "1;" + std::string(200'000, 'x')),
              HasSubstr("malformed body"));
  EXPECT_THAT(Exchange(*server, std::string(kChunked) + "7d0\r\n" + std::string(2000, 'x') +
                                    "\r\n0\r\n\r\n"),
              HasSubstr("over the limit of 1000"));
}

TEST(HttpServer, TellsTheHandlerOfAPeerThatLeftInMidBody) {
  std::latch told(1);
  const auto server = StartServer([&](ServerRequest& request) {
    const auto body = request.ReadBody(1000);
    EXPECT_TRUE(!body.ok() && body.error().id == ErrorId::kHttpConnectionLost);
    told.count_down();
    return TextResponse("");
  });
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  connection.Close();
  told.wait();
}

TEST(HttpServer, AsksForABodyOnlyOnceItIsWanted) {
  const auto server = StartServer(Echo);
  RawConnection connection(server->port());
  connection.Send(
      "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(connection.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("hi");
  EXPECT_THAT(connection.ReadUntil("hi"), EndsWith("PUT /a hi"));
  connection.Send(
      "PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("ignored"),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Connection: close")));
}

TEST(HttpServer, ASmallBodyThatIsNotReadDoesNotBreakTheConnection) {
  const auto server = StartServer(Echo);
  const std::string answers = Exchange(
      *server, std::string("POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
                   .append(std::string(200'000, 'x'))
                   .append(kClosingGet));
  EXPECT_THAT(answers, AllOf(HasSubstr("ignored"), EndsWith("GET /last ")));
}

TEST(HttpServer, ALargeBodyThatIsNotReadEndsTheConnectionButNotTheAnswer) {
  const auto server = StartServer(Echo);
  RawConnection connection(server->port());
  connection.Send("POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
  connection.Send(std::string(4'000'000, 'x'));
  EXPECT_THAT(connection.ReadToEnd(), AllOf(HasSubstr("Connection: close"), EndsWith("ignored")));
}

TEST(HttpServer, AHandlerThatThrowsCannotEndTheServer) {
  const auto server = StartServer([](ServerRequest& request) -> HttpResponse {
    if (request.path == "/standard") throw std::runtime_error("a handler's defect");
    if (request.path == "/foreign") throw 42;
    if (request.path == "/late") {
      HttpResponse response;
      response.body_reader = [](std::span<char>) -> Result<size_t> { throw std::bad_alloc(); };
      return response;
    }
    return TextResponse("fine");
  });
  EXPECT_THAT(Exchange(*server, "GET /standard HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 500"), Not(HasSubstr("defect"))));
  EXPECT_THAT(Exchange(*server, "GET /foreign HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(Exchange(*server, "GET /late HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              IsEmpty());
  EXPECT_THAT(Exchange(*server, kClosingGet), EndsWith("fine"));
}

TEST(HttpServer, ResetsTheConnectionWhenTheHandlerAsks) {
  const auto server =
      StartServer([](ServerRequest&) { return TextResponse("", HttpResponse::kReset); });
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(connection.ReadToEnd(), IsEmpty());
  EXPECT_TRUE(connection.ended_by_reset());
}

TEST(HttpServer, ResetsTheConnectionWhenABodyFallsShort) {
  const auto server = StartServer([](ServerRequest&) {
    HttpResponse response;
    response.body_size = 10;
    response.body_reader = [given = false](std::span<char> buffer) mutable -> Result<size_t> {
      if (std::exchange(given, true)) return size_t{0};
      return std::string_view("abc").copy(buffer.data(), buffer.size());
    };
    return response;
  });
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  connection.ReadToEnd();
  EXPECT_TRUE(connection.ended_by_reset());
}

TEST(HttpServer, ClosesOnPeersThatAreTooSlow) {
  const auto server = StartServer(Echo, {.idle_timeout = 50ms, .header_timeout = 50ms});
  for (const std::string_view start :
       {"", "GET / HTTP/1.1\r\nHost:", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    RawConnection connection(server->port());
    connection.Send(start);
    connection.ReadToEnd();
    EXPECT_TRUE(connection.ended()) << start;
  }
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(connection.ReadToEnd(), HasSubstr("too slow"));
}

TEST(HttpServer, ADripOfBytesDoesNotHoldAThread) {
  const auto server = StartServer(Echo, {.idle_timeout = 200ms, .body_bytes_per_second_min = 1000});
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  // Each byte comes well within the idle time; it is their sum that is too slow.
  int sent = 0;
  while (!connection.AnswersWithin(10) && connection.Send("x")) ++sent;
  EXPECT_GT(sent, 2);
  EXPECT_THAT(connection.ReadToEnd(), HasSubstr("too slow"));
}

TEST(HttpServer, RefusesConnectionsOverItsLimit) {
  const auto server = StartServer(Echo, {.connections_max = 2});
  RawConnection first(server->port());
  RawConnection second(server->port());
  first.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  second.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first.ReadUntil("GET /1 "), EndsWith("GET /1 "));
  EXPECT_THAT(second.ReadUntil("GET /2 "), EndsWith("GET /2 "));
  RawConnection third(server->port());
  EXPECT_THAT(third.ReadToEnd(), StartsWith("HTTP/1.1 503"));
}

TEST(HttpServer, StopLetsARunningHandlerFinish) {
  std::latch running(1);
  std::latch stopping(1);
  const auto server = StartServer([&](ServerRequest&) {
    running.count_down();
    stopping.wait();
    return TextResponse("finished");
  });
  RawConnection idle(server->port());
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  running.wait();
  std::jthread stop([&] { server->Stop(); });
  EXPECT_THAT(idle.ReadToEnd(), IsEmpty());  // so Stop is under way
  stopping.count_down();
  EXPECT_THAT(connection.ReadToEnd(), EndsWith("finished"));
  stop.join();
  server->Stop();
  EXPECT_FALSE(RawConnection(server->port()).connected());
}

TEST(HttpServer, StopCutsOffAPeerThatIsSilent) {
  std::latch running(1);
  const auto server = StartServer(
      [&](ServerRequest& request) {
        running.count_down();
        EXPECT_FALSE(request.ReadBody(1000).ok());
        return TextResponse("");
      },
      {.stop_grace = 10ms});
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  running.wait();
  server->Stop();
  connection.ReadToEnd();
  EXPECT_TRUE(connection.ended());
}

TEST(HttpServer, SaysWhyItCannotListen) {
  const auto server = StartServer(Echo);
  for (const HttpServerOptions& options :
       {HttpServerOptions{.port = server->port()}, HttpServerOptions{.address = "not an address"},
        HttpServerOptions{.address = "192.0.2.1"}}) {
    const auto second = HttpServer::Start(options, Echo);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().id, ErrorId::kHttpListenFailed);
    EXPECT_THAT(second.error().message, HasSubstr(options.address));
  }
}

}  // namespace
}  // namespace holdfast::net
