#include "localcloud/bigquery/job_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"

namespace holdfast::bigquery {

namespace {

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

// The multi-region around a region: "EU" of "europe-west1", "US" of "us-east4"; else "".
std::string MultiRegionOf(const std::string& upper_location) {
  if (upper_location.starts_with("EUROPE-")) return "EU";
  if (upper_location.starts_with("US-")) return "US";
  return {};
}

}  // namespace

Result<DecoratedTable> ParseDecoratedTable(const Json& reference, const std::string& project,
                                           int64_t now_ms) {
  DatasetRef dataset{.project = StringOr(reference, "projectId", project), .dataset = {}};
  HF_ASSIGN_OR_RETURN(dataset.dataset, RequiredString(reference, "datasetId"));
  HF_ASSIGN_OR_RETURN(const std::string id, RequiredString(reference, "tableId"));
  if (dataset.dataset.empty() || id.empty()) {
    return Invalid("A table reference lacks datasetId or tableId");
  }
  return ParseTableId(dataset, id, now_ms);
}

Result<ObjectUri> ParseObjectUri(const std::string& uri) {
  constexpr std::string_view kScheme = "gs://";
  if (!uri.starts_with(kScheme)) {
    return Invalid(fmt::format("Source URI must be a Google Cloud Storage location: {}", uri));
  }
  const std::string_view path = std::string_view(uri).substr(kScheme.size());
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == path.size()) {
    return Invalid(fmt::format("Invalid Google Cloud Storage URI (no object name): {}", uri));
  }
  ObjectUri parsed{.bucket = std::string(path.substr(0, slash)),
                   .object = std::string(path.substr(slash + 1))};
  if (std::ranges::count(parsed.object, '*') > 1) {
    return Invalid(fmt::format("URI {} has more than one wildcard", uri));
  }
  if (parsed.bucket.find('*') != std::string::npos) {
    return Invalid(fmt::format("URI {} has a wildcard in its bucket name", uri));
  }
  return parsed;
}

std::string FieldDelimiter(const Json& settings) {
  std::string text = StringOr(settings, "fieldDelimiter", ",");
  if (text == "tab" || text == "\\t") return std::string(1, '\t');
  return text;
}

Result<warehouse::WriteDisposition> ParseWriteDisposition(const Json& settings,
                                                          warehouse::WriteDisposition fallback) {
  const std::string text = StringOr(settings, "writeDisposition", "");
  if (text.empty()) return fallback;
  if (text == "WRITE_APPEND") return warehouse::WriteDisposition::kAppend;
  if (text == "WRITE_TRUNCATE") return warehouse::WriteDisposition::kTruncate;
  if (text == "WRITE_EMPTY") return warehouse::WriteDisposition::kEmpty;
  return Invalid(fmt::format("Invalid value for writeDisposition: {}", text));
}

Result<warehouse::CreateDisposition> ParseCreateDisposition(const Json& settings) {
  const std::string text = StringOr(settings, "createDisposition", "CREATE_IF_NEEDED");
  if (text == "CREATE_IF_NEEDED") return warehouse::CreateDisposition::kIfNeeded;
  if (text == "CREATE_NEVER") return warehouse::CreateDisposition::kNever;
  return Invalid(fmt::format("Invalid value for createDisposition: {}", text));
}

Result<std::string> DatasetLocation(const ServiceContext& context, const DatasetRef& dataset) {
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord record, context.tables().GetDataset(dataset));
  return LocationOf(record);
}

Status CheckDatasetIsIn(const ServiceContext& context, const DatasetRef& dataset,
                        const std::string& location) {
  const Result<std::string> place = DatasetLocation(context, dataset);
  if (!place.ok() && !IsNotFound(place.error())) return place.error();
  if (place.ok() && SameLocation(*place, location)) return Ok();
  return NotFound(
      fmt::format("Dataset {} was not found in location {}", DisplayName(dataset), location));
}

Status CheckBucketIsNear(const ServiceContext& context, const std::string& bucket,
                         const std::string& location) {
  HF_ASSIGN_OR_RETURN(const storage::BucketRecord record, context.objects.GetBucket(bucket));
  const std::string there = UpperCase(StringOr(record.settings, "location", "US"));
  const std::string here = UpperCase(location);
  const bool near =
      here == "US" || here == there || MultiRegionOf(here) == there || MultiRegionOf(there) == here;
  if (near) return Ok();
  return Invalid(
      fmt::format("Cannot read and write in different locations: dataset in {}, bucket "
                  "{} in {}",
                  location, bucket, there));
}

}  // namespace holdfast::bigquery
