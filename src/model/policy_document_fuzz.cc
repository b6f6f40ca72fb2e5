// A policy document is typed by people, an owner's file by strangers: neither may crash, each
// mistake has a place in the text, and what was accepted survives being carried with a run.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "model/effective_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using holdfast::PolicyDocument;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const holdfast::ParsedPolicy parsed = holdfast::ParsePolicyText(text, "fuzz.yaml");
  for (const holdfast::PolicyProblem& problem : parsed.problems) {
    CHECK(problem.line > 0 && problem.column > 0 && !problem.message.empty(), "a mistake nowhere");
  }
  const auto carried = PolicyDocument::FromJson(parsed.document.ToJson());
  CHECK(carried.ok(), "a document that was read cannot be carried");
  CHECK(*carried == parsed.document, "a document changes when it is carried");
  const holdfast::PolicyResolver resolver(*carried, "acme-prod", {"folders/2", "folders/1"},
                                          {{"env", "prod"}});
  const holdfast::OwnerFile file{.origin = "file", .content = holdfast::ParseOwnerText(text)};
  const auto policy = resolver.OfTable({"acme-prod", "sales", "orders", ""}, {},
                                       {{"holdfast-class", text}, {"holdfast-rpo", text}}, &file);
  const auto patched = holdfast::PatchPolicy({}, policy.BackupPolicyPatch());
  CHECK(patched.ok(), "an effective policy is no policy: " + patched.error().message);
  for (const holdfast::Schedule& schedule : carried->Schedules()) {
    const holdfast::Timestamp now(std::chrono::seconds(1'772'769'600));
    CHECK(schedule.LastDue(now) <= now && schedule.NextDue(now) > now, "a schedule out of order");
  }
  return 0;
}
