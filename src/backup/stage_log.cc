#include "backup/stage_log.h"

#include "base/log.h"

namespace holdfast::backup {

namespace {

struct StageSubject {
  std::string stage;
  std::string object;
};

StageSubject SubjectOf(const WorkMessage& message) {
  if (const auto* table = std::get_if<RunBackup>(&message)) {
    return {"backup", table->table_to_backup.ToString()};
  }
  if (const auto* check = std::get_if<CheckProjectTables>(&message)) {
    return {"scan", check->project_to_check};
  }
  return {"projects", "organization"};
}

std::string ObjectText(const TableRef& object) {
  if (object.dataset.empty()) return object.project;
  return object.table.empty() ? object.dataset_ref().ToString() : object.ToString();
}

// "3 backed_up, 1 failed"
std::string CountsText(const std::vector<ItemOutcome>& outcomes) {
  RunTotals totals;
  for (const ItemOutcome& item : outcomes) totals.Add(item);
  std::string text;
  for (int i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    if (totals.Of(outcome) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(totals.Of(outcome)) + " " +
            std::string(OutcomeName(outcome));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::string StageObject(const WorkMessage& message) { return SubjectOf(message).object; }

void LogStage(const WorkMessage& message, const StageResult& result) {
  const StageSubject subject = SubjectOf(message);
  bool has_failed = false;
  for (const ItemOutcome& item : result.outcomes) {
    const bool is_failed = item.outcome == Outcome::kFailed;
    has_failed = has_failed || is_failed;
    if (!is_failed && !item.suspect) continue;
    LogWarning(is_failed ? "object failed" : "backup is suspect",
               {{"stage", subject.stage},
                {"run", RunOf(message)},
                {"object", ObjectText(item.object)},
                {"code", item.error_id},
                {"reason", item.reason}});
  }
  Log(has_failed ? LogLevel::kWarning : LogLevel::kInfo,
      has_failed ? "stage done, with failures" : "stage done",
      {{"stage", subject.stage},
       {"run", RunOf(message)},
       {"object", subject.object},
       {"outcomes", CountsText(result.outcomes)},
       {"follow_ups", std::to_string(result.follow_ups.size())}});
}

}  // namespace holdfast::backup
