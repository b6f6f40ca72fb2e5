// CSV files as rows: DuckDB's reader with BigQuery's options, and BigQuery's conversions.
//
// The first try reads as if every row were good, which costs nothing. If it fails and bad records
// matter, the files are read once more to say which lines are bad. With bad records allowed, rows
// are filtered while they are read, and those that convert badly are set aside in a temporary
// table.
#include <fmt/format.h>

#include <set>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/load_source.h"
#include "localcloud/warehouse/result_schema.h"

namespace holdfast::warehouse {

namespace {

constexpr std::string_view kStage = "temp.holdfast_csv_rows";
constexpr std::string_view kBadColumn = "holdfast_bad";
constexpr int64_t kRejectsMargin = 1000;

// Whether DuckDB's reader makes the value itself, or gives text that is converted afterwards.
bool IsReadDirectly(FieldType type) {
  switch (type) {
    case FieldType::kInt64:
    case FieldType::kFloat64:
    case FieldType::kBool:
    case FieldType::kNumeric:
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kDateTime:
    case FieldType::kTimestamp:
      return true;
    default:
      return false;
  }
}

// Canonical decimal text, as avro/batch.h wants it: no '+', no zeros in front or behind.
std::string BigNumericExpression(const std::string& column) {
  const std::string canonical = fmt::format(
      "regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace({}, '^\\+', ''), "
      "'^(-?)0+(\\d)', '\\1\\2'), '^(-?)\\.', '\\10.'), '(\\.\\d*?)0+$', '\\1'), '\\.$', '')",
      column);
  return fmt::format(
      "CASE WHEN regexp_full_match({0}, '[+-]?(\\d{{1,39}}(\\.\\d{{0,38}})?|\\.\\d{{1,38}})') THEN "
      "CASE WHEN {1} = '-0' THEN '0' ELSE {1} END END",
      column, canonical);
}

std::string RangeExpression(const Field& field, const std::string& column) {
  Field bound;
  bound.type = field.range_element_type;
  const auto end = [&](int group) {
    const std::string text =
        fmt::format("trim(regexp_extract({}, '^\\[([^,]*),([^)]*)\\)$', {}))", column, group);
    return fmt::format(
        "TRY_CAST(CASE WHEN {0} IN ('UNBOUNDED', 'NULL') THEN NULL ELSE {0} END AS {1})", text,
        DuckType(bound));
  };
  return fmt::format(
      "CASE WHEN regexp_full_match({0}, '\\[[^,]*,[^)]*\\)') THEN "
      "struct_pack(\"start\" := {1}, \"end\" := {2}) END",
      column, end(1), end(2));
}

// SQL of the field's value from the text read for it; NULL when the text is none.
std::string ParsedExpression(const Field& field, bool quoted_newlines) {
  const std::string column = QuoteIdentifier(field.name);
  switch (field.type) {
    case FieldType::kBytes:
      return fmt::format("TRY(from_base64({}))", column);
    case FieldType::kJson:
      return fmt::format("TRY_CAST({} AS JSON)", column);
    case FieldType::kBigNumeric:
      return BigNumericExpression(column);
    case FieldType::kRange:
      return RangeExpression(field, column);
    default:
      break;
  }
  if (IsReadDirectly(field.type) || quoted_newlines) return column;
  return fmt::format("CASE WHEN contains({0}, chr(10)) THEN NULL ELSE {0} END", column);
}

// What to say of a text that is no value.
std::string Complaint(const Field& field) {
  if (field.type == FieldType::kString) {
    return fmt::format(
        "Missing close quote character (\"): field {} has a line break; allow it "
        "with allowQuotedNewlines: ",
        field.name);
  }
  return fmt::format("Could not parse as {} for field {}: ", SqlTypeName(field.type), field.name);
}

// The same, but a text that is no value ends the query.
std::string StrictExpression(const Field& field, bool quoted_newlines) {
  const std::string column = QuoteIdentifier(field.name);
  const std::string parsed = ParsedExpression(field, quoted_newlines);
  if (parsed == column) return column;
  return fmt::format(
      "CASE WHEN {0} IS NOT NULL AND ({1}) IS NULL THEN error({2} || {0}) ELSE {1} "
      "END",
      column, parsed, QuoteLiteral(Complaint(field)));
}

// The name that BigQuery gives a detected column: letters, digits and '_' (character map V1).
std::string DetectedName(const std::string& header, size_t index) {
  std::string name;
  for (const char c : header) {
    const bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += keep ? c : '_';
  }
  if (name.empty()) name = fmt::format("string_field_{}", index);
  if (name[0] >= '0' && name[0] <= '9') name.insert(0, "_");
  return name;
}

// "column0", "column1", ...: the names that DuckDB makes up for files without a header line.
bool IsMadeUp(const Schema& schema) {
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    const size_t digits = std::to_string(schema.fields.size() - 1).size();
    if (schema.fields[i].name != fmt::format("column{:0{}}", i, digits)) return false;
  }
  return true;
}

// The narrowest type that holds values of both.
FieldType CommonType(FieldType a, FieldType b) {
  const auto is_number = [](FieldType type) {
    return type == FieldType::kInt64 || type == FieldType::kFloat64;
  };
  if (a == b) return a;
  return is_number(a) && is_number(b) ? FieldType::kFloat64 : FieldType::kString;
}

class CsvInput final : public LoadInput {
 public:
  CsvInput(Connection& connection, const LoadRequest& request, std::vector<std::string> paths,
           bool gzip)
      : connection_(connection), request_(request), paths_(std::move(paths)), gzip_(gzip) {}

  // The first file says what columns there are, the next ones may widen their types.
  Result<Schema> Detect() override {
    HF_ASSIGN_OR_RETURN(Schema schema, Sniff(paths_.front()));
    for (size_t i = 1; i < std::min(paths_.size(), kDetectFilesMax); ++i) {
      HF_ASSIGN_OR_RETURN(const Schema other, Sniff(paths_[i]));
      if (other.fields.size() != schema.fields.size()) continue;  // its rows are bad records
      for (size_t column = 0; column < schema.fields.size(); ++column) {
        FieldType& type = schema.fields[column].type;
        type = CommonType(type, other.fields[column].type);
      }
    }
    has_header_ = !IsMadeUp(schema);
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      Field& field = schema.fields[i];
      field.name = DetectedName(has_header_ ? field.name : "", i);
    }
    detected_ = schema;
    return schema;
  }

  bool names_fields() const override { return false; }

  Result<std::string> Select(const Schema& schema) override {
    for (const Field& field : schema.fields) {
      if (field.mode != FieldMode::kRepeated && field.type != FieldType::kRecord) continue;
      return LoadError(
          fmt::format("CSV cannot hold nested or repeated data: field {}", field.name));
    }
    schema_ = ReadColumns(schema);
    std::string columns;
    for (const Field& field : schema.fields) {
      if (schema_.Find(field.name) == nullptr) {
        HF_ASSIGN_OR_RETURN(const std::string absent, AbsentValue(field, request_.default_sql));
        columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", absent,
                               QuoteIdentifier(field.name));
        continue;
      }
      columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ",
                             StrictExpression(field, request_.csv.allow_quoted_newlines),
                             QuoteIdentifier(field.name));
    }
    if (request_.bad_records_max == 0) {
      return fmt::format("SELECT {} FROM {}", columns, Reader(false));
    }
    return StageGoodRows(schema);
  }

  Status Finish(const Status& read, BadRecords& bad) override {
    const bool lenient = request_.bad_records_max > 0;
    if (!read.ok() && (read.error().id != ErrorId::kQueryFailed || lenient)) return read;
    if (read.ok() && !lenient) return Ok();
    if (!lenient) HF_RETURN_IF_ERROR(FindRejects());
    HF_RETURN_IF_ERROR(CollectRejects(bad));
    if (lenient) return CollectStaged(bad);
    if (bad.count == 0) {
      bad.Add({.source = {}, .line = 0, .field = {}, .message = read.error().message});
    }
    return Ok();
  }

 private:
  Result<Schema> Sniff(const std::string& path) {
    const int64_t skip = request_.csv.skip_leading_rows;
    const auto statement = connection_.Prepare(
        fmt::format("SELECT * FROM read_csv([{}]{}, sample_size = 20480{})", QuoteLiteral(path),
                    FormatOptions(), skip > 1 ? fmt::format(", skip = {}", skip - 1) : ""));
    if (!statement.ok()) return ReadingError(request_, statement.error().message);
    return ResultSchema(*statement, {});
  }

  // What the files' columns are, in their order. A header line that was detected says which of
  // the table's fields each is; without one the order of the fields does.
  Schema ReadColumns(const Schema& table) const {
    if (!detected_ || !has_header_) return table;
    Schema columns;
    for (const Field& field : detected_->fields) {
      const Field* const known = table.Find(field.name);
      columns.fields.push_back(known == nullptr ? field : *known);
    }
    return columns;
  }

  std::string PathList() const {
    std::string list;
    for (const std::string& path : paths_) list += (list.empty() ? "" : ", ") + QuoteLiteral(path);
    return "[" + list + "]";
  }

  std::string FormatOptions() const {
    const CsvOptions& csv = request_.csv;
    const bool latin = csv.encoding == "ISO-8859-1";
    return fmt::format(", delim = {}, quote = {}, escape = {}, encoding = '{}', compression = '{}'",
                       QuoteLiteral(csv.field_delimiter == "\\t" ? "\t" : csv.field_delimiter),
                       QuoteLiteral(csv.quote), QuoteLiteral(csv.quote),
                       latin ? "latin-1" : "utf-8", gzip_ ? "gzip" : "none");
  }

  // The reader over all files. `lenient`: bad lines are left out and noted as rejects.
  std::string Reader(bool lenient) const {
    const CsvOptions& csv = request_.csv;
    std::string types;
    for (const Field& field : schema_.fields) {
      types += fmt::format("{}{}: {}", types.empty() ? "" : ", ", QuoteLiteral(field.name),
                           QuoteLiteral(IsReadDirectly(field.type) ? DuckType(field) : "VARCHAR"));
    }
    const int64_t skip = std::max<int64_t>(csv.skip_leading_rows, has_header_ ? 1 : 0);
    std::string options = fmt::format(
        "{}, columns = {{{}}}, auto_detect = false, header = false, skip = {}, nullstr = {}, "
        "allow_quoted_nulls = false, null_padding = {}, strict_mode = {}",
        FormatOptions(), types, skip, QuoteLiteral(csv.null_marker), csv.allow_jagged_rows,
        !request_.ignore_unknown_values);
    // DuckDB cannot pad rows in parallel when line breaks may be quoted.
    if (csv.allow_jagged_rows) options += ", parallel = false";
    if (lenient) {
      options += fmt::format(", ignore_errors = true, store_rejects = true, rejects_limit = {}",
                             request_.bad_records_max + kRejectsMargin);
    }
    return fmt::format("read_csv({}{})", PathList(), options);
  }

  Result<std::string> StageGoodRows(const Schema& schema) {
    std::string columns;
    std::string names;
    std::string bad = "CASE";
    for (const Field& field : schema.fields) {
      const std::string column = QuoteIdentifier(field.name);
      const bool absent = schema_.Find(field.name) == nullptr;
      std::string value = ParsedExpression(field, request_.csv.allow_quoted_newlines);
      if (absent) {
        HF_ASSIGN_OR_RETURN(value, AbsentValue(field, request_.default_sql));
      }
      const bool direct = absent || value == column;
      if (!names.empty()) names += ", ";
      names += column;
      columns += fmt::format("{} AS {}, ", value, column);
      if (field.mode == FieldMode::kRequired && !absent) {
        bad +=
            fmt::format(" WHEN {} IS NULL THEN {}", column,
                        QuoteLiteral(fmt::format("Required field {} cannot be null", field.name)));
      }
      if (!direct) {
        bad += fmt::format(" WHEN {} IS NOT NULL AND ({}) IS NULL THEN {} || {}", column, value,
                           QuoteLiteral(Complaint(field)), column);
      }
    }
    bad = bad == "CASE" ? "CAST(NULL AS VARCHAR)" : bad + " END";
    HF_RETURN_IF_ERROR(
        connection_.Execute(fmt::format("CREATE TEMP TABLE {} AS SELECT {}{} AS {} "
                                        "FROM {}",
                                        kStage, columns, bad, kBadColumn, Reader(true)),
                            request_.cancel));
    return fmt::format("SELECT {} FROM {} WHERE {} IS NULL", names, kStage, kBadColumn);
  }

  // Reads everything again, only to learn which lines are bad.
  Status FindRejects() {
    return connection_.Execute(fmt::format("SELECT count(COLUMNS(*)) FROM {}", Reader(true)),
                               request_.cancel);
  }

  Status CollectRejects(BadRecords& bad) {
    HF_ASSIGN_OR_RETURN(
        const auto rows,
        ReadTextRows(connection_,
                     "SELECT file_path, CAST(line AS VARCHAR), any_value(column_name), "
                     "any_value(error_message) FROM reject_errors JOIN reject_scans USING "
                     "(scan_id, file_id) GROUP BY file_path, line ORDER BY file_path, line"));
    for (const TextRow& row : rows) {
      bad.Add({.source = NameOf(row[0].value_or("")),
               .line = std::stoll(row[1].value_or("0")),
               .field = row[2].value_or(""),
               .message = row[3].value_or("")});
    }
    return Ok();
  }

  Status CollectStaged(BadRecords& bad) {
    HF_ASSIGN_OR_RETURN(const auto counts,
                        ReadTextRows(connection_, fmt::format("SELECT CAST(count({}) AS VARCHAR) "
                                                              "FROM {}",
                                                              kBadColumn, kStage)));
    HF_ASSIGN_OR_RETURN(
        const auto rows,
        ReadTextRows(connection_, fmt::format("SELECT {0} FROM {1} WHERE {0} IS NOT NULL LIMIT {2}",
                                              kBadColumn, kStage, kBadRecordsKept)));
    const int64_t total = bad.count + std::stoll(counts[0][0].value_or("0"));
    for (const TextRow& row : rows) {
      bad.Add({.source = {}, .line = 0, .field = {}, .message = row[0].value_or("")});
    }
    bad.count = total;
    return Ok();
  }

  std::string NameOf(const std::string& path) const {
    for (size_t i = 0; i < paths_.size(); ++i) {
      if (paths_[i] == path) return request_.sources[i].name;
    }
    return {};
  }

  Connection& connection_;
  const LoadRequest& request_;
  std::vector<std::string> paths_;
  bool gzip_;
  Schema schema_;  // of the files' columns, in their order
  std::optional<Schema> detected_;
  bool has_header_ = false;
};

}  // namespace

Result<std::unique_ptr<LoadInput>> MakeCsvInput(Connection& connection, const LoadRequest& request,
                                                const std::string& staging) {
  if (request.sources.empty()) return LoadError("The job names no source");
  std::vector<std::string> paths;
  std::set<bool> compressed;
  for (size_t i = 0; i < request.sources.size(); ++i) {
    HF_ASSIGN_OR_RETURN(std::string path, PlainPath(request.sources[i].path, staging, i));
    HF_ASSIGN_OR_RETURN(const bool gzip, IsGzip(request.sources[i]));
    paths.push_back(std::move(path));
    compressed.insert(gzip);
  }
  if (compressed.size() > 1) {
    return LoadError("Compressed and uncompressed files cannot be loaded by one job");
  }
  return std::unique_ptr<LoadInput>(
      std::make_unique<CsvInput>(connection, request, std::move(paths), *compressed.begin()));
}

}  // namespace holdfast::warehouse
