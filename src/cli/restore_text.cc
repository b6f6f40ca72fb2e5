#include "cli/restore_text.h"

#include <fmt/format.h>

#include <ostream>

namespace holdfast::cli {

void PrintRestorePlan(std::ostream& out, Format format, const restore::RestorePlan& plan) {
  if (format != Format::kPretty) {
    PrintDocument(out, format, plan.ToJson());
    return;
  }
  for (const restore::TableRestore& table : plan.tables) {
    out << fmt::format("  {} -> {}  {} from {}, {}\n", table.source.ToString(),
                       table.target.ToString(), Plural(table.rows, "row"),
                       Plural(static_cast<int64_t>(table.backups.size()), "backup"),
                       HumanBytes(table.bytes));
  }
  out << fmt::format("Plan {}: {}, {}, {} to load\n", plan.hash,
                     Plural(static_cast<int64_t>(plan.tables.size()), "table"),
                     Plural(plan.rows, "row"), HumanBytes(plan.bytes));
}

void PrintRestoreReport(std::ostream& out, Format format, const restore::RestoreReport& report) {
  if (format != Format::kPretty) {
    PrintDocument(out, format, report.ToJson());
    return;
  }
  for (const restore::TableReport& table : report.tables) {
    out << fmt::format("  {:<9} {} -> {}  {} from {}, {} in {}{}\n",
                       TableOutcomeName(table.outcome), table.source.ToString(),
                       table.target.ToString(), Plural(table.rows, "row"),
                       Plural(table.backups, "backup"), HumanBytes(table.bytes),
                       HumanDuration(table.duration_ms), table.resumed ? " (continued)" : "");
    if (!table.comparison) continue;
    if (table.comparison->Equal()) {
      out << fmt::format("            proven equal (L3): {} read back, content digest {}\n",
                         Plural(table.comparison->actual_rows, "row"),
                         table.comparison->actual_digest);
    }
    for (const std::string& difference : table.comparison->differences) {
      out << "            DIFFERS: " << Printable(difference) << '\n';
    }
  }
  out << fmt::format("Restored {} of {} in {}\n", report.Count(restore::TableOutcome::kRestored),
                     Plural(static_cast<int64_t>(report.tables.size()), "table"),
                     HumanDuration(report.duration_ms));
}

}  // namespace holdfast::cli
