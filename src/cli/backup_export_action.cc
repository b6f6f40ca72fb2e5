#include <fmt/format.h>

#include <iostream>
#include <map>

#include "cli/asking.h"
#include "cli/backup_actions.h"
#include "cli/export_files.h"
#include "cli/further_places.h"

namespace holdfast::cli {

namespace {

using warehouse::ExtractCompression;
using warehouse::ExtractFormat;

constexpr std::string_view kBucketScheme = "gs://";

Result<warehouse::ExtractRequest> FormOf(const BackupExportOptions& options) {
  static const std::map<std::string, ExtractFormat> kForms = {
      {"parquet", ExtractFormat::kParquet},
      {"csv", ExtractFormat::kCsv},
      {"ndjson", ExtractFormat::kNewlineDelimitedJson}};
  static const std::map<std::string, ExtractCompression> kCompressions = {
      {"none", ExtractCompression::kNone},
      {"gzip", ExtractCompression::kGzip},
      {"snappy", ExtractCompression::kSnappy},
      {"zstd", ExtractCompression::kZstd}};
  warehouse::ExtractRequest form;
  form.format = kForms.at(options.form);
  form.split = true;
  form.file_bytes_max = int64_t{options.file_mebibytes} << 20U;
  const bool is_parquet = form.format == ExtractFormat::kParquet;
  form.compression = is_parquet ? ExtractCompression::kSnappy : ExtractCompression::kNone;
  if (!options.compression.empty()) form.compression = kCompressions.at(options.compression);
  const bool fits = is_parquet || form.compression == ExtractCompression::kNone ||
                    form.compression == ExtractCompression::kGzip;
  if (fits) return form;
  return MakeError(
      ErrorId::kUsage,
      fmt::format("{} files are not written with {}", options.form, options.compression),
      "Give --compression gzip or none, or --as parquet");
}

// "orders-00000.parquet", "orders-20260101-00000.csv.gz".
std::string FileName(const TableRef& table, const BackupExportOptions& options,
                     const warehouse::ExtractRequest& form, int64_t index) {
  const bool is_zipped =
      form.compression == ExtractCompression::kGzip && form.format != ExtractFormat::kParquet;
  return fmt::format("{}{}{}-{:05}.{}{}", table.table, table.partition.empty() ? "" : "-",
                     table.partition, index, options.form, is_zipped ? ".gz" : "");
}

Result<std::unique_ptr<ExportFiles>> OpenTarget(const Asking& asking, const std::string& target) {
  if (!target.starts_with(kBucketScheme)) return ExportToDirectory(target);
  HF_ASSIGN_OR_RETURN(const repository::Location place, ParseRepository(target));
  return ExportToBucket(asking.environment->objects(), place.bucket,
                        place.prefix.empty() ? "" : place.prefix + "/", asking.asker->directory());
}

Error CompleteExport(Error error) {
  if (error.id == ErrorId::kWarehouseInvalidRequest) {
    error.hint = "CSV has no lists and records: export --as ndjson or --as parquet";
  }
  return error;
}

}  // namespace

Result<int> BackupExport(const GlobalOptions& global, const BackupExportOptions& options) {
  HF_ASSIGN_OR_RETURN(const AskedName name, ParseAskedName(options.table));
  HF_ASSIGN_OR_RETURN(const warehouse::ExtractRequest form, FormOf(options));
  HF_ASSIGN_OR_RETURN(Asking asking, Asking::Open(global, options.memory_mebibytes));
  HF_RETURN_IF_ERROR(asking.LearnOfOthersBackups(global, name.table));
  const auto table = asking.tables->Find(name);
  asking.SayNotes(global);
  if (!table.ok()) return table.error();
  if (table->view_sql) {
    return MakeError(ErrorId::kBackupWithoutFiles, name.ToString() + " is a view: it has no rows",
                     "Ask it with `holdfast backup query`, with --format csv or jsonl");
  }
  HF_ASSIGN_OR_RETURN(const std::unique_ptr<ExportFiles> files, OpenTarget(asking, options.output));
  auto exported = asking.asker->Export(*table, form, [&](int64_t index) {
    return files->Make(FileName(name.table, options, form, index));
  });
  if (!exported.ok()) return CompleteExport(std::move(exported).error());
  HF_RETURN_IF_ERROR(files->Commit());
  Json document = CostJson(exported->statistics);
  document["schema"] = "holdfast.backup_export.v1";
  document["table"] = name.ToString();
  document["row_count"] = exported->statistics.rows;
  document["files"] = files->Places();
  document["missing"] = asking.Missing();
  if (global.OutputFormat() == Format::kPretty) {
    std::cout << Printable(fmt::format(
                     "Exported {} of {} into {}:", Plural(exported->statistics.rows, "row"),
                     name.ToString(), Plural(exported->files, "file")))
              << '\n';
    for (const std::string& place : files->Places()) std::cout << "  " << Printable(place) << '\n';
  } else {
    PrintDocument(std::cout, global.OutputFormat(), document);
  }
  asking.SayNotes(global);
  Say(global, CostText(exported->statistics));
  return asking.ExitCode();
}

}  // namespace holdfast::cli
