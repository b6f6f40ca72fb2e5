// Downloads of storage_transfer.h and whole reads over it: every place where one can break.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <optional>

#include "base/hash.h"
#include "gcp/scripted_http_for_test.h"
#include "gcp/storage_object_store.h"
#include "gcp/storage_transfer.h"

namespace holdfast::gcp {
namespace {

using namespace std::chrono_literals;

const std::string kContent = "The quick brown fox jumps over the dog.\n";
constexpr int64_t kGeneration = 1700000000000042;

// Serves one object, with faults.
class FakeDownloads final : public net::HttpClient {
 public:
  std::map<size_t, size_t> cut_after;        // request → bytes of its answer that arrive
  std::optional<size_t> cut_every_answer;    // all of them
  std::optional<size_t> end_early;           // answers end here without an error
  std::map<size_t, int> refuse;              // request → status
  bool ignores_range_later = false;          // gives the whole object to a resumed request
  std::optional<std::string> content_range;  // told instead of the true one
  std::string surplus;                       // bytes after those asked for
  std::string content = kContent;

  Result<net::HttpResponse> Send(const net::ClientRequest& request) override {
    const size_t number = requests.size();
    requests.push_back(request);
    if (request.url.find("alt=media") == std::string::npos) return Describe();
    if (const auto status = refuse.find(number); status != refuse.end()) {
      return net::HttpResponse{.status = status->second, .headers = {}, .body = {}};
    }
    return Give(request, number);
  }

  std::vector<net::ClientRequest> requests;

 private:
  static net::HttpResponse Describe() {
    return {.status = 200,
            .headers = {},
            .body = DumpJson({{"bucket", "b"},
                              {"name", "o"},
                              {"generation", std::to_string(kGeneration)},
                              {"size", std::to_string(kContent.size())},
                              {"crc32c", Crc32cBase64(ExtendCrc32c(0, kContent))}})};
  }

  Result<net::HttpResponse> Give(const net::ClientRequest& request, size_t number) {
    size_t first = 0;
    size_t last = 0;
    const std::string range(request.headers.Get("Range"));
    const size_t dash = range.find('-');
    std::from_chars(range.data() + range.find('=') + 1, range.data() + dash, first);
    std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
    EXPECT_LE(first, last) << range;
    const bool whole = ignores_range_later && first > 0;
    std::string bytes = (whole ? content : content.substr(first, last - first + 1)) + surplus;
    const auto planned = cut_after.find(number);
    const auto cut = planned == cut_after.end() ? cut_every_answer : planned->second;
    bytes = bytes.substr(0, cut.value_or(end_early.value_or(bytes.size())));
    // As the network does: in pieces, and what came before a break has come.
    for (size_t at = 0; at < bytes.size(); at += 7) {
      HF_RETURN_IF_ERROR(request.response_writer(std::string_view(bytes).substr(at, 7)));
    }
    if (cut) return MakeError(ErrorId::kHttpConnectionLost, "cut");
    net::HttpResponse response{.status = whole ? 200 : 206, .headers = {}, .body = {}};
    if (!whole) {
      response.headers.Set("Content-Range", content_range.value_or(fmt::format(
                                                "bytes {}-{}/{}", first, last, content.size())));
    }
    return response;
  }
};

class StorageDownload : public testing::Test, protected RestSurroundings {
 protected:
  // Reads with Download alone.
  Status Fetch(FakeDownloads& server, int64_t offset, int64_t end) {
    const RestClient client(kEndpoint, EnvironmentOver(server));
    return Download(client, {"b", "o", kGeneration}, offset, end, Sink());
  }
  // Reads as the engine does.
  Status Read(FakeDownloads& server, int64_t offset = 0, int64_t length = -1) {
    StorageObjectStore store(kEndpoint, EnvironmentOver(server));
    return store.ReadObject({"b", "o", 0}, offset, length, Sink());
  }
  ByteSink Sink() {
    got_.clear();
    return [this](std::string_view bytes) -> Status {
      got_ += bytes;
      return Ok();
    };
  }

  std::string got_;
};

TEST_F(StorageDownload, ReadsTheRangeOfTheGenerationThatWasLookedUp) {
  const struct {
    int64_t offset;
    int64_t length;
    std::string expected;
  } cases[] = {{0, -1, kContent},
               {0, 3, "The"},
               {4, 5, "quick"},
               {35, -1, "dog.\n"},
               {35, INT64_MAX, "dog.\n"},
               {35, 500, "dog.\n"},
               {40, -1, ""},
               {41, 3, ""},
               {0, 0, ""}};
  for (const auto& expected : cases) {
    SCOPED_TRACE(fmt::format("{}+{}", expected.offset, expected.length));
    FakeDownloads server;
    const Status read = Read(server, expected.offset, expected.length);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(got_, expected.expected);
    ASSERT_EQ(server.requests.size(), expected.expected.empty() ? 1U : 2U);
    if (expected.expected.empty()) continue;
    EXPECT_NE(server.requests[1].url.find(fmt::format("generation={}", kGeneration)),
              std::string::npos);
  }
}

TEST_F(StorageDownload, GoesOnFromWhateverByteTheConnectionBroke) {
  for (size_t cut = 0; cut <= kContent.size(); ++cut) {
    SCOPED_TRACE(cut);
    FakeDownloads server;
    server.cut_after[1] = cut;
    const Status read = Read(server);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(got_, kContent);
    if (cut == kContent.size()) continue;  // everything is there: nothing more to ask for
    ASSERT_EQ(server.requests.size(), 3U);
    EXPECT_EQ(server.requests[2].headers.Get("Range"), fmt::format("bytes={}-39", cut));
    EXPECT_NE(server.requests[2].url.find(fmt::format("generation={}", kGeneration)),
              std::string::npos);
  }
}

TEST_F(StorageDownload, ProgressIsNotCountedAsFailure) {
  retry = {.attempts_max = 2, .initial = 1s, .total = 3s};
  FakeDownloads server;
  server.cut_every_answer = 1;
  const Status read = Read(server);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(got_, kContent);
  EXPECT_GT(elapsed(), 3s);
}

TEST_F(StorageDownload, AConnectionThatGivesNothingEndsTheDownload) {
  retry = {.attempts_max = 4};
  for (const bool with_error : {true, false}) {
    FakeDownloads server;
    (with_error ? server.cut_every_answer : server.end_early) = 0;
    const Status read = Fetch(server, 0, 40);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().id, ErrorId::kServiceUnavailable);
    EXPECT_EQ(server.requests.size(), 4U);
  }
}

TEST_F(StorageDownload, AnAnswerThatEndsEarlyIsNotTakenForTheWhole) {
  FakeDownloads server;
  server.end_early = 11;
  const Status read = Read(server);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(got_, kContent);
}

TEST_F(StorageDownload, ABusyServiceIsAskedAgain) {
  FakeDownloads server;
  server.refuse = {{1, 503}, {2, 429}};
  ASSERT_TRUE(Read(server).ok());
  EXPECT_EQ(got_, kContent);
}

TEST_F(StorageDownload, AGenerationThatIsGoneIsNotReplacedByAnother) {
  FakeDownloads server;
  server.cut_after[1] = 10;
  server.refuse[2] = 404;
  const Status read = Read(server);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().id, ErrorId::kObjectNotFound);
  EXPECT_EQ(got_, kContent.substr(0, 10));
}

TEST_F(StorageDownload, EveryFlippedByteOfAWholeReadIsFound) {
  for (size_t at = 0; at < kContent.size(); ++at) {
    FakeDownloads server;
    server.content[at] ^= 0x10;
    const Status read = Read(server);
    ASSERT_FALSE(read.ok()) << at;
    EXPECT_EQ(read.error().id, ErrorId::kObjectCorrupt);
    EXPECT_EQ(server.requests.size(), 2U);
  }
}

TEST_F(StorageDownload, OtherBytesThanThoseAskedForAreCorrupt) {
  FakeDownloads restarts;  // resumed, it begins at the first byte again
  restarts.cut_after[0] = 30;
  restarts.ignores_range_later = true;
  FakeDownloads shifted;
  shifted.content_range = "bytes 5-44/50";
  FakeDownloads generous;
  generous.surplus = "?";
  FakeDownloads ignores;
  ignores.ignores_range_later = true;
  const struct {
    const char* what;
    FakeDownloads& server;
    int64_t offset;
    int64_t end;
  } cases[] = {{"restarts", restarts, 0, 40},
               {"shifted", shifted, 0, 40},
               {"generous", generous, 10, 20},
               {"ignores", ignores, 35, 40}};
  for (const auto& expected : cases) {
    const Status read = Fetch(expected.server, expected.offset, expected.end);
    ASSERT_FALSE(read.ok()) << expected.what;
    EXPECT_EQ(read.error().id, ErrorId::kObjectCorrupt) << expected.what;
  }
}

TEST_F(StorageDownload, AFailureOfTheSinkIsFinal) {
  FakeDownloads server;
  const RestClient client(kEndpoint, EnvironmentOver(server));
  int pieces = 0;
  const Status read =
      Download(client, {"b", "o", kGeneration}, 0, 40, [&](std::string_view) -> Status {
        ++pieces;
        return MakeError(ErrorId::kFileError, "disk");
      });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().id, ErrorId::kFileError);
  EXPECT_EQ(pieces, 1);
  EXPECT_EQ(server.requests.size(), 1U);
}

}  // namespace
}  // namespace holdfast::gcp
