// Uploads through the router: media, multipart, resumable.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/hash.h"
#include "localcloud/storage/service_fixture.h"

namespace holdfast::storage {
namespace {

std::string Multipart(const std::string& metadata, const std::string& bytes) {
  return "--b\r\nContent-Type: application/json\r\n\r\n" + metadata +
         "\r\n--b\r\nContent-Type: text/csv\r\n\r\n" + bytes + "\r\n--b--";
}

class UploadApi : public ::testing::Test {
 protected:
  UploadApi() { api_.MakeBucket("bucket"); }

  Answer SendMultipart(const std::string& metadata, const std::string& bytes) {
    return api_.Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=multipart",
                     Multipart(metadata, bytes),
                     {{"Content-Type", "multipart/related; boundary=b"}});
  }

  // Starts a session and gives path and query of its URI.
  std::string Start(HeaderList headers = {}) {
    const Answer answer =
        api_.Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=a", "", headers);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const std::string location(answer.headers.Get("Location"));
    return location.substr(std::string("http://localhost:1234").size());
  }

  Answer Put(const std::string& session, const std::string& bytes, const std::string& range) {
    return api_.Send("PUT", session, bytes, {{"Content-Range", range}});
  }

  std::string Stored() {
    return api_.Send("GET", "/download/storage/v1/b/bucket/o/a?alt=media").body;
  }

  ServiceFixture api_;
};

TEST_F(UploadApi, TakesMetadataAndBytesOfAMultipartBody) {
  const Answer answer = SendMultipart(R"({"name": "a", "metadata": {"k": "v"}})", "1,2\r\n--");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json()["contentType"], "text/csv");
  EXPECT_EQ(answer.json()["metadata"]["k"], "v");
  EXPECT_EQ(Stored(), "1,2\r\n--");
}

TEST_F(UploadApi, RefusesBrokenMultipartBodies) {
  EXPECT_EQ(ReasonOf(SendMultipart("{not json", "x")), "parseError");
  EXPECT_EQ(ReasonOf(SendMultipart("{}", "x")), "required");
  const std::string cut = Multipart(R"({"name": "a"})", "bytes");
  const Answer answer =
      api_.Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=multipart",
                cut.substr(0, cut.size() - 8), {{"Content-Type", "multipart/related; boundary=b"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(api_.Send("GET", ServiceFixture::ObjectPath("bucket", "a")).status, 404);
  EXPECT_EQ(api_.store_fixture().CountBlobs(), 0U);
}

TEST_F(UploadApi, ComparesAnnouncedChecksums) {
  const std::string good = "crc32c=" + Crc32cBase64(ExtendCrc32c(0, "bytes"));
  EXPECT_EQ(api_.Upload("bucket", "a", "bytes", "", {{"X-Goog-Hash", good}}).status, 200);
  EXPECT_EQ(api_.Upload("bucket", "a", "Bytes", "", {{"X-Goog-Hash", good}}).status, 400);
  EXPECT_EQ(api_.Upload("bucket", "a", "bytes", "", {{"X-Goog-Hash", "crc32c=xx"}}).status, 400);
  EXPECT_EQ(SendMultipart(R"({"name": "a", "md5Hash": "JfnnlDI7RTiF9RgfG2JNCw=="})", "x").status,
            400);
  EXPECT_EQ(
      SendMultipart(R"({"name": "a", "md5Hash": "JfnnlDI7RTiF9RgfG2JNCw=="})", "123456789").status,
      200);
}

TEST_F(UploadApi, ResumesAfterARestart) {
  const std::string bytes(static_cast<size_t>(2 * kChunk + 7), 'r');
  const std::string total = std::to_string(bytes.size());
  const std::string session = Start({{"X-Upload-Content-Type", "text/plain"}});
  EXPECT_EQ(Put(session, "", "bytes */*").headers.Find("Range"), std::nullopt);
  const Answer first = Put(session, bytes.substr(0, kChunk), "bytes 0-262143/*");
  EXPECT_EQ(first.status, 308);
  EXPECT_EQ(first.headers.Get("Range"), "bytes=0-262143");
  api_.Restart();
  const Answer asked = Put(session, "", "bytes */" + total);
  EXPECT_EQ(asked.status, 308);
  EXPECT_EQ(asked.headers.Get("Range"), "bytes=0-262143");
  const Answer last = Put(session, bytes.substr(kChunk), "bytes 262144-524294/" + total);
  ASSERT_EQ(last.status, 200) << last.body;
  EXPECT_EQ(last.json()["size"], total);
  EXPECT_EQ(last.json()["contentType"], "text/plain");
  EXPECT_EQ(Stored(), bytes);
  EXPECT_EQ(Put(session, "", "bytes */" + total).status, 200);
}

TEST_F(UploadApi, KeepsOnlyWholeChunksOfAShortRange) {
  const std::string session = Start();
  const Answer answer = Put(session, std::string(100, 'x'), "bytes 0-99/*");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ(answer.headers.Find("Range"), std::nullopt);
}

TEST_F(UploadApi, TakesAWholeBodyWithoutARange) {
  const std::string session = Start();
  EXPECT_EQ(api_.Send("PUT", session, "all of it").status, 200);
  EXPECT_EQ(Stored(), "all of it");
}

TEST_F(UploadApi, FinishesByAQuestionThatTellsTheTotal) {
  const std::string session = Start();
  ASSERT_EQ(Put(session, std::string(kChunk, 'x'), "bytes 0-262143/*").status, 308);
  EXPECT_EQ(Put(session, "", "bytes */262144").status, 200);
  const std::string empty = Start();
  EXPECT_EQ(Put(empty, "", "bytes */0").status, 200);
  EXPECT_EQ(Stored(), "");
}

TEST_F(UploadApi, RefusesRangesThatDoNotFit) {
  const std::string session = Start({{"X-Upload-Content-Length", "100"}});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"bytes 5-9/10", "12345"},      // a gap
      {"bytes 0-9/10", "12345"},      // fewer bytes than said
      {"bytes 0-4/5", "1234567890"},  // more bytes than said
      {"bytes 0-4/5", "12345"},       // another total than announced
      {"bytes zero", "12345"},
  };
  for (const auto& [range, body] : cases) {
    EXPECT_EQ(Put(session, body, range).status, 400) << range;
  }
  EXPECT_EQ(api_.Send("GET", ServiceFixture::ObjectPath("bucket", "a")).status, 404);
}

TEST_F(UploadApi, ForgetsACancelledSession) {
  const std::string session = Start();
  EXPECT_EQ(api_.Send("DELETE", session).status, 499);
  EXPECT_EQ(Put(session, "", "bytes */*").status, 404);
  EXPECT_EQ(api_.Send("DELETE", session).status, 404);
}

TEST_F(UploadApi, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(api_.Send("POST", "/upload/storage/v1/b/bucket/o?uploadType=carrier-pigeon").status,
            400);
  EXPECT_EQ(api_.Send("POST", "/upload/storage/v1/b/absent/o?uploadType=media&name=a").status, 404);
  EXPECT_EQ(api_.Upload("bucket", std::string(1025, 'x'), "").status, 400);
  EXPECT_EQ(api_.Upload("bucket", "..", "").status, 400);
}

}  // namespace
}  // namespace holdfast::storage
