// Uploads of storage_transfer.h: every place where one can break (google-semantics A7 #43-#45).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/log.h"
#include "gcp/fake_uploads_for_test.h"
#include "gcp/storage_object_store.h"
#include "gcp/storage_transfer.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::gcp {
namespace {

using namespace std::chrono_literals;

constexpr size_t kPiece = 16;
const std::string kUploaded = "The quick brown fox jumps over the dog.\n";  // 40 bytes: 16 + 16 + 8
const cloud::ObjectRef kObject{"b", "o", 0};

ByteSource SourceOf(const std::string& bytes) {
  return [bytes, at = size_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
    const size_t count = std::min({buffer.size(), bytes.size() - at, size_t{7}});
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), count, buffer.begin());
    at += count;
    return count;
  };
}

net::HttpResponse Status308(std::string_view range) {
  net::HttpResponse response{.status = 308, .headers = {}, .body = {}};
  if (!range.empty()) response.headers.Set("Range", range);
  return response;
}

class StorageUpload : public testing::Test, protected RestSurroundings {
 protected:
  Result<UploadResult> Send(FakeUploads& server, int64_t size_bytes, const std::string& bytes,
                            size_t piece_bytes = kPiece) {
    const RestClient client(kEndpoint, EnvironmentOver(server));
    return Upload(
        client, kObject, size_bytes,
        [&] {
          ++opened_;
          return SourceOf(bytes);
        },
        piece_bytes);
  }
  Result<UploadResult> Send(FakeUploads& server, size_t piece_bytes = kPiece) {
    return Send(server, static_cast<int64_t>(kUploaded.size()), kUploaded, piece_bytes);
  }

  // The upload came to one object with all the bytes.
  static void ExpectStored(const FakeUploads& server, const Result<UploadResult>& result) {
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_TRUE(result->object);
    EXPECT_EQ(result->object->crc32c, ExtendCrc32c(0, kUploaded));
    EXPECT_EQ(result->object->size_bytes, static_cast<int64_t>(kUploaded.size()));
    EXPECT_EQ(server.object, kUploaded);
    EXPECT_EQ(server.objects_made, 1);
  }

  int opened_ = 0;
};

TEST_F(StorageUpload, SendsALargeObjectPieceByPiece) {
  FakeUploads server;
  ExpectStored(server, Send(server));
  ASSERT_EQ(server.requests.size(), 4U);
  EXPECT_EQ(server.requests[0].headers.Get("X-Upload-Content-Length"), "40");
  EXPECT_EQ(server.requests[1].headers.Get("Content-Range"), "bytes 0-15/40");
  EXPECT_EQ(server.requests[3].headers.Get("Content-Range"), "bytes 32-39/40");
  EXPECT_EQ(elapsed(), 0s);
}

TEST_F(StorageUpload, SendsAnObjectOfOnePieceInOneRequest) {
  for (const std::string& content : {std::string(), std::string("x"), std::string(kPiece, 'x')}) {
    FakeUploads server;
    const auto result = Send(server, static_cast<int64_t>(content.size()), content);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(server.object, content);
    EXPECT_EQ(server.requests.size(), 1U);
  }
}

// Cut at every byte of every request; after the last one of the body only the answer is lost.
TEST_F(StorageUpload, GoesOnFromWhateverByteTheConnectionBroke) {
  const size_t sizes[] = {0, 16, 16, 8};
  for (int number = 0; number < 4; ++number) {
    for (size_t cut = 0; cut <= sizes[number]; ++cut) {
      SCOPED_TRACE(fmt::format("request {} cut after {}", number, cut));
      FakeUploads server;
      server.faults[number].cut_after = cut;
      ExpectStored(server, Send(server));
    }
  }
}

TEST_F(StorageUpload, GoesOnFromWhateverTheServerKept) {
  for (int number = 1; number < 4; ++number) {
    for (size_t kept = 0; kept < (number == 3 ? 8U : 16U); ++kept) {
      SCOPED_TRACE(fmt::format("request {} kept {}", number, kept));
      FakeUploads server;
      server.faults[number].keep = kept;  // 0 of the first: a 308 without Range
      ExpectStored(server, Send(server));
    }
  }
}

TEST_F(StorageUpload, TwoBreaksInARowAreNoDifferent) {
  for (int number = 0; number < 5; ++number) {
    for (size_t cut = 0; cut <= 16; ++cut) {
      for (const int next : {1, 2}) {
        SCOPED_TRACE(fmt::format("requests {} and {} later cut after {}", number, next, cut));
        FakeUploads server;
        server.faults[number].cut_after = cut;
        server.faults[number + next].cut_after = cut;
        ExpectStored(server, Send(server));
      }
    }
  }
}

TEST_F(StorageUpload, ProgressIsNotCountedAsFailure) {
  retry = {.attempts_max = 3};
  FakeUploads server;
  server.always = [](const net::ClientRequest& request) {
    return request.body.empty() ? UploadFault{} : UploadFault{.cut_after = 1};
  };
  ExpectStored(server, Send(server));
}

TEST_F(StorageUpload, AConnectionThatTakesNothingEndsTheUpload) {
  retry = {.attempts_max = 4};
  FakeUploads server;
  server.always = [](const net::ClientRequest& request) {
    return request.method == "POST" ? UploadFault{} : UploadFault{.cut_after = 0};
  };
  const auto result = Send(server);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().id, ErrorId::kServiceUnavailable);
  EXPECT_EQ(server.requests.size(), 5U);
  EXPECT_FALSE(server.object);
}

TEST_F(StorageUpload, ASessionThatHasAllBytesButMakesNoObjectEndsTheUpload) {
  retry = {.attempts_max = 4};
  FakeUploads server;
  server.faults[3].answer = Status308("bytes=0-39");
  server.always = [](const net::ClientRequest& request) {
    return request.body.empty() && request.method == "PUT"
               ? UploadFault{.answer = Status308("bytes=0-39")}
               : UploadFault{};
  };
  const auto result = Send(server);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().id, ErrorId::kServiceUnavailable);
  EXPECT_LT(server.requests.size(), 12U);
}

TEST_F(StorageUpload, ARangeThatCannotBeIsAnErrorAndNeverAnObject) {
  retry = {.attempts_max = 3};
  for (const char* range : {"bytes=0-40", "bytes=0-99999999999999999999", "bytes=0-3", "",
                            "bytes=0-9223372036854775807", "bytes=0-", "bytes=0--5", "x", "-"}) {
    SCOPED_TRACE(range);
    FakeUploads server;
    server.faults[2].answer = Status308(range);  // after 16 bytes were confirmed
    const auto result = Send(server);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().id, ErrorId::kServiceRejected);
    EXPECT_FALSE(server.object);
  }
}

TEST_F(StorageUpload, BeginsAnewWhenTheSessionIsGone) {
  for (const int status : {404, 410}) {
    for (int number = 1; number < 4; ++number) {
      SCOPED_TRACE(fmt::format("{} to request {}", status, number));
      FakeUploads server;
      server.faults[number].answer = {.status = status, .headers = {}, .body = {}};
      opened_ = 0;
      ExpectStored(server, Send(server));
      EXPECT_EQ(opened_, 2);
      EXPECT_EQ(server.sessions, 2);
    }
  }
}

TEST_F(StorageUpload, SessionsThatAllGoAwayEndTheUpload) {
  FakeUploads server;
  server.always = [](const net::ClientRequest& request) {
    if (request.method == "POST") return UploadFault{};
    return UploadFault{.answer = net::HttpResponse{.status = 410, .headers = {}, .body = {}}};
  };
  const auto result = Send(server);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().id, ErrorId::kServiceUnavailable);
  EXPECT_LE(server.sessions, 3);
}

TEST_F(StorageUpload, AnUnreadableFinalAnswerIsAskedForAgain) {
  for (const char* body : {"", "<html>", "{\"name\": \"o"}) {
    FakeUploads server;
    server.faults[3].body_instead = body;
    ExpectStored(server, Send(server));
  }
}

TEST_F(StorageUpload, ARefusalIsFinal) {
  for (int number = 0; number < 4; ++number) {
    FakeUploads server;
    server.faults[number].answer = {
        .status = 403, .headers = {}, .body = ErrorBodyOf(403, "accessDenied")};
    const auto result = Send(server);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().id, ErrorId::kAccessDenied);
    EXPECT_EQ(server.requests.size(), static_cast<size_t>(number) + 1);
  }
}

TEST_F(StorageUpload, WaitsAsLongAsTheServiceAsksFor) {
  for (const size_t piece : {kPiece, size_t{64}}) {
    const Timestamp before = clock.Now();
    FakeUploads server;
    server.faults[0].answer = net::HttpResponse{.status = 503, .headers = {}, .body = {}};
    server.faults[0].answer->headers.Set("Retry-After", "40");
    ExpectStored(server, Send(server, piece));
    EXPECT_EQ(clock.Now() - before, 40s);
  }
}

TEST_F(StorageUpload, AnObjectThatArrivedOtherwiseIsCorrupt) {
  for (const size_t piece : {kPiece, size_t{64}}) {
    FakeUploads server;
    server.damages = true;
    const auto result = Send(server, piece);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().id, ErrorId::kObjectCorrupt);
    EXPECT_FALSE(server.object) << "the damaged one is in the way of the next try";
    server.damages = false;
    const auto again = Send(server, piece);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_TRUE(again->object);
  }
}

TEST_F(StorageUpload, ADamagedObjectThatCannotBeDeletedIsStillAnError) {
  FakeUploads server;
  server.damages = true;
  server.faults[1].answer =
      net::HttpResponse{.status = 403, .headers = {}, .body = ErrorBodyOf(403, "forbidden")};
  const auto result = Send(server, 64);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().id, ErrorId::kObjectCorrupt);
  EXPECT_TRUE(server.object);
}

TEST_F(StorageUpload, ASourceOfAnotherLengthStoresNothing) {
  const auto size = static_cast<int64_t>(kUploaded.size());
  for (const size_t piece : {kPiece, size_t{20}, size_t{64}}) {
    for (const int64_t announced : {size - 1, size + 1, size - 8, size + 8}) {
      SCOPED_TRACE(fmt::format("{} announced, pieces of {}", announced, piece));
      FakeUploads server;
      const auto result = Send(server, announced, kUploaded, piece);
      ASSERT_FALSE(result.ok());
      EXPECT_EQ(result.error().code, Code::kInvalidArgument);
      EXPECT_FALSE(server.object);
    }
  }
}

TEST_F(StorageUpload, AFailureOfTheSourceIsFinal) {
  for (const size_t piece : {kPiece, size_t{64}}) {
    FakeUploads server;
    const RestClient client(kEndpoint, EnvironmentOver(server));
    int reads = 0;
    const auto result = Upload(
        client, kObject, 40,
        [&]() -> ByteSource {
          return [&](std::span<char>) -> Result<size_t> {
            ++reads;
            return MakeError(ErrorId::kFileError, "disk");
          };
        },
        piece);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().id, ErrorId::kFileError);
    EXPECT_EQ(reads, 1);
  }
}

TEST_F(StorageUpload, TheSessionsSecretIsNotLogged) {
  const testing_support::TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  ConfigureLog(LogLevel::kDebug, LogFormat::kJson, path);
  FakeUploads server;
  server.faults[2].cut_after = 3;
  ExpectStored(server, Send(server));
  ConfigureLog(LogLevel::kWarning, LogFormat::kText);
  std::ostringstream log;
  log << std::ifstream(path).rdbuf();
  EXPECT_NE(log.str().find("PUT"), std::string::npos) << "nothing was logged";
  EXPECT_EQ(log.str().find("secret"), std::string::npos) << log.str();
}

// What StorageObjectStore makes of an upload that finds an object in its place.
class StorageCreate : public StorageUpload {
 protected:
  Result<cloud::ObjectInfo> Create(FakeUploads& server, const std::string& content) {
    StorageObjectStore store(kEndpoint, EnvironmentOver(server));
    return store.CreateObject(kObject, static_cast<int64_t>(content.size()),
                              [&] { return SourceOf(content); });
  }
  const std::string small_ = "small";
  const std::string large_ = std::string(kUploadPieceBytes, 'x') + "y";
};

TEST_F(StorageCreate, FindsItsOwnObjectWhenTheAnswerWasLost) {
  FakeUploads server;
  server.faults[0].cut_after = size_t{1} << 20U;
  const auto created = Create(server, small_);
  ASSERT_TRUE(created.ok()) << created.error().message;
  EXPECT_EQ(created->ref.generation, 1);
  EXPECT_EQ(server.objects_made, 1);
}

TEST_F(StorageCreate, TakesAnObjectOfTheSameContentForItsOwn) {
  for (const std::string& content : {small_, large_}) {
    FakeUploads server;
    server.object = content;
    server.objects_made = 7;
    const auto created = Create(server, content);
    ASSERT_TRUE(created.ok()) << created.error().message;
    EXPECT_EQ(created->ref.generation, 7);
  }
}

TEST_F(StorageCreate, RefusesToReplaceOtherContent) {
  for (const std::string& content : {small_, large_}) {
    for (const std::string& other : {content + "z", std::string(content.size(), 'z')}) {
      FakeUploads server;
      server.object = other;
      const auto created = Create(server, content);
      ASSERT_FALSE(created.ok());
      EXPECT_EQ(created.error().id, ErrorId::kObjectExists);
      EXPECT_EQ(server.object, other);
    }
  }
}

}  // namespace
}  // namespace holdfast::gcp
