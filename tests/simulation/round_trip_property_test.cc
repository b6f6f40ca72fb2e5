// restore(backup(x)) == x, for random schemas, values, partitionings, codecs and methods.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "restore/apply.h"
#include "restore/unfinished.h"
#include "tests/support/random_rows.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::simulation {
namespace {

using testing_support::RandomCell;
using testing_support::RandomField;
using testing_support::SimFixture;

const TableRef kTable{"acme-shop", "sales", "anything", ""};
const TableRef kBack{"acme-shop", "back", "anything", ""};

// A table that is divided in some way by its last column, or by the time at which rows came.
struct Division {
  const char* what;
  Json resource;
  FieldType type = FieldType::kInt64;  // of the column
  std::vector<Json> values;            // for it; none: there is no such column
};

const std::vector<Division>& Divisions() {
  const auto by_time = [](const char* type) -> Json {
    return {{"timePartitioning", {{"type", type}, {"field", "at"}}}};
  };
  static const std::vector<Division> all = {
      {"plain", Json::object(), FieldType::kInt64, {}},
      {"ingestion", {{"timePartitioning", {{"type", "DAY"}}}}, FieldType::kInt64, {}},
      {"day",
       by_time("DAY"),
       FieldType::kDate,
       {"0001-01-01", "2026-02-28", "9999-12-31", nullptr}},
      {"hour",
       by_time("HOUR"),
       FieldType::kTimestamp,
       {"0001-01-01T00:00:00Z", "2026-10-25T01:59:59.999999Z", "9999-12-31T23:59:59.999999Z",
        nullptr}},
      {"month", by_time("MONTH"), FieldType::kDateTime, {"1969-12-31T23:59:59.5", nullptr}},
      {"year", by_time("YEAR"), FieldType::kDate, {"1970-01-01", "2000-02-29", nullptr}},
      {"range",
       {{"rangePartitioning",
         {{"field", "at"}, {"range", {{"start", "-5"}, {"end", "20"}, {"interval", "5"}}}}}},
       FieldType::kInt64,
       {-6, -5, -1, 0, 19, 20, INT64_MAX, nullptr}}};
  return all;
}

Result<restore::RestoreReport> Restore(SimFixture& fixture) {
  restore::RestoreRequest request;
  request.source = kTable;
  request.to_dataset = kBack.dataset;
  HF_ASSIGN_OR_RETURN(const auto plan, restore::PlanRestore(request, fixture.restore_services()));
  return restore::Apply(request, plan, fixture.restore_services());
}

TEST(RoundTrip, WhatIsRestoredIsWhatWasBackedUp) {
  const bool holds = rc::check([] {
    const Division division = *rc::gen::elementOf(Divisions());
    Schema schema;
    const int columns = *rc::gen::inRange(1, 6);
    for (int i = 0; i < columns; ++i) schema.fields.push_back(RandomField(i, 1));
    std::vector<Json> rows(*rc::gen::inRange<size_t>(0, 20));
    for (Json& row : rows) {
      row = Json::object();
      for (const Field& field : schema.fields) row[field.name] = RandomCell(field);
      if (!division.values.empty()) row["at"] = *rc::gen::elementOf(division.values);
    }
    if (!division.values.empty()) schema.fields.push_back({.name = "at", .type = division.type});
    BackupPolicy policy;
    policy.method = *rc::gen::element(Method::kExport, Method::kExport, Method::kCopy);
    policy.codec = *rc::gen::element<std::string>("NONE", "DEFLATE", "SNAPPY");
    RC_CLASSIFY(true, std::string(division.what));

    SimFixture fixture;
    fixture.cloud().AddTable(kTable, schema, rows, division.resource);
    const sim::Rows before = fixture.cloud().ReadRows(kTable);
    const auto backed_up = fixture.BackUp(policy);
    RC_ASSERT(backed_up.ok());
    RC_ASSERT(backed_up->totals.Of(Outcome::kFailed) == 0);
    const auto report = Restore(fixture);
    RC_ASSERT(report.ok());
    if (!report->Succeeded()) RC_LOG() << DumpJson(report->ToJson());
    RC_ASSERT(report->Succeeded());
    RC_ASSERT(fixture.cloud().ReadRows(kBack) == before);
    const auto table = fixture.cloud().warehouse().GetTable(kBack);
    RC_ASSERT(table.ok());
    RC_ASSERT(table->schema == schema);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace holdfast::simulation
