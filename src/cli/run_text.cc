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

namespace {

// Whether the outcome is of the object, or of the dataset or project that it is in.
bool TellsOf(const ItemOutcome& item, const TableRef& object) {
  const TableRef& told = item.object;
  return told.project == object.project &&
         (told.dataset.empty() || told.dataset == object.dataset) &&
         (told.table.empty() || told.table == object.table) &&
         (told.partition.empty() || object.partition.empty() || told.partition == object.partition);
}

}  // namespace

void RunFindings::Add(const ItemOutcome& item) {
  const bool is_left_out = item.outcome == Outcome::kExcluded || item.outcome == Outcome::kNotDue ||
                           item.outcome == Outcome::kUnsupported ||
                           item.outcome == Outcome::kVanished;
  for (auto& [object, why] : missed) {
    // What was taken of it once is not undone by a partition of it that is gone.
    if (!why.empty() && TellsOf(item, object)) why = is_left_out ? item.reason : std::string();
  }
  if (item.suspect) ++(item.outcome == Outcome::kVanished ? suspect_deletions : suspect_backups);
  if (item.outcome != Outcome::kFailed) return;
  if (item.error_id == FindError(ErrorId::kNoProjects).id) {
    no_project = true;
  } else {
    ++(!item.object.table.empty()     ? objects_failed
       : !item.object.dataset.empty() ? datasets_failed
                                      : projects_failed);
  }
}

std::string FailureText(const std::vector<ItemOutcome>& items) {
  RunFindings findings;
  for (const ItemOutcome& item : items) findings.Add(item);
  return DescribeFailures(findings);
}

std::string DescribeFailures(const RunFindings& findings) {
  if (findings.no_project) {
    return "No project was looked into, so nothing was backed up; earlier backups are kept. Check "
           "the names that were given, the organization and the permissions.";
  }
  std::string text;
  const auto add = [&](int64_t count, std::string_view noun, std::string_view what) {
    if (count > 0) text += Plural(count, noun) + std::string(what);
  };
  add(findings.objects_failed, "object", " could not be backed up; earlier backups are kept. ");
  add(findings.datasets_failed, "dataset",
      " could not be listed: what is in there was not backed up. ");
  add(findings.projects_failed, "project",
      " could not be looked into: what is in there was not backed up. ");
  if (text.empty()) return text;
  return text + "Run the same command again, or see `holdfast explain ID`.";
}

std::string GoingOnText(const std::string& run) {
  return "Going on with run " + run +
         ", which is not finished. If another process is running it, both work on it.";
}

void RunItemPrinter::Add(const ItemOutcome& item) {
  const bool is_quiet = item.outcome == Outcome::kUnchanged || item.outcome == Outcome::kNotDue;
  if (is_quiet && !item.suspect && item.note.empty()) return;
  if (!group_.empty() && (group_.back().outcome != item.outcome ||
                          group_.back().object.WholeTable() != item.object.WholeTable())) {
    Finish();
  }
  // One more than is shown of a long group: of that many all are shown.
  if (group_.size() <= kPartitionLinesMax) {
    group_.push_back(item);
    return;
  }
  ++more_;
  more_rows_ += item.rows;
  more_bytes_ += item.bytes;
}

// Several partitions of one table with one outcome: the first few, then their sum.
void RunItemPrinter::Finish() {
  const size_t shown = more_ == 0 ? group_.size() : kPartitionLinesMax;
  for (size_t i = 0; i < shown; ++i) PrintItem(out_, group_[i]);
  if (more_ > 0) {
    const ItemOutcome& last = group_.back();
    std::string line =
        fmt::format("  {:<12} ... and {} of that table", "", Plural(more_ + 1, "more partition"));
    if (HasData(last)) {
      line += fmt::format(": {}, {}", Plural(more_rows_ + last.rows, "row"),
                          HumanBytes(more_bytes_ + last.bytes));
    }
    out_ << line << '\n';
  }
  group_.clear();
  more_ = more_rows_ = more_bytes_ = 0;
}

void PrintRunItems(std::ostream& out, const std::vector<ItemOutcome>& items) {
  RunItemPrinter printer(out);
  for (const ItemOutcome& item : items) printer.Add(item);
  printer.Finish();
}

Json RunDocument(const RunSummary& summary) {
  const Run& run = summary.run;
  const Json policy_document = run.document ? run.document->ToJson() : Json();
  Json document = {{"schema", "holdfast.backup_run.v1"},
                   {"items", Json::array()},
                   {"totals", summary.totals.ToJson()}};
  document["run"] = {{"id", run.id},
                     {"state", RunStateName(run.state)},
                     {"started", FormatTimestamp(FromUnixMillis(run.started_ms))},
                     {"finished", FormatTimestamp(FromUnixMillis(run.finished_ms))},
                     {"policy", run.policy.ToJson()},
                     {"policy_document", policy_document},
                     {"due", run.due}};
  document["totals"]["suspect"] = summary.suspects;
  return document;
}

Json RunDocument(const RunReport& report) {
  Json document = RunDocument(RunSummary{
      .run = report.run, .totals = report.totals, .suspects = CountSuspects(report.items)});
  for (const ItemOutcome& item : report.items) document["items"].push_back(item.ToJson());
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

std::string SummarizeRun(const RunSummary& summary) {
  return SummarizeTotals(summary.totals) + " in " +
         HumanDuration(summary.run.finished_ms - summary.run.started_ms);
}

std::string SummarizeRun(const RunReport& report) {
  return SummarizeRun(RunSummary{.run = report.run, .totals = report.totals, .suspects = 0});
}

}  // namespace holdfast::cli
