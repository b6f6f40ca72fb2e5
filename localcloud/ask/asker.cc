#include "localcloud/ask/asker.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/directory_lock.h"
#include "localcloud/ask/query_tables.h"
#include "localcloud/googlesql/parser.h"
#include "localcloud/googlesql/translate.h"
#include "localcloud/warehouse/batch_source.h"

namespace holdfast::ask {

namespace {

constexpr std::string_view kScratchPrefix = "ask-";
constexpr size_t kQuestionBytesMax = size_t{1} << 20U;  // BigQuery: 1 MB of GoogleSQL
constexpr int kReadersMin = 8;  // more than cores, since most wait for bytes of a bucket
constexpr auto kLeftoverAge = std::chrono::hours(1);  // younger ones may be about to be locked

// What askers left that were killed: directories that nobody holds any more.
void RemoveLeftovers(const std::filesystem::path& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(kScratchPrefix)) continue;
    const auto written = entry.last_write_time(ignored);
    if (ignored || std::filesystem::file_time_type::clock::now() - written < kLeftoverAge) continue;
    if (DirectoryLock::IsHeld(entry.path().string())) continue;
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

Result<googlesql::SelectPlan> Translate(const Question& question, int64_t now_us,
                                        QueryTables& tables) {
  if (question.sql.size() > kQuestionBytesMax) {
    return MakeError(ErrorId::kUnsupportedQuery,
                     fmt::format("the query is {} bytes, over the limit of {}", question.sql.size(),
                                 kQuestionBytesMax));
  }
  HF_ASSIGN_OR_RETURN(const googlesql::ParsedStatement parsed,
                      googlesql::ParseStatement(question.sql));
  const Error refusal = MakeError(ErrorId::kNotAQuestion,
                                  "backups can be asked with a SELECT only: nothing else is run");
  if (!std::holds_alternative<googlesql::QueryStatement>(parsed.statement.node)) return refusal;
  const googlesql::TranslateOptions options{.project = question.home.project,
                                            .dataset = question.home.dataset,
                                            .now_us = now_us,
                                            .parameters = {},
                                            .checks_filters = false};
  HF_ASSIGN_OR_RETURN(
      googlesql::Plan plan,
      googlesql::TranslateStatement(question.sql, options, [&](const googlesql::RelationRef& ref) {
        return tables.Resolve(ref);
      }));
  auto* select = std::get_if<googlesql::SelectPlan>(&plan);
  if (select == nullptr) return refusal;
  return std::move(*select);
}

}  // namespace

Result<std::unique_ptr<Asker>> Asker::Open(const AskerOptions& options, Clock& clock,
                                           Random& random) {
  RemoveLeftovers(options.scratch_parent);
  const std::string directory =
      fmt::format("{}/{}{}", options.scratch_parent, kScratchPrefix, RandomHex(random, 16));
  std::unique_ptr<Asker> asker(new Asker(directory, clock));
  warehouse::WarehouseOptions scratch;
  scratch.directory = directory;
  scratch.memory_bytes_max = options.memory_bytes_max;
  scratch.threads = std::max(kReadersMin, static_cast<int>(std::thread::hardware_concurrency()));
  HF_ASSIGN_OR_RETURN(asker->warehouse_, warehouse::Warehouse::Open(scratch, clock, random));
  return asker;
}

Asker::~Asker() {
  warehouse_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<Answer> Asker::Query(const Question& question, const TableFinder& find,
                            const AnswerConsumer& consumer) {
  QueryTables tables(find);
  const int64_t now_us = clock_.Now().time_since_epoch().count();
  HF_ASSIGN_OR_RETURN(googlesql::SelectPlan plan, Translate(question, now_us, tables));
  HF_RETURN_IF_ERROR(consumer.begin(plan.query.schema));
  warehouse::Query query;
  query.sql = std::move(plan.query.duckdb_sql);
  if (question.rows_max > 0) {
    query.sql = fmt::format("SELECT * FROM ({}) LIMIT {}", query.sql, question.rows_max + 1);
  }
  query.bindings = tables.Bind(plan.query.relations, question.prunes);
  for (const Field& field : plan.query.schema.fields) query.column_hints.emplace_back(field);
  Answer answer;
  int64_t given = 0;
  HF_RETURN_IF_ERROR(warehouse::RunQuery(
      *warehouse_, query, [&](const Schema& schema, const avro::BatchView& batch) -> Status {
        avro::BatchView shown = batch;
        if (question.rows_max > 0 && given + static_cast<int64_t>(shown.rows) > question.rows_max) {
          shown.rows = static_cast<size_t>(question.rows_max - given);
          answer.is_cut = true;
        }
        given += static_cast<int64_t>(shown.rows);
        return shown.rows == 0 ? Ok() : consumer.rows(schema, shown);
      }));
  answer.statistics = tables.Statistics();
  answer.statistics.rows = given;
  return answer;
}

Result<Exported> Asker::Export(const AskedTable& table, const warehouse::ExtractRequest& form,
                               const warehouse::ExtractSinkFactory& sinks) {
  ReadCounter counter;
  TableScan scan(std::make_shared<const AskedTable>(table), table.partitions,
                 ScanSchema(table, /*with_pseudo_columns=*/false), counter);
  HF_ASSIGN_OR_RETURN(const warehouse::ExtractResult extracted,
                      warehouse::ExtractSource(*warehouse_, scan, form, sinks));
  Exported exported{.files = extracted.files, .statistics = {}};
  counter.AddTo(exported.statistics);
  exported.statistics.partitions = static_cast<int64_t>(table.partitions.size());
  exported.statistics.rows = extracted.rows;
  return exported;
}

Result<RowDiff> Asker::Diff(const RowDiffRequest& request) {
  return DiffRows(*warehouse_, request);
}

}  // namespace holdfast::ask
