#include "cli/output.h"

#include <gtest/gtest.h>

#include <sstream>

namespace holdfast::cli {
namespace {

const std::vector<Column> kColumns = {{.member = "name", .heading = "NAME"},
                                      {.member = "rows", .heading = "ROWS", .align_right = true}};

std::string Rows(Format format, const std::vector<Json>& rows) {
  std::ostringstream out;
  PrintRows(out, format, kColumns, rows, "Nothing yet.");
  return out.str();
}

std::string Document(Format format, const Json& document) {
  std::ostringstream out;
  PrintDocument(out, format, document);
  return out.str();
}

const std::vector<Json> kRows = {{{"name", "flights"}, {"rows", 3}, {"more", "x"}},
                                 {{"name", "käse, \"fresh\""}, {"rows", nullptr}}};

TEST(PrintRows, EachFormatOfTheSameRows) {
  const std::string table =
      "NAME           ROWS\n"
      "flights           3\n"
      "käse, \"fresh\"\n";
  const struct {
    const char* format;
    std::string text;
  } kCases[] = {
      {"pretty", table},
      {"sparse", table},
      {"json",
       "[{\"more\":\"x\",\"name\":\"flights\",\"rows\":3},"
       "{\"name\":\"käse, \\\"fresh\\\"\",\"rows\":null}]\n"},
      {"jsonl",
       "{\"more\":\"x\",\"name\":\"flights\",\"rows\":3}\n"
       "{\"name\":\"käse, \\\"fresh\\\"\",\"rows\":null}\n"},
      {"csv", "name,rows\nflights,3\n\"käse, \"\"fresh\"\"\",\n"},
      {"yaml",
       "-\n  \"more\": \"x\"\n  \"name\": \"flights\"\n  \"rows\": 3\n"
       "-\n  \"name\": \"käse, \\\"fresh\\\"\"\n  \"rows\": null\n"},
      {"value", "flights\t3\nkäse, \"fresh\"\t\n"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Rows(*FindFormat(test.format), kRows), test.text) << test.format;
  }
  EXPECT_EQ(*ParseJson(Rows(Format::kPrettyJson, kRows)), Json(kRows));
}

TEST(PrintRows, NoRowsIsAnEmptyResultInEachFormat) {
  const struct {
    const char* format;
    const char* text;
  } kCases[] = {{"pretty", "Nothing yet.\n"},
                {"sparse", ""},
                {"json", "[]\n"},
                {"prettyjson", "[]\n"},
                {"jsonl", ""},
                {"csv", "name,rows\n"},
                {"yaml", "[]\n"},
                {"value", ""}};
  for (const auto& test : kCases) {
    EXPECT_EQ(Rows(*FindFormat(test.format), {}), test.text) << test.format;
  }
}

TEST(PrintDocument, EachFormatOfOneDocument) {
  const Json document = {{"backup", "b1"}, {"empty", Json::array()}, {"data", {{"rows", 3}}}};
  EXPECT_EQ(Document(Format::kPretty, document),
            "backup:  b1\ndata:\n  \"rows\": 3\nempty:   []\n");
  EXPECT_EQ(Document(Format::kCsv, document), "backup\nb1\n");
  EXPECT_EQ(Document(Format::kValue, document), "b1\n");
  EXPECT_EQ(Document(Format::kJsonLines, document),
            "{\"backup\":\"b1\",\"data\":{\"rows\":3},\"empty\":[]}\n");
  EXPECT_EQ(Document(Format::kYaml, document),
            "\"backup\": \"b1\"\n\"data\":\n  \"rows\": 3\n\"empty\": []\n");
}

TEST(Output, WritesNoControlCharacterInAnyFormat) {
  // ESC ] sets a terminal's title, U+009B begins a sequence, BEL rings, DEL and CR hide text.
  const std::string evil =
      "a\x1b]0;x\x07"
      "b\xC2\x9B"
      "31mc\x7f\rd\ne\tf\xC3\xA4";
  const std::vector<Json> rows = {{{"name", evil}, {"rows", evil}, {evil, evil}}};
  for (const std::string& name : FormatNames()) {
    for (const std::string& text :
         {Rows(*FindFormat(name), rows), Document(*FindFormat(name), rows.front())}) {
      SCOPED_TRACE(name);
      for (const char bad : {'\x1b', '\x07', '\x7f'}) EXPECT_EQ(text.find(bad), text.npos);
      EXPECT_EQ(text.find("\xC2\x9B"), text.npos);
      EXPECT_NE(text.find("\xC3\xA4"), text.npos) << "other characters stay";
      // CSV quotes a line break; a carriage return is one.
      EXPECT_EQ(text.find('\r') != text.npos, name == "csv");
    }
  }
}

TEST(Output, JsonOfAControlCharacterReadsBack) {
  const Json row = {{"name",
                     "a\x7f\xC2\x9B\x1b"
                     "b"}};
  EXPECT_EQ(*ParseJson(Document(Format::kJson, row)), row);
  EXPECT_EQ(*ParseJson(Document(Format::kPrettyJson, row)), row);
}

TEST(Printable, KeepsLineBreaksOnlyWhenAsked) {
  EXPECT_EQ(Printable("a\nb\x1b[0m"), "a?b?[0m");
  EXPECT_EQ(PrintableLines("a\nb\x1b[0m"), "a\nb?[0m");
  EXPECT_EQ(Printable("\xC2"), "\xC2");
  EXPECT_EQ(Printable("\xC2\xA0"), "\xC2\xA0");
}

TEST(FindFormat, KnowsEveryNameAndNoOther) {
  for (const std::string& name : FormatNames()) EXPECT_TRUE(FindFormat(name).has_value()) << name;
  EXPECT_EQ(FindFormat("value"), Format::kValue);
  EXPECT_FALSE(FindFormat("table").has_value());
  EXPECT_FALSE(FindFormat("").has_value());
}

TEST(Human, CountsBytesAndDurations) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(3'000'000), "3,000,000");
  EXPECT_EQ(HumanCount(-1'000), "-1,000");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1024), "1.00 KiB");
  EXPECT_EQ(HumanBytes(13'526'630), "12.9 MiB");
  EXPECT_EQ(HumanBytes(1023 * 1024), "1.00 MiB");
  EXPECT_EQ(HumanDuration(840), "840 ms");
  EXPECT_EQ(HumanDuration(12'300), "12.3 s");
  EXPECT_EQ(HumanDuration(59'960), "1 min 00 s");
  EXPECT_EQ(HumanDuration(245'000), "4 min 05 s");
  EXPECT_EQ(Plural(1, "table"), "1 table");
  EXPECT_EQ(Plural(0, "table"), "0 tables");
}

TEST(RowPrinter, PrintsWhatPrintRowsPrintsForMachinesHoweverManyThereAre) {
  const std::vector<Column> columns = {{.member = "a", .heading = "A"},
                                       {.member = "b", .heading = "B"}};
  for (const std::string& name : FormatNames()) {
    const Format format = *FindFormat(name);
    const bool is_table = format == Format::kPretty || format == Format::kSparse;
    for (const size_t count :
         {size_t{0}, size_t{1}, size_t{7}, 2 * RowPrinter::kRowsPerTable + 1}) {
      if (is_table && count > RowPrinter::kRowsPerTable) continue;
      std::vector<Json> rows;
      for (size_t i = 0; i < count; ++i) {
        rows.push_back({{"a", i}, {"b", "x\ny\x1b"}, {"c", {{"d", {1, 2}}}}});
      }
      std::ostringstream expected;
      PrintRows(expected, format, columns, rows, "none");
      std::ostringstream printed;
      RowPrinter printer(printed, format, columns, "none");
      for (const Json& row : rows) printer.Add(row);
      printer.Finish();
      EXPECT_EQ(printed.str(), expected.str()) << name << " " << count;
    }
  }
}

TEST(PrintDocumentWithList, PrintsWhatPrintDocumentPrints) {
  for (const std::string& name : FormatNames()) {
    const Format format = *FindFormat(name);
    if (format == Format::kPretty) continue;
    for (int count = 0; count < 3; ++count) {
      Json document = {{"before", {{"list", {1}}}}, {"list", Json::array()}, {"text", "x\x1b"}};
      const Json empty = document;
      for (int i = 0; i < count; ++i)
        document["list"].push_back({{"n", i}, {"in", {{"m", "y\n"}}}});
      std::ostringstream expected;
      PrintDocument(expected, format, document);
      std::ostringstream printed;
      const Status status =
          PrintDocumentWithList(printed, format, empty, "list",
                                [&](const std::function<void(const Json& item)>& visit) -> Status {
                                  for (const Json& item : document["list"]) visit(item);
                                  return Ok();
                                });
      ASSERT_TRUE(status.ok());
      EXPECT_EQ(printed.str(), expected.str()) << name << " " << count;
    }
  }
}

}  // namespace
}  // namespace holdfast::cli
