#include "localcloud/ask/row_diff.h"

#include <gtest/gtest.h>

#include "localcloud/ask/ask_fixture.h"

namespace holdfast::ask {
namespace {

constexpr const char* kItems = R"([{"name": "id", "type": "INT64"},
    {"name": "name", "type": "STRING"}, {"name": "price", "type": "NUMERIC"},
    {"name": "tags", "type": "STRING", "mode": "REPEATED"}])";

AskedTable Items(const std::vector<Json>& rows, const char* schema = kItems) {
  return TableOf({"p", "d", "items", ""}, MakeSchema(schema), {}, {{"", rows}});
}

Json Row(int id, const Json& name, const Json& price, Json tags = Json::array()) {
  return {{"id", id}, {"name", name}, {"price", price}, {"tags", std::move(tags)}};
}

class RowDiffTest : public AskFixture {
 protected:
  Result<RowDiff> Diff(AskedTable before, AskedTable after, std::vector<std::string> key,
                       size_t examples_max = 20) {
    return asker_->Diff({.before = std::move(before),
                         .after = std::move(after),
                         .key = std::move(key),
                         .examples_max = examples_max});
  }
};

std::string ChangesText(const RowDiff& diff) {
  std::string text;
  for (const RowChange& change : diff.examples) {
    text += std::string(RowChangeName(change.kind)) + " " + change.key.dump() + " " +
            change.before.dump() + " -> " + change.after.dump() +
            (change.times > 1 ? " x" + std::to_string(change.times) : "") + "\n";
  }
  return text;
}

TEST_F(RowDiffTest, TellsByKeyWhatCameWentAndChanged) {
  const auto diff = Diff(Items({Row(1, "a", "1.5"), Row(2, "b", "2"), Row(3, nullptr, "3", {"x"}),
                                Row(4, "same", nullptr, {"y", "z"})}),
                         Items({Row(2, "b", "2.5"), Row(3, "c", "3", {"x", "y"}),
                                Row(4, "same", nullptr, {"y", "z"}), Row(5, "e", "5")}),
                         {"ID"});
  ASSERT_TRUE(diff.ok()) << diff.error().ToString();
  EXPECT_EQ(diff->added, 1);
  EXPECT_EQ(diff->removed, 1);
  EXPECT_EQ(diff->changed, 2);
  EXPECT_EQ(diff->by_column,
            (std::map<std::string, int64_t>{{"name", 1}, {"price", 1}, {"tags", 1}}));
  EXPECT_EQ(ChangesText(*diff),
            R"(removed {"id":1} {"name":"a","price":"1.5","tags":[]} -> {}
changed {"id":2} {"price":"2"} -> {"price":"2.5"}
changed {"id":3} {"name":null,"tags":["x"]} -> {"name":"c","tags":["x","y"]}
added {"id":5} {} -> {"name":"e","price":"5","tags":[]}
)");
  EXPECT_EQ(diff->statistics.files_read, 2);
}

TEST_F(RowDiffTest, ComparesWholeRowsWithoutAKey) {
  const auto diff =
      Diff(Items({Row(1, "a", "1"), Row(1, "a", "1"), Row(2, "b", "2"), Row(3, "c", nullptr)}),
           Items({Row(1, "a", "1"), Row(2, "b", "3"), Row(3, "c", nullptr), Row(4, "d", "4"),
                  Row(4, "d", "4")}),
           {});
  ASSERT_TRUE(diff.ok()) << diff.error().ToString();
  EXPECT_EQ(diff->removed, 2);
  EXPECT_EQ(diff->added, 3);
  EXPECT_EQ(diff->changed, 0);
  EXPECT_EQ(ChangesText(*diff),
            R"(removed {} {"id":1,"name":"a","price":"1","tags":[]} -> {}
removed {} {"id":2,"name":"b","price":"2","tags":[]} -> {}
added {} {} -> {"id":2,"name":"b","price":"3","tags":[]}
added {} {} -> {"id":4,"name":"d","price":"4","tags":[]} x2
)");
}

TEST_F(RowDiffTest, ComparesTheColumnsThatBothHave) {
  const auto diff =
      Diff(Items({{{"id", 1}, {"gone", "x"}, {"price", 7}}},
                 R"([{"name": "id", "type": "INT64"}, {"name": "gone", "type": "STRING"},
                {"name": "price", "type": "INT64"}])"),
           Items({Row(1, "new", "8")}), {"id"});
  ASSERT_TRUE(diff.ok()) << diff.error().ToString();
  EXPECT_EQ(diff->added + diff->removed + diff->changed, 0);
}

TEST_F(RowDiffTest, TakesNullForAKeyAsAnyOther) {
  const char* schema = R"([{"name": "k", "type": "STRING"}, {"name": "v", "type": "INT64"}])";
  const auto diff =
      Diff(Items({{nullptr, 1}, {"a", 1}}, schema), Items({{nullptr, 2}, {"a", 1}}, schema), {"k"});
  ASSERT_TRUE(diff.ok()) << diff.error().ToString();
  EXPECT_EQ(ChangesText(*diff), "changed {\"k\":null} {\"v\":1} -> {\"v\":2}\n");
}

TEST_F(RowDiffTest, KeepsSoManyExamplesAndCountsTheRest) {
  std::vector<Json> rows;
  for (int id = 0; id < 5'000; ++id) rows.push_back(Row(id, "n", "1"));
  const auto diff = Diff(Items({}), Items(rows), {"id"}, 3);
  ASSERT_TRUE(diff.ok()) << diff.error().ToString();
  EXPECT_EQ(diff->added, 5'000);
  ASSERT_EQ(diff->examples.size(), 3U);
  EXPECT_EQ(diff->examples.back().key.dump(), R"({"id":2})");
}

TEST_F(RowDiffTest, RefusesAKeyThatNamesNoRow) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"nome"}, "\"nome\" is not a column of both with the same type"},
      {{"tags"}, "column \"tags\" is a record or a list"},
      {{"id", "Id"}, "\"Id\" is named twice"},
      {{"name"}, "more than one row of one of the tables has the key {\"name\":\"a\"}"}};
  for (const auto& [key, message] : cases) {
    const auto diff = Diff(Items({Row(1, "a", "1"), Row(2, "a", "1")}),
                           Items({Row(1, "a", "1"), Row(2, "b", "1")}), key);
    ASSERT_FALSE(diff.ok()) << message;
    EXPECT_EQ(diff.error().id, ErrorId::kKeyUnusable);
    EXPECT_EQ(diff.error().message, message);
  }
}

}  // namespace
}  // namespace holdfast::ask
