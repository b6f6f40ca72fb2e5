#include "observe/run_page.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "observe/object_stream.h"

namespace holdfast::observe {

namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bad:#b3261e;--line:#8884;--soft:#8881}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2rem}
p.sub{margin-top:0;opacity:.75}.bad{color:var(--bad);font-weight:600}
table{border-collapse:collapse;width:100%}caption{text-align:left}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.o{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere}
tbody tr:hover{background:var(--soft)}.scroll{overflow-x:auto}
@media(prefers-color-scheme:dark){:root{--bad:#ff8a80}}
)css";

// The sections, in the order of the page: an item is in the first that it fits.
enum class Section { kFailed, kSuspect, kUnprotected, kBackedUp, kRest };

struct SectionText {
  Section section;
  std::string_view title;
  std::string_view empty;  // said where a reader looks for it; empty: the section is left out
};

constexpr SectionText kSections[] = {
    {Section::kFailed, "Failed", "Nothing failed."},
    {Section::kSuspect, "Suspect", ""},
    {Section::kUnprotected, "Not protected",
     "Everything in the scope is of a kind that is backed up."},
    {Section::kBackedUp, "Backed up", ""},
    {Section::kRest, "Unchanged, not due, deleted", ""},
};

Section SectionOf(const ItemOutcome& item) {
  if (item.outcome == Outcome::kFailed) return Section::kFailed;
  if (item.suspect) return Section::kSuspect;
  switch (item.outcome) {
    case Outcome::kUnsupported:
    case Outcome::kExcluded:
      return Section::kUnprotected;
    case Outcome::kBackedUp:
    case Outcome::kMetadataOnly:
      return Section::kBackedUp;
    default:
      return Section::kRest;
  }
}

std::string Time(int64_t unix_ms) {
  return unix_ms == 0 ? "-" : FormatTimestamp(FromUnixMillis(unix_ms));
}

// "1,234,567"
std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<size_t>(at), ",");
  }
  return text;
}

class PageWriter {
 public:
  PageWriter(catalog::RunLedger& ledger, Run run, const ByteSink& sink)
      : ledger_(ledger), run_(std::move(run)), sink_(sink) {}

  Status Write() {
    HF_ASSIGN_OR_RETURN(const auto progress, ledger_.GetProgress(run_.id));
    HF_RETURN_IF_ERROR(WriteHead(progress));
    HF_RETURN_IF_ERROR(WriteTotals(progress.totals));
    for (const SectionText& section : kSections) HF_RETURN_IF_ERROR(WriteSection(section));
    const std::string end =
        counted_ == progress.totals.objects
            ? fmt::format("<p class=sub>{} objects in all sections, as in the totals.</p>",
                          Grouped(counted_))
            : fmt::format(
                  "<p class=bad>{} objects in all sections and {} in the totals: the run "
                  "went on while this page was written.</p>",
                  Grouped(counted_), Grouped(progress.totals.objects));
    return sink_(end + "</body></html>\n");
  }

 private:
  Status WriteHead(const catalog::RunProgress& progress) {
    const bool finished = run_.state == RunState::kFinished;
    std::string head = fmt::format(
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
        "content=\"width=device-width\"><title>Run {0}</title><style>{1}</style></head><body>"
        "<h1>Backup run {0}</h1><p class=sub>Policy {2}; begun {3}; finished {4}</p>",
        EscapeHtml(run_.id), kStyle, EscapeHtml(run_.policy.name), Time(run_.started_ms),
        finished ? Time(run_.finished_ms) : "not yet");
    if (!finished) {
      head += fmt::format("<p class=bad>This run is not finished: {} of {} tasks are done.</p>",
                          Grouped(progress.tasks_done),
                          Grouped(progress.tasks_done + progress.tasks_pending));
    }
    return sink_(head);
  }

  Status WriteTotals(const RunTotals& totals) {
    std::string text = "<h2>Totals</h2><table><tbody>";
    for (int i = 0; i < kOutcomes; ++i) {
      const auto outcome = static_cast<Outcome>(i);
      const bool is_bad = totals.Of(outcome) > 0 &&
                          (outcome == Outcome::kFailed || outcome == Outcome::kUnsupported);
      std::string name(OutcomeName(outcome));
      for (char& c : name) c = c == '_' ? ' ' : c;
      text += fmt::format("<tr{}><td>{}</td><td class=n>{}</td></tr>", is_bad ? " class=bad" : "",
                          name, Grouped(totals.Of(outcome)));
    }
    text += fmt::format(
        "<tr><th>objects</th><th class=n>{}</th></tr><tr><td>rows backed up</td><td "
        "class=n>{}</td></tr><tr><td>bytes stored</td><td class=n>{}</td></tr></tbody></table>",
        Grouped(totals.objects), Grouped(totals.rows), Grouped(totals.bytes));
    return sink_(text);
  }

  Status WriteSection(const SectionText& section) {
    int64_t count = 0;
    const Status visited = VisitOutcomes(ledger_, run_.id, [&](const ItemOutcome& item) -> Status {
      if (SectionOf(item) != section.section) return Ok();
      if (count++ == 0) HF_RETURN_IF_ERROR(OpenTable(section));
      return WriteItem(item);
    });
    HF_RETURN_IF_ERROR(visited);
    counted_ += count;
    if (count > 0) return sink_("</tbody></table></div>");
    if (section.empty.empty()) return Ok();
    return sink_(fmt::format("<h2>{}</h2><p>{}</p>", section.title, section.empty));
  }

  Status OpenTable(const SectionText& section) {
    return sink_(fmt::format(
        "<h2>{}</h2><div class=scroll><table><thead><tr><th>Object<th>Outcome<th>Why<th "
        "class=n>Rows<th class=n>Bytes</tr></thead><tbody>",
        section.title));
  }

  Status WriteItem(const ItemOutcome& item) {
    std::string outcome(OutcomeName(item.outcome));
    for (char& c : outcome) c = c == '_' ? ' ' : c;
    std::string why = EscapeHtml(item.reason);
    if (!item.error_id.empty()) why += " [" + EscapeHtml(item.error_id) + "]";
    if (!item.note.empty()) why += (why.empty() ? "" : "; ") + EscapeHtml(item.note);
    return sink_(fmt::format(
        "<tr><td class=o>{}</td><td>{}{}</td><td>{}</td><td class=n>{}</td><td class=n>{}</td></tr>"
        "\n",
        EscapeHtml(NameOf(item.object)), outcome, item.suspect ? ", suspect" : "", why,
        Grouped(item.rows), Grouped(item.bytes)));
  }

  catalog::RunLedger& ledger_;
  const Run run_;
  const ByteSink& sink_;
  int64_t counted_ = 0;
};

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return escaped;
}

Status VisitOutcomes(catalog::RunLedger& ledger, const std::string& run,
                     const std::function<Status(const ItemOutcome& item)>& visit) {
  return cloud::ForEachPage<ItemOutcome>(
      [&](const std::string& token) { return ledger.ListOutcomes(run, token); },
      [&](ItemOutcome&& item) { return visit(item); });
}

Status WriteRunPage(catalog::RunLedger& ledger, const std::string& run, const ByteSink& sink) {
  HF_ASSIGN_OR_RETURN(Run found, ledger.GetRun(run));
  return PageWriter(ledger, std::move(found), sink).Write();
}

}  // namespace holdfast::observe
