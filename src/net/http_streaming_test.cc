// Bodies much larger than memory should be: client and server against each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <latch>
#include <thread>

#include "base/hash.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/raw_connection_for_test.h"

namespace holdfast::net {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kLargeBytes = uint64_t{200} << 20U;

// Sanitizers multiply every allocation, so that growth under them says nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kGrowthKilobytesMax = 1L << 30;
#else
constexpr long kGrowthKilobytesMax = 16L << 10U;
#endif

long PeakMemoryKilobytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// `size` bytes of a pattern that a lost or doubled piece would shift.
BodyReader Pattern(uint64_t size) {
  return [size, at = uint64_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
    const auto count = static_cast<size_t>(std::min<uint64_t>(buffer.size(), size - at));
    for (size_t i = 0; i < count; ++i, ++at) buffer[i] = static_cast<char>(at ^ (at >> 8U));
    return count;
  };
}

uint32_t Crc32cOf(const BodyReader& reader) {
  std::vector<char> buffer(size_t{1} << 16U);
  uint32_t crc = 0;
  while (true) {
    const auto count = reader(buffer);
    EXPECT_TRUE(count.ok());
    if (!count.ok() || *count == 0) return crc;
    crc = ExtendCrc32c(crc, {buffer.data(), *count});
  }
}

std::unique_ptr<HttpServer> StartStreamingServer(HttpHandler handler) {
  auto server = HttpServer::Start({}, std::move(handler));
  EXPECT_TRUE(server.ok());
  return *std::move(server);
}

// Answers a PUT with the crc32c of its body, and a GET with the pattern.
HttpResponse Serve(ServerRequest& request) {
  HttpResponse response;
  if (request.method == "PUT") {
    response.body = std::to_string(Crc32cOf(request.body));
  } else {
    response.body_reader = Pattern(kLargeBytes);
    if (request.path == "/sized") response.body_size = kLargeBytes;
  }
  return response;
}

TEST(HttpStreaming, LargeBodiesPassBothWaysInBoundedMemory) {
  const auto server = StartStreamingServer(Serve);
  const auto client = MakeCurlHttpClient();
  const std::string base = "http://127.0.0.1:" + std::to_string(server->port());
  const uint32_t expected = Crc32cOf(Pattern(kLargeBytes));
  ASSERT_TRUE(client->Send({.method = "PUT", .url = base, .body = "warm"}).ok());
  const long before = PeakMemoryKilobytes();

  for (const bool sized : {true, false}) {
    const auto upload =
        client->Send({.method = "PUT",
                      .url = base,
                      .body_reader = Pattern(kLargeBytes),
                      .body_size = sized ? std::optional<uint64_t>(kLargeBytes) : std::nullopt});
    ASSERT_TRUE(upload.ok()) << upload.error().message;
    EXPECT_EQ(upload->body, std::to_string(expected)) << "sized: " << sized;

    uint32_t crc = 0;
    uint64_t received = 0;
    const auto download = client->Send({.url = base + (sized ? "/sized" : "/chunked"),
                                        .response_writer = [&](std::string_view bytes) {
                                          crc = ExtendCrc32c(crc, bytes);
                                          received += bytes.size();
                                          return Ok();
                                        }});
    ASSERT_TRUE(download.ok()) << download.error().message;
    EXPECT_EQ(received, kLargeBytes);
    EXPECT_EQ(crc, expected) << "sized: " << sized;
  }
  EXPECT_LT(PeakMemoryKilobytes() - before, kGrowthKilobytesMax);
}

TEST(HttpStreaming, AHandlerThatDoesNotReadHoldsTheSenderBack) {
  std::latch sent_all_it_could(1);
  uint64_t received = 0;
  const auto server = StartStreamingServer([&](ServerRequest& request) {
    sent_all_it_could.wait();
    char byte = 0;
    while (true) {
      const auto count = request.body({&byte, 1});
      EXPECT_TRUE(count.ok());
      if (!count.ok() || *count == 0) return HttpResponse();
      if (++received == 10) return HttpResponse{.status = 400};
    }
  });
  RawConnection connection(server->port());
  connection.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n");
  const uint64_t taken = connection.SendUntilBlocked(1'000'000'000);
  EXPECT_LT(taken, 100'000'000U) << "what the kernel's buffers take, and no more";
  sent_all_it_could.count_down();
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), testing::StartsWith("HTTP/1.1 400"));
}

TEST(HttpStreaming, ABodyCanBeSentBackWhileItArrives) {
  const auto server = StartStreamingServer([](ServerRequest& request) {
    HttpResponse response;
    response.body_reader = request.body;
    return response;
  });
  const auto client = MakeCurlHttpClient();
  constexpr uint64_t kBytes = uint64_t{1} << 20U;
  const auto response =
      client->Send({.method = "POST",
                    .url = "http://127.0.0.1:" + std::to_string(server->port()) + "/",
                    .body_reader = Pattern(kBytes)});
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->body.size(), kBytes);
  EXPECT_EQ(ExtendCrc32c(0, response->body), Crc32cOf(Pattern(kBytes)));
}

}  // namespace
}  // namespace holdfast::net
