#include "cli/demo_organization.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "cloud/run_job.h"
#include "gcp/bigquery_jobs.h"
#include "gcp/rest_client.h"

namespace holdfast::cli {

namespace {

// A load job reads only what is in its dataset's own location.
std::string LandingBucket(const std::string& location) {
  return FillBucketPattern("{project}-landing-{location}", kDemoCentralProject, location);
}

constexpr const char* kEarthquakeSchema = R"([
  {"name": "id", "type": "STRING", "mode": "REQUIRED"},
  {"name": "time", "type": "TIMESTAMP"},
  {"name": "properties", "type": "RECORD", "fields": [
    {"name": "mag", "type": "FLOAT64"},
    {"name": "place", "type": "STRING"},
    {"name": "felt", "type": "INT64"},
    {"name": "alert", "type": "STRING"},
    {"name": "status", "type": "STRING"},
    {"name": "sig", "type": "INT64"},
    {"name": "mag_type", "type": "STRING"},
    {"name": "title", "type": "STRING"},
    {"name": "sources", "type": "STRING", "mode": "REPEATED"}]},
  {"name": "geometry", "type": "RECORD", "fields": [
    {"name": "type", "type": "STRING"},
    {"name": "coordinates", "type": "FLOAT64", "mode": "REPEATED"}]}])";

gcp::RestClient BigQuery(Environment& environment) {
  return {environment.endpoints().bigquery, environment.rest_environment()};
}

// "name:TYPE,..." as the fields of a schema.
Result<Json> FieldsOf(const std::string& schema) {
  if (schema.find('[') != std::string::npos) return ParseJson(schema);
  Json fields = Json::array();
  std::istringstream list(schema);
  for (std::string item; std::getline(list, item, ',');) {
    const size_t colon = item.find(':');
    fields.push_back({{"name", item.substr(0, colon)}, {"type", item.substr(colon + 1)}});
  }
  return fields;
}

// Splits ",a,b," at its commas, without the empty pieces.
Json SplitList(const std::string& text) {
  Json pieces = Json::array();
  std::istringstream list(text);
  for (std::string piece; std::getline(list, piece, ',');) {
    if (!piece.empty()) pieces.push_back(piece);
  }
  return pieces;
}

// The features of a GeoJSON collection as one JSON document a line, times as text.
Result<std::string> FeaturesAsLines(const std::string& text) {
  HF_ASSIGN_OR_RETURN(const Json collection, ParseJson(text));
  std::string lines;
  for (const Json& feature : collection.value("features", Json::array())) {
    const Json& from = feature["properties"];
    Json properties = Json::object();
    for (const char* member : {"mag", "place", "felt", "alert", "status", "sig", "title"}) {
      properties[member] = from.value(member, Json());
    }
    properties["mag_type"] = from.value("magType", Json());
    properties["sources"] = SplitList(StringOr(from, "sources", ""));
    const Json line = {{"id", feature["id"]},
                       {"time", FormatTimestamp(FromUnixMillis(Int64Or(from, "time", 0)))},
                       {"properties", std::move(properties)},
                       {"geometry", feature["geometry"]}};
    lines += DumpJson(line) + "\n";
  }
  return lines;
}

Result<std::string> ReadSample(const std::string& folder, const DemoTable& table) {
  const std::string path = folder + "/" + table.file;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return MakeError(ErrorId::kSampleDataMissing, path + " cannot be read");
  }
  if (table.source_format == "NEWLINE_DELIMITED_JSON") return FeaturesAsLines(text.str());
  return text.str();
}

Json LoadConfiguration(const DemoTable& table, const std::string& uri) {
  Json load = {{"sourceUris", {uri}},
               {"destinationTable", gcp::TableReference(table.table)},
               {"sourceFormat", table.source_format},
               {"createDisposition", "CREATE_NEVER"},
               {"writeDisposition", "WRITE_EMPTY"}};
  if (table.source_format == "CSV") load["skipLeadingRows"] = 1;
  return {{"load", std::move(load)}};
}

// Inserts a job and waits for its end.
Result<cloud::JobStatus> RunJobJson(Environment& environment, const std::string& project,
                                    const Json& configuration, const std::string& what) {
  const gcp::RestClient client = BigQuery(environment);
  HF_ASSIGN_OR_RETURN(const Json job,
                      client.Call({.method = "POST",
                                   .path = fmt::format("/bigquery/v2/projects/{}/jobs",
                                                       net::PercentEncode(project)),
                                   .body = Json{{"configuration", configuration}},
                                   .what = what,
                                   .repeatable = false}));
  HF_ASSIGN_OR_RETURN(cloud::JobStatus status, gcp::JobStatusFromJson(job));
  return cloud::WaitForJob(environment.warehouse(), environment.clock(), std::move(status),
                           [] { return Status(); })
      .WithContext(what);
}

Result<LoadedTable> LoadTable(Environment& environment, const std::string& sample_data,
                              const DemoTable& table) {
  HF_ASSIGN_OR_RETURN(const std::string content, ReadSample(sample_data, table));
  const std::string bucket = LandingBucket(table.location);
  HF_RETURN_IF_ERROR(environment.objects().EnsureBucket(
      {.name = bucket, .project = kDemoCentralProject, .location = table.location}));
  const cloud::ObjectRef object{bucket,
                                "demo/" + std::filesystem::path(table.file).filename().string(), 0};
  HF_RETURN_IF_ERROR(cloud::CreateObjectFromString(environment.objects(), object, content));

  HF_ASSIGN_OR_RETURN(Json fields, FieldsOf(table.schema));
  Json resource = {{"schema", {{"fields", std::move(fields)}}}, {"description", table.description}};
  if (!table.partition_field.empty()) {
    resource["timePartitioning"] = {{"type", "DAY"}, {"field", table.partition_field}};
  }
  HF_RETURN_IF_ERROR(environment.warehouse().CreateTable(table.table, resource));
  HF_ASSIGN_OR_RETURN(
      const cloud::JobStatus loaded,
      RunJobJson(environment, table.table.project, LoadConfiguration(table, object.Uri()),
                 "load of " + table.table.ToString()));
  return LoadedTable{.table = table.table,
                     .rows = loaded.output_rows,
                     .bytes = static_cast<int64_t>(content.size())};
}

}  // namespace

const std::vector<DemoTable>& DemoTables() {
  static const std::vector<DemoTable> tables = {
      {{"acme-aviation", "operations", "flights", ""},
       "US",
       "flights-3m.parquet",
       "PARQUET",
       "date:DATETIME,delay:INT64,distance:INT64,origin:STRING,destination:STRING",
       "Flights in the United States, January to June 2001",
       "date"},
      {{"acme-aviation", "operations", "airports", ""},
       "US",
       "airports.csv",
       "CSV",
       "iata:STRING,name:STRING,city:STRING,state:STRING,country:STRING,latitude:FLOAT64,"
       "longitude:FLOAT64",
       "Airports of the United States",
       ""},
      {{"acme-aviation", "safety", "bird_strikes", ""},
       "US",
       "birdstrikes.csv",
       "CSV",
       "airport:STRING,aircraft:STRING,damage:STRING,flight_date:DATE,operator:STRING,"
       "state:STRING,phase:STRING,wildlife_size:STRING,species:STRING,time_of_day:STRING,"
       "cost_other:INT64,cost_repair:INT64,cost_total:INT64,speed:INT64",
       "Collisions of aircraft with wildlife",
       ""},
      {{"acme-biology", "habitats", "species", ""},
       "EU",
       "species.csv",
       "CSV",
       "item_id:STRING,common_name:STRING,scientific_name:STRING,gap_species_code:STRING,"
       "county_id:STRING,habitat_yearround_pct:NUMERIC",
       "Habitats of amphibians by county",
       ""},
      {{"acme-finance", "markets", "sp500", ""},
       "europe-west1",
       "sp500-2000.csv",
       "CSV",
       "date:DATE,open:NUMERIC,high:NUMERIC,low:NUMERIC,close:NUMERIC,adjclose:NUMERIC,volume:"
       "INT64",
       "The S&P 500 by day since 2000",
       ""},
      {{"acme-geography", "places", "zip_codes", ""},
       "US",
       "zipcodes.csv",
       "CSV",
       "zip_code:STRING,latitude:FLOAT64,longitude:FLOAT64,city:STRING,state:STRING,county:STRING",
       "Zip codes of the United States",
       ""},
      {{"acme-geography", "hazards", "earthquakes", ""},
       "US",
       "earthquakes.json",
       "NEWLINE_DELIMITED_JSON",
       kEarthquakeSchema,
       "Earthquakes of one week in February 2018, with nested and repeated fields",
       ""},
  };
  return tables;
}

Result<std::string> CreateDemoOrganization(Environment& environment) {
  control::ControlStore& control = environment.own_localcloud()->control();
  HF_ASSIGN_OR_RETURN(const control::Organization organization,
                      control.EnsureOrganization(kDemoOrganization));
  HF_ASSIGN_OR_RETURN(const control::Folder business,
                      control.CreateFolder(organization.name, "business"));
  HF_ASSIGN_OR_RETURN(const control::Folder research,
                      control.CreateFolder(organization.name, "research"));
  const std::vector<std::pair<std::string, std::string>> projects = {
      {"acme-aviation", business.name},         {"acme-finance", business.name},
      {"acme-biology", research.name},          {"acme-geography", research.name},
      {kDemoCentralProject, organization.name}, {kDemoRestoreProject, organization.name}};
  for (const auto& [id, parent] : projects) {
    HF_RETURN_IF_ERROR(control.CreateProject({.id = id, .parent = parent, .display_name = id}));
  }
  return organization.name;
}

Status LoadDemoTables(Environment& environment, const std::string& sample_data,
                      const std::function<void(const LoadedTable&)>& on_loaded) {
  std::set<DatasetRef> datasets;
  for (const DemoTable& table : DemoTables()) {
    if (datasets.insert(table.table.dataset_ref()).second) {
      HF_RETURN_IF_ERROR(environment.warehouse().EnsureDataset(
          {.ref = table.table.dataset_ref(), .location = table.location}));
    }
    HF_ASSIGN_OR_RETURN(const LoadedTable loaded, LoadTable(environment, sample_data, table));
    on_loaded(loaded);
  }
  return Ok();
}

Status MakeDemoDefinitions(Environment& environment) {
  HF_RETURN_IF_ERROR(environment.warehouse().CreateTable(
      kDemoView, {{"view",
                   {{"query",
                     "SELECT date, origin, destination, delay "
                     "FROM `acme-aviation.operations.flights` WHERE delay > 60"},
                    {"useLegacySql", false}}},
                  {"description", "Flights that were more than an hour late"}}));
  const Json minutes = {{"name", "minutes"}, {"dataType", {{"typeKind", "INT64"}}}};
  HF_RETURN_IF_ERROR(environment.definitions().CreateRoutine(
      kDemoRoutine.dataset_ref(), ParseReservedName(kDemoRoutine.table)->routine,
      {{"routineType", "SCALAR_FUNCTION"},
       {"language", "SQL"},
       {"arguments", Json::array({minutes})},
       {"definitionBody", "minutes / 60"}}));
  return Ok();
}

Status RunDemoStatement(Environment& environment, const std::string& project,
                        const std::string& sql) {
  const Json configuration = {{"query", {{"query", sql}, {"useLegacySql", false}}}};
  HF_RETURN_IF_ERROR(RunJobJson(environment, project, configuration, "statement"));
  return Ok();
}

Status DeleteDemoPartition(Environment& environment, const TableRef& partition) {
  const gcp::RestClient client = BigQuery(environment);
  HF_RETURN_IF_ERROR(client.Call(
      {.method = "DELETE",
       .path = fmt::format("/bigquery/v2/projects/{}/datasets/{}/tables/{}", partition.project,
                           partition.dataset,
                           net::PercentEncode(partition.table + "$" + partition.partition)),
       .what = partition.ToString()}));
  return Ok();
}

}  // namespace holdfast::cli
