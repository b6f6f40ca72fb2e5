#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/transfer_jobs.h"
#include "localcloud/warehouse/extractor.h"

namespace holdfast::bigquery {

namespace {

using warehouse::ExtractCompression;
using warehouse::ExtractFormat;
using warehouse::ExtractSink;

// One output file as an object of the embedded Cloud Storage: it appears when it is complete.
class ObjectSink final : public ExtractSink {
 public:
  explicit ObjectSink(std::unique_ptr<storage::ObjectWriter> writer) : writer_(std::move(writer)) {}

  Status Write(std::string_view bytes) override { return writer_->Append(bytes); }

  Status Finish() override {
    HF_RETURN_IF_ERROR(writer_->Finish());
    return Ok();
  }

 private:
  std::unique_ptr<storage::ObjectWriter> writer_;
};

Result<ExtractFormat> ParseFormat(const Json& settings) {
  const std::string text = StringOr(settings, "destinationFormat", "CSV");
  if (text == "CSV") return ExtractFormat::kCsv;
  if (text == "NEWLINE_DELIMITED_JSON") return ExtractFormat::kNewlineDelimitedJson;
  if (text == "AVRO") return ExtractFormat::kAvro;
  if (text == "PARQUET") return ExtractFormat::kParquet;
  return Invalid(fmt::format("Unsupported destinationFormat: {}", text));
}

Result<ExtractCompression> ParseCompression(const Json& settings) {
  const std::string text = StringOr(settings, "compression", "NONE");
  if (text == "NONE") return ExtractCompression::kNone;
  if (text == "GZIP") return ExtractCompression::kGzip;
  if (text == "DEFLATE") return ExtractCompression::kDeflate;
  if (text == "SNAPPY") return ExtractCompression::kSnappy;
  if (text == "ZSTD") return ExtractCompression::kZstd;
  return Invalid(fmt::format("Unsupported compression: {}", text));
}

Result<std::vector<ObjectUri>> ParseUris(const Json& settings) {
  Json list = Json::array();
  if (const Json* uris = FindField(settings, "destinationUris")) {
    list = *uris;
  } else if (const Json* uri = FindField(settings, "destinationUri")) {
    list.push_back(*uri);
  }
  if (!list.is_array() || list.empty()) return Required("destinationUris");
  if (list.size() > kExtractUrisMax) {
    return Invalid(
        fmt::format("Too many destinationUris: {} is over {}", list.size(), kExtractUrisMax));
  }
  std::vector<ObjectUri> parsed;
  for (const Json& uri : list) {
    if (!uri.is_string()) return Invalid("destinationUris should be strings");
    HF_ASSIGN_OR_RETURN(ObjectUri object, ParseObjectUri(uri.get_ref<const std::string&>()));
    if (list.size() > 1 && object.object.find('*') == std::string::npos) {
      return Invalid("Each of several destinationUris needs a wildcard");
    }
    parsed.push_back(std::move(object));
  }
  return parsed;
}

std::string_view ContentType(ExtractFormat format) {
  switch (format) {
    case ExtractFormat::kCsv:
      return "text/csv";
    case ExtractFormat::kNewlineDelimitedJson:
      return "application/json";
    default:
      return "application/octet-stream";
  }
}

// The name of file `number` under a pattern: '*' becomes its twelve digits.
std::string ObjectName(const std::string& pattern, int64_t number) {
  const size_t star = pattern.find('*');
  if (star == std::string::npos) return pattern;
  return fmt::format("{}{:012}{}", pattern.substr(0, star), number, pattern.substr(star + 1));
}

Result<warehouse::ExtractRequest> ParseExtract(const ServiceContext& context, const Job& job,
                                               const Json& settings) {
  warehouse::ExtractRequest extract;
  const Json* source = FindField(settings, "sourceTable");
  if (source == nullptr) return Required("configuration.extract.sourceTable");
  HF_ASSIGN_OR_RETURN(DecoratedTable decorated,
                      ParseDecoratedTable(*source, job.key.project, context.NowMs()));
  HF_RETURN_IF_ERROR(CheckDatasetIsIn(context, decorated.table.dataset_ref(), job.key.location));
  extract.source = std::move(decorated.table);
  extract.as_of_ms = decorated.as_of_ms;
  HF_ASSIGN_OR_RETURN(extract.format, ParseFormat(settings));
  HF_ASSIGN_OR_RETURN(extract.compression, ParseCompression(settings));
  extract.use_avro_logical_types = BoolOr(settings, "useAvroLogicalTypes", false);
  extract.field_delimiter = FieldDelimiter(settings);
  extract.print_header = BoolOr(settings, "printHeader", true);
  return extract;
}

}  // namespace

Result<JobOutcome> RunExtractJob(const ServiceContext& context, const Job& job,
                                 const std::stop_token& cancel) {
  const Json& settings = job.configuration.at("extract");
  HF_ASSIGN_OR_RETURN(warehouse::ExtractRequest extract, ParseExtract(context, job, settings));
  HF_ASSIGN_OR_RETURN(const std::vector<ObjectUri> uris, ParseUris(settings));
  for (const ObjectUri& uri : uris) {
    HF_RETURN_IF_ERROR(CheckBucketIsNear(context, uri.bucket, job.key.location));
  }
  extract.split = uris[0].object.find('*') != std::string::npos;
  extract.cancel = cancel;
  std::vector<int64_t> counts(uris.size(), 0);
  const auto make_sink = [&](int64_t index) -> Result<std::unique_ptr<ExtractSink>> {
    const size_t turn = static_cast<size_t>(index) % uris.size();
    storage::NewObject object;
    object.bucket = uris[turn].bucket;
    object.name = ObjectName(uris[turn].object, counts[turn]++);
    object.settings["contentType"] = ContentType(extract.format);
    HF_ASSIGN_OR_RETURN(std::unique_ptr<storage::ObjectWriter> writer,
                        context.objects.StartObject(object));
    return std::unique_ptr<ExtractSink>(std::make_unique<ObjectSink>(std::move(writer)));
  };
  HF_ASSIGN_OR_RETURN(const warehouse::ExtractResult result,
                      warehouse::Extract(context.warehouse, extract, make_sink));
  Json file_counts = Json::array();
  for (const int64_t count : counts) file_counts.push_back(std::to_string(count));
  JobOutcome outcome;
  outcome.statistics["totalBytesProcessed"] = std::to_string(result.input_bytes);
  outcome.statistics["extract"] = {{"destinationUriFileCounts", std::move(file_counts)},
                                   {"inputBytes", std::to_string(result.input_bytes)}};
  return outcome;
}

}  // namespace holdfast::bigquery
