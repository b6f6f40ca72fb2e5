#include "cli/status_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ostream>

#include "base/clock.h"

namespace holdfast::cli {

namespace {

std::string TimeText(int64_t unix_ms) { return FormatTimestamp(FromUnixMillis(unix_ms)); }

std::string NamesText(const NamedObjects& objects) {
  const int64_t more = objects.count - static_cast<int64_t>(objects.first.size());
  std::string text = fmt::format("{}", fmt::join(objects.first, ", "));
  if (more > 0) text += fmt::format(" and {} more", HumanCount(more));
  return text;
}

Json NamedJson(const NamedObjects& objects) {
  return {{"count", objects.count}, {"first", objects.first}};
}

std::string ScopeText(const RunStatus& status) {
  const Scope& scope = status.run.policy.scope;
  if (status.whole_scope) return "over the whole scope";
  std::string text = scope.include.empty()
                         ? "over everything"
                         : fmt::format("only over {}", fmt::join(scope.include, ", "));
  if (!scope.exclude.empty()) text += fmt::format(" but {}", fmt::join(scope.exclude, ", "));
  return text;
}

Json RunJson(const RunStatus& status) {
  const Run& run = status.run;
  const RunTotals& totals = status.progress.totals;
  return {{"run", run.id},
          {"state", RunStateName(run.state)},
          {"started", TimeText(run.started_ms)},
          {"finished", run.state == RunState::kFinished ? Json(TimeText(run.finished_ms)) : Json()},
          {"scope", run.policy.scope.ToJson()},
          {"whole_scope", status.whole_scope},
          {"totals", totals.ToJson()},
          {"unsupported", totals.Of(Outcome::kUnsupported)},
          {"failed", totals.Of(Outcome::kFailed)},
          {"carried", totals.Of(Outcome::kCarried)},
          {"failed_objects", NamedJson(status.failed)},
          {"suspect", status.suspect}};
}

Json ProjectRow(const std::string& name, const ProjectStatus& project, bool pretty) {
  const Json oldest = project.oldest_ms ? Json(TimeText(*project.oldest_ms)) : Json();
  return {{"project", name},
          {"objects", project.objects},
          {"rows", pretty ? Json(HumanCount(project.rows)) : Json(project.rows)},
          {"bytes", pretty ? Json(HumanBytes(project.bytes)) : Json(project.bytes)},
          {"verified", pretty ? Json(fmt::format("{} of {}", project.verified, project.objects))
                              : Json(project.verified)},
          {"suspect", project.suspect},
          {"damaged", project.damaged},
          {"without_good_backup", project.without_good_backup},
          {"deleted", project.deleted},
          {"oldest_recovery_point", oldest.is_null() && pretty ? Json("none") : oldest}};
}

std::vector<Json> ProjectRows(const StatusSummary& summary, bool pretty) {
  std::vector<Json> rows;
  for (const auto& [name, project] : summary.projects) {
    rows.push_back(ProjectRow(name, project, pretty));
  }
  return rows;
}

std::vector<Column> ProjectColumns() {
  return {{.member = "project", .heading = "PROJECT"},
          {.member = "objects", .heading = "OBJECTS", .align_right = true},
          {.member = "rows", .heading = "ROWS", .align_right = true},
          {.member = "bytes", .heading = "STORED", .align_right = true},
          {.member = "verified", .heading = "CONTENT VERIFIED"},
          {.member = "suspect", .heading = "SUSPECT", .align_right = true},
          {.member = "damaged", .heading = "DAMAGED", .align_right = true},
          {.member = "without_good_backup", .heading = "NO GOOD BACKUP", .align_right = true},
          {.member = "deleted", .heading = "DELETED", .align_right = true},
          {.member = "oldest_recovery_point", .heading = "OLDEST RECOVERY POINT"}};
}

void PrintLine(std::ostream& out, std::string text) { out << Printable(std::move(text)) << '\n'; }

void PrintLastRun(std::ostream& out, const RunStatus& last) {
  PrintLine(out,
            fmt::format("Last run: {} {}, begun {}, {}", last.run.id, RunStateName(last.run.state),
                        TimeText(last.run.started_ms), ScopeText(last)));
  if (last.run.state == RunState::kRunning) {
    const catalog::RunProgress& progress = last.progress;
    PrintLine(out, fmt::format("  Not finished, {} of {} done: if no process is running it, "
                               "`holdfast backup run` goes on with it.",
                               progress.tasks_done,
                               Plural(progress.tasks_done + progress.tasks_pending, "task")));
  }
  if (last.failed.count > 0) {
    PrintLine(out, fmt::format("  FAILED in it: {}: {}", HumanCount(last.failed.count),
                               NamesText(last.failed)));
  }
  if (last.suspect > 0) {
    PrintLine(out, fmt::format("  SUSPECT in it: {}", HumanCount(last.suspect)));
  }
}

// What is said of the run that looked at everything, beside the last one if that is another.
void PrintWholeRun(std::ostream& out, const StatusSummary& summary) {
  const auto& whole = summary.last_whole_run;
  if (whole) {
    PrintLine(out, fmt::format("Last finished run over the whole scope: {}, begun {}",
                               whole->run.id, TimeText(whole->run.started_ms)));
    if (whole->failed.count > 0) {
      PrintLine(out, fmt::format("  FAILED in it, and not backed up since: {}: {}",
                                 HumanCount(whole->failed.count), NamesText(whole->failed)));
    }
  } else if (!summary.last_run->whole_scope || summary.last_run->run.state != RunState::kFinished) {
    PrintLine(out,
              "No run over the whole scope has finished: what was deleted or never backed up "
              "is not known.");
  }
  const RunStatus& seen = whole ? *whole : *summary.last_run;
  if (const auto count = summary.unsupported.count; count > 0) {
    PrintLine(out, fmt::format("  NOT PROTECTED, of a kind that is not backed up: {}",
                               Plural(count, "object")));
  }
  if (const auto count = seen.progress.totals.Of(Outcome::kExcluded); count > 0) {
    PrintLine(out, fmt::format("  NOT PROTECTED, left out by the policy document: {}",
                               Plural(count, "object")));
  }
  if (const auto count = summary.last_run->progress.totals.Of(Outcome::kNotDue); count > 0) {
    PrintLine(out, fmt::format("  Not looked at in the last run, being of other schedules: {}",
                               Plural(count, "object")));
  }
  if (const auto count = seen.progress.totals.Of(Outcome::kCarried); count > 0) {
    PrintLine(out, fmt::format("  CARRIED to a later day for want of quota: {}",
                               Plural(count, "object")));
  }
}

void PrintKind(std::ostream& out, const NamedObjects& objects, std::string_view what,
               std::string_view next) {
  if (objects.count == 0) return;
  PrintLine(out, fmt::format("{}: {}: {}", what, HumanCount(objects.count), NamesText(objects)));
  PrintLine(out, fmt::format("  {}", next));
}

void PrintPretty(std::ostream& out, const StatusSummary& summary, const std::string& cloud) {
  PrintLine(out, "Cloud: " + cloud);
  if (!summary.last_run && summary.projects.empty()) {
    out << kNoBackupsText << '\n';
    return;
  }
  if (summary.last_run) {
    PrintLastRun(out, *summary.last_run);
    PrintWholeRun(out, summary);
  }
  PrintKind(out, summary.without_good_backup, "WITHOUT A GOOD BACKUP",
            "Mend what the run says of them (`holdfast explain ID`), then: holdfast backup run");
  PrintKind(
      out, summary.damaged, "A backup is DAMAGED",
      "See which with `holdfast backup list`. Restores use good ones only; where it is the newest, "
      "`holdfast backup run` takes a new one.");
  PrintKind(
      out, summary.suspect, "SUSPECT, rows or bytes are missing",
      "Restores use an older good backup, if there is one. Look at the source; if it is meant to "
      "be so: holdfast backup accept BACKUP");
  PrintKind(out, summary.lost, "Of these, GONE with most rows of their table",
            "Restores --as-of a time before have them. It ends when they or as many rows are back, "
            "when their backups are pruned, when policy.shrink_threshold allows it at the next "
            "run, or when it is accepted: holdfast backup accept-loss TABLE --reason TEXT");
  PrintKind(out, summary.from_copies, "LOST where it was, and read from its COPY: a backup of",
            "Find out what happened to its repository; `holdfast backup run` backs the objects up "
            "there again. To hear no more of it: holdfast backup accept-loss NAME --reason TEXT");
  PrintKind(out, summary.damaged_copies, "A COPY in a further repository is DAMAGED",
            "The backups themselves are used, as before. See which with: holdfast backup verify "
            "--repository gs://BUCKET/PREFIX");
  PrintKind(out, summary.accepted, "Lost, and ACCEPTED",
            "See by whom and why with `holdfast backup accept-loss --list`.");
  PrintKind(out, summary.deleted, "Deleted at the source", "Their backups are kept.");
  out << '\n';
  PrintRows(out, Format::kPretty, ProjectColumns(), ProjectRows(summary, true), kNoBackupsText);
}

}  // namespace

void PrintStatus(std::ostream& out, Format format, const StatusSummary& summary,
                 const std::string& cloud) {
  if (format == Format::kPretty) return PrintPretty(out, summary, cloud);
  if (format == Format::kCsv || format == Format::kValue) {
    return PrintRows(out, format, ProjectColumns(), ProjectRows(summary, false), "");
  }
  PrintDocument(
      out, format,
      {{"schema", "holdfast.status.v1"},
       {"cloud", cloud},
       {"last_run", summary.last_run ? RunJson(*summary.last_run) : Json()},
       {"last_whole_run", summary.last_whole_run ? RunJson(*summary.last_whole_run) : Json()},
       {"suspect", NamedJson(summary.suspect)},
       {"lost", NamedJson(summary.lost)},
       {"damaged", NamedJson(summary.damaged)},
       {"from_copies", NamedJson(summary.from_copies)},
       {"damaged_copies", NamedJson(summary.damaged_copies)},
       {"accepted_losses", NamedJson(summary.accepted)},
       {"without_good_backup", NamedJson(summary.without_good_backup)},
       {"unsupported", NamedJson(summary.unsupported)},
       {"deleted", NamedJson(summary.deleted)},
       {"projects", ProjectRows(summary, false)}});
}

}  // namespace holdfast::cli
