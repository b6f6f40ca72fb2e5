// Sources that a query binds: read as often as they are named, of the columns that it needs.
#include <gtest/gtest.h>

#include <mutex>

#include "avro/batch_builder.h"
#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

// Three batches of two rows; one that fails ends after the first with an error.
class Numbers final : public BatchSource {
 public:
  Numbers(Schema columns, bool fails) : columns_(std::move(columns)), fails_(fails) {}

  const Schema& schema() const override { return columns_; }

  Result<std::optional<avro::Batch>> Next() override {
    if (batch_ == 3) return std::optional<avro::Batch>();
    if (fails_ && batch_ == 1) {
      return MakeError(ErrorId::kObjectCorrupt, "the source is damaged", "take another");
    }
    avro::Batch batch;
    if (columns_.fields.empty()) {
      batch.view.rows = 2;
    } else {
      avro::BatchBuilder builder(columns_);
      for (int row = 0; row < 2; ++row) {
        const int id = batch_ * 2 + row;
        Json cells = Json::object();
        for (const Field& field : columns_.fields) {
          cells[field.name] = field.name == "name" ? Json("n" + std::to_string(id)) : Json(id);
        }
        EXPECT_TRUE(builder.AppendRow(cells).ok());
      }
      batch = builder.Build();
    }
    ++batch_;
    return std::optional(std::move(batch));
  }

 private:
  Schema columns_;
  bool fails_;
  int batch_ = 0;
};

class SourceBindingTest : public WarehouseFixture {
 protected:
  SourceBinding Source(bool fails = false) {
    SourceBinding source;
    source.schema = MakeSchema(
        R"([{"name": "id", "type": "INT64"}, {"name": "name", "type": "STRING"},
            {"name": "other", "type": "INT64"}])");
    source.open = [this, fails](Schema columns, size_t) -> Result<std::unique_ptr<BatchSource>> {
      std::string names;
      for (const Field& field : columns.fields) names += field.name + " ";
      const std::lock_guard lock(mutex_);
      opened_.push_back(names);
      std::unique_ptr<BatchSource> rows = std::make_unique<Numbers>(std::move(columns), fails);
      return rows;
    };
    return source;
  }

  std::string AskSource(const std::string& sql) {
    opened_.clear();
    return Json(Must(Ask(sql, {{"s", Source()}}))).dump();
  }

  std::mutex mutex_;
  std::vector<std::string> opened_;  // the columns of each reading
};

TEST_F(SourceBindingTest, IsReadAsOftenAsItIsNamed) {
  EXPECT_EQ(AskSource("SELECT count(*) AS n FROM s AS a JOIN s AS b ON a.id = b.other"),
            R"([{"n":6}])");
  EXPECT_EQ(opened_.size(), 2U);
  EXPECT_EQ(AskSource("SELECT id FROM s WHERE id > (SELECT max(id) - 2 FROM s) ORDER BY id"),
            R"([{"id":4},{"id":5}])");
}

TEST_F(SourceBindingTest, IsAskedForTheColumnsThatTheQueryNeeds) {
  EXPECT_EQ(AskSource("SELECT name FROM s WHERE other = 3"), R"([{"name":"n3"}])");
  ASSERT_EQ(opened_.size(), 1U);
  EXPECT_EQ(opened_.front().find("id"), std::string::npos) << opened_.front();
  EXPECT_EQ(AskSource("SELECT other, id FROM s ORDER BY id LIMIT 1"), R"([{"id":0,"other":0}])");
  EXPECT_EQ(AskSource("SELECT count(*) AS n FROM s"), R"([{"n":6}])");
  EXPECT_EQ(opened_.front().find("name"), std::string::npos) << opened_.front();
}

TEST_F(SourceBindingTest, IsReadInEachOfItsParts) {
  for (const size_t parts : {size_t{0}, size_t{1}, size_t{100}}) {
    SourceBinding source = Source();
    source.parts = parts;
    opened_.clear();
    EXPECT_EQ(Json(Must(Ask("SELECT count(id) AS n FROM s", {{"s", source}}))).dump(),
              "[{\"n\":" + std::to_string(6 * parts) + "}]");
    EXPECT_EQ(opened_.size(), parts);
  }
}

TEST_F(SourceBindingTest, EndsTheQueryByItsOwnError) {
  const auto rows = Ask("SELECT sum(id) AS n FROM s", {{"s", Source(/*fails=*/true)}});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().id, ErrorId::kObjectCorrupt);
  EXPECT_EQ(rows.error().message, "the source is damaged");
  EXPECT_EQ(rows.error().hint, "take another");
  SourceBinding closed = Source();
  closed.open = [](Schema, size_t) -> Result<std::unique_ptr<BatchSource>> {
    return MakeError(ErrorId::kObjectNotFound, "there is nothing");
  };
  const auto none = Ask("SELECT id FROM s", {{"s", closed}});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message, "there is nothing");
}

}  // namespace
}  // namespace holdfast::warehouse
