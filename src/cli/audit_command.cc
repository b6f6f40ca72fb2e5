#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "catalog/audit_log.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "verify/audit_anchor.h"

namespace holdfast::cli {

namespace {

constexpr int64_t kListDefault = 100;
constexpr int64_t kListMax = 100'000;

// The last `limit` entries, in order.
Result<std::vector<catalog::AuditEntry>> LastEntries(catalog::AuditLog& log, int64_t limit) {
  std::vector<catalog::AuditEntry> last;
  int64_t sequence = 0;
  while (true) {
    HF_ASSIGN_OR_RETURN(std::vector<catalog::AuditEntry> page, log.ListAudit(sequence));
    if (page.empty()) return last;
    sequence = page.back().sequence;
    last.insert(last.end(), std::make_move_iterator(page.begin()),
                std::make_move_iterator(page.end()));
    const auto over = static_cast<int64_t>(last.size()) - limit;
    if (over > 0) last.erase(last.begin(), last.begin() + over);
  }
}

Result<int> AuditList(const GlobalOptions& global, int64_t limit) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const auto entries, LastEntries(environment->catalog(), limit));
  std::vector<Json> rows;
  for (const catalog::AuditEntry& entry : entries) {
    rows.push_back({{"sequence", entry.sequence},
                    {"at", FormatTimestamp(FromUnixMillis(entry.event.at_ms))},
                    {"actor", entry.event.actor},
                    {"action", entry.event.action},
                    {"subject", entry.event.subject},
                    {"detail", entry.event.detail},
                    {"hash", entry.hash}});
  }
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "sequence", .heading = "NO.", .align_right = true},
             {.member = "at", .heading = "AT"},
             {.member = "actor", .heading = "WHO"},
             {.member = "action", .heading = "DID"},
             {.member = "subject", .heading = "TO"}},
            rows, "The audit log is empty.");
  return kExitOk;
}

// What the anchors in the repositories prove, and what was compared with nothing.
void PrintComparison(const catalog::AuditChain& chain, const verify::FoundAnchors& found) {
  if (chain.anchored > 0) {
    std::cout << fmt::format(
        "Compared with {} in {}: up to entry {} nothing was changed or cut off.\n",
        Plural(static_cast<int64_t>(found.anchors.size()), "anchor"),
        Plural(found.repositories, "repository"), chain.anchored);
  }
  if (chain.entries > chain.anchored) {
    std::cout << fmt::format(
        "NOT COMPARED: no repository tells of entries {} to {}, so it would not show that more "
        "followed. The next run or prune that writes to one tells of them there.\n",
        chain.anchored + 1, chain.entries);
  }
  for (const Error& error : found.unread) {
    std::cout << Printable("NOT COMPARED: " + error.message) << '\n';
  }
  for (const auto& [id, newest] : found.of_others) {
    std::cout << Printable(fmt::format(
                     "NOT COMPARED: another catalog, {}, whose log had {} entries or more, wrote "
                     "there too. If this catalog took its place, its log is not here.",
                     id, newest))
              << '\n';
  }
}

Json VerifyJson(const catalog::AuditChain& chain, const verify::FoundAnchors& found) {
  Json unread = Json::array();
  for (const Error& error : found.unread) unread.push_back(error.message);
  Json others = Json::array();
  for (const auto& [id, newest] : found.of_others) {
    others.push_back({{"catalog", id}, {"entries", newest}});
  }
  return {{"schema", "holdfast.audit.v1"},   {"entries", chain.entries},
          {"last_hash", chain.last_hash},    {"anchored", chain.anchored},
          {"anchors", found.anchors.size()}, {"repositories", found.repositories},
          {"unread", std::move(unread)},     {"other_catalogs", std::move(others)}};
}

Result<int> AuditVerify(const GlobalOptions& global, const std::string& expected) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const auto found,
                      verify::FindAuditAnchors(environment->catalog(), environment->objects()));
  HF_ASSIGN_OR_RETURN(const catalog::AuditChain chain,
                      catalog::VerifyAuditChain(environment->catalog(), expected, found.anchors));
  const int exit_code = found.unread.empty() ? kExitOk : kExitPartial;
  if (global.OutputFormat() != Format::kPretty) {
    PrintDocument(std::cout, global.OutputFormat(), VerifyJson(chain, found));
    return exit_code;
  }
  if (chain.entries == 0) {
    std::cout << "The audit log is empty.\n";
  } else {
    std::cout << fmt::format(
        "{} in an unbroken chain; the last hash is\n{}\n"
        "Keep it elsewhere: `holdfast audit verify --includes HASH` shows later that nothing up to "
        "it was changed or cut off.\n",
        Plural(chain.entries, "entry"), chain.last_hash);
  }
  PrintComparison(chain, found);
  return exit_code;
}

}  // namespace

void AddAuditCommands(CLI::App& app, CommandContext context) {
  CLI::App* audit = app.add_subcommand("audit", "Who did what, in a chain that shows an edit");
  audit->require_subcommand(1);

  CLI::App* list = audit->add_subcommand("list", "The newest entries of the audit log");
  auto limit = std::make_shared<int64_t>(kListDefault);
  list->add_option("--limit", *limit, "Entries at most")
      ->type_name("N")
      ->check(Between(1, kListMax));
  SetExamples(*list, {{"holdfast audit list", "the last hundred"},
                      {"holdfast audit list --limit 100000 --format jsonl", "for a log store"}});
  list->callback([context, limit] {
    context.action = [context, limit] { return AuditList(context.global, *limit); };
  });

  CLI::App* verify = audit->add_subcommand(
      "verify",
      "Read the whole chain, compare it with what runs and prunes left in the repositories, and "
      "name an edit or a cut");
  auto hash = std::make_shared<std::string>();
  verify->add_option("--includes", *hash, "A last hash that was kept: the chain must hold it")
      ->type_name("HASH");
  SetExamples(*verify, {{"holdfast audit verify", "exit code 0: nothing was changed"},
                        {"holdfast audit verify --includes 6f1c...",
                         "and nothing was cut off since that hash was kept"}});
  verify->callback([context, hash] {
    context.action = [context, hash] { return AuditVerify(context.global, *hash); };
  });
}

}  // namespace holdfast::cli
