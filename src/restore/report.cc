#include "restore/report.h"

#include <algorithm>

#include "base/clock.h"

namespace holdfast::restore {

std::string_view TableOutcomeName(TableOutcome outcome) {
  switch (outcome) {
    case TableOutcome::kRestored:
      return "restored";
    case TableOutcome::kSkipped:
      return "skipped";
    case TableOutcome::kDiffers:
      return "differs";
    case TableOutcome::kFailed:
      break;
  }
  return "failed";
}

int64_t RestoreReport::Count(TableOutcome outcome) const {
  return std::ranges::count(tables, outcome, &TableReport::outcome);
}

int64_t RestoreReport::CountMissing() const {
  return std::ranges::count(missing, false, &MissingObject::unsupported);
}

Json TableReport::ToJson() const {
  Json json = {{"source", source.ToString()},
               {"target", target.ToString()},
               {"kind", ObjectKindName(kind)},
               {"outcome", TableOutcomeName(outcome)},
               {"resumed", resumed},
               {"left_behind", left_behind},
               {"backups", std::to_string(backups)},
               {"rows", std::to_string(rows)},
               {"bytes", std::to_string(bytes)},
               {"duration_ms", std::to_string(duration_ms)}};
  json["notes"] = notes;
  json["expirations_left_out"] = expirations;
  json["foreign_keys_left_out"] = foreign_keys;
  if (comparison) json["comparison"] = comparison->ToJson();
  if (error) {
    json["error"] = {{"id", FindError(error->id).id}, {"message", error->message}};
  }
  return json;
}

Json RestoreReport::ToJson() const {
  Json list = Json::array();
  for (const TableReport& table : tables) list.push_back(table.ToJson());
  Json lacking = Json::array();
  for (const MissingObject& object : missing) lacking.push_back(object.ToJson());
  Json json = {{"schema", "holdfast.restore.v1"},
               {"plan", plan},
               {"tables", std::move(list)},
               {"missing", std::move(lacking)},
               {"notes", notes},
               {"duration_ms", std::to_string(duration_ms)},
               {"succeeded", Succeeded()}};
  if (resumes_ms) json["resumes"] = FormatTimestamp(FromUnixMillis(*resumes_ms));
  return json;
}

}  // namespace holdfast::restore
