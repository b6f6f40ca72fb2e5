// Copies, deletes and listings of Cloud Storage; transfers have tests of their own.
#include "gcp/storage_object_store.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "gcp/scripted_http_for_test.h"
#include "gcp/storage_json.h"

namespace holdfast::gcp {
namespace {

const cloud::ObjectRef kSource{"staging", "a/b c", 5};
const cloud::ObjectRef kDestination{"vault", "x/y", 0};

Json ObjectJson(const char* name, int64_t generation, int64_t size, uint32_t crc32c) {
  return {{"bucket", "vault"},
          {"name", name},
          {"generation", std::to_string(generation)},
          {"size", std::to_string(size)},
          {"crc32c", Crc32cBase64(crc32c)},
          {"timeCreated", "2026-11-21T10:00:00Z"}};
}

class StorageObjectStoreTest : public testing::Test, protected RestSurroundings {
 protected:
  StorageObjectStore Store() { return {kEndpoint, Environment()}; }
};

TEST_F(StorageObjectStoreTest, ACopyGoesOnUntilItIsDoneAndIsCreateOnly) {
  http.Answer(200, R"({"done": false, "rewriteToken": "t1"})")
      .Answer(503)
      .Answer(200, R"({"done": false, "rewriteToken": "t2"})")
      .Answer(200, DumpJson({{"done", true}, {"resource", ObjectJson("x/y", 9, 3, 7)}}));
  const auto copied = Store().CopyObject(kSource, kDestination);
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  EXPECT_EQ(copied->ref.generation, 9);
  EXPECT_EQ(copied->crc32c, 7U);
  const std::string call =
      "https://service.test/storage/v1/b/staging/o/a%2Fb%20c/rewriteTo/b/vault/o/x%2Fy"
      "?ifGenerationMatch=0&sourceGeneration=5";
  EXPECT_EQ(http.requests().at(0).url, call);
  EXPECT_EQ(http.requests().at(1).url, call + "&rewriteToken=t1");
  EXPECT_EQ(http.requests().at(2).url, call + "&rewriteToken=t1");
  EXPECT_EQ(http.requests().at(3).url, call + "&rewriteToken=t2");
}

// google-semantics A7 #44: a 412 may be our own success.
TEST_F(StorageObjectStoreTest, ACopyThatFindsAnObjectIsSettledByItsContent) {
  for (const uint32_t crc32c : {7U, 8U}) {
    http.Lose()
        .Answer(412, ErrorBodyOf(412, "conditionNotMet"))
        .Answer(200, DumpJson(ObjectJson("a/b c", 5, 3, 7)))
        .Answer(200, DumpJson(ObjectJson("x/y", 9, 3, crc32c)));
    const auto copied = Store().CopyObject(kSource, kDestination);
    ASSERT_EQ(copied.ok(), crc32c == 7);
    if (!copied.ok()) {
      EXPECT_EQ(copied.error().id, ErrorId::kObjectExists);
    }
  }
}

TEST_F(StorageObjectStoreTest, ACopyThatNeverEndsIsGivenUp) {
  size_t calls = 0;
  class Endless final : public net::HttpClient {
   public:
    explicit Endless(size_t& calls) : calls_(calls) {}
    Result<net::HttpResponse> Send(const net::ClientRequest&) override {
      ++calls_;
      return net::HttpResponse{
          .status = 200, .headers = {}, .body = R"({"done": false, "rewriteToken": "t"})"};
    }

   private:
    size_t& calls_;
  } endless(calls);
  StorageObjectStore store(kEndpoint, EnvironmentOver(endless));
  EXPECT_FALSE(store.CopyObject(kSource, kDestination).ok());
  EXPECT_EQ(calls, 100'000U);
}

TEST_F(StorageObjectStoreTest, ADeleteNamesItsGenerationAndMayBeRepeated) {
  EXPECT_FALSE(Store().DeleteObject(kDestination).ok());
  EXPECT_TRUE(http.requests().empty());
  http.Lose().Answer(404, ErrorBodyOf(404, "notFound"));  // the first one did it
  EXPECT_TRUE(Store().DeleteObject(kSource).ok());
  EXPECT_EQ(http.requests().at(0).method, "DELETE");
  EXPECT_EQ(http.requests().at(0).url,
            "https://service.test/storage/v1/b/staging/o/a%2Fb%20c?generation=5");
  http.Answer(403, ErrorBodyOf(403, "retentionPolicyNotMet"));
  EXPECT_EQ(Store().DeleteObject(kSource).error().id, ErrorId::kObjectRetained);
}

TEST_F(StorageObjectStoreTest, AListingReadsEveryObjectOrFails) {
  http.Answer(200, DumpJson({{"items", {ObjectJson("a", 1, 3, 7)}}, {"nextPageToken", "n"}}))
      .Answer(200, "{}");
  const auto page = Store().ListObjects("vault", "p/", "");
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page->next_page_token, "n");
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].created_ms, 1'795'255'200'000);
  EXPECT_TRUE(Store().ListObjects("vault", "p/", "n").value().items.empty());
  EXPECT_TRUE(http.requests().at(1).url.ends_with("prefix=p%2F&maxResults=1000&pageToken=n"));

  Json item = ObjectJson("a", 1, 3, 7);
  for (const char* member : {"name", "generation", "size", "crc32c"}) {
    Json lacking = item;
    lacking.erase(member);
    http.Answer(200, DumpJson({{"items", {lacking}}}));
    EXPECT_FALSE(Store().ListObjects("vault", "p/", "").ok()) << member;
  }
}

TEST_F(StorageObjectStoreTest, AnAbsentObjectIsNoErrorAndARefusalIsOne) {
  http.Answer(404, ErrorBodyOf(404, "notFound"));
  EXPECT_FALSE(Store().StatObject(kSource).value());
  http.Answer(403, ErrorBodyOf(403, "forbidden"));
  EXPECT_EQ(Store().StatObject(kSource).error().id, ErrorId::kAccessDenied);
}

const std::string kBucketUrl = "https://service.test/storage/v1/b/vault";
const cloud::BucketInfo kBucket{.name = "vault", .project = "p", .location = "europe-west3"};

std::string BucketBody(const char* location = "EUROPE-WEST3") {
  return DumpJson({{"name", "vault"}, {"location", location}, {"projectNumber", "12"}});
}

const std::string kBucketsOfProject =
    DumpJson({{"items", Json::array({{{"name", "vault"}}, {{"name", "vault-2"}}})}});

// Whoever registers the name first and lets us write would get the data.
TEST_F(StorageObjectStoreTest, ABucketOfAnotherProjectIsRefused) {
  for (const char* buckets : {"{}", R"({"items": [{"name": "vault-2"}]})"}) {
    http.Answer(200, BucketBody()).Answer(200, buckets);
    EXPECT_EQ(Store().EnsureBucket(kBucket).error().id, ErrorId::kAccessDenied) << buckets;
  }
  http.Answer(200, BucketBody()).Answer(403, ErrorBodyOf(403, "forbidden"));
  EXPECT_TRUE(Store().EnsureBucket(kBucket).ok()) << "who may write need not be allowed to list";
  http.Answer(200, BucketBody()).Answer(400, ErrorBodyOf(400, "invalid"));
  EXPECT_FALSE(Store().EnsureBucket(kBucket).ok());
}

// Creations are limited to one in two seconds, and need a permission that using it does not.
TEST_F(StorageObjectStoreTest, ABucketThatExistsIsNotCreated) {
  http.Answer(200, BucketBody()).Answer(200, kBucketsOfProject);
  const auto bucket = Store().EnsureBucket(kBucket);
  ASSERT_TRUE(bucket.ok()) << bucket.error().message;
  EXPECT_EQ(bucket->project, "12");
  ASSERT_EQ(http.requests().size(), 2U);
  EXPECT_EQ(http.requests()[0].method, "GET");
  EXPECT_EQ(http.requests()[0].url, kBucketUrl);
  EXPECT_EQ(http.requests()[1].url, "https://service.test/storage/v1/b?project=p&prefix=vault");

  http.Answer(200, BucketBody("US")).Answer(200, kBucketsOfProject);
  EXPECT_EQ(Store().EnsureBucket(kBucket).error().id, ErrorId::kLocationMismatch);
  http.Answer(403, ErrorBodyOf(403, "forbidden"));  // someone else's
  EXPECT_EQ(Store().EnsureBucket(kBucket).error().id, ErrorId::kAccessDenied);
}

TEST_F(StorageObjectStoreTest, AnAbsentBucketIsCreatedClosedToThePublic) {
  http.Answer(404, ErrorBodyOf(404, "notFound")).Answer(200, BucketBody());
  ASSERT_TRUE(Store().EnsureBucket(kBucket).ok());
  ASSERT_EQ(http.requests().size(), 2U);
  EXPECT_EQ(http.requests()[1].method, "POST");
  EXPECT_EQ(http.requests()[1].url, "https://service.test/storage/v1/b?project=p");
  EXPECT_EQ(ParseJson(http.requests()[1].body).value(),
            Json({{"name", "vault"},
                  {"location", "europe-west3"},
                  {"iamConfiguration",
                   {{"uniformBucketLevelAccess", {{"enabled", true}}},
                    {"publicAccessPrevention", "enforced"}}}}));

  http.Answer(404, ErrorBodyOf(404, "notFound")).Answer(403, ErrorBodyOf(403, "forbidden"));
  EXPECT_EQ(Store().EnsureBucket(kBucket).error().id, ErrorId::kAccessDenied);
}

TEST_F(StorageObjectStoreTest, ABucketThatAppearsMeanwhileIsTaken) {
  http.Answer(404, ErrorBodyOf(404, "notFound"))
      .Answer(409, ErrorBodyOf(409, "conflict"))
      .Answer(200, BucketBody())
      .Answer(200, kBucketsOfProject);
  EXPECT_TRUE(Store().EnsureBucket(kBucket).ok());
  http.Answer(404, ErrorBodyOf(404, "notFound"))
      .Answer(409, ErrorBodyOf(409, "conflict"))
      .Answer(200, BucketBody("US"))
      .Answer(200, kBucketsOfProject);
  EXPECT_EQ(Store().EnsureBucket(kBucket).error().id, ErrorId::kLocationMismatch);
}

TEST(ParseCrc32c, TakesFourBytesOnly) {
  EXPECT_EQ(ParseCrc32c("AAAAAA==").value(), 0U);
  EXPECT_EQ(ParseCrc32c("/////w==").value(), 0xffffffffU);
  EXPECT_EQ(ParseCrc32c(Crc32cBase64(0x01020304)).value(), 0x01020304U);
  for (const char* text : {"", "AAAA", "AAAAAAA=", "????", "AAAAAAAAAA=="}) {
    EXPECT_FALSE(ParseCrc32c(text).ok()) << text;
  }
}

}  // namespace
}  // namespace holdfast::gcp
