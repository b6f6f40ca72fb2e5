#include "localcloud/storage/multipart.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

namespace holdfast::storage {
namespace {

// A body that arrives in pieces of `piece` bytes.
net::BodyReader BodyOf(std::string bytes, size_t piece) {
  return [bytes = std::move(bytes), piece, at = size_t{0}](std::span<char> buffer) mutable {
    const size_t count = std::min({piece, buffer.size(), bytes.size() - at});
    std::copy_n(bytes.data() + at, count, buffer.data());
    at += count;
    return Result<size_t>(count);
  };
}

Result<std::string> ReadPart(MultipartReader& reader, size_t buffer_size = 1000) {
  std::string part;
  std::string buffer(buffer_size, '\0');
  for (;;) {
    HF_ASSIGN_OR_RETURN(const size_t count, reader.Read(std::span(buffer)));
    if (count == 0) return part;
    part.append(buffer, 0, count);
  }
}

// All parts of a body, or the error that stopped the reading.
Result<std::vector<std::string>> ReadAll(MultipartReader& reader) {
  std::vector<std::string> parts;
  for (;;) {
    HF_ASSIGN_OR_RETURN(const auto headers, reader.NextPart());
    if (!headers) return parts;
    HF_ASSIGN_OR_RETURN(std::string part, ReadPart(reader));
    parts.push_back(std::move(part));
  }
}

TEST(MultipartBoundary, IsReadQuotedOrNot) {
  EXPECT_EQ(MultipartBoundary("multipart/related; boundary=abc").value(), "abc");
  EXPECT_EQ(MultipartBoundary("multipart/related; boundary=\"==a;b==\"").value(), "==a;b==");
  EXPECT_EQ(MultipartBoundary("Multipart/Related; type=x; Boundary='abc'; y=z").value(), "abc");
  for (const char* text : {"", "text/plain; boundary=a", "multipart/related",
                           "multipart/related; boundary=", "multipart/related; boundary=\"\""}) {
    EXPECT_FALSE(MultipartBoundary(text).ok()) << text;
  }
  EXPECT_FALSE(MultipartBoundary("multipart/related; boundary=" + std::string(71, 'x')).ok());
}

TEST(Multipart, GivesHeadersAndBytesOfEachPart) {
  const std::string body =
      "preamble to skip\r\n--b\r\nContent-Type: application/json\r\n\r\n{\"name\":\"a\"}\r\n"
      "--b  \r\ncontent-type:text/plain\r\nX: y\r\n\r\nline\r\n--bogus?no, --b "
      "inside\r\n\r\n--b--\r\n"
      "epilogue";
  MultipartReader reader(BodyOf(body, 3), "b");
  auto headers = reader.NextPart().value();
  EXPECT_EQ(headers->Get("content-type"), "application/json");
  EXPECT_EQ(ReadPart(reader).value(), "{\"name\":\"a\"}");
  headers = reader.NextPart().value();
  EXPECT_EQ(headers->Get("Content-Type"), "text/plain");
  EXPECT_FALSE(ReadPart(reader).ok());  // "--bogus" begins with the delimiter: a broken message
}

TEST(Multipart, SkipsAPartThatIsNotRead) {
  MultipartReader reader(BodyOf("--b\r\n\r\nfirst\r\n--b\r\n\r\nsecond\r\n--b--", 2), "b");
  ASSERT_TRUE(reader.NextPart()->has_value());
  ASSERT_TRUE(reader.NextPart()->has_value());
  EXPECT_EQ(ReadPart(reader).value(), "second");
  EXPECT_FALSE(reader.NextPart()->has_value());
  EXPECT_FALSE(reader.NextPart()->has_value());
}

TEST(Multipart, ReadsBackAnyBytesInAnyPieces) {
  EXPECT_TRUE(rc::check([] {
    const auto bytes = rc::gen::container<std::string>(rc::gen::weightedOneOf<char>(
        {{3, rc::gen::element('\r', '\n', '-')}, {1, rc::gen::arbitrary<char>()}}));
    const std::string boundary = "=boundary=";
    std::vector<std::string> parts = *rc::gen::container<std::vector<std::string>>(bytes);
    std::string body;
    for (const std::string& part : parts) {
      body.append("--").append(boundary).append("\r\nA: b\r\n\r\n").append(part).append("\r\n");
    }
    body.append("--").append(boundary).append("--");
    MultipartReader reader(BodyOf(body, *rc::gen::inRange<size_t>(1, 40)), boundary);
    RC_ASSERT(ReadAll(reader).value() == parts);
  }));
}

TEST(Multipart, CutAnywhereIsAnError) {
  const std::string body = "--b\r\nA: b\r\n\r\nbytes\r\n--b--";
  for (size_t size = 0; size < body.size(); ++size) {
    MultipartReader reader(BodyOf(body.substr(0, size), 4), "b");
    EXPECT_FALSE(ReadAll(reader).ok()) << size;
  }
}

TEST(Multipart, LimitsLinesAndHeaders) {
  MultipartReader long_line(BodyOf("--b\r\nA: " + std::string(100'000, 'x'), 5000), "b");
  EXPECT_FALSE(long_line.NextPart().ok());
  std::string many = "--b\r\n";
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  MultipartReader headers(BodyOf(many + "\r\nx\r\n--b--", 5000), "b");
  EXPECT_FALSE(headers.NextPart().ok());
}

TEST(Multipart, PassesOnTheErrorOfItsBody) {
  MultipartReader reader(
      [](std::span<char>) -> Result<size_t> {
        return MakeError(ErrorId::kCancelled, "connection lost");
      },
      "b");
  EXPECT_EQ(reader.NextPart().error().id, ErrorId::kCancelled);
}

}  // namespace
}  // namespace holdfast::storage
