// The JSON API over a real connection: streaming both ways, and many clients at once.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "localcloud/storage/service_fixture.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace holdfast::storage {
namespace {

class OverHttp : public ::testing::Test {
 protected:
  OverHttp() {
    auto server = net::HttpServer::Start(
        {}, [&](net::ServerRequest& request) { return api_.router().Handle(request); });
    CHECK(server.ok(), server.ok() ? "" : server.error().message);
    server_ = std::move(server).value();
    api_.MakeBucket("bucket");
  }

  net::HttpResponse Send(const std::string& method, const std::string& target,
                         std::string body = {}, HeaderList headers = {}) {
    net::ClientRequest request{
        .method = method,
        .url = "http://127.0.0.1:" + std::to_string(server_->port()) + target,
        .body = std::move(body)};
    for (const auto& [name, value] : headers) request.headers.Set(name, value);
    auto response = client_->Send(request);
    EXPECT_TRUE(response.ok()) << response.error().message;
    return response.ok() ? *std::move(response) : net::HttpResponse{.status = 0};
  }

  ServiceFixture api_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_ = net::MakeCurlHttpClient();
};

TEST_F(OverHttp, LargeObjectsComeBackWholeAndInParts) {
  std::string bytes(size_t{5} << 20U, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 1000);
  const auto uploaded =
      Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=dir%2Fa", bytes);
  ASSERT_EQ(uploaded.status, 200) << uploaded.body;
  EXPECT_EQ(ParseJson(uploaded.body).value()["crc32c"], Crc32cBase64(ExtendCrc32c(0, bytes)));
  const std::string path = "/download/storage/v1/b/bucket/o/dir%2Fa?alt=media";
  EXPECT_EQ(Send("GET", path).body, bytes);
  const auto part = Send("GET", path, "", {{"Range", "bytes=1000000-1999999"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(1'000'000, 1'000'000));
}

TEST_F(OverHttp, ResumableUploadsAnswer308) {
  const auto started = Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=a");
  const std::string location(started.headers.Get("Location"));
  const std::string session = location.substr(location.find("/upload"));
  const std::string chunk(size_t{256} << 10U, 'c');
  const auto first = Send("PUT", session, chunk, {{"Content-Range", "bytes 0-262143/*"}});
  EXPECT_EQ(first.status, 308);
  EXPECT_EQ(first.headers.Get("Range"), "bytes=0-262143");
  EXPECT_EQ(Send("PUT", session, "", {{"Content-Range", "bytes */262144"}}).status, 200);
}

TEST_F(OverHttp, ManyClientsWriteAndReadAtOnce) {
  constexpr int kClients = 8;
  constexpr int kObjects = 10;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; i < kObjects; ++i) {
        const std::string name = std::to_string(c) + "-" + std::to_string(i);
        EXPECT_EQ(Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=" + name, name)
                      .status,
                  200);
        EXPECT_EQ(Send("GET", "/storage/v1/b/bucket/o/" + name + "?alt=media").body, name);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(api_.store_fixture().store().ListObjects({.bucket = "bucket"})->objects.size(),
            static_cast<size_t>(kClients * kObjects));
}

}  // namespace
}  // namespace holdfast::storage
