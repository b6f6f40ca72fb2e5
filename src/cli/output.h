// What a command prints: data on stdout in the format asked for, words for people on stderr.
//
// The pretty form is for eyes and may change; json, jsonl, csv and yaml are contracts: members are
// only ever added. Source: interfaces.md "Output", "JSON contract".
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::cli {

enum class Format { kPretty, kJson, kJsonLines, kCsv, kYaml };
std::optional<Format> FindFormat(std::string_view name);

// One column of a table: the member it shows and how it is headed.
struct Column {
  std::string member;
  std::string heading;
  bool align_right = false;
};

// Prints rows (objects): pretty as an aligned table of `columns`, csv with the columns' members,
// the others with all members. An empty pretty table prints `empty_text`.
void PrintRows(std::ostream& out, Format format, const std::vector<Column>& columns,
               const std::vector<Json>& rows, std::string_view empty_text);

// Prints one document: pretty as "name: value" lines, csv as one row of its scalars.
void PrintDocument(std::ostream& out, Format format, const Json& document);

// Text for people. "3.0 million"-like rounding never hides a difference: counts are exact with
// separators, sizes have three digits.
std::string HumanCount(int64_t count);                     // "3,000,000"
std::string HumanBytes(int64_t bytes);                     // "12.9 MiB"
std::string HumanDuration(int64_t millis);                 // "840 ms", "12.3 s", "4 min 05 s"
std::string Plural(int64_t count, std::string_view noun);  // "1 table", "3 tables"

// A JSON value as YAML text, indented by `indent` spaces.
std::string ToYaml(const Json& value, int indent = 0);

}  // namespace holdfast::cli
