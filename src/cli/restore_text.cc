#include "cli/restore_text.h"

#include <fmt/format.h>

#include <ostream>
#include <vector>

#include "base/clock.h"
#include "model/table.h"

namespace holdfast::cli {

namespace {

constexpr size_t kNotesMax = 5;  // of one table
constexpr const char* kIndent = "            ";

bool IsTable(Format format) {
  return format == Format::kCsv || format == Format::kValue || format == Format::kSparse;
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : "; ") + text;
  return joined;
}

// A plan and a report for machines. In the forms that are stored and audited counts are texts; what
// is printed has numbers, as of every command.
Json PlanDocument(const restore::RestorePlan& plan) {
  Json document = plan.ToJson();
  document["schema"] = "holdfast.restore_plan.v1";
  document["rows"] = plan.rows;
  document["bytes"] = plan.bytes;
  for (size_t i = 0; i < plan.tables.size(); ++i) {
    const restore::TableRestore& table = plan.tables[i];
    Json& json = document["tables"][i];
    json["rows"] = table.rows;
    json["bytes"] = table.bytes;
    for (size_t j = 0; j < table.backups.size(); ++j) {
      json["backups"][j]["rows"] = table.backups[j].rows;
    }
  }
  return document;
}

Json TableDocument(const restore::TableReport& table) {
  Json json = table.ToJson();
  json["backups"] = table.backups;
  json["rows"] = table.rows;
  json["bytes"] = table.bytes;
  json["duration_ms"] = table.duration_ms;
  if (table.comparison) {
    json["comparison"]["expected_rows"] = table.comparison->expected_rows;
    json["comparison"]["actual_rows"] = table.comparison->actual_rows;
    json["comparison"]["bytes_read"] = table.comparison->bytes_read;
  }
  return json;
}

Json ReportDocument(const restore::RestoreReport& report) {
  Json document = report.ToJson();
  document["duration_ms"] = report.duration_ms;
  for (size_t i = 0; i < report.tables.size(); ++i) {
    document["tables"][i] = TableDocument(report.tables[i]);
  }
  return document;
}

// The reason, and as of when it can be had.
std::string ReasonOf(const restore::MissingObject& missing) {
  const auto nearest = [](std::optional<int64_t> ms, std::string_view side) {
    return ms ? fmt::format("; the nearest {} is {}", side, FormatTimestamp(FromUnixMillis(*ms)))
              : std::string();
  };
  return missing.reason + nearest(missing.before_ms, "before") + nearest(missing.after_ms, "after");
}

std::string_view OutcomeOf(const restore::MissingObject& missing) {
  return missing.unsupported ? "unsupported" : "missing";
}

Json RowOfMissing(const restore::MissingObject& missing) {
  return {{"source", missing.object.ToString()},
          {"outcome", OutcomeOf(missing)},
          {"notes", ReasonOf(missing)}};
}

void PrintNotes(std::ostream& out, const std::vector<std::string>& notes) {
  for (size_t i = 0; i < notes.size() && i < kNotesMax; ++i) {
    out << kIndent << "note: " << Printable(notes[i]) << '\n';
  }
  if (notes.size() <= kNotesMax) return;
  out << kIndent
      << fmt::format("... and {} (see --format json)\n",
                     Plural(static_cast<int64_t>(notes.size() - kNotesMax), "more note"));
}

void PrintMissing(std::ostream& out, const std::vector<restore::MissingObject>& missing) {
  for (const restore::MissingObject& object : missing) {
    out << Printable(fmt::format("  {:<9} {}  ({})", object.unsupported ? "NO BACKUP" : "MISSING",
                                 object.object.ToString(), object.reason))
        << '\n';
  }
}

std::string MissingText(const std::vector<restore::MissingObject>& missing) {
  if (missing.empty()) return "";
  return fmt::format(", {} NOT restored", Plural(static_cast<int64_t>(missing.size()), "object"));
}

// The columns of a plan and of a report, with those that only one of them has.
std::vector<Column> ColumnsWith(const std::vector<Column>& more) {
  std::vector<Column> columns = {{"source", "Source"},     {"target", "Target"},
                                 {"outcome", "Outcome"},   {"rows", "Rows", true},
                                 {"bytes", "Bytes", true}, {"backups", "Backups", true}};
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

void PrintPlanRows(std::ostream& out, Format format, const restore::RestorePlan& plan) {
  std::vector<Json> rows;
  for (const restore::TableRestore& table : plan.tables) {
    rows.push_back({{"source", table.source.ToString()},
                    {"target", table.target.ToString()},
                    {"outcome", "planned"},
                    {"rows", table.rows},
                    {"bytes", table.bytes},
                    {"backups", table.backups.size()},
                    {"notes", Joined(table.notes)}});
  }
  for (const restore::MissingObject& object : plan.missing) rows.push_back(RowOfMissing(object));
  PrintRows(out, format, ColumnsWith({{"notes", "Notes"}}), rows, "");
}

void PrintReportRows(std::ostream& out, Format format, const restore::RestoreReport& report) {
  std::vector<Json> rows;
  for (const restore::TableReport& table : report.tables) {
    Json row = TableDocument(table);
    row["equal"] = table.comparison ? Json(table.comparison->Equal()) : Json();
    row["notes"] = Joined(table.notes);
    row["error"] = table.error ? Json(table.error->message) : Json();
    rows.push_back(std::move(row));
  }
  for (const restore::MissingObject& object : report.missing) rows.push_back(RowOfMissing(object));
  PrintRows(out, format,
            ColumnsWith({{"duration_ms", "Milliseconds", true},
                         {"equal", "Equal"},
                         {"notes", "Notes"},
                         {"error", "Error"}}),
            rows, "");
}

void PrintDefinition(std::ostream& out, const restore::TableReport& table) {
  out << Printable(fmt::format("  {:<9} {} -> {}  {}", TableOutcomeName(table.outcome),
                               table.source.ToString(), table.target.ToString(),
                               ObjectKindWords(table.kind)))
      << '\n';
  PrintNotes(out, table.notes);
}

void PrintTable(std::ostream& out, const restore::TableReport& table) {
  if (IsDefinitionOnly(table.kind)) return PrintDefinition(out, table);
  out << Printable(fmt::format(
             "  {:<9} {} -> {}  {} from {}, {} in {}{}", TableOutcomeName(table.outcome),
             table.source.ToString(), table.target.ToString(), Plural(table.rows, "row"),
             Plural(table.backups, "backup"), HumanBytes(table.bytes),
             HumanDuration(table.duration_ms), table.resumed ? " (continued)" : ""))
      << '\n';
  PrintNotes(out, table.notes);
  for (const std::string& expiration : table.expirations) {
    out << kIndent << "expiration left out: " << Printable(expiration) << '\n';
  }
  for (const std::string& key : table.foreign_keys) {
    out << kIndent << "foreign key left out: " << Printable(key) << '\n';
  }
  if (!table.comparison) return;
  if (table.comparison->Equal() && table.comparison->actual_rows == 0) {
    out << kIndent << "empty, as its backup is: there was nothing to compare\n";
  } else if (table.comparison->Equal()) {
    out << fmt::format("{}proven equal (L3): {} read back, content digest {}\n", kIndent,
                       Plural(table.comparison->actual_rows, "row"),
                       table.comparison->actual_digest);
  }
  for (const std::string& difference : table.comparison->differences) {
    out << kIndent << "DIFFERS: " << Printable(difference) << '\n';
  }
}

// What a plan that was judged tells besides its objects.
void PrintJudgement(std::ostream& out, const restore::RestorePlan& plan) {
  for (const restore::AccessChange& change : plan.access_changes) {
    out << "  access: " << Printable(change.dataset.ToString() + " " + change.what) << '\n';
  }
  for (const restore::Conflict& conflict : plan.conflicts) {
    const Error& error = conflict.error;
    out << Printable(fmt::format("  {} [{}] {}", conflict.is_fatal ? "CONFLICT" : "allowed ",
                                 FindError(error.id).id, error.message))
        << '\n';
    if (!conflict.is_fatal) continue;
    const std::string_view action =
        error.hint.empty() ? FindError(error.id).action : std::string_view(error.hint);
    out << kIndent << PrintableLines(std::string(action)) << '\n';
  }
  for (const restore::QuotaNeed& need : plan.quotas) {
    out << "  quota: "
        << Printable(fmt::format("{} of {} {} of {}", HumanCount(need.needed),
                                 HumanCount(need.limit), need.quota, need.of))
        << '\n';
  }
  out << fmt::format("  jobs: {}, {}, {}; about {}\n", Plural(plan.jobs.load, "load job"),
                     Plural(plan.jobs.copy, "copy job"), Plural(plan.jobs.extract, "extract job"),
                     HumanDuration(plan.estimate_ms));
}

}  // namespace

void PrintRestorePlan(std::ostream& out, Format format, const restore::RestorePlan& plan) {
  if (IsTable(format)) return PrintPlanRows(out, format, plan);
  if (format != Format::kPretty) return PrintDocument(out, format, PlanDocument(plan));
  for (const restore::TableRestore& table : plan.tables) {
    const ObjectKind kind = table.backups.front().kind;
    const std::string what =
        IsDefinitionOnly(kind)
            ? std::string(ObjectKindWords(kind))
            : fmt::format("{} from {}, {}", Plural(table.rows, "row"),
                          Plural(static_cast<int64_t>(table.backups.size()), "backup"),
                          HumanBytes(table.bytes));
    out << Printable(fmt::format("  {} -> {}  {}{}", table.source.ToString(),
                                 table.target.ToString(), what,
                                 table.before.exists ? " (there is one)" : ""))
        << '\n';
    PrintNotes(out, table.notes);
  }
  PrintMissing(out, plan.missing);
  for (const std::string& note : plan.notes) out << "  note: " << Printable(note) << '\n';
  PrintJudgement(out, plan);
  out << RestorePlanLine(plan) << '\n';
}

std::string RestorePlanLine(const restore::RestorePlan& plan) {
  return fmt::format("Plan {}: {}, {}, {} to load{}", plan.hash,
                     Plural(static_cast<int64_t>(plan.tables.size()), "object"),
                     Plural(plan.rows, "row"), HumanBytes(plan.bytes), MissingText(plan.missing));
}

void PrintRestoreReport(std::ostream& out, Format format, const restore::RestoreReport& report) {
  if (IsTable(format)) return PrintReportRows(out, format, report);
  if (format != Format::kPretty) return PrintDocument(out, format, ReportDocument(report));
  for (const restore::TableReport& table : report.tables) PrintTable(out, table);
  PrintMissing(out, report.missing);
  for (const std::string& note : report.notes) out << "  note: " << Printable(note) << '\n';
  out << fmt::format("Restored {} of {} in {}{}\n", report.Count(restore::TableOutcome::kRestored),
                     Plural(static_cast<int64_t>(report.tables.size()), "object"),
                     HumanDuration(report.duration_ms), MissingText(report.missing));
}

bool IsOfOnePartition(const restore::RestoreRequest& request, const restore::RestorePlan& plan) {
  const bool asked_for = !request.source.partition.empty() || !request.backup.empty();
  return asked_for && plan.tables.size() == 1 && plan.tables.front().backups.size() == 1 &&
         !plan.tables.front().backups.front().object.partition.empty();
}

std::string PartitionConflictHint(const restore::RestoreRequest& request,
                                  const restore::RestorePlan& plan) {
  const restore::TableRestore& table = plan.tables.front();
  const std::string& partition = table.backups.front().object.partition;
  restore::RestoreRequest beside = request;
  beside.if_exists = restore::IfExists::kFail;
  beside.to_table = table.target.table + "_" + partition;
  std::string hint = fmt::format(
      "Do not drop that table: its other partitions would be lost. Restore the partition into a "
      "table of its own (--to-table, --to-dataset), and copy it back from there:\n"
      "    {}\n",
      CommandOf(beside));
  if (partition == kUnpartitionedPartition) {
    return hint + "  and then its rows, with a query: no copy job writes into " + partition;
  }
  const std::string dataset = table.target.project + ":" + table.target.dataset;
  return hint + fmt::format("    bq cp -f '{0}.{1}${3}' '{0}.{2}${3}'", dataset, beside.to_table,
                            table.target.table, partition);
}

std::string TableErrorText(const restore::TableReport& table) {
  if (!table.left_behind) return table.error->ToString();
  return fmt::format(
      "error[{}]: {}\n"
      "  Your data: Backups are not changed; {} is there, unfinished, with the label "
      "holdfast-restore\n"
      "  Next: {} Run the same command again, which goes on with it, or drop that table",
      FindError(table.error->id).id, table.error->message, table.target.ToString(),
      table.error->hint.empty() ? FindError(table.error->id).action : table.error->hint + ".");
}

}  // namespace holdfast::cli
