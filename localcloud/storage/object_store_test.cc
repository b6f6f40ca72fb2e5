#include "localcloud/storage/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "localcloud/storage/store_fixture.h"
#include "tests/support/error_id.h"

namespace holdfast::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing_support::IdOf;

const Json kVersioned = {{"versioning", {{"enabled", true}}}};

TEST(Buckets, AreGlobalAcrossProjects) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", {{"location", "EU"}});
  const auto second = fixture.store().CreateBucket({.name = "bucket", .project = "other"});
  EXPECT_EQ(IdOf(second), ErrorId::kStorageBucketExists);
  EXPECT_EQ(fixture.store().GetBucket("bucket")->project, "acme");
}

TEST(Buckets, ListByProjectPrefixAndPage) {
  StoreFixture fixture;
  for (const char* name : {"logs", "logs-a", "logs-b", "other"}) fixture.MakeBucket(name);
  ASSERT_TRUE(fixture.store().CreateBucket({.name = "logs-x", .project = "else"}).ok());
  BucketQuery query{.project = "acme", .prefix = "logs", .limit = 2};
  const auto first = fixture.store().ListBuckets(query).value();
  ASSERT_EQ(first.buckets.size(), 2U);
  EXPECT_EQ(first.buckets[0].name, "logs");
  query.after = first.next;
  const auto second = fixture.store().ListBuckets(query).value();
  ASSERT_EQ(second.buckets.size(), 1U);
  EXPECT_EQ(second.buckets[0].name, "logs-b");
  EXPECT_THAT(second.next, IsEmpty());
}

TEST(Buckets, WithObjectsCannotBeDeletedNotEvenWithNoncurrentOnes) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", kVersioned);
  const ObjectRecord object = fixture.Write("bucket", "a", "x").value();
  EXPECT_EQ(IdOf(fixture.store().DeleteBucket("bucket")), ErrorId::kStorageBucketNotEmpty);
  ASSERT_TRUE(fixture.store().DeleteObject({"bucket", "a"}).ok());
  EXPECT_EQ(IdOf(fixture.store().DeleteBucket("bucket")), ErrorId::kStorageBucketNotEmpty);
  ASSERT_TRUE(fixture.store().DeleteObject({"bucket", "a", object.generation}).ok());
  EXPECT_TRUE(fixture.store().DeleteBucket("bucket").ok());
  EXPECT_EQ(IdOf(fixture.store().GetBucket("bucket")), ErrorId::kStorageNotFound);
}

TEST(Buckets, RaiseTheMetagenerationWithEachChange) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", {{"location", "EU"}});
  const auto label = [](BucketRecord& bucket) {
    bucket.settings["labels"] = {{"team", "data"}};
    return Ok();
  };
  const auto changed =
      fixture.store().ChangeBucket("bucket", {.metageneration_match = 1}, label).value();
  EXPECT_EQ(changed.metageneration, 2);
  EXPECT_EQ(IdOf(fixture.store().ChangeBucket("bucket", {.metageneration_match = 1}, label)),
            ErrorId::kStoragePrecondition);
  const auto move = [](BucketRecord& bucket) {
    bucket.settings["location"] = "US";
    return Ok();
  };
  EXPECT_EQ(IdOf(fixture.store().ChangeBucket("bucket", {}, move)), ErrorId::kStorageInvalid);
  EXPECT_EQ(fixture.store().GetBucket("bucket")->metageneration, 2);
}

TEST(Buckets, LockARetentionPolicyForGood) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", Json::object(), 3600);
  EXPECT_EQ(IdOf(fixture.store().LockRetentionPolicy("bucket", 9)), ErrorId::kStoragePrecondition);
  ASSERT_TRUE(fixture.store().LockRetentionPolicy("bucket", 1).ok());
  const auto drop = [](BucketRecord& bucket) {
    bucket.retention.reset();
    return Ok();
  };
  const auto set = [](int64_t seconds) {
    return [seconds](BucketRecord& bucket) {
      bucket.retention = RetentionPolicy{.seconds = seconds};
      return Ok();
    };
  };
  EXPECT_EQ(IdOf(fixture.store().ChangeBucket("bucket", {}, drop)), ErrorId::kStoragePolicyLocked);
  EXPECT_EQ(IdOf(fixture.store().ChangeBucket("bucket", {}, set(3599))),
            ErrorId::kStoragePolicyLocked);
  const auto extended = fixture.store().ChangeBucket("bucket", {}, set(7200)).value();
  EXPECT_TRUE(extended.retention->locked);
  EXPECT_EQ(extended.retention->seconds, 7200);
}

TEST(Objects, KeepBytesAndChecksums) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const ObjectRecord object = fixture.Write("bucket", "a", "123456789").value();
  EXPECT_EQ(object.size_bytes, 9);
  EXPECT_EQ(object.crc32c, 0xE3069283U);  // the check value of CRC-32C
  EXPECT_EQ(HexEncode(object.md5), "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(object.metageneration, 1);
  EXPECT_EQ(fixture.Read({"bucket", "a"}).value(), "123456789");
}

TEST(Objects, RaiseTheGenerationEvenWhenTheClockIsSetBack) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const int64_t first = fixture.Write("bucket", "a", "1")->generation;
  EXPECT_EQ(first, fixture.clock().Now().time_since_epoch().count());
  fixture.clock().Advance(-std::chrono::hours{1});
  const int64_t second = fixture.Write("bucket", "a", "2")->generation;
  EXPECT_GT(second, first);
  ASSERT_TRUE(fixture.store().DeleteObject({"bucket", "a"}).ok());
  fixture.Reopen();
  EXPECT_GT(fixture.Write("bucket", "a", "3")->generation, second);
}

TEST(Objects, ThatDoNotMatchTheAnnouncedChecksumLeaveNothingBehind) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const NewObject wrong_crc{.bucket = "bucket", .name = "a", .expected = {.crc32c = 1}};
  EXPECT_EQ(IdOf(fixture.Write(wrong_crc, "bytes")), ErrorId::kStorageChecksumMismatch);
  const NewObject wrong_md5{
      .bucket = "bucket", .name = "a", .expected = {.md5 = std::string(16, 'x')}};
  EXPECT_EQ(IdOf(fixture.Write(wrong_md5, "bytes")), ErrorId::kStorageChecksumMismatch);
  EXPECT_EQ(fixture.CountBlobs(), 0U);
  EXPECT_EQ(IdOf(fixture.store().GetObject({"bucket", "a"})), ErrorId::kStorageNotFound);
}

TEST(Objects, CreatedTwiceWithGenerationZeroKeepTheFirst) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const NewObject object{.bucket = "bucket", .name = "a", .preconditions = {.generation_match = 0}};
  // Both pass the first check; only one may pass the last.
  auto one = fixture.store().StartObject(object).value();
  auto two = fixture.store().StartObject(object).value();
  ASSERT_TRUE(one->Append("first").ok());
  ASSERT_TRUE(two->Append("second").ok());
  ASSERT_TRUE(one->Finish().ok());
  EXPECT_EQ(IdOf(two->Finish()), ErrorId::kStoragePrecondition);
  two.reset();
  EXPECT_EQ(fixture.Read({"bucket", "a"}).value(), "first");
  EXPECT_EQ(fixture.CountBlobs(), 1U);
}

TEST(Objects, ReplacedInAVersionedBucketStayByGeneration) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", kVersioned);
  const ObjectRecord first = fixture.Write("bucket", "a", "one").value();
  fixture.clock().Advance(std::chrono::seconds{5});
  const ObjectRecord second = fixture.Write("bucket", "a", "two").value();
  EXPECT_EQ(fixture.Read({"bucket", "a"}).value(), "two");
  EXPECT_EQ(fixture.Read({"bucket", "a", first.generation}).value(), "one");
  EXPECT_EQ(fixture.store().GetObject({"bucket", "a", first.generation})->deleted,
            fixture.clock().Now());
  ASSERT_TRUE(fixture.store().DeleteObject({"bucket", "a", second.generation}).ok());
  EXPECT_EQ(IdOf(fixture.store().GetObject({"bucket", "a"})), ErrorId::kStorageNotFound);
  EXPECT_EQ(fixture.Read({"bucket", "a", first.generation}).value(), "one");
}

TEST(Objects, ReplacedInAPlainBucketAreGoneWithTheirFile) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const ObjectRecord first = fixture.Write("bucket", "a", "one").value();
  ASSERT_TRUE(fixture.Write("bucket", "a", "two").ok());
  EXPECT_EQ(IdOf(fixture.store().GetObject({"bucket", "a", first.generation})),
            ErrorId::kStorageNotFound);
  EXPECT_EQ(fixture.CountBlobs(), 1U);
}

TEST(Objects, UnderRetentionAreNeitherReplacedNorDeleted) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", Json::object(), 60);
  const ObjectRecord object = fixture.Write("bucket", "a", "keep").value();
  EXPECT_EQ(IdOf(fixture.Write("bucket", "a", "other")), ErrorId::kStorageRetained);
  EXPECT_EQ(IdOf(fixture.store().DeleteObject({"bucket", "a"})), ErrorId::kStorageRetained);
  EXPECT_EQ(IdOf(fixture.store().DeleteObject({"bucket", "a", object.generation})),
            ErrorId::kStorageRetained);
  fixture.clock().Advance(std::chrono::seconds{60});
  EXPECT_TRUE(fixture.store().DeleteObject({"bucket", "a"}).ok());
}

TEST(Objects, OfABucketWithDefaultHoldAreHeldUntilReleased) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", {{"defaultEventBasedHold", true}}, 60);
  ASSERT_TRUE(fixture.Write("bucket", "a", "x").ok());
  fixture.clock().Advance(std::chrono::hours{1});
  EXPECT_EQ(IdOf(fixture.store().DeleteObject({"bucket", "a"})), ErrorId::kStorageRetained);
  const auto release = [](ObjectRecord& object) {
    object.settings["eventBasedHold"] = false;
    return Ok();
  };
  ASSERT_TRUE(fixture.store().ChangeObject({"bucket", "a"}, {}, release).ok());
  EXPECT_EQ(IdOf(fixture.store().DeleteObject({"bucket", "a"})), ErrorId::kStorageRetained);
  fixture.clock().Advance(std::chrono::seconds{60});
  EXPECT_TRUE(fixture.store().DeleteObject({"bucket", "a"}).ok());
}

TEST(Objects, OpenedForReadingOutliveTheirDeletion) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  ASSERT_TRUE(fixture.Write("bucket", "a", "bytes").ok());
  {
    const ObjectFile file = fixture.store().OpenObject({"bucket", "a"}).value();
    const ObjectFile again = fixture.store().OpenObject({"bucket", "a"}).value();
    ASSERT_TRUE(fixture.store().DeleteObject({"bucket", "a"}).ok());
    EXPECT_EQ(StoreFixture::ReadFile(file.path), "bytes");
    EXPECT_EQ(fixture.CountBlobs(), 1U);
  }
  EXPECT_EQ(fixture.CountBlobs(), 0U);
}

TEST(Objects, AreCopiedWithoutASecondFile) {
  StoreFixture fixture;
  fixture.MakeBucket("source");
  fixture.MakeBucket("target");
  const NewObject original{.bucket = "source",
                           .name = "a",
                           .settings = {{"contentType", "text/csv"}, {"temporaryHold", true}}};
  ASSERT_TRUE(fixture.Write(original, "bytes").ok());
  const auto copy = fixture.store()
                        .CopyObject({"source", "a"}, {}, {.bucket = "target", .name = "b"}, {})
                        .value();
  EXPECT_EQ(StringOr(copy.settings, "contentType", ""), "text/csv");
  EXPECT_FALSE(copy.held());
  EXPECT_EQ(fixture.CountBlobs(), 1U);
  ASSERT_TRUE(fixture.store()
                  .ChangeObject({"source", "a"}, {},
                                [](ObjectRecord& object) {
                                  object.settings.erase("temporaryHold");
                                  return Ok();
                                })
                  .ok());
  ASSERT_TRUE(fixture.store().DeleteObject({"source", "a"}).ok());
  EXPECT_EQ(fixture.Read({"target", "b"}).value(), "bytes");
  ASSERT_TRUE(fixture.store().DeleteObject({"target", "b"}).ok());
  EXPECT_EQ(fixture.CountBlobs(), 0U);
}

TEST(Objects, CopiedOntoThemselvesKeepTheirBytes) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  ASSERT_TRUE(fixture.Write("bucket", "a", "bytes").ok());
  const Json settings = {{"storageClass", "COLDLINE"}};
  ASSERT_TRUE(fixture.store()
                  .CopyObject({"bucket", "a"}, {}, {.bucket = "bucket", .name = "a"}, settings)
                  .ok());
  EXPECT_EQ(fixture.Read({"bucket", "a"}).value(), "bytes");
  EXPECT_EQ(StringOr(fixture.store().GetObject({"bucket", "a"})->settings, "storageClass", ""),
            "COLDLINE");
}

TEST(Objects, ComposedHaveNoMd5AndCountTheirParts) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  ASSERT_TRUE(fixture.Write("bucket", "a", "12345").ok());
  ASSERT_TRUE(fixture.Write("bucket", "b", "6789").ok());
  const NewObject target{.bucket = "bucket", .name = "whole"};
  const auto whole = fixture.store().ComposeObject({{"a"}, {"b"}}, target).value();
  EXPECT_EQ(whole.crc32c, 0xE3069283U);
  EXPECT_THAT(whole.md5, IsEmpty());
  EXPECT_EQ(whole.component_count, 2);
  const auto twice = fixture.store().ComposeObject({{"whole"}, {"whole"}}, target).value();
  EXPECT_EQ(twice.component_count, 4);
  EXPECT_EQ(fixture.Read({"bucket", "whole"}).value(), "123456789123456789");
  EXPECT_EQ(IdOf(fixture.store().ComposeObject({{"a"}, {"none"}}, target)),
            ErrorId::kStorageNotFound);
  const ComposeSource stale{.name = "a", .if_generation_match = 5};
  EXPECT_EQ(IdOf(fixture.store().ComposeObject({stale}, target)), ErrorId::kStoragePrecondition);
  EXPECT_EQ(IdOf(fixture.store().ComposeObject({}, target)), ErrorId::kStorageInvalid);
  EXPECT_EQ(IdOf(fixture.store().ComposeObject(std::vector<ComposeSource>(33, {"a"}), target)),
            ErrorId::kStorageInvalid);
}

TEST(Objects, CreatedFromALocalFileLeaveTheFileAlone) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const std::string path = fixture.directory() + "/export.avro";
  std::ofstream(path) << "avro bytes";
  ASSERT_TRUE(fixture.store().CreateObjectFromFile({.bucket = "bucket", .name = "a"}, path).ok());
  EXPECT_EQ(fixture.Read({"bucket", "a"}).value(), "avro bytes");
  EXPECT_EQ(StoreFixture::ReadFile(path), "avro bytes");
  EXPECT_EQ(IdOf(fixture.store().CreateObjectFromFile({.bucket = "bucket", .name = "b"},
                                                      fixture.directory() + "/absent")),
            ErrorId::kFileError);
}

TEST(Listing, FoldsByDelimiterAndPages) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  for (const char* name : {"a/1", "a/2", "b", "c/", "c/x", "c/y/z", "d"}) {
    ASSERT_TRUE(fixture.Write("bucket", name, "").ok());
  }
  ObjectQuery query{.bucket = "bucket", .delimiter = "/", .limit = 2};
  const auto first = fixture.store().ListObjects(query).value();
  EXPECT_THAT(NamesOf(first.objects), ElementsAre("b"));
  EXPECT_THAT(first.prefixes, ElementsAre("a/"));
  query.after = first.next;
  const auto second = fixture.store().ListObjects(query).value();
  EXPECT_THAT(NamesOf(second.objects), ElementsAre("d"));
  EXPECT_THAT(second.prefixes, ElementsAre("c/"));
  EXPECT_THAT(second.next, IsEmpty());

  const auto inside =
      fixture.store().ListObjects({.bucket = "bucket", .prefix = "c/", .delimiter = "/"}).value();
  EXPECT_THAT(NamesOf(inside.objects), ElementsAre("c/", "c/x"));
  EXPECT_THAT(inside.prefixes, ElementsAre("c/y/"));

  const auto trailing =
      fixture.store()
          .ListObjects({.bucket = "bucket", .delimiter = "/", .include_trailing_delimiter = true})
          .value();
  EXPECT_THAT(NamesOf(trailing.objects), ElementsAre("b", "c/", "d"));
  EXPECT_THAT(trailing.prefixes, ElementsAre("a/", "c/"));
}

TEST(Listing, RespectsOffsets) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  for (const char* name : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(fixture.Write("bucket", name, "").ok());
  }
  const auto page = fixture.store()
                        .ListObjects({.bucket = "bucket", .start_offset = "b", .end_offset = "d"})
                        .value();
  EXPECT_THAT(NamesOf(page.objects), ElementsAre("b", "c"));
}

TEST(Listing, RefusesAForeignPageToken) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  for (const char* token : {"x", "12", ":a", "-1:a", "99999999999999999999:a"}) {
    EXPECT_EQ(IdOf(fixture.store().ListObjects({.bucket = "bucket", .after = token})),
              ErrorId::kStorageInvalid)
        << token;
  }
}

TEST(Matching, GivesExactlyTheObjectsOfAWildcard) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  for (const char* name : {"x/part-1.avro", "x/part-2.avro", "x/part-2.csv", "y/part-1.avro"}) {
    ASSERT_TRUE(fixture.Write("bucket", name, "").ok());
  }
  const auto match = [&](const std::string& pattern) {
    return NamesOf(fixture.store().MatchObjects("bucket", pattern, 100).value());
  };
  EXPECT_THAT(match("x/part-*.avro"), ElementsAre("x/part-1.avro", "x/part-2.avro"));
  EXPECT_THAT(match("*1.avro"), ElementsAre("x/part-1.avro", "y/part-1.avro"));
  EXPECT_THAT(match("x/part-1.avro"), ElementsAre("x/part-1.avro"));
  EXPECT_THAT(match("x/part-"), IsEmpty());
  EXPECT_EQ(IdOf(fixture.store().MatchObjects("bucket", "*", 3)), ErrorId::kLimitExceeded);
}

TEST(Names, NeverTouchTheFileSystem) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  const std::vector<std::string> names = {"../../../escape",
                                          "/etc/passwd",
                                          "a/../../b",
                                          "..%2f..%2fx",
                                          "'; DROP TABLE objects; --",
                                          "\"quoted\"",
                                          "*",
                                          "blobs/../lock",
                                          "ünïcödé/日本",
                                          std::string(1024, 'n')};
  for (const std::string& name : names) {
    ASSERT_TRUE(fixture.Write("bucket", name, "bytes of " + name).ok()) << name;
  }
  fixture.Reopen();
  for (const std::string& name : names) {
    EXPECT_EQ(fixture.Read({"bucket", name}).value(), "bytes of " + name);
  }
  EXPECT_EQ(fixture.store().ListObjects({.bucket = "bucket"})->objects.size(), names.size());
  EXPECT_EQ(fixture.CountBlobs(), names.size());
  // Every file has an id for a name: 32 hexadecimal digits.
  for (const auto& entry : std::filesystem::directory_iterator(fixture.directory() + "/blobs")) {
    const std::string file = entry.path().filename().string();
    EXPECT_EQ(file.size(), 32U);
    EXPECT_EQ(file.find_first_not_of("0123456789abcdef"), std::string::npos) << file;
  }
  EXPECT_FALSE(std::filesystem::exists(fixture.directory() + "/../../../escape"));
}

TEST(Store, IsHeldByOneProcessAtATime) {
  StoreFixture fixture;
  const auto random = MakeSeededRandom(1);
  const auto second = ObjectStore::Open(fixture.directory(), fixture.clock(), *random);
  EXPECT_EQ(IdOf(second), ErrorId::kDirectoryInUse);
}

TEST(Store, CollectsFilesThatNoRecordNames) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket");
  ASSERT_TRUE(fixture.Write("bucket", "a", "kept").ok());
  std::ofstream(fixture.directory() + "/blobs/0123orphan") << "left by a crash";
  EXPECT_EQ(fixture.CountBlobs(), 2U);
  fixture.Reopen();
  EXPECT_EQ(fixture.CountBlobs(), 1U);
  EXPECT_EQ(fixture.Read({"bucket", "a"}).value(), "kept");
}

TEST(Store, ServesManyThreadsAtOnce) {
  StoreFixture fixture;
  fixture.MakeBucket("bucket", kVersioned);
  constexpr int kThreads = 8;
  constexpr int kWrites = 20;
  std::vector<std::thread> threads;
  std::vector<int> created(kThreads, 0);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kWrites; ++i) {
        const std::string contended = "round-" + std::to_string(i);
        const NewObject once{
            .bucket = "bucket", .name = contended, .preconditions = {.generation_match = 0}};
        if (fixture.Write(once, contended).ok()) ++created[static_cast<size_t>(t)];
        EXPECT_EQ(fixture.Read({"bucket", contended}).value(), contended);
        (void)fixture.store().ListObjects({.bucket = "bucket"});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int total = 0;
  for (const int count : created) total += count;
  EXPECT_EQ(total, kWrites);  // each create-only write succeeded exactly once
  EXPECT_EQ(fixture.CountBlobs(), static_cast<size_t>(kWrites));
}

TEST(Objects, WhoseBytesAreLostOrCutBelowTheStoreAreNotThere) {
  for (const bool cut : {false, true}) {
    StoreFixture fixture;
    fixture.MakeBucket("bucket");
    ASSERT_TRUE(fixture.Write("bucket", "o", "some bytes").ok());
    const std::string path = fixture.store().OpenObject({"bucket", "o"})->path;
    if (cut) {
      std::filesystem::resize_file(path, 4);
    } else {
      std::filesystem::remove(path);
    }
    EXPECT_EQ(IdOf(fixture.store().OpenObject({"bucket", "o"})), ErrorId::kStorageNotFound) << cut;
  }
}

}  // namespace
}  // namespace holdfast::storage
