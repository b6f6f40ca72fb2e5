#include "verify/verify.h"

#include <gtest/gtest.h>

#include "base/virtual_clock.h"
#include "sim/sim_cloud.h"

namespace holdfast::verify {
namespace {

constexpr const char* kBucket = "bucket";
const TableRef kTable{"acme", "sales", "orders", ""};

// A table, extracted to several objects, and the manifest that tells of them.
class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 25; ++i) rows_.push_back({{"n", i}, {"name", "row " + std::to_string(i)}});
    cloud_.AddTable(kTable, schema_, rows_);
    ASSERT_TRUE(store().EnsureBucket({.name = kBucket, .project = "acme", .location = "US"}).ok());
    const auto set = InspectObjects(store(), Extract(kTable, "data/"), schema_);
    ASSERT_TRUE(set.ok()) << set.error().ToString();
    manifest_.backup = "b1";
    manifest_.object = kTable;
    manifest_.run = "r1";
    manifest_.bucket = kBucket;
    manifest_.schema = schema_;
    manifest_.objects = set->objects;
    manifest_.rows = set->rows;
    manifest_.stored_bytes = set->bytes;
    manifest_.content_digest = set->digest.ToString();
  }

  cloud::ObjectStore& store() { return cloud_.objects(); }

  std::vector<cloud::ObjectInfo> Extract(const TableRef& table, const std::string& prefix) {
    const cloud::JobRef job{"acme", "US", prefix};
    const cloud::ExtractJob extract{.source = table,
                                    .destination_uri = "gs://bucket/" + prefix + "*.avro"};
    EXPECT_TRUE(cloud_.warehouse().StartJob(job, extract).ok());
    clock_.Advance(std::chrono::minutes{1});
    EXPECT_TRUE(cloud_.warehouse().GetJob(job)->Succeeded());
    std::vector<cloud::ObjectInfo> objects;
    for (const cloud::ObjectInfo& info : cloud_.AllObjects(kBucket)) {
      if (info.ref.name.starts_with(prefix)) objects.push_back(info);
    }
    return objects;
  }

  VerifyReport Verify(VerifyLevel level) {
    const auto report = VerifyBackup(store(), manifest_, level, {.chunk_bytes = 100});
    EXPECT_TRUE(report.ok()) << report.error().ToString();
    return *report;
  }

  void ExpectFinding(VerifyLevel level, ErrorId id) {
    const VerifyReport report = Verify(level);
    EXPECT_FALSE(report.Passed());
    ASSERT_EQ(report.findings.size(), 1) << DumpJson(report.ToJson());
    EXPECT_EQ(report.findings[0].id, id) << report.findings[0].ToString();
    EXPECT_EQ(report.reached, VerifyLevel::kNone);
  }

  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  sim::SimCloud cloud_{clock_, {.rows_per_object = 10}};
  Schema schema_{
      {{.name = "n", .type = FieldType::kInt64}, {.name = "name", .type = FieldType::kString}}};
  sim::Rows rows_;
  Manifest manifest_;
};

constexpr VerifyLevel kLevels[] = {VerifyLevel::kL0, VerifyLevel::kL1, VerifyLevel::kL2};

TEST_F(VerifyTest, AWholeBackupPassesEachLevel) {
  ASSERT_EQ(manifest_.objects.size(), 3);
  for (const VerifyLevel level : kLevels) {
    const VerifyReport report = Verify(level);
    EXPECT_TRUE(report.Passed()) << DumpJson(report.ToJson());
    EXPECT_EQ(report.reached, level);
    EXPECT_EQ(report.objects_checked, 3);
    EXPECT_EQ(report.bytes_read, level == VerifyLevel::kL0 ? 0 : manifest_.stored_bytes);
  }
  EXPECT_EQ(Verify(VerifyLevel::kL2).rows_read, 25);
}

TEST_F(VerifyTest, ADeletedObjectIsFoundAtEachLevel) {
  cloud_.RemoveObject({kBucket, manifest_.objects[1].name, 0});
  for (const VerifyLevel level : kLevels) ExpectFinding(level, ErrorId::kObjectMissing);
}

TEST_F(VerifyTest, AnObjectWrittenAnewIsFoundAtEachLevel) {
  const std::string name = manifest_.objects[1].name;
  const auto bytes = ReadObjectToString(store(), {kBucket, name, 0}, 1 << 20);
  cloud_.RemoveObject({kBucket, name, 0});
  ASSERT_TRUE(CreateObjectFromString(store(), {kBucket, name, 0}, *bytes).ok());
  for (const VerifyLevel level : kLevels) ExpectFinding(level, ErrorId::kObjectChanged);
}

TEST_F(VerifyTest, EveryFlippedBitIsFoundByReading) {
  const auto size = static_cast<size_t>(manifest_.objects[0].size_bytes);
  const cloud::ObjectRef object{kBucket, manifest_.objects[0].name, 0};
  for (size_t byte = 0; byte < size; byte += 13) {
    cloud_.CorruptObject(object, byte);
    EXPECT_TRUE(Verify(VerifyLevel::kL0).Passed()) << "L0 does not read";
    ExpectFinding(VerifyLevel::kL1, ErrorId::kObjectCorrupt);
    ExpectFinding(VerifyLevel::kL2, ErrorId::kObjectCorrupt);
    cloud_.CorruptObject(object, byte);  // and back
  }
  EXPECT_TRUE(Verify(VerifyLevel::kL2).Passed());
}

TEST_F(VerifyTest, AManifestThatSaysOtherwiseIsFound) {
  const Manifest good = manifest_;
  manifest_.objects[0].sha256[0] = manifest_.objects[0].sha256[0] == '0' ? '1' : '0';
  EXPECT_TRUE(Verify(VerifyLevel::kL0).Passed());
  ExpectFinding(VerifyLevel::kL1, ErrorId::kObjectChanged);
  manifest_ = good;
  manifest_.objects[0].rows += 1;
  ExpectFinding(VerifyLevel::kL2, ErrorId::kDataMismatch);
  manifest_ = good;
  manifest_.content_digest = ContentDigest().ToString();
  ExpectFinding(VerifyLevel::kL2, ErrorId::kDataMismatch);
  manifest_ = good;
  manifest_.objects[0].size_bytes += 1;
  ExpectFinding(VerifyLevel::kL0, ErrorId::kObjectChanged);
  manifest_ = good;
  manifest_.objects[0].crc32c += 1;
  for (const VerifyLevel level : kLevels) ExpectFinding(level, ErrorId::kObjectChanged);
}

TEST_F(VerifyTest, AColumnThatIsInTheManifestAloneIsFound) {
  manifest_.schema.fields[1].name = "other";
  const VerifyReport report = Verify(VerifyLevel::kL2);
  EXPECT_FALSE(report.Passed());
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].id, ErrorId::kDataMismatch);
}

// The reader would give null for what a file lacks, and pass over what the table lacks.
TEST_F(VerifyTest, AFileWithOtherColumnsThanTheTableIsRefused) {
  const TableRef nested{"acme", "sales", "nested", ""};
  const Schema columns{{{.name = "n", .type = FieldType::kInt64},
                        {.name = "r",
                         .type = FieldType::kRecord,
                         .fields = {{.name = "x", .type = FieldType::kString}}}}};
  cloud_.AddTable(nested, columns, {{{"n", 1}, {"r", {{"x", "a"}}}}});
  const cloud::ObjectInfo file = Extract(nested, "nested/").at(0);
  const Field more{.name = "y", .type = FieldType::kString};
  const struct {
    const char* what;
    void (*change)(Schema& table, const Field& more);
    bool is_refused;
  } cases[] = {
      {"the same", [](Schema&, const Field&) {}, false},
      {"one column more", [](Schema& table, const Field& f) { table.fields.push_back(f); }, true},
      {"one column less", [](Schema& table, const Field&) { table.fields.pop_back(); }, true},
      {"another column", [](Schema& table, const Field& f) { table.fields[0] = f; }, true},
      {"one more in the record",
       [](Schema& table, const Field& f) { table.fields[1].fields.push_back(f); }, true},
      {"another in the record",
       [](Schema& table, const Field& f) { table.fields[1].fields[0] = f; }, true}};
  for (const auto& [what, change, is_refused] : cases) {
    Schema table = columns;
    change(table, more);
    const auto inspection = InspectObject(store(), file, table);
    ASSERT_EQ(inspection.ok(), !is_refused) << what;
    if (is_refused) {
      EXPECT_EQ(inspection.error().id, ErrorId::kDataMismatch) << what;
    }
  }
}

TEST_F(VerifyTest, ADefinitionIsHeldAgainstTheHashOfWhatWasSeen) {
  manifest_.kind = ObjectKind::kView;
  manifest_.method = Method::kDefinition;
  manifest_.objects.clear();
  manifest_.table_resource = {{"view", {{"query", "SELECT 1"}}}};
  manifest_.source = FingerprintOfDefinition(manifest_.table_resource);
  EXPECT_TRUE(Verify(VerifyLevel::kL0).Passed());
  EXPECT_EQ(Verify(VerifyLevel::kL2).reached, VerifyLevel::kL2);
  manifest_.table_resource["view"]["query"] = "SELECT 2";
  ExpectFinding(VerifyLevel::kL0, ErrorId::kDataMismatch);
}

TEST_F(VerifyTest, NothingToLookAtIsAFailure) {
  manifest_.objects.clear();
  manifest_.rows = 0;
  for (const VerifyLevel level : kLevels) ExpectFinding(level, ErrorId::kNothingToVerify);
  EXPECT_FALSE(VerifyReport().Passed());
  EXPECT_EQ(InspectObjects(store(), {}, schema_).error().id, ErrorId::kNothingToVerify);
}

TEST_F(VerifyTest, AStoreThatFailsIsNoDamage) {
  cloud_.faults().SetRates({.unavailable = 1});
  for (const VerifyLevel level : kLevels) {
    const auto report = VerifyBackup(store(), manifest_, level);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().id, ErrorId::kServiceUnavailable);
  }
}

TEST_F(VerifyTest, LevelsThatReadingCannotReachAreRefused) {
  EXPECT_EQ(VerifyBackup(store(), manifest_, VerifyLevel::kL3).error().id,
            ErrorId::kVerifyUnsupported);
  manifest_.method = Method::kCopy;
  EXPECT_EQ(VerifyBackup(store(), manifest_, VerifyLevel::kL0).error().id,
            ErrorId::kVerifyUnsupported);
}

TEST_F(VerifyTest, BytesThatAreNoAvroAreNamed) {
  const auto info = CreateObjectFromString(store(), {kBucket, "odd.avro", 0}, "not avro");
  const auto inspection = InspectObject(store(), *info, schema_);
  ASSERT_FALSE(inspection.ok());
  EXPECT_NE(inspection.error().message.find("odd.avro"), std::string::npos);
}

TEST_F(VerifyTest, ARestoredTableIsComparedByContent) {
  const TableRef same{"acme", "restored", "same", ""};
  sim::Rows reversed(rows_.rbegin(), rows_.rend());
  cloud_.AddTable(same, schema_, reversed);
  const auto equal = CompareWithBackup(store(), Extract(same, "same/"), schema_, manifest_);
  ASSERT_TRUE(equal.ok()) << equal.error().ToString();
  EXPECT_TRUE(equal->Equal()) << DumpJson(equal->ToJson());

  const TableRef other{"acme", "restored", "other", ""};
  rows_[3]["name"] = "changed";
  cloud_.AddTable(other, schema_, rows_);
  const auto differs = CompareWithBackup(store(), Extract(other, "other/"), schema_, manifest_);
  ASSERT_TRUE(differs.ok());
  EXPECT_FALSE(differs->Equal()) << "the counts are equal, the content is not";
  EXPECT_EQ(differs->actual_rows, 25);
  EXPECT_EQ(CompareWithBackup(store(), {}, schema_, manifest_).error().id,
            ErrorId::kNothingToVerify);
}

}  // namespace
}  // namespace holdfast::verify
