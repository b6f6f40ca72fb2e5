#include "cli/run_text.h"

#include <fmt/format.h>

#include <ostream>

#include "base/clock.h"
#include "cli/output.h"

namespace holdfast::cli {

namespace {

std::string NameOf(const ItemOutcome& item) {
  if (!item.object.table.empty()) return item.object.ToString();
  if (!item.object.dataset.empty()) return item.object.dataset_ref().ToString();
  return item.object.project;
}

// Whether the run read rows of it; of others it holds no count.
bool HasData(const ItemOutcome& item) {
  return item.outcome == Outcome::kBackedUp || item.outcome == Outcome::kMetadataOnly;
}

void PrintItem(std::ostream& out, const ItemOutcome& item) {
  std::string line = fmt::format("  {:<12} {}", OutcomeWords(item.outcome), NameOf(item));
  if (HasData(item)) {
    line += IsDefinitionOnly(item.kind)
                ? fmt::format("  {}", ObjectKindWords(item.kind))
                : fmt::format("  {}, {}", Plural(item.rows, "row"), HumanBytes(item.bytes));
  }
  if (!item.reason.empty()) line += "  (" + item.reason + ")";
  if (!item.error_id.empty()) line += " [" + item.error_id + "]";
  out << Printable(std::move(line)) << '\n';
}

// Several partitions of one table with one outcome: the first few, then their sum.
void PrintGroup(std::ostream& out, const std::vector<const ItemOutcome*>& group) {
  const bool all = group.size() <= kPartitionLinesMax + 1;
  for (size_t i = 0; i < group.size() && (all || i < kPartitionLinesMax); ++i) {
    PrintItem(out, *group[i]);
  }
  if (all) return;
  int64_t rows = 0;
  int64_t bytes = 0;
  for (size_t i = kPartitionLinesMax; i < group.size(); ++i) {
    rows += group[i]->rows;
    bytes += group[i]->bytes;
  }
  std::string line = fmt::format(
      "  {:<12} ... and {} of that table", "",
      Plural(static_cast<int64_t>(group.size() - kPartitionLinesMax), "more partition"));
  if (HasData(*group.front()))
    line += fmt::format(": {}, {}", Plural(rows, "row"), HumanBytes(bytes));
  out << line << '\n';
}

}  // namespace

std::string OutcomeWords(Outcome outcome) {
  switch (outcome) {
    case Outcome::kBackedUp:
      return "backed up";
    case Outcome::kUnchanged:
      return "unchanged";
    case Outcome::kMetadataOnly:
      return "description";
    case Outcome::kUnsupported:
      return "NOT PROTECTED";
    case Outcome::kFailed:
      return "FAILED";
    case Outcome::kExcluded:
      return "excluded";
    case Outcome::kNotDue:
      return "not due";
    case Outcome::kCarried:
      return "CARRIED";
    case Outcome::kVanished:
      break;
  }
  return "deleted";
}

std::string FailureText(const std::vector<ItemOutcome>& items) {
  int64_t objects = 0;
  int64_t datasets = 0;
  int64_t projects = 0;
  bool no_project = false;
  for (const ItemOutcome& item : items) {
    if (item.outcome != Outcome::kFailed) continue;
    if (item.error_id == FindError(ErrorId::kNoProjects).id) {
      no_project = true;
    } else {
      ++(!item.object.table.empty() ? objects : !item.object.dataset.empty() ? datasets : projects);
    }
  }
  if (no_project) {
    return "No project was looked into, so nothing was backed up; earlier backups are kept. Check "
           "the names that were given, the organization and the permissions.";
  }
  std::string text;
  const auto add = [&](int64_t count, std::string_view noun, std::string_view what) {
    if (count > 0) text += Plural(count, noun) + std::string(what);
  };
  add(objects, "object", " could not be backed up; earlier backups are kept. ");
  add(datasets, "dataset", " could not be listed: what is in there was not backed up. ");
  add(projects, "project", " could not be looked into: what is in there was not backed up. ");
  if (text.empty()) return text;
  return text + "Run the same command again, or see `holdfast explain ID`.";
}

std::string GoingOnText(const std::string& run) {
  return "Going on with run " + run +
         ", which is not finished. If another process is running it, both work on it.";
}

void PrintRunItems(std::ostream& out, const std::vector<ItemOutcome>& items) {
  std::vector<const ItemOutcome*> group;
  const auto flush = [&] {
    PrintGroup(out, group);
    group.clear();
  };
  for (const ItemOutcome& item : items) {
    const bool is_quiet = item.outcome == Outcome::kUnchanged || item.outcome == Outcome::kNotDue;
    if (is_quiet && !item.suspect && item.note.empty()) continue;
    if (!group.empty() && (group.back()->outcome != item.outcome ||
                           group.back()->object.WholeTable() != item.object.WholeTable())) {
      flush();
    }
    group.push_back(&item);
  }
  flush();
}

Json RunDocument(const RunReport& report) {
  const Run& run = report.run;
  Json document = report.ToJson();
  document["schema"] = "holdfast.backup_run.v1";
  const Json policy_document = run.document ? run.document->ToJson() : Json();
  document["run"] = {{"id", run.id},
                     {"state", RunStateName(run.state)},
                     {"started", FormatTimestamp(FromUnixMillis(run.started_ms))},
                     {"finished", FormatTimestamp(FromUnixMillis(run.finished_ms))},
                     {"policy", run.policy.ToJson()},
                     {"policy_document", policy_document},
                     {"due", run.due}};
  document["totals"]["suspect"] = CountSuspects(report.items);
  return document;
}

std::string SummarizeTotals(const RunTotals& totals) {
  std::string text = fmt::format("{} backed up", Plural(totals.Of(Outcome::kBackedUp), "object"));
  const auto add = [&](Outcome outcome, std::string_view words) {
    if (totals.Of(outcome) > 0)
      text += fmt::format(", {} {}", HumanCount(totals.Of(outcome)), words);
  };
  add(Outcome::kMetadataOnly, "with a new description only");
  add(Outcome::kUnchanged, "unchanged");
  add(Outcome::kVanished, "deleted at the source");
  add(Outcome::kNotDue, "not due");
  add(Outcome::kExcluded, "excluded by policy");
  add(Outcome::kUnsupported, "NOT PROTECTED");
  add(Outcome::kCarried, "CARRIED to a later day");
  add(Outcome::kFailed, "FAILED");
  return text + fmt::format("; {}, {}", Plural(totals.rows, "row"), HumanBytes(totals.bytes));
}

std::string SummarizeRun(const RunReport& report) {
  return SummarizeTotals(report.totals) + " in " +
         HumanDuration(report.run.finished_ms - report.run.started_ms);
}

}  // namespace holdfast::cli
