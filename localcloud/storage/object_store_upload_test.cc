// Resumable uploads: ranges, restarts, takeovers, and what is refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <string>

#include "base/hash.h"
#include "localcloud/storage/store_fixture.h"

namespace holdfast::storage {
namespace {

// `size` bytes that differ from place to place.
std::string Pattern(int64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>((i * 31 + i / 997) & 0xFFU);
  return bytes;
}

class Uploads : public ::testing::Test {
 protected:
  Uploads() { fixture_.MakeBucket("bucket"); }

  std::string Start(std::optional<int64_t> total = std::nullopt, Checksums expected = {}) {
    return fixture_.store()
        .StartUpload({.bucket = "bucket", .name = "a", .expected = std::move(expected)}, total)
        ->id;
  }

  // Sends bytes [from, to) of `bytes_`.
  Result<UploadSession> Send(const std::string& id, int64_t from, int64_t to, bool complete) {
    return fixture_.store().AppendUpload(
        id, from, complete,
        SourceOf(bytes_.substr(static_cast<size_t>(from), static_cast<size_t>(to - from))));
  }

  void ExpectPublished() {
    EXPECT_EQ(fixture_.Read({"bucket", "a"}).value(), bytes_);
    EXPECT_EQ(fixture_.store().GetObject({"bucket", "a"})->crc32c, ExtendCrc32c(0, bytes_));
    EXPECT_EQ(fixture_.CountBlobs(), 1U);
  }

  StoreFixture fixture_;
  const std::string bytes_ = Pattern(3 * kChunk + 1234);
  const int64_t size_ = static_cast<int64_t>(bytes_.size());
};

TEST_F(Uploads, PublishOnceAllRangesArrived) {
  const std::string id = Start();
  EXPECT_EQ(Send(id, 0, kChunk, false)->received_bytes, kChunk);
  EXPECT_FALSE(fixture_.store().GetObject({"bucket", "a"}).ok());
  EXPECT_EQ(Send(id, kChunk, size_, true)->received_bytes, size_);
  const auto finished = fixture_.store().FinishUpload(id, size_).value();
  ASSERT_TRUE(finished.finished.has_value());
  ExpectPublished();
  // A client that lost the answer asks again.
  EXPECT_EQ(fixture_.store().FinishUpload(id, size_)->finished->generation,
            finished.finished->generation);
  EXPECT_EQ(fixture_.store().GetUpload(id)->finished->generation, finished.finished->generation);
}

TEST_F(Uploads, KeepWholeChunksOfAnUnfinishedRange) {
  const std::string id = Start();
  EXPECT_EQ(Send(id, 0, kChunk + 100, false)->received_bytes, kChunk);
  EXPECT_EQ(Send(id, kChunk, kChunk + 100, false)->received_bytes, kChunk);
}

TEST_F(Uploads, KeepWhatArrivedBeforeTheConnectionBroke) {
  const std::string id = Start();
  int64_t sent = 0;
  const ByteSource breaking = [&](std::span<char> buffer) -> Result<size_t> {
    if (sent >= 2 * kChunk + 5000) return MakeError(ErrorId::kCancelled, "connection lost");
    const auto count = std::min<size_t>(buffer.size(), 5000);
    std::copy_n(bytes_.data() + sent, count, buffer.data());
    sent += static_cast<int64_t>(count);
    return count;
  };
  EXPECT_FALSE(fixture_.store().AppendUpload(id, 0, true, breaking).ok());
  EXPECT_EQ(fixture_.store().GetUpload(id)->received_bytes, 2 * kChunk);
  ASSERT_TRUE(Send(id, 2 * kChunk, size_, true).ok());
  ASSERT_TRUE(fixture_.store().FinishUpload(id, size_).ok());
  ExpectPublished();
}

TEST_F(Uploads, ContinueAfterARestart) {
  const std::string id = Start(size_);
  ASSERT_TRUE(Send(id, 0, 2 * kChunk, false).ok());
  fixture_.Reopen();
  const UploadSession session = fixture_.store().GetUpload(id).value();
  EXPECT_EQ(session.received_bytes, 2 * kChunk);
  EXPECT_EQ(session.total_bytes, size_);
  ASSERT_TRUE(Send(id, 2 * kChunk, size_, true).ok());
  fixture_.Reopen();
  ASSERT_TRUE(fixture_.store().FinishUpload(id, size_).ok());
  fixture_.Reopen();
  EXPECT_TRUE(fixture_.store().GetUpload(id)->finished.has_value());
  ExpectPublished();
}

TEST_F(Uploads, SkipBytesThatArrivedBefore) {
  const std::string id = Start();
  ASSERT_TRUE(Send(id, 0, 2 * kChunk, false).ok());
  ASSERT_TRUE(Send(id, kChunk, size_, true).ok());
  ASSERT_TRUE(fixture_.store().FinishUpload(id, size_).ok());
  ExpectPublished();
}

TEST_F(Uploads, RefuseGapsAndWrongTotals) {
  const std::string id = Start(size_);
  EXPECT_EQ(Send(id, kChunk, size_, true).error().id, ErrorId::kStorageUploadOffset);
  ASSERT_TRUE(Send(id, 0, kChunk, false).ok());
  EXPECT_EQ(fixture_.store().FinishUpload(id, size_).error().id, ErrorId::kStorageUploadOffset);
  EXPECT_EQ(fixture_.store().FinishUpload(id, kChunk).error().id, ErrorId::kStorageUploadOffset);
  EXPECT_EQ(fixture_.store()
                .AppendUpload(id, kChunk, true, SourceOf(std::string(bytes_.size(), 'x')))
                .error()
                .id,
            ErrorId::kStorageUploadOffset);
}

TEST_F(Uploads, WithAnotherChecksumAreDiscarded) {
  const std::string id = Start(size_, {.crc32c = 1});
  ASSERT_TRUE(Send(id, 0, size_, true).ok());
  EXPECT_EQ(fixture_.store().FinishUpload(id, size_).error().id, ErrorId::kStorageChecksumMismatch);
  EXPECT_EQ(fixture_.store().GetUpload(id).error().id, ErrorId::kStorageNotFound);
  EXPECT_EQ(fixture_.CountBlobs(), 0U);
}

TEST_F(Uploads, CompareTheChecksumThatComesLast) {
  const std::string id = Start(size_);
  ASSERT_TRUE(Send(id, 0, size_, true).ok());
  EXPECT_EQ(fixture_.store().FinishUpload(id, size_, {.md5 = std::string(16, 'x')}).error().id,
            ErrorId::kStorageChecksumMismatch);
}

TEST_F(Uploads, CheckThePreconditionAgainAtTheEnd) {
  const auto session = fixture_.store().StartUpload(
      {.bucket = "bucket", .name = "a", .preconditions = {.generation_match = 0}}, std::nullopt);
  ASSERT_TRUE(Send(session->id, 0, size_, true).ok());
  ASSERT_TRUE(fixture_.Write("bucket", "a", "another was first").ok());
  EXPECT_EQ(fixture_.store().FinishUpload(session->id, size_).error().id,
            ErrorId::kStoragePrecondition);
  EXPECT_EQ(fixture_.Read({"bucket", "a"}).value(), "another was first");
}

TEST_F(Uploads, CancelledLeaveNothingBehind) {
  const std::string id = Start();
  ASSERT_TRUE(Send(id, 0, kChunk, false).ok());
  ASSERT_TRUE(fixture_.store().CancelUpload(id).ok());
  EXPECT_EQ(fixture_.store().GetUpload(id).error().id, ErrorId::kStorageNotFound);
  EXPECT_EQ(fixture_.store().CancelUpload(id).error().id, ErrorId::kStorageNotFound);
  EXPECT_EQ(fixture_.CountBlobs(), 0U);
}

TEST_F(Uploads, EndAfterSevenDays) {
  const std::string id = Start();
  ASSERT_TRUE(Send(id, 0, kChunk, false).ok());
  fixture_.clock().Advance(std::chrono::days{7} + std::chrono::seconds{1});
  fixture_.Reopen();
  EXPECT_EQ(fixture_.store().GetUpload(id).error().id, ErrorId::kStorageNotFound);
  EXPECT_EQ(fixture_.CountBlobs(), 0U);
}

TEST_F(Uploads, OfNothingMakeAnEmptyObject) {
  const std::string id = Start(0);
  ASSERT_TRUE(fixture_.store().FinishUpload(id, 0).ok());
  EXPECT_EQ(fixture_.Read({"bucket", "a"}).value(), "");
}

TEST_F(Uploads, GoToTheRequestThatCameLast) {
  const std::string id = Start();
  std::promise<void> waiting;
  std::promise<void> resume;
  // The first request stalls after one chunk, as one whose client has gone away.
  int calls = 0;
  const ByteSource stalled = [&](std::span<char> buffer) -> Result<size_t> {
    if (calls++ == 0) {
      std::copy_n(bytes_.data(), kChunk, buffer.data());
      return static_cast<size_t>(kChunk);
    }
    if (calls == 2) {
      waiting.set_value();
      resume.get_future().wait();
    }
    std::fill(buffer.begin(), buffer.end(), 'x');
    return buffer.size();
  };
  auto first = std::async(std::launch::async,
                          [&] { return fixture_.store().AppendUpload(id, 0, true, stalled); });
  waiting.get_future().wait();
  EXPECT_EQ(fixture_.store().GetUpload(id)->received_bytes, kChunk);
  ASSERT_TRUE(Send(id, kChunk, size_, true).ok());
  resume.set_value();
  EXPECT_EQ(first.get().error().id, ErrorId::kCancelled);
  ASSERT_TRUE(fixture_.store().FinishUpload(id, size_).ok());
  ExpectPublished();
}

}  // namespace
}  // namespace holdfast::storage
