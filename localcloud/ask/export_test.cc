#include <gtest/gtest.h>

#include "localcloud/ask/ask_fixture.h"

namespace holdfast::ask {
namespace {

using warehouse::ExtractFormat;

// Files by number; `finished` only if they were.
struct MemoryFiles {
  std::vector<std::string> bytes;
  std::vector<bool> finished;

  warehouse::ExtractSinkFactory factory() {
    return [this](int64_t index) -> Result<std::unique_ptr<warehouse::ExtractSink>> {
      EXPECT_EQ(index, static_cast<int64_t>(bytes.size()));
      bytes.emplace_back();
      finished.push_back(false);
      std::unique_ptr<warehouse::ExtractSink> sink =
          std::make_unique<MemoryFile>(*this, static_cast<size_t>(index));
      return sink;
    };
  }

 private:
  class MemoryFile final : public warehouse::ExtractSink {
   public:
    MemoryFile(MemoryFiles& files, size_t index) : files_(files), index_(index) {}
    Status Write(std::string_view bytes) override {
      files_.bytes[index_] += bytes;
      return Ok();
    }
    Status Finish() override {
      files_.finished[index_] = true;
      return Ok();
    }

   private:
    MemoryFiles& files_;
    size_t index_;
  };
};

AskedTable Lines(int partitions, int rows) {
  RowsByPartition by_partition;
  for (int part = 0; part < partitions; ++part) {
    std::vector<Json>& of_it = by_partition["2026010" + std::to_string(part + 1)];
    for (int row = 0; row < rows; ++row) {
      of_it.push_back({part * rows + row, std::string(100, 'x'), "2026-01-01T00:00:00"});
    }
  }
  return TableOf({"p", "d", "lines", ""},
                 MakeSchema(R"([{"name": "id", "type": "INT64"}, {"name": "text", "type": "STRING"},
                                {"name": "at", "type": "DATETIME"}])"),
                 {.kind = Partitioning::Kind::kDay, .field = ""}, by_partition);
}

using ExportTest = AskFixture;

TEST_F(ExportTest, WritesCsvAndNdjsonOfEveryPartition) {
  MemoryFiles csv;
  const auto exported = asker_->Export(Lines(2, 2), {.format = ExtractFormat::kCsv}, csv.factory());
  ASSERT_TRUE(exported.ok()) << exported.error().ToString();
  EXPECT_EQ(exported->statistics.rows, 4);
  EXPECT_EQ(exported->statistics.partitions_read, 2);
  const std::string x(100, 'x');
  EXPECT_EQ(csv.bytes.at(0), "id,text,at\n0," + x + ",2026-01-01T00:00:00\n1," + x +
                                 ",2026-01-01T00:00:00\n2," + x + ",2026-01-01T00:00:00\n3," + x +
                                 ",2026-01-01T00:00:00\n");
  MemoryFiles json;
  ASSERT_TRUE(
      asker_->Export(Lines(1, 1), {.format = ExtractFormat::kNewlineDelimitedJson}, json.factory())
          .ok());
  EXPECT_EQ(json.bytes.at(0),
            "{\"id\":\"0\",\"text\":\"" + x + "\",\"at\":\"2026-01-01T00:00:00\"}\n");
}

TEST_F(ExportTest, WritesParquetInSeveralFilesOnceEach) {
  MemoryFiles files;
  const auto exported =
      asker_->Export(Lines(4, 1'000),
                     {.format = ExtractFormat::kParquet, .split = true, .file_bytes_max = 150'000},
                     files.factory());
  ASSERT_TRUE(exported.ok()) << exported.error().ToString();
  EXPECT_EQ(exported->statistics.rows, 4'000);
  EXPECT_EQ(exported->files, 2);
  EXPECT_EQ(exported->statistics.files_read, 4);
  for (const std::string& bytes : files.bytes) EXPECT_EQ(bytes.substr(0, 4), "PAR1");
  EXPECT_EQ(files.finished, (std::vector<bool>{true, true}));
}

TEST_F(ExportTest, WritesOneFileOfATableWithoutRows) {
  for (const ExtractFormat format : {ExtractFormat::kParquet, ExtractFormat::kCsv}) {
    MemoryFiles files;
    const auto exported = asker_->Export(Lines(1, 0), {.format = format}, files.factory());
    ASSERT_TRUE(exported.ok()) << exported.error().ToString();
    EXPECT_EQ(exported->files, 1);
  }
}

TEST_F(ExportTest, FinishesNoFileOfDamagedRows) {
  for (const ExtractFormat format : {ExtractFormat::kParquet, ExtractFormat::kCsv}) {
    AskedTable table = Lines(1, 1);
    table.part = [](const std::string& partition) -> Result<AskedPart> {
      AskedPart part{partition, {{.name = "the file", .size_bytes = 1, .rows = 1}}};
      part.files.front().open = []() -> Result<avro::ByteSource> {
        return MakeError(ErrorId::kObjectCorrupt, "the file is damaged");
      };
      return part;
    };
    MemoryFiles files;
    const auto exported = asker_->Export(table, {.format = format}, files.factory());
    ASSERT_FALSE(exported.ok());
    EXPECT_EQ(exported.error().message, "the file is damaged");
    for (const bool finished : files.finished) EXPECT_FALSE(finished);
  }
}

TEST_F(ExportTest, RefusesListsInCsv) {
  MemoryFiles files;
  const AskedTable table = TableOf(
      {"p", "d", "t", ""},
      MakeSchema(R"([{"name": "tags", "type": "STRING", "mode": "REPEATED"}])"), {}, {{"", {}}});
  const auto exported = asker_->Export(table, {.format = ExtractFormat::kCsv}, files.factory());
  ASSERT_FALSE(exported.ok());
  EXPECT_EQ(exported.error().id, ErrorId::kWarehouseInvalidRequest);
}

}  // namespace
}  // namespace holdfast::ask
