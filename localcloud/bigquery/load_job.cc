#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/bigquery/column_defaults.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/bigquery/transfer_jobs.h"

namespace holdfast::bigquery {

namespace {

using warehouse::LoadFormat;
using warehouse::LoadRequest;

constexpr size_t kLoadObjectsMax = 100'000;

// Members of the configuration that describe a table created by the load.
constexpr std::array<std::string_view, 5> kTableMembers = {"timePartitioning", "rangePartitioning",
                                                           "clustering", "encryptionConfiguration",
                                                           "destinationExpirationTime"};

// Members that are read here, or that change nothing: rows are loaded as if they were not there.
// Control characters are always kept, lists of Parquet files always read as lists.
constexpr std::array<std::string_view, 28> kUnderstood = {"sourceUris",
                                                          "schema",
                                                          "destinationTable",
                                                          "destinationTableProperties",
                                                          "createDisposition",
                                                          "writeDisposition",
                                                          "nullMarker",
                                                          "fieldDelimiter",
                                                          "skipLeadingRows",
                                                          "encoding",
                                                          "quote",
                                                          "maxBadRecords",
                                                          "allowQuotedNewlines",
                                                          "sourceFormat",
                                                          "allowJaggedRows",
                                                          "ignoreUnknownValues",
                                                          "autodetect",
                                                          "schemaUpdateOptions",
                                                          "timePartitioning",
                                                          "rangePartitioning",
                                                          "clustering",
                                                          "encryptionConfiguration",
                                                          "destinationExpirationTime",
                                                          "destinationEncryptionConfiguration",
                                                          "useAvroLogicalTypes",
                                                          "decimalTargetTypes",
                                                          "preserveAsciiControlCharacters",
                                                          "parquetOptions"};

// Objects opened for a load: their files stay where they are while this lives.
struct OpenSources {
  std::vector<storage::ObjectFile> pins;
  std::vector<warehouse::LoadSource> sources;
};

Result<LoadFormat> ParseFormat(const Json& settings) {
  const std::string text = StringOr(settings, "sourceFormat", "CSV");
  if (text == "CSV") return LoadFormat::kCsv;
  if (text == "NEWLINE_DELIMITED_JSON") return LoadFormat::kNewlineDelimitedJson;
  if (text == "AVRO") return LoadFormat::kAvro;
  if (text == "PARQUET") return LoadFormat::kParquet;
  return Invalid(
      fmt::format("Unsupported sourceFormat: {}. CSV, NEWLINE_DELIMITED_JSON, AVRO and "
                  "PARQUET can be loaded.",
                  text));
}

// An option that is not understood would silently load other rows than those asked for.
Status CheckUnderstood(const Json& settings) {
  for (const auto& [name, value] : settings.items()) {
    const bool unset = value.is_null() || value == false || value == "" ||
                       (value.is_structured() && value.empty());
    if (unset || std::ranges::find(kUnderstood, name) != kUnderstood.end()) continue;
    return Invalid(fmt::format("Unsupported load option: {}", name));
  }
  return Ok();
}

// NUMERIC is always among the targets, so what fits it becomes it; BIGNUMERIC is the only wider
// one.
Result<bool> ParseWideDecimals(const Json& settings) {
  const Json* types = FindField(settings, "decimalTargetTypes");
  if (types == nullptr || types->empty()) return true;
  if (!types->is_array()) return Invalid("decimalTargetTypes should be a list");
  const auto has = [&](std::string_view name) {
    return std::ranges::find(*types, Json(name)) != types->end();
  };
  if (!has("NUMERIC")) {
    return Invalid(fmt::format("Unsupported decimalTargetTypes: {}; NUMERIC must be among them",
                               DumpJson(*types)));
  }
  return has("BIGNUMERIC");
}

Result<warehouse::CsvOptions> ParseCsvOptions(const Json& settings) {
  warehouse::CsvOptions csv;
  HF_ASSIGN_OR_RETURN(const auto skip, OptionalInt64(settings, "skipLeadingRows"));
  if (skip && *skip < 0) return Invalid("skipLeadingRows is negative");
  csv.skip_leading_rows = skip.value_or(0);
  csv.field_delimiter = FieldDelimiter(settings);
  csv.quote = StringOr(settings, "quote", csv.quote);
  csv.allow_quoted_newlines = BoolOr(settings, "allowQuotedNewlines", false);
  csv.allow_jagged_rows = BoolOr(settings, "allowJaggedRows", false);
  csv.null_marker = StringOr(settings, "nullMarker", "");
  csv.encoding = StringOr(settings, "encoding", csv.encoding);
  return csv;
}

Status ParseSchemaUpdates(const Json& settings, LoadRequest& load) {
  const Json* options = FindField(settings, "schemaUpdateOptions");
  if (options == nullptr) return Ok();
  for (const Json& option : *options) {
    if (option == "ALLOW_FIELD_ADDITION") {
      load.allow_field_addition = true;
    } else if (option == "ALLOW_FIELD_RELAXATION") {
      load.allow_field_relaxation = true;
    } else {
      return Invalid(fmt::format("Invalid value for schemaUpdateOptions: {}", DumpJson(option)));
    }
  }
  return Ok();
}

Json TableResourceOf(const Json& settings) {
  Json resource = Json::object();
  for (const std::string_view key : kTableMembers) {
    if (const Json* value = FindField(settings, key)) resource[key] = *value;
  }
  if (const Json* properties = FindField(settings, "destinationTableProperties")) {
    resource.merge_patch(*properties);
  }
  return resource;
}

Status OpenUri(const ServiceContext& context, const std::string& text, const std::string& location,
               OpenSources& opened) {
  HF_ASSIGN_OR_RETURN(const ObjectUri uri, ParseObjectUri(text));
  HF_RETURN_IF_ERROR(CheckBucketIsNear(context, uri.bucket, location));
  HF_ASSIGN_OR_RETURN(const auto records,
                      context.objects.MatchObjects(uri.bucket, uri.object, kLoadObjectsMax));
  if (records.empty()) return NotFound("URI " + text);
  for (const storage::ObjectRecord& record : records) {
    HF_ASSIGN_OR_RETURN(
        storage::ObjectFile file,
        context.objects.OpenObject(
            {.bucket = record.bucket, .name = record.name, .generation = record.generation}));
    opened.sources.push_back(
        {.path = file.path, .name = fmt::format("gs://{}/{}", record.bucket, record.name)});
    opened.pins.push_back(std::move(file));
  }
  return Ok();
}

Result<OpenSources> OpenAll(const ServiceContext& context, const Job& job, const Json& settings) {
  OpenSources opened;
  if (!job.upload_path.empty()) {
    opened.sources.push_back({.path = job.upload_path, .name = "the uploaded file"});
    return opened;
  }
  const Json* uris = FindField(settings, "sourceUris");
  if (uris == nullptr || !uris->is_array() || uris->empty()) return Required("sourceUris");
  if (uris->size() > kLoadUrisMax) {
    return Invalid(fmt::format("Too many sourceUris: {} is over {}", uris->size(), kLoadUrisMax));
  }
  for (const Json& uri : *uris) {
    if (!uri.is_string()) return Invalid("sourceUris should be strings");
    HF_RETURN_IF_ERROR(
        OpenUri(context, uri.get_ref<const std::string&>(), job.key.location, opened));
  }
  return opened;
}

Result<LoadRequest> ParseLoad(const ServiceContext& context, const Job& job, const Json& settings) {
  LoadRequest load;
  HF_RETURN_IF_ERROR(CheckUnderstood(settings));
  const Json* destination = FindField(settings, "destinationTable");
  if (destination == nullptr) return Required("configuration.load.destinationTable");
  HF_ASSIGN_OR_RETURN(load.destination, ParseTableReference(*destination, job.key.project));
  HF_RETURN_IF_ERROR(CheckDatasetIsIn(context, load.destination.dataset_ref(), job.key.location));
  HF_ASSIGN_OR_RETURN(load.format, ParseFormat(settings));
  if (const Json* schema = FindField(settings, "schema")) {
    HF_ASSIGN_OR_RETURN(load.schema, Schema::FromJson(*schema));
    HF_RETURN_IF_ERROR(CheckDefaults(context, *load.schema));
  }
  HF_ASSIGN_OR_RETURN(load.csv, ParseCsvOptions(settings));
  load.autodetect = BoolOr(settings, "autodetect", false);
  load.ignore_unknown_values = BoolOr(settings, "ignoreUnknownValues", false);
  HF_ASSIGN_OR_RETURN(const auto bad_records, OptionalInt64(settings, "maxBadRecords"));
  load.bad_records_max = std::max<int64_t>(bad_records.value_or(0), 0);
  load.use_avro_logical_types = BoolOr(settings, "useAvroLogicalTypes", false);
  HF_ASSIGN_OR_RETURN(load.write_disposition,
                      ParseWriteDisposition(settings, warehouse::WriteDisposition::kAppend));
  HF_ASSIGN_OR_RETURN(load.create_disposition, ParseCreateDisposition(settings));
  HF_ASSIGN_OR_RETURN(load.wide_decimals, ParseWideDecimals(settings));
  HF_RETURN_IF_ERROR(ParseSchemaUpdates(settings, load));
  load.table_resource = TableResourceOf(settings);
  HF_RETURN_IF_ERROR(CheckLabels(load.table_resource));
  load.default_sql = DefaultsAsOfNow(context);
  return load;
}

JobOutcome LoadOutcome(const warehouse::EffectCounts& counts) {
  JobOutcome outcome;
  outcome.statistics["load"] = {{"inputFiles", std::to_string(counts.input_files)},
                                {"inputFileBytes", std::to_string(counts.input_bytes)},
                                {"outputRows", std::to_string(counts.rows)},
                                {"outputBytes", std::to_string(counts.bytes)},
                                {"badRecords", std::to_string(counts.bad_records)}};
  return outcome;
}

}  // namespace

Result<JobOutcome> RunLoadJob(const ServiceContext& context, const Job& job,
                              const std::stop_token& cancel) {
  const Json& settings = job.configuration.at("load");
  HF_ASSIGN_OR_RETURN(LoadRequest load, ParseLoad(context, job, settings));
  HF_ASSIGN_OR_RETURN(OpenSources opened, OpenAll(context, job, settings));
  load.sources = std::move(opened.sources);
  load.cancel = cancel;
  const auto effect = context.EffectOf(job, LoadOutcome);
  HF_ASSIGN_OR_RETURN(const warehouse::LoadResult result, warehouse::Load(context.warehouse, load));
  JobOutcome outcome = LoadOutcome({.rows = result.output_rows,
                                    .bytes = result.output_bytes,
                                    .bad_records = result.bad_records,
                                    .input_files = result.input_files,
                                    .input_bytes = result.input_bytes});
  for (const warehouse::BadRecord& record : result.warnings) {
    outcome.warnings.push_back(
        {.reason = "invalid",
         .location = record.source,
         .message = record.line > 0 ? fmt::format("line {}: {}", record.line, record.message)
                                    : record.message});
  }
  return outcome;
}

}  // namespace holdfast::bigquery
