#include <fmt/format.h>

#include <fstream>
#include <iostream>

#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/run_text.h"
#include "observe/run_page.h"

namespace holdfast::cli {

namespace {

// The run of that id; without one, the newest.
Result<Run> RunNamed(catalog::RunLedger& ledger, const std::string& id) {
  if (!id.empty()) return ledger.GetRun(id);
  HF_ASSIGN_OR_RETURN(auto page, ledger.ListRuns(false, ""));
  if (page.items.empty()) {
    return MakeError(ErrorId::kRunNotFound, "there was no run yet",
                     "Make the first with `holdfast backup run`");
  }
  return std::move(page.items.front());
}

Result<int64_t> CountSuspectsOf(catalog::RunLedger& ledger, const std::string& run) {
  int64_t suspects = 0;
  HF_RETURN_IF_ERROR(observe::VisitOutcomes(ledger, run, [&](const ItemOutcome& item) -> Status {
    suspects += item.suspect ? 1 : 0;
    return Ok();
  }));
  return suspects;
}

// The document of `backup run`, its items written one after the other.
Status PrintJson(catalog::RunLedger& ledger, const RunReport& head) {
  Json document = RunDocument(head);
  document.erase("items");
  HF_ASSIGN_OR_RETURN(document["totals"]["suspect"], CountSuspectsOf(ledger, head.run.id));
  std::string text = DumpJson(document);
  text.pop_back();
  std::cout << text << ",\"items\":[";
  bool is_first = true;
  HF_RETURN_IF_ERROR(
      observe::VisitOutcomes(ledger, head.run.id, [&](const ItemOutcome& item) -> Status {
        std::cout << (is_first ? "" : ",") << DumpJson(item.ToJson());
        is_first = false;
        return Ok();
      }));
  std::cout << "]}\n";
  return Ok();
}

Status PrintPages(catalog::RunLedger& ledger, const RunReport& head) {
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListOutcomes(head.run.id, token));
    PrintRunItems(std::cout, page.items);
    token = page.next_page_token;
  } while (!token.empty());
  const bool is_finished = head.run.state == RunState::kFinished;
  std::cout << "Run " << head.run.id << ": "
            << (is_finished ? SummarizeRun(head)
                            : SummarizeTotals(head.totals) + "; it is not finished")
            << '\n';
  return Ok();
}

Status PrintItemRows(catalog::RunLedger& ledger, const std::string& run, Format format) {
  std::vector<Json> rows;
  HF_RETURN_IF_ERROR(observe::VisitOutcomes(ledger, run, [&](const ItemOutcome& item) -> Status {
    rows.push_back(item.ToJson());
    return Ok();
  }));
  PrintRows(std::cout, format,
            {{.member = "object", .heading = "OBJECT"},
             {.member = "outcome", .heading = "OUTCOME"},
             {.member = "reason", .heading = "WHY"},
             {.member = "rows", .heading = "ROWS", .align_right = true},
             {.member = "bytes", .heading = "BYTES", .align_right = true}},
            rows, "");
  return Ok();
}

}  // namespace

Status WriteRunPageTo(catalog::RunLedger& ledger, const std::string& run, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const Status written = observe::WriteRunPage(ledger, run, [&](std::string_view text) -> Status {
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    return file ? Ok() : Status(MakeError(ErrorId::kFileError, path + ": cannot be written"));
  });
  HF_RETURN_IF_ERROR(written);
  file.close();
  if (!file) return MakeError(ErrorId::kFileError, path + ": cannot be written");
  return Ok();
}

Result<int> BackupReport(const GlobalOptions& global, const BackupReportOptions& options) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  catalog::Catalog& ledger = environment->catalog();
  HF_ASSIGN_OR_RETURN(Run run, RunNamed(ledger, options.run));
  HF_ASSIGN_OR_RETURN(const auto progress, ledger.GetProgress(run.id));
  const RunReport head{.run = std::move(run), .items = {}, .totals = progress.totals};
  if (!options.page.empty()) {
    HF_RETURN_IF_ERROR(WriteRunPageTo(ledger, head.run.id, options.page));
    Say(global, "Wrote " + options.page);
    return kExitOk;
  }
  switch (global.OutputFormat()) {
    case Format::kPretty:
      HF_RETURN_IF_ERROR(PrintPages(ledger, head));
      break;
    case Format::kSparse:
    case Format::kCsv:
    case Format::kValue:
      HF_RETURN_IF_ERROR(PrintItemRows(ledger, head.run.id, global.OutputFormat()));
      break;
    default:
      HF_RETURN_IF_ERROR(PrintJson(ledger, head));
  }
  return kExitOk;
}

}  // namespace holdfast::cli
