// For tests: asked tables made of rows, as Avro files in memory, and an asker in a directory of its
// own. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "avro/file_fixture.h"
#include "base/virtual_clock.h"
#include "localcloud/ask/asker.h"

namespace holdfast::ask {

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << result.error().ToString();
  return std::move(result).value();
}

inline Schema MakeSchema(const char* fields) {
  return Must(Schema::FromJson({{"fields", Json::parse(fields)}}));
}

// Rows by partition, each row an array or object as avro::BatchBuilder takes it.
using RowsByPartition = std::map<std::string, std::vector<Json>>;

inline AskedFile FileOf(const std::string& name, const Schema& schema,
                        const std::vector<Json>& rows) {
  avro::BatchBuilder builder(schema);
  for (const Json& row : rows) {
    const Status appended = builder.AppendRow(row);
    EXPECT_TRUE(appended.ok()) << appended.error().ToString();
  }
  const avro::Batch batch = builder.Build();
  auto bytes = std::make_shared<std::string>(Must(avro::WriteFile(schema, batch.view)));
  return {.name = name,
          .size_bytes = static_cast<int64_t>(bytes->size()),
          .rows = static_cast<int64_t>(rows.size()),
          .open = [bytes] {
            return Result<avro::ByteSource>(
                [bytes, source = avro::SourceOf(*bytes, 4096)](std::span<char> buffer) mutable {
                  return source(buffer);
                });
          }};
}

inline AskedTable TableOf(const TableRef& ref, const Schema& schema,
                          const Partitioning& partitioning, const RowsByPartition& rows) {
  AskedTable table{.ref = ref, .schema = schema, .partitioning = partitioning};
  auto parts = std::make_shared<std::map<std::string, AskedPart>>();
  for (const auto& [partition, of_it] : rows) {
    table.partitions.push_back(partition);
    (*parts)[partition] = {partition, {FileOf("file of " + partition, schema, of_it)}};
  }
  table.part = [parts](const std::string& partition) {
    return Result<AskedPart>(parts->at(partition));
  };
  return table;
}

class AskFixture : public ::testing::Test {
 protected:
  AskFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ask.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    asker_ = Must(Asker::Open({.scratch_parent = directory_}, clock_, *random_));
  }
  ~AskFixture() override {
    asker_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Add(AskedTable table) { tables_.insert_or_assign(table.ref.table, std::move(table)); }

  TableFinder finder() {
    return [this](const TableRef& ref, std::optional<int64_t>) -> Result<AskedTable> {
      const auto found = tables_.find(ref.table);
      if (found != tables_.end()) return found->second;
      return MakeError(ErrorId::kNothingToRestore, "no backup of " + ref.ToString());
    };
  }

  Result<Answer> Ask(Question question, std::vector<Json>& rows) {
    question.home = {"p", "d"};
    return asker_->Query(
        question, finder(),
        {.begin = [](const Schema&) { return Ok(); },
         .rows = [&](const Schema& schema, const avro::BatchView& batch) -> Status {
           for (size_t row = 0; row < batch.rows; ++row) {
             rows.push_back(avro::RowToJson(schema, batch, row));
           }
           return Ok();
         }});
  }

  // The rows as text, or the error's.
  std::string AskText(const std::string& sql) {
    std::vector<Json> rows;
    const auto answer = Ask({.sql = sql}, rows);
    if (!answer.ok()) return answer.error().message;
    statistics_ = answer->statistics;
    return Json(rows).dump();
  }

  std::string directory_;
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  std::unique_ptr<Random> random_ = MakeSystemRandom();
  std::unique_ptr<Asker> asker_;
  std::map<std::string, AskedTable> tables_;
  AskStatistics statistics_;  // of the last AskText
};

}  // namespace holdfast::ask
