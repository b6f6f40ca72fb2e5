#include "net/response_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/virtual_clock.h"

namespace holdfast::net {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string HeadOf(int status, std::optional<uint64_t> size, ResponseContext context = {}) {
  HttpResponse response;
  response.status = status;
  return FormatResponseHead(response, size, context);
}

TEST(ResponseHead, FramesTheBodyByWhatIsKnownOfIt) {
  EXPECT_EQ(HeadOf(200, 5), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(HeadOf(200, std::nullopt), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(HeadOf(200, std::nullopt, {.http_1_0 = true}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(HeadOf(200, 5, {.http_1_0 = true}),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseHead, AStatusWithoutBodyHasNoFraming) {
  EXPECT_EQ(HeadOf(204, 0), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(HeadOf(304, 0, {.keep_alive = false}),
            "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHead, FramingIsNotTheHandlersToSet) {
  HttpResponse response;
  response.headers.Set("content-length", "77");
  response.headers.Set("Transfer-encoding", "gzip");
  response.headers.Set("CONNECTION", "upgrade");
  response.headers.Set("X-Kept", "yes");
  EXPECT_EQ(FormatResponseHead(response, 0, {}),
            "HTTP/1.1 200 OK\r\nX-Kept: yes\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseHead, AHeaderValueCannotBeginAnotherHeader) {
  HttpResponse response;
  response.headers.Set("Location", "/a\r\nSet-Cookie: b");
  const std::string head = FormatResponseHead(response, 0, {});
  EXPECT_THAT(head, HasSubstr("Location: /a  Set-Cookie: b\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("\nSet-Cookie")));
}

TEST(ResponseHead, CarriesTheDateOfItsClock) {
  const VirtualClock clock(ParseTimestamp("1994-11-06T08:49:37.5Z").value());
  EXPECT_THAT(HeadOf(200, 0, {.clock = &clock}),
              HasSubstr("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}

TEST(ReasonPhrase, OfAnUnregisteredStatusIsUnknown) {
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(799), "Unknown");
}

}  // namespace
}  // namespace holdfast::net
