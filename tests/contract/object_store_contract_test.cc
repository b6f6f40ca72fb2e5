#include "tests/contract/object_store_contract.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "tests/support/error_id.h"

namespace holdfast::contract {

using cloud::ObjectInfo;
using cloud::ObjectRef;

void ObjectStoreContract::SetUp() {
  world_ = GetParam().make();
  bucket_ = "holdfast-contract-objects";
  const auto made =
      store().EnsureBucket({.name = bucket_, .project = world_->project(), .location = "US"});
  ASSERT_TRUE(made.ok()) << made.error().ToString();
}

namespace {

using testing_support::IdOf;
TEST_P(ObjectStoreContract, EnsureBucketGivesWhatIsThere) {
  const auto bucket = store().GetBucket(bucket_);
  ASSERT_TRUE(bucket.ok()) << bucket.error().ToString();
  EXPECT_EQ(bucket->location, "US");
  EXPECT_FALSE(bucket->retention_locked);
  EXPECT_TRUE(
      store().EnsureBucket({.name = bucket_, .project = world_->project(), .location = "US"}).ok());
  EXPECT_EQ(
      IdOf(store().EnsureBucket({.name = bucket_, .project = world_->project(), .location = "EU"})),
      ErrorId::kLocationMismatch);
}

TEST_P(ObjectStoreContract, ABucketOfAnotherProjectIsNotTaken) {
  EXPECT_EQ(
      IdOf(store().EnsureBucket({.name = bucket_, .project = "somebody-else", .location = "US"})),
      ErrorId::kAccessDenied);
}

TEST_P(ObjectStoreContract, ABucketIsMadeWithTheAgeAtWhichItsObjectsGo) {
  const std::string name = bucket_ + "-scratch";
  ASSERT_TRUE(store()
                  .EnsureBucket({.name = name,
                                 .project = world_->project(),
                                 .location = "US",
                                 .retention_seconds = {},
                                 .delete_after_days = 7})
                  .ok());
  const auto bucket = store().GetBucket(name);
  ASSERT_TRUE(bucket.ok()) << bucket.error().ToString();
  EXPECT_EQ(bucket->delete_after_days, 7);
  EXPECT_EQ(store().GetBucket(bucket_)->delete_after_days, std::nullopt);
}

TEST_P(ObjectStoreContract, AnAbsentBucketIsNeverAnEmptyAnswer) {
  const ObjectRef object{"holdfast-contract-absent", "a", 0};
  EXPECT_EQ(IdOf(store().GetBucket(object.bucket)), ErrorId::kBucketNotFound);
  EXPECT_EQ(IdOf(CreateObjectFromString(store(), object, "x")), ErrorId::kBucketNotFound);
  EXPECT_EQ(IdOf(store().ListObjects(object.bucket, "", "")), ErrorId::kBucketNotFound);
}

TEST_P(ObjectStoreContract, WhatIsWrittenIsReadBack) {
  const std::string contents[] = {"", "a", std::string("\0\xff\n", 3), std::string(3'000'000, 'z')};
  int number = 0;
  for (const std::string& content : contents) {
    const ObjectRef object = Named("read/" + std::to_string(number++));
    const auto written = CreateObjectFromString(store(), object, content);
    ASSERT_TRUE(written.ok()) << written.error().ToString();
    EXPECT_EQ(written->size_bytes, static_cast<int64_t>(content.size()));
    EXPECT_EQ(written->crc32c, ExtendCrc32c(0, content));
    EXPECT_NE(written->ref.generation, 0);
    const auto read = ReadObjectToString(store(), written->ref, 10'000'000);
    ASSERT_TRUE(read.ok()) << read.error().ToString();
    EXPECT_TRUE(*read == content);
  }
}

TEST_P(ObjectStoreContract, ReadsARangeOfAnObject) {
  const ObjectRef object = Named("range");
  ASSERT_TRUE(CreateObjectFromString(store(), object, "0123456789").ok());
  const auto read = [&](int64_t offset, int64_t length) {
    std::string bytes;
    const Status status =
        store().ReadObject(object, offset, length, [&](std::string_view piece) -> Status {
          bytes.append(piece);
          return Ok();
        });
    return status.ok() ? bytes : status.error().ToString();
  };
  EXPECT_EQ(read(0, 4), "0123");
  EXPECT_EQ(read(4, 3), "456");
  EXPECT_EQ(read(7, -1), "789");
  EXPECT_EQ(read(7, 100), "789");
}

TEST_P(ObjectStoreContract, ASinkThatFailsEndsTheRead) {
  const ObjectRef object = Named("sink");
  ASSERT_TRUE(CreateObjectFromString(store(), object, std::string(100'000, 'x')).ok());
  const Status status = store().ReadObject(object, 0, -1, [](std::string_view) -> Status {
    return MakeError(ErrorId::kDiskFull, "full");
  });
  EXPECT_EQ(IdOf(status), ErrorId::kDiskFull);
}

TEST_P(ObjectStoreContract, CreatingTheSameAgainIsASuccessAndAnotherIsRefused) {
  const ObjectRef object = Named("once");
  const auto first = CreateObjectFromString(store(), object, "one");
  ASSERT_TRUE(first.ok());
  const auto again = CreateObjectFromString(store(), object, "one");
  ASSERT_TRUE(again.ok()) << again.error().ToString();
  EXPECT_EQ(again->ref.generation, first->ref.generation);
  EXPECT_EQ(IdOf(CreateObjectFromString(store(), object, "two")), ErrorId::kObjectExists);
  EXPECT_EQ(*ReadObjectToString(store(), object, 100), "one");
}

TEST_P(ObjectStoreContract, AnAbsentObjectIsToldApart) {
  const auto absent = store().StatObject(Named("absent"));
  ASSERT_TRUE(absent.ok()) << absent.error().ToString();
  EXPECT_FALSE(absent->has_value());
  EXPECT_EQ(IdOf(ReadObjectToString(store(), Named("absent"), 10)), ErrorId::kObjectNotFound);
}

TEST_P(ObjectStoreContract, AGenerationThatIsGoneIsNotFound) {
  auto written = CreateObjectFromString(store(), Named("generation"), "x");
  ASSERT_TRUE(written.ok());
  ObjectRef other = written->ref;
  other.generation += 1;
  EXPECT_EQ(IdOf(ReadObjectToString(store(), other, 10)), ErrorId::kObjectNotFound);
  EXPECT_TRUE(ReadObjectToString(store(), written->ref, 10).ok());
}

TEST_P(ObjectStoreContract, DeletesExactlyTheGenerationNamed) {
  const auto first = CreateObjectFromString(store(), Named("delete"), "first");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(store().DeleteObject(first->ref).ok());
  ASSERT_TRUE(store().DeleteObject(first->ref).ok()) << "an absent object is a success";
  const auto second = CreateObjectFromString(store(), Named("delete"), "second");
  ASSERT_TRUE(second.ok());
  ASSERT_TRUE(store().DeleteObject(first->ref).ok());
  EXPECT_EQ(*ReadObjectToString(store(), Named("delete"), 100), "second");
}

TEST_P(ObjectStoreContract, ADeleteThatNamesNoGenerationIsRefused) {
  ASSERT_TRUE(CreateObjectFromString(store(), Named("live"), "x").ok());
  EXPECT_FALSE(store().DeleteObject(Named("live")).ok());
  EXPECT_TRUE(ReadObjectToString(store(), Named("live"), 10).ok());
}

TEST_P(ObjectStoreContract, ListsEveryObjectOfAPrefixInOrderOfName) {
  std::vector<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    const std::string name = "list/" + std::string(1 + i % 5, 'a') + std::to_string(i) + " ü%.json";
    ASSERT_TRUE(CreateObjectFromString(store(), Named(name), "x").ok());
    expected.push_back(name);
  }
  ASSERT_TRUE(CreateObjectFromString(store(), Named("lisu"), "x").ok());
  std::ranges::sort(expected);
  std::vector<std::string> listed;
  const Status status = cloud::ForEachPage<ObjectInfo>(
      [&](const std::string& token) { return store().ListObjects(bucket_, "list/", token); },
      [&](ObjectInfo&& info) -> Status {
        EXPECT_NE(info.ref.generation, 0);
        listed.push_back(info.ref.name);
        return Ok();
      });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(listed, expected);
}

TEST_P(ObjectStoreContract, ListsAPrefixFromANameOn) {
  for (const char* name : {"from/a", "from/b", "from/b/1", "from/c", "frop"}) {
    ASSERT_TRUE(CreateObjectFromString(store(), Named(name), "x").ok());
  }
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"", {"from/a", "from/b", "from/b/1", "from/c"}},
      {"a", {"from/a", "from/b", "from/b/1", "from/c"}},
      {"from/b", {"from/b", "from/b/1", "from/c"}},
      {"from/b0", {"from/c"}},
      {"from/d", {}}};
  for (const auto& [start, expected] : cases) {
    std::vector<std::string> listed;
    const Status status = cloud::ForEachPage<ObjectInfo>(
        [&](const std::string& token) {
          return store().ListObjectsFrom(bucket_, "from/", start, token);
        },
        [&](ObjectInfo&& info) -> Status {
          listed.push_back(info.ref.name);
          return Ok();
        });
    ASSERT_TRUE(status.ok()) << status.error().ToString();
    EXPECT_EQ(listed, expected) << start;
  }
}

TEST_P(ObjectStoreContract, CopiesInsideTheService) {
  const auto source = CreateObjectFromString(store(), Named("from"), "content");
  ASSERT_TRUE(source.ok());
  const auto copied = store().CopyObject(source->ref, Named("to"));
  ASSERT_TRUE(copied.ok()) << copied.error().ToString();
  EXPECT_EQ(copied->crc32c, source->crc32c);
  EXPECT_EQ(*ReadObjectToString(store(), Named("to"), 100), "content");
  const auto again = store().CopyObject(source->ref, Named("to"));
  ASSERT_TRUE(again.ok()) << again.error().ToString();
  EXPECT_EQ(again->ref.generation, copied->ref.generation);

  ASSERT_TRUE(CreateObjectFromString(store(), Named("other"), "different").ok());
  EXPECT_EQ(IdOf(store().CopyObject(source->ref, Named("other"))), ErrorId::kObjectExists);
  EXPECT_EQ(IdOf(store().CopyObject(Named("absent"), Named("new"))), ErrorId::kObjectNotFound);
}

TEST_P(ObjectStoreContract, WhatIsRetainedCannotBeDeleted) {
  const std::string bucket = "holdfast-contract-retained";
  ASSERT_TRUE(store()
                  .EnsureBucket({.name = bucket,
                                 .project = world_->project(),
                                 .location = "US",
                                 .retention_seconds = 3600})
                  .ok());
  const auto bucket_info = store().GetBucket(bucket);
  ASSERT_TRUE(bucket_info.ok());
  EXPECT_EQ(bucket_info->retention_seconds, 3600);
  const auto written = CreateObjectFromString(store(), {bucket, "kept", 0}, "x");
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(IdOf(store().DeleteObject(written->ref)), ErrorId::kObjectRetained);
  EXPECT_TRUE(ReadObjectToString(store(), written->ref, 10).ok());
}

}  // namespace
}  // namespace holdfast::contract
