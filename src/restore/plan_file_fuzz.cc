// A plan is a file that a person was handed: whatever it says, reading it may not crash, and what
// was accepted must survive being written and read again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/hash.h"
#include "restore/plan_file.h"
#include "tests/support/edited_json.h"

namespace {

using holdfast::restore::ApprovedPlan;

ApprovedPlan Good() {
  ApprovedPlan approved;
  approved.request.source = {"acme", "sales", "", ""};
  approved.request.to_dataset = "back";
  holdfast::restore::TableRestore table{.source = {"acme", "sales", "orders", ""},
                                        .target = {"acme", "back", "orders", ""}};
  table.backups = {{.backup = "20261121T101844Z-5b0c9d21e6a0",
                    .object = table.source.WithPartition("20240101"),
                    .run = "20261121T101844Z-3fa9c1d2",
                    .created_ms = 1'700'000'000'000,
                    .consistent_through_ms = 1'700'000'000'000,
                    .location = "US",
                    .bucket = "acme-holdfast-us",
                    .rows = 3,
                    .stored_bytes = 24,
                    .objects = 1}};
  table.notes = {"a note"};
  table.before = {.exists = true, .creation_ms = 5, .last_modified_ms = 6, .rows = 7};
  approved.plan =
      PlanOf(approved.request, {table}, {{.object = {"acme", "sales", "lost", ""}}}, {});
  approved.plan.id = "20261121T101844Z-3fa9c1d2";
  approved.plan.created_ms = 1'700'000'000'000;
  approved.plan.held_until_ms = 1'700'000'600'000;
  approved.plan.datasets = {{.dataset = {"acme", "back"}, .exists = true, .location = "US"}};
  approved.plan.conflicts = {
      {{"acme", "back", "", ""}, MakeError(holdfast::ErrorId::kAccessWider, "wider"), false}};
  approved.plan.access_changes = {{{"acme", "back"}, "lets in more"}};
  approved.plan.quotas = {{.of = "acme", .quota = "load_jobs_per_day", .needed = 1, .limit = 9}};
  return approved;
}

// The document with a sum that is right, so that its members are looked at.
std::string WithSum(holdfast::Json json) {
  if (!json.is_object()) return holdfast::DumpJson(json);
  json.erase("plan_sha256");
  const std::string sum = holdfast::Sha256Hex(holdfast::DumpJson(json));
  json["plan_sha256"] = sum;
  return holdfast::DumpJson(json) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const holdfast::Json good = holdfast::ParseJson(SerializePlan(Good())).value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)holdfast::restore::ParsePlan(text);
  const auto accepted =
      holdfast::restore::ParsePlan(WithSum(holdfast::testing_support::EditedJson(good, text)));
  if (!accepted.ok()) return 0;
  const std::string written = SerializePlan(*accepted);
  const auto read = holdfast::restore::ParsePlan(written);
  CHECK(read.ok(), "an accepted plan cannot be read back");
  CHECK(SerializePlan(*read) == written, "a plan changes when it is read and written");
  (void)read->plan.ToJson();
  return 0;
}
