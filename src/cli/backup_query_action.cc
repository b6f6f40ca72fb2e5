#include <fmt/format.h>

#include <iostream>
#include <optional>
#include <set>

#include "avro/cell_json.h"
#include "base/suggestion.h"
#include "cli/asking.h"
#include "cli/backup_actions.h"

namespace holdfast::cli {

namespace {

constexpr const char* kUnknownName = "Unrecognized name: ";

bool IsNumber(const Field& field) {
  return field.mode != FieldMode::kRepeated &&
         (field.type == FieldType::kInt64 || field.type == FieldType::kFloat64 ||
          field.type == FieldType::kNumeric || field.type == FieldType::kBigNumeric);
}

Json ColumnsJson(const Schema& schema) {
  Json columns = Json::array();
  for (const Field& field : schema.fields) {
    columns.push_back(
        {{"name", field.name}, {"type", SqlTypeName(field.type)}, {"mode", ModeName(field.mode)}});
  }
  return columns;
}

// The answer's rows: printed as they come, or kept where the format is one document.
class AnswerPrinter {
 public:
  AnswerPrinter(Format format, int64_t bytes_max) : format_(format), bytes_max_(bytes_max) {
    is_document_ =
        format == Format::kJson || format == Format::kPrettyJson || format == Format::kYaml;
  }

  Status Begin(const Schema& schema) {
    schema_ = schema;
    if (is_document_) return Ok();
    std::vector<Column> columns;
    for (const Field& field : schema.fields) {
      columns.push_back({field.name, field.name, IsNumber(field)});
    }
    printer_.emplace(std::cout, format_, std::move(columns), "No rows");
    return Ok();
  }

  Status Add(const avro::BatchView& batch) {
    for (size_t row = 0; row < batch.rows; ++row) {
      Json json = avro::RowToJson(schema_, batch, row);
      if (!is_document_) {
        printer_->Add(std::move(json));
        continue;
      }
      bytes_ += static_cast<int64_t>(DumpJson(json).size());
      if (bytes_ > bytes_max_) {
        return MakeError(ErrorId::kLimitExceeded,
                         "the answer takes more memory than --memory allows",
                         "Give a smaller --limit, or --format jsonl, which holds no rows");
      }
      rows_.push_back(std::move(json));
    }
    return Ok();
  }

  void Finish(const AskedName& name, const ask::Answer& answer, Json missing) {
    if (!is_document_) return printer_->Finish();
    Json document = CostJson(answer.statistics);
    document["schema"] = "holdfast.backup_query.v1";
    document["table"] = name.ToString();
    document["columns"] = ColumnsJson(schema_);
    document["row_count"] = answer.statistics.rows;
    document["is_cut"] = answer.is_cut;
    document["missing"] = std::move(missing);
    document["rows"] = std::move(rows_);
    PrintDocument(std::cout, format_, document);
  }

 private:
  Format format_;
  int64_t bytes_max_;
  bool is_document_ = false;
  Schema schema_;
  std::optional<RowPrinter> printer_;
  Json rows_ = Json::array();
  int64_t bytes_ = 0;
};

// A name that is in no table of the query gets the nearest column, or all of them.
Error WithColumns(Error error, const std::set<std::string>& columns) {
  const size_t start = error.message.find(kUnknownName);
  if (start == std::string::npos || columns.empty()) return error;
  std::string name = error.message.substr(start + std::string_view(kUnknownName).size());
  name.resize(std::min(name.find(" at ["), name.size()));
  const std::vector<std::string> candidates(columns.begin(), columns.end());
  error.hint = DidYouMean(name, candidates);
  if (!error.hint.empty()) return error;
  error.hint = "The columns are: ";
  for (const std::string& column : columns) {
    error.hint += (column == *columns.begin() ? "" : ", ") + column;
  }
  return error;
}

}  // namespace

Result<int> BackupQuery(const GlobalOptions& global, const BackupQueryOptions& options) {
  HF_ASSIGN_OR_RETURN(const AskedName name, ParseAskedName(options.table));
  HF_ASSIGN_OR_RETURN(Asking asking, Asking::Open(global, options.memory_mebibytes));
  HF_RETURN_IF_ERROR(asking.LearnOfOthersBackups(global, name.table));
  HF_RETURN_IF_ERROR(asking.Note("backup.query", name.ToString(), {{"sql", options.sql}}));
  std::set<std::string> columns;
  const ask::TableFinder find = [&](const TableRef& table,
                                    std::optional<int64_t> as_of_ms) -> Result<ask::AskedTable> {
    AskedName asked{.table = table, .as_of_ms = as_of_ms ? as_of_ms : name.as_of_ms, .backup = {}};
    if (table == name.table.WholeTable() && !as_of_ms) asked = name;
    HF_ASSIGN_OR_RETURN(ask::AskedTable found, asking.tables->Find(asked));
    for (const Field& field : found.schema.fields) columns.insert(field.name);
    return found;
  };
  const ask::Question question{
      .sql = options.sql, .home = name.table.dataset_ref(), .rows_max = options.limit};
  AnswerPrinter printer(global.OutputFormat(), int64_t{options.memory_mebibytes} << 20U);
  const auto answer = asking.asker->Query(
      question, find,
      {.begin = [&](const Schema& schema) { return printer.Begin(schema); },
       .rows = [&](const Schema&, const avro::BatchView& batch) { return printer.Add(batch); }});
  asking.SayNotes(global);
  if (!answer.ok()) return WithColumns(answer.error(), columns);
  printer.Finish(name, *answer, asking.Missing());
  if (answer->is_cut) {
    Say(global, fmt::format("Cut after {}: there are more, give --limit to see them",
                            Plural(answer->statistics.rows, "row")));
  }
  Say(global, CostText(answer->statistics));
  return asking.ExitCode();
}

}  // namespace holdfast::cli
