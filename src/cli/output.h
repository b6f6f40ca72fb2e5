// What a command prints: data on stdout in the format asked for, words for people on stderr.
//
// pretty and sparse are for eyes and may change; the others are contracts: members are only ever
// added. Names and messages are chosen by others, so no format writes a control character as it is:
// JSON and YAML escape it, the others put '?' in its place. Source: interfaces.md "Output", "JSON
// contract".
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::cli {

enum class Format {
  kPretty,  // words and tables for people, in each command's own form
  kSparse,  // the bare table or "name: value" lines of the same data
  kJson,    // on one line
  kPrettyJson,
  kJsonLines,
  kCsv,  // RFC 4180, with a heading line
  kYaml,
  kValue,  // the values parted by tabs, without a heading
};

// By the name that --format takes; nullopt for another.
std::optional<Format> FindFormat(std::string_view name);

// "pretty", "sparse", ... in the order of the documentation.
const std::vector<std::string>& FormatNames();

// One column of a table: the member it shows and how it is headed.
struct Column {
  std::string member;
  std::string heading;
  bool align_right = false;
};

// Prints rows (objects): pretty and sparse as an aligned table of `columns`, csv and value with the
// columns' members, the others with all members. Without rows pretty prints `empty_text`, sparse
// and value print nothing.
void PrintRows(std::ostream& out, Format format, const std::vector<Column>& columns,
               const std::vector<Json>& rows, std::string_view empty_text);

// Prints one document: pretty and sparse as "name: value" lines, csv and value as one row of its
// scalars.
void PrintDocument(std::ostream& out, Format format, const Json& document);

// The same rows as they come, so that any number of them can be printed: what is for machines is
// what PrintRows prints; a table for people is aligned, and headed, for each kRowsPerTable rows.
class RowPrinter {
 public:
  static constexpr size_t kRowsPerTable = 1'000;

  // Borrows `out`.
  RowPrinter(std::ostream& out, Format format, std::vector<Column> columns, std::string empty_text)
      : out_(out),
        format_(format),
        columns_(std::move(columns)),
        empty_text_(std::move(empty_text)) {}

  void Add(Json row);

  // Prints what is left, and what ends the list.
  void Finish();

 private:
  void Flush();

  std::ostream& out_;
  Format format_;
  std::vector<Column> columns_;
  std::string empty_text_;
  std::vector<Json> rows_;  // not printed yet
  bool any_ = false;        // was printed
};

// Calls its argument for each item of a list.
using ForEachItem = std::function<Status(const std::function<void(const Json& item)>& visit)>;

// PrintDocument of a document whose member `list`, an empty list in `document`, holds what
// `for_each` gives: items are printed as they come. Errors: of `for_each`, in the middle of what is
// printed. Formats that show no lists call it not at all.
Status PrintDocumentWithList(std::ostream& out, Format format, const Json& document,
                             std::string_view list, const ForEachItem& for_each);

// Text for people. "3.0 million"-like rounding never hides a difference: counts are exact with
// separators, sizes have three digits.
std::string HumanCount(int64_t count);                     // "3,000,000"
std::string HumanBytes(int64_t bytes);                     // "12.9 MiB"
std::string HumanDuration(int64_t millis);                 // "840 ms", "12.3 s", "4 min 05 s"
std::string Plural(int64_t count, std::string_view noun);  // "1 table", "3 tables"

// The text on one line, with each control character (C0, DEL, C1) as '?'.
std::string Printable(std::string text);

// The same for several lines: line breaks stay.
std::string PrintableLines(std::string text);

// A JSON value as YAML text, indented by `indent` spaces.
std::string ToYaml(const Json& value, int indent = 0);

}  // namespace holdfast::cli
