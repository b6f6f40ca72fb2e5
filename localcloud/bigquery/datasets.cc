#include "localcloud/bigquery/datasets.h"

#include <fmt/format.h>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"

namespace holdfast::bigquery {

namespace {

constexpr rest::PageSizes kDatasetPages = {.usual = 1000, .maximum = 10'000};
constexpr int64_t kTableExpirationMsMin = 3'600'000;  // datasets: "The minimum value is one hour"
constexpr int64_t kTimeTravelHoursMin = 48;
constexpr int64_t kTimeTravelHoursMax = 168;

// Members whose values BigQuery checks.
Status CheckResource(const Json& resource) {
  HF_ASSIGN_OR_RETURN(const auto expiration, OptionalInt64(resource, "defaultTableExpirationMs"));
  if (expiration && *expiration != 0 && *expiration < kTableExpirationMsMin) {
    return Invalid("Invalid value for defaultTableExpirationMs: the minimum is 3600000");
  }
  HF_ASSIGN_OR_RETURN(const auto partition,
                      OptionalInt64(resource, "defaultPartitionExpirationMs"));
  if (partition && *partition < 0) {
    return Invalid("Invalid value for defaultPartitionExpirationMs: it is negative");
  }
  HF_ASSIGN_OR_RETURN(const auto hours, OptionalInt64(resource, "maxTimeTravelHours"));
  if (hours && (*hours < kTimeTravelHoursMin || *hours > kTimeTravelHoursMax || *hours % 24 != 0)) {
    return Invalid(
        "Invalid value for maxTimeTravelHours: it must be a multiple of 24 from 48 to 168");
  }
  HF_RETURN_IF_ERROR(CheckLabels(resource));
  const Json* access = FindField(resource, "access");
  if (access != nullptr && !access->is_array()) return Invalid("access should be an array");
  return Ok();
}

bool IsHidden(const DatasetRef& ref) { return ref.dataset.starts_with('_'); }

}  // namespace

Result<Json> Datasets::Insert(const Request& request) {
  const Json* reference = FindField(request.body, "datasetReference");
  if (reference == nullptr) return Required("datasetReference");
  HF_ASSIGN_OR_RETURN(const DatasetRef ref, ParseDatasetReference(*reference, request.project()));
  if (const Status valid = ValidateDatasetId(ref.dataset); !valid.ok()) {
    return Invalid(
        fmt::format("Invalid dataset ID \"{}\". Dataset IDs must be alphanumeric (plus "
                    "underscores) and must be "
                    "at most 1024 characters long.",
                    ref.dataset.substr(0, 100)));
  }
  Json resource = WithoutServerFields(request.body);
  HF_RETURN_IF_ERROR(CheckResource(resource));
  if (FindField(resource, "location") == nullptr) resource["location"] = kDefaultLocation;
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord record,
                      context_.tables().CreateDataset(ref, std::move(resource)));
  return DatasetToJson(record);
}

Result<Json> Datasets::Get(const Request& request) {
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord record,
                      context_.tables().GetDataset(request.dataset()));
  return DatasetToJson(record);
}

Result<Json> Datasets::List(const Request& request) {
  const std::string filter = request.query.Get("filter");
  const std::string listing = fmt::format("datasets {} {}", request.project(), filter);
  HF_ASSIGN_OR_RETURN(const warehouse::PageRequest page, request.Page(listing, kDatasetPages));
  HF_ASSIGN_OR_RETURN(const bool all, request.Flag("all"));
  HF_ASSIGN_OR_RETURN(const auto found, context_.tables().ListDatasets(request.project(), page));
  Json items = Json::array();
  for (const warehouse::DatasetRecord& record : found.items) {
    HF_ASSIGN_OR_RETURN(const bool matches, MatchesLabelFilter(record.resource, filter));
    if (matches && (all || !IsHidden(record.ref))) items.push_back(DatasetToListItem(record));
  }
  Json answer = {{"kind", "bigquery#datasetList"}};
  if (!items.empty()) answer["datasets"] = std::move(items);
  SetNextPage(listing, found.next_token, answer);
  return answer;
}

Result<Json> Datasets::Patch(const Request& request) {
  return RetryOnChange(request, [&] { return Edit(request, /*keep_others=*/true); });
}

Result<Json> Datasets::Update(const Request& request) {
  return RetryOnChange(request, [&] { return Edit(request, /*keep_others=*/false); });
}

Result<Json> Datasets::Edit(const Request& request, bool keep_others) {
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord current,
                      context_.tables().GetDataset(request.dataset()));
  Json resource = keep_others ? current.resource : Json::object();
  resource.merge_patch(WithoutServerFields(request.body));  // leaves nulls out
  if (!resource.contains("location")) resource["location"] = LocationOf(current);
  HF_RETURN_IF_ERROR(CheckResource(resource));
  if (!SameLocation(StringOr(resource, "location", kDefaultLocation), LocationOf(current))) {
    return Invalid("Cannot change the location of a dataset");
  }
  const std::string& etag = request.if_match.empty() ? current.etag : request.if_match;
  HF_ASSIGN_OR_RETURN(
      const warehouse::DatasetRecord record,
      context_.tables().UpdateDataset(request.dataset(), std::move(resource), etag));
  return DatasetToJson(record);
}

Result<Json> Datasets::Delete(const Request& request) {
  HF_ASSIGN_OR_RETURN(const bool contents, request.Flag("deleteContents"));
  HF_RETURN_IF_ERROR(
      context_.tables().DeleteDataset(request.dataset(), contents, request.if_match));
  return Json();
}

}  // namespace holdfast::bigquery
