#include "tests/simulation/organization.h"

#include <fmt/format.h>

#include <algorithm>

#include "cloud/page.h"
#include "sim/sim_definitions.h"

namespace holdfast::simulation {

namespace {

const DatasetRef kSales{"acme-shop", "sales"};
const DatasetRef kAccounts{"acme-books", "accounts"};
const DatasetRef kTrials{"acme-lab", "trials"};
const DatasetRef kProbes{"acme-lab", "probes"};

TableRef In(const DatasetRef& dataset, const std::string& table) {
  return {dataset.project, dataset.dataset, table, ""};
}

Json Query(const std::string& member, uint64_t number) {
  return {{member, {{"query", fmt::format("SELECT {} AS n", number)}}}};
}

// What tells one definition from another.
sim::Rows OneRow(const Json& resource) {
  Json kept = Json::object();
  for (const char* member :
       {"view", "materializedView", "externalDataConfiguration", "definitionBody"}) {
    if (const Json* found = FindField(resource, member)) kept[member] = *found;
  }
  return {kept};
}

}  // namespace

Json DefinitionOf(const TableInfo& table) {
  Json kept = Json::object();
  for (const char* member :
       {"schema", "timePartitioning", "rangePartitioning", "description", "labels"}) {
    const Json* const found = FindField(table.resource, member);
    if (found != nullptr && !found->empty()) kept[member] = *found;  // no label is an empty map too
  }
  return kept;
}

Content DefinitionContent(sim::SimCloud& cloud, const TableRef& object) {
  const auto name = ParseReservedName(object.table);
  if (name && name->routine.empty()) return std::make_shared<sim::Rows>();
  if (name) {
    const auto routine = cloud.definitions().GetRoutine(object.dataset_ref(), name->routine);
    CHECK(routine.ok(), "no such routine: " + object.ToString());
    return std::make_shared<sim::Rows>(OneRow(routine->resource));
  }
  const auto table = cloud.warehouse().GetTable(object);
  CHECK(table.ok(), "no such object: " + object.ToString());
  return std::make_shared<sim::Rows>(OneRow(table->resource));
}

Organization::Organization(sim::SimCloud& cloud, std::mt19937_64& random)
    : cloud_(cloud), random_(random), datasets_({kSales, kAccounts, kTrials, kProbes}) {
  cloud.AddFolder("folders/10");
  cloud.AddFolder("folders/20", "folders/10");
  cloud.AddProject("acme-shop", "folders/10");
  cloud.AddProject("acme-books", "folders/20");
  cloud.AddProject("acme-lab");
  cloud.AddDataset(kSales, "US");
  cloud.AddDataset(kAccounts, "EU");
  cloud.AddDataset(kTrials, "US");
  cloud.AddDataset(kProbes, "europe-west1");
  tables_ = {
      {In(kSales, "customers"), Shape::kPlain, true}, {In(kSales, "orders"), Shape::kDay},
      {In(kSales, "clicks"), Shape::kHour},           {In(kSales, "invoices"), Shape::kMonth},
      {In(kSales, "archive"), Shape::kYear},          {In(kAccounts, "chart"), Shape::kPlain, true},
      {In(kAccounts, "entries"), Shape::kRange},      {In(kAccounts, "raw"), Shape::kIngestion},
      {In(kTrials, "runs"), Shape::kPlain, true},     {In(kTrials, "samples"), Shape::kDay},
      {In(kProbes, "sensors"), Shape::kPlain, true},  {In(kProbes, "readings"), Shape::kHour}};
  for (Table& table : tables_) Make(table);
  cloud.PutRowAccessPolicy(In(kSales, "customers"),
                           {"all", "TRUE", {std::string(sim::kSimIdentity)}});
  cloud.PutRowAccessPolicy(In(kSales, "customers"), {"eu", "id > 5", {"group:eu@example.com"}});
  cloud.PutIamPolicy(
      In(kAccounts, "chart"),
      {{"bindings",
        {{{"role", "roles/bigquery.dataViewer"}, {"members", {"group:books@example.com"}}}}}});
  cloud.PutView(In(kSales, "latest"), "SELECT 1 AS n");
  cloud.PutRoutine(kSales, "net_price", "price / 1.19");
  for (int i = 0; i < 8; ++i) EditDefinition();
}

Schema Organization::SchemaOf(Shape shape, bool wide) {
  Schema schema{{{.name = "id", .type = FieldType::kInt64},
                 {.name = "name", .type = FieldType::kString},
                 {.name = "tags", .type = FieldType::kString, .mode = FieldMode::kRepeated},
                 {.name = "detail",
                  .type = FieldType::kRecord,
                  .fields = {{.name = "price", .type = FieldType::kNumeric},
                             {.name = "seen", .type = FieldType::kTimestamp}}}}};
  if (shape == Shape::kHour) schema.fields.push_back({.name = "at", .type = FieldType::kTimestamp});
  if (shape == Shape::kRange) schema.fields.push_back({.name = "at", .type = FieldType::kInt64});
  if (shape == Shape::kDay || shape == Shape::kMonth || shape == Shape::kYear) {
    schema.fields.push_back({.name = "at", .type = FieldType::kDate});
  }
  if (wide) schema.fields.push_back({.name = "more", .type = FieldType::kFloat64});
  return schema;
}

Json Organization::PartitioningOf(Shape shape) {
  const auto by_time = [](const char* type) -> Json {
    return {{"timePartitioning", {{"type", type}, {"field", "at"}}}};
  };
  switch (shape) {
    case Shape::kPlain:
      return Json::object();
    case Shape::kHour:
      return by_time("HOUR");
    case Shape::kDay:
      return by_time("DAY");
    case Shape::kMonth:
      return by_time("MONTH");
    case Shape::kYear:
      return by_time("YEAR");
    case Shape::kIngestion:
      return {{"timePartitioning", {{"type", "DAY"}}}};
    case Shape::kRange:
      return {{"rangePartitioning",
               {{"field", "at"}, {"range", {{"start", "0"}, {"end", "40"}, {"interval", "10"}}}}}};
  }
  return Json::object();
}

// Few partitions, so that edits meet; now and then a value that has no partition of its own.
Json Organization::PartitionValue(Shape shape) {
  if (Chance(8)) return nullptr;
  switch (shape) {
    case Shape::kHour:
      return fmt::format("2026-09-20T{:02}:{:02}:00Z", 8 + Below(4), Below(60));
    case Shape::kDay:
      return fmt::format("2026-09-{:02}", 10 + Below(5));
    case Shape::kMonth:
      return fmt::format("2026-{:02}-{:02}", 1 + Below(3), 1 + Below(28));
    case Shape::kYear:
      return fmt::format("{}-06-{:02}", 2020 + Below(3), 1 + Below(30));
    case Shape::kRange:
      return std::to_string(Below(55));  // from 40 on it is outside of the range
    default:
      return nullptr;
  }
}

sim::Rows Organization::NewRows(const Table& table, uint64_t count) {
  const Schema schema = SchemaOf(table.shape, table.is_wide);
  sim::Rows rows;
  for (uint64_t i = 0; i < count; ++i) {
    Json row = {{"id", std::to_string(Below(1'000'000))},
                {"name", Chance(10) ? Json(nullptr) : Json(PickName())},
                {"tags", Json::array()},
                {"detail", nullptr}};
    for (uint64_t tags = Below(3); tags > 0; --tags) row["tags"].push_back(PickName());
    if (Chance(60)) {
      row["detail"] = {{"price", fmt::format("{}.{:02}", Below(1000), Below(100))},
                       {"seen", "2026-09-20T10:00:00.123456Z"}};
    }
    if (schema.Find("at") != nullptr) row["at"] = PartitionValue(table.shape);
    if (table.is_wide) row["more"] = static_cast<double>(Below(1000)) / 8;
    rows.push_back(std::move(row));
  }
  return rows;
}

void Organization::Make(Table& table) {
  table.is_wide = Chance(20);
  cloud_.AddTable(table.ref, SchemaOf(table.shape, table.is_wide), NewRows(table, 4 + Below(8)),
                  PartitioningOf(table.shape));
}

std::string Organization::Edit() {
  cloud_.clock().Advance(std::chrono::seconds{1});
  if (Chance(15)) return EditDefinition();
  Table& table = tables_[Below(tables_.size())];
  if (!cloud_.HasTable(table.ref)) {
    Make(table);
    return "create " + table.ref.ToString();
  }
  return EditTable(table) + " " + table.ref.ToString();
}

std::string Organization::EditTable(Table& table) {
  if (Chance(70)) return EditRows(table);
  if (Chance(60)) return EditResource(table);
  if (table.is_kept) return "leave alone";
  if (Chance(50)) return RemakeOtherwise(table);
  cloud_.DropTable(table.ref);
  return "drop";
}

std::string Organization::EditRows(Table& table) {
  switch (Below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      cloud_.AppendRows(table.ref, NewRows(table, 1 + Below(4)));
      return "append";
    case 4:
    case 5: {
      const size_t count = cloud_.ReadRows(table.ref).size();
      cloud_.ReplaceRows(table.ref, NewRows(table, std::max<size_t>(count, 1)));
      return "replace";
    }
    case 6: {
      if (Chance(60)) return "leave full";
      cloud_.ReplaceRows(table.ref, {});
      return "empty";
    }
    case 7: {
      const Truth truth = Look();
      std::vector<TableRef> partitions;
      for (const auto& [object, content] : truth.objects) {
        if (object.WholeTable() == table.ref && !object.partition.empty()) {
          partitions.push_back(object);
        }
      }
      if (partitions.empty()) return "leave undivided";
      cloud_.DeletePartition(partitions[Below(partitions.size())]);
      return "delete a partition of";
    }
    case 8:
      cloud_.StreamRows(table.ref, NewRows(table, 1 + Below(3)));
      return "stream";
    default:
      cloud_.FlushStreaming(table.ref);
      return "flush";
  }
}

std::string Organization::EditResource(Table& table) {
  if (Chance(40)) {
    cloud_.SetDescription(table.ref, PickName());
    return "describe";
  }
  if (!table.is_wide && Chance(50)) {
    cloud_.FlushStreaming(table.ref);  // rows of the narrower schema land before
    table.is_wide = true;
    CHECK(cloud_.warehouse()
              .UpdateTable(table.ref, {{"schema", SchemaOf(table.shape, true).ToJson()}})
              .ok(),
          "a column was not added");
    return "widen";
  }
  CHECK(cloud_.warehouse()
            .UpdateTable(table.ref, {{"labels", {{"team", fmt::format("team-{}", Below(5))}}}})
            .ok(),
        "a label was not set");
  return "label";
}

std::string Organization::RemakeOtherwise(Table& table) {
  cloud_.DropTable(table.ref);
  table.shape = table.shape == Shape::kPlain ? Shape::kDay : Shape::kPlain;
  cloud_.clock().Advance(std::chrono::seconds{1});
  Make(table);
  return table.shape == Shape::kPlain ? "make plain" : "make partitioned";
}

std::string Organization::EditDefinition() {
  const DatasetRef& dataset = datasets_[Below(datasets_.size())];
  const uint64_t number = Below(50);
  switch (Below(5)) {
    case 0: {
      const TableRef view = In(dataset, "latest");
      if (cloud_.HasTable(view) && Chance(25)) {
        cloud_.DropTable(view);
        return "drop a view of " + dataset.ToString();
      }
      cloud_.PutView(view, fmt::format("SELECT {} AS n", number));
      return "edit a view of " + dataset.ToString();
    }
    case 1: {
      Json extra = Query("materializedView", number);
      extra["type"] = "MATERIALIZED_VIEW";
      cloud_.PutView(In(dataset, "sums"), "", extra);
      return "edit a materialized view of " + dataset.ToString();
    }
    case 2: {
      const std::string uri = fmt::format("gs://landing/{}/*.csv", number);
      cloud_.PutView(
          In(dataset, "files"), "",
          {{"type", "EXTERNAL"}, {"externalDataConfiguration", {{"sourceUris", {uri}}}}});
      return "edit an external table of " + dataset.ToString();
    }
    case 3: {
      if (Chance(25)) {
        cloud_.DropRoutine(dataset, "net_price");
        return "drop a routine of " + dataset.ToString();
      }
      cloud_.PutRoutine(dataset, "net_price", fmt::format("price * {}", number));
      return "edit a routine of " + dataset.ToString();
    }
    default:
      cloud_.PatchDataset(dataset, {{"description", PickName()}});
      return "describe " + dataset.ToString();
  }
}

void Organization::LookAtTable(const TableRef& ref, Truth& truth) const {
  const auto table = cloud_.warehouse().GetTable(ref);
  CHECK(table.ok(), "a table that is listed is gone");
  if (table->kind != TableKind::kTable) {
    truth.objects[ref] = DefinitionContent(cloud_, ref);
    return;
  }
  truth.definitions[ref] = DefinitionOf(*table);
  truth.wholes[ref] = std::make_shared<sim::Rows>(cloud_.ReadRows(ref));
  bool divided = false;
  if (table->partitioning.kind != Partitioning::Kind::kNone) {
    const Status listed = cloud::ForEachPage<PartitionInfo>(
        [&](const std::string& token) { return cloud_.warehouse().ListPartitions(ref, token); },
        [&](PartitionInfo&& partition) -> Status {
          // Rows that are in the streaming buffer only are in no backup.
          const bool is_buffer = partition.ref.partition == kUnpartitionedPartition &&
                                 table->streaming_buffer.has_value() &&
                                 table->partitioning.kind != Partitioning::Kind::kIntegerRange;
          if (is_buffer) return Ok();
          divided = true;
          truth.objects[partition.ref] =
              std::make_shared<sim::Rows>(cloud_.ReadRows(partition.ref));
          return Ok();
        });
    CHECK(listed.ok(), "partitions are not listed");
  }
  if (!divided) truth.objects[ref] = truth.wholes[ref];
}

Truth Organization::Look() const {
  Truth truth;
  for (const DatasetRef& dataset : datasets_) {
    truth.objects[DatasetObject(dataset)] = DefinitionContent(cloud_, DatasetObject(dataset));
    const Status tables = cloud::ForEachPage<TableSummary>(
        [&](const std::string& token) { return cloud_.warehouse().ListTables(dataset, token); },
        [&](TableSummary&& summary) -> Status {
          LookAtTable(summary.ref, truth);
          return Ok();
        });
    const Status routines = cloud::ForEachPage<cloud::RoutineInfo>(
        [&](const std::string& token) { return cloud_.definitions().ListRoutines(dataset, token); },
        [&](cloud::RoutineInfo&& routine) -> Status {
          const TableRef object = RoutineObject(dataset, routine.routine);
          truth.objects[object] = DefinitionContent(cloud_, object);
          return Ok();
        });
    CHECK(tables.ok() && routines.ok(), "the organization cannot be looked at");
  }
  return truth;
}

}  // namespace holdfast::simulation
