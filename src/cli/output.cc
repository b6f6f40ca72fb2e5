#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

namespace holdfast::cli {

namespace {

// A scalar as text; a list or object as compact JSON.
std::string AsText(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return DumpJson(value);
}

std::string MemberText(const Json& row, const std::string& member) {
  const Json* value = FindField(row, member);
  return value == nullptr ? "" : AsText(*value);
}

// Whether a control character begins at `at`, and how many bytes it has. C1 (U+0080..U+009F) is two
// bytes in UTF-8; some terminals take U+009B for ESC '['.
size_t ControlLength(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7F) return 1;
  if (byte != 0xC2 || at + 1 == text.size()) return 0;
  return static_cast<unsigned char>(text[at + 1]) < 0xA0 ? 2 : 0;
}

// The text with each control character but those in `kept` as '?'.
std::string ReplaceControls(std::string_view text, std::string_view kept) {
  std::string printable;
  printable.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = ControlLength(text, at);
    const bool keep = length == 0 || (length == 1 && kept.find(text[at]) != kept.npos);
    printable += keep ? text[at] : '?';
    at += std::max<size_t>(length, 1);
  }
  return printable;
}

// JSON need not escape DEL and C1, and its writer does not; outside strings there are none.
std::string EscapeControls(const std::string& json) {
  std::string escaped;
  for (size_t at = 0; at < json.size();) {
    const size_t length = json[at] == '\n' ? 0 : ControlLength(json, at);
    if (length == 0) {
      escaped += json[at++];
      continue;
    }
    const auto code = static_cast<unsigned char>(json[at + length - 1]);
    escaped += fmt::format("\\u{:04x}", code);
    at += length;
  }
  return escaped;
}

std::string JsonText(const Json& value) { return EscapeControls(DumpJson(value)); }

// Columns a text takes, when each character outside ASCII takes one.
size_t Width(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void PrintTable(std::ostream& out, const std::vector<Column>& columns,
                const std::vector<Json>& rows) {
  std::vector<size_t> widths;
  for (const Column& column : columns) {
    size_t width = Width(column.heading);
    for (const Json& row : rows)
      width = std::max(width, Width(Printable(MemberText(row, column.member))));
    widths.push_back(width);
  }
  const auto print_line = [&](const auto& text_of) {
    std::string line;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string text = text_of(columns[i]);
      const std::string padding(widths[i] - Width(text), ' ');
      if (i > 0) line += "  ";
      line += columns[i].align_right ? padding + text : text + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_line([](const Column& column) { return column.heading; });
  for (const Json& row : rows) {
    print_line([&](const Column& column) { return Printable(MemberText(row, column.member)); });
  }
}

void PrintCsv(std::ostream& out, const std::vector<Column>& columns, const std::vector<Json>& rows,
              bool with_heading = true) {
  const auto print_line = [&](const auto& text_of) {
    for (size_t i = 0; i < columns.size(); ++i) {
      out << (i > 0 ? "," : "") << CsvField(text_of(columns[i]));
    }
    out << "\n";
  };
  if (with_heading) print_line([](const Column& column) { return Printable(column.member); });
  for (const Json& row : rows) {
    print_line([&](const Column& column) {
      return ReplaceControls(MemberText(row, column.member), "\t\r\n");
    });
  }
}

void PrintValues(std::ostream& out, const std::vector<Column>& columns,
                 const std::vector<Json>& rows) {
  for (const Json& row : rows) {
    for (size_t i = 0; i < columns.size(); ++i) {
      out << (i > 0 ? "\t" : "") << Printable(MemberText(row, columns[i].member));
    }
    out << '\n';
  }
}

// The members of a document that are one value each.
std::vector<Column> ScalarColumns(const Json& document) {
  std::vector<Column> columns;
  for (const auto& [key, value] : document.items()) {
    if (!value.is_structured()) columns.push_back({.member = key, .heading = key});
  }
  return columns;
}

void PrintPrettyDocument(std::ostream& out, const Json& document) {
  size_t width = 0;
  for (const auto& [key, value] : document.items()) width = std::max(width, key.size());
  for (const auto& [key, value] : document.items()) {
    if (value.is_structured() && !value.empty()) {
      out << Printable(key) << ":\n" << ToYaml(value, 2);
    } else {
      out << fmt::format("{:<{}}  {}\n", Printable(key) + ":", width + 1, Printable(AsText(value)));
    }
  }
}

std::string YamlScalar(const Json& value) {
  // A JSON text is YAML too, and quoting every string is always right.
  if (value.is_structured()) return value.is_array() ? "[]" : "{}";
  return JsonText(value);
}

}  // namespace

std::optional<Format> FindFormat(std::string_view name) {
  static constexpr std::array<Format, 8> kInOrder = {
      Format::kPretty,    Format::kSparse, Format::kJson, Format::kPrettyJson,
      Format::kJsonLines, Format::kCsv,    Format::kYaml, Format::kValue};
  const std::vector<std::string>& names = FormatNames();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return kInOrder.at(static_cast<size_t>(found - names.begin()));
}

const std::vector<std::string>& FormatNames() {
  static const std::vector<std::string> names = {"pretty", "sparse", "json", "prettyjson",
                                                 "jsonl",  "csv",    "yaml", "value"};
  return names;
}

std::string Printable(std::string text) { return ReplaceControls(text, ""); }

std::string PrintableLines(std::string text) { return ReplaceControls(text, "\n"); }

std::string ToYaml(const Json& value, int indent) {
  const std::string padding(static_cast<size_t>(indent), ' ');
  std::string text;
  const auto append = [&](const std::string& head, const Json& item) {
    if (item.is_structured() && !item.empty()) {
      text += padding + head + "\n" + ToYaml(item, indent + 2);
    } else {
      text += padding + head + " " + YamlScalar(item) + "\n";
    }
  };
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) append(JsonText(Json(key)) + ":", item);
  } else if (value.is_array()) {
    for (const Json& item : value) append("-", item);
  } else {
    text = padding + YamlScalar(value) + "\n";
  }
  return text;
}

void PrintRows(std::ostream& out, Format format, const std::vector<Column>& columns,
               const std::vector<Json>& rows, std::string_view empty_text) {
  switch (format) {
    case Format::kPretty:
      if (rows.empty() && !empty_text.empty()) out << empty_text << '\n';
      [[fallthrough]];
    case Format::kSparse:
      if (!rows.empty()) PrintTable(out, columns, rows);
      return;
    case Format::kJson:
      out << JsonText(Json(rows)) << '\n';
      return;
    case Format::kPrettyJson:
      out << EscapeControls(DumpPrettyJson(Json(rows))) << '\n';
      return;
    case Format::kJsonLines:
      for (const Json& row : rows) out << JsonText(row) << '\n';
      return;
    case Format::kCsv:
      PrintCsv(out, columns, rows);
      return;
    case Format::kYaml:
      out << (rows.empty() ? "[]\n" : ToYaml(Json(rows)));
      return;
    case Format::kValue:
      PrintValues(out, columns, rows);
      return;
  }
}

void PrintDocument(std::ostream& out, Format format, const Json& document) {
  switch (format) {
    case Format::kPretty:
    case Format::kSparse:
      PrintPrettyDocument(out, document);
      return;
    case Format::kJson:
    case Format::kJsonLines:
      out << JsonText(document) << '\n';
      return;
    case Format::kPrettyJson:
      out << EscapeControls(DumpPrettyJson(document)) << '\n';
      return;
    case Format::kCsv:
      PrintCsv(out, ScalarColumns(document), {document});
      return;
    case Format::kYaml:
      out << ToYaml(document);
      return;
    case Format::kValue:
      PrintValues(out, ScalarColumns(document), {document});
      return;
  }
}

namespace {

// The text with each line after the first indented.
std::string Indented(const std::string& text, size_t indent) {
  std::string indented;
  for (const char c : text) {
    indented += c;
    if (c == '\n') indented.append(indent, ' ');
  }
  return indented;
}

// How a list stands in the text of a document: around it, around and between its items.
struct ListText {
  std::string empty;  // the member with its empty list
  std::string begin;  // with the member's name
  std::string between;
  std::string end;
  std::function<std::string(const Json& item)> item;
};

ListText ListTextOf(Format format, std::string_view list) {
  const std::string name = JsonText(Json(list));
  if (format == Format::kPrettyJson) {
    return {
        .empty = name + ": []",
        .begin = name + ": [\n    ",
        .between = ",\n    ",
        .end = "\n  ]",
        .item = [](const Json& item) { return EscapeControls(Indented(DumpPrettyJson(item), 4)); }};
  }
  if (format == Format::kYaml) {
    return {.empty = name + ": []\n",
            .begin = name + ":\n",
            .between = "",
            .end = "",
            .item = [](const Json& item) { return ToYaml(Json::array({item}), 2); }};
  }
  if (format == Format::kSparse) {
    return {.empty = {},
            .begin = std::string(list) + ":",
            .between = "",
            .end = "",
            .item = [](const Json& item) { return ToYaml(Json::array({item}), 2); }};
  }
  return {.empty = name + ":[]",
          .begin = name + ":[",
          .between = ",",
          .end = "]",
          .item = [](const Json& item) { return JsonText(item); }};
}

std::string DocumentText(Format format, const Json& document) {
  if (format == Format::kSparse) {
    std::ostringstream text;
    PrintPrettyDocument(text, document);
    return text.str();
  }
  if (format == Format::kYaml) return ToYaml(document);
  return (format == Format::kPrettyJson ? EscapeControls(DumpPrettyJson(document))
                                        : JsonText(document)) +
         "\n";
}

}  // namespace

void RowPrinter::Add(Json row) {
  rows_.push_back(std::move(row));
  if (rows_.size() == kRowsPerTable) Flush();
}

void RowPrinter::Flush() {
  const bool is_one_list = format_ == Format::kJson || format_ == Format::kPrettyJson;
  if (!is_one_list) {
    const bool is_csv_without_heading = format_ == Format::kCsv && any_;
    if (is_csv_without_heading) {
      PrintCsv(out_, columns_, rows_, false);
    } else {
      PrintRows(out_, format_, columns_, rows_, "");
    }
  } else {
    const bool is_pretty = format_ == Format::kPrettyJson;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const bool is_first = i == 0 && !any_;
      if (is_pretty) {
        out_ << (is_first ? "[\n  " : ",\n  ")
             << EscapeControls(Indented(DumpPrettyJson(rows_[i]), 2));
      } else {
        out_ << (is_first ? "[" : ",") << JsonText(rows_[i]);
      }
    }
  }
  any_ = any_ || !rows_.empty();
  rows_.clear();
}

void RowPrinter::Finish() {
  if (!any_ && rows_.empty()) {
    PrintRows(out_, format_, columns_, {}, empty_text_);
    return;
  }
  Flush();
  if (format_ == Format::kJson) out_ << "]\n";
  if (format_ == Format::kPrettyJson) out_ << "\n]\n";
}

Status PrintDocumentWithList(std::ostream& out, Format format, const Json& document,
                             std::string_view list, const ForEachItem& for_each) {
  const bool shows_lists = format == Format::kJson || format == Format::kJsonLines ||
                           format == Format::kPrettyJson || format == Format::kYaml ||
                           format == Format::kSparse;
  if (!shows_lists) {
    PrintDocument(out, format, document);
    return Ok();
  }
  ListText text = ListTextOf(format, list);
  const std::string whole = DocumentText(format, document);
  if (format == Format::kSparse) {
    const size_t line = whole.find(text.begin);
    text.empty = whole.substr(line, whole.find('\n', line) + 1 - line);
    text.begin += "\n";
  }
  const size_t at = whole.find(text.empty);
  CHECK(at != whole.npos, "a document has no list of that name");
  out << whole.substr(0, at);
  bool any = false;
  const Status listed = for_each([&](const Json& item) {
    out << (any ? text.between : text.begin) << text.item(item);
    any = true;
  });
  out << (any ? text.end : text.empty) << whole.substr(at + text.empty.size());
  return listed;
}

std::string HumanCount(int64_t count) {
  std::string digits = std::to_string(count);
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string HumanBytes(int64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"B",   "KiB", "MiB",
                                                             "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

std::string HumanDuration(int64_t millis) {
  if (millis < 1000) return fmt::format("{} ms", millis);
  if (millis < 59'950) return fmt::format("{:.1f} s", static_cast<double>(millis) / 1000);
  const int64_t seconds = (millis + 500) / 1000;
  return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
}

std::string Plural(int64_t count, std::string_view noun) {
  if (count != 1 && noun.ends_with("ry")) {
    return fmt::format("{} {}ies", HumanCount(count), noun.substr(0, noun.size() - 1));
  }
  return fmt::format("{} {}{}", HumanCount(count), noun, count == 1 ? "" : "s");
}

}  // namespace holdfast::cli
