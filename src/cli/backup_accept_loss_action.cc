#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "cli/alerting.h"
#include "cli/audit.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/policy_source.h"
#include "cli/selector.h"
#include "observe/object_stream.h"
#include "observe/protection.h"
#include "repository/repository.h"
#include "verify/audit_anchor.h"
#include "verify/verify_recorded.h"

namespace holdfast::cli {

namespace {

constexpr size_t kLossesPerEvidence = 10'000;
constexpr size_t kLossesInAudit = 100;

// What a command line means: a backup, or all of a resource, or some partitions of a table.
struct Meant {
  TableRef selector;
  std::string backup;  // empty: whatever is lost of the selector
  std::vector<std::string> partitions;

  bool Covers(const TableRef& object) const {
    const auto is = [](const std::string& wanted, const std::string& name) {
      return wanted.empty() || wanted == name;
    };
    return is(selector.project, object.project) && is(selector.dataset, object.dataset) &&
           is(selector.table, object.table) && is(selector.partition, object.partition) &&
           (partitions.empty() ||
            std::ranges::find(partitions, object.partition) != partitions.end());
  }

  bool Covers(const catalog::AcceptedLoss& loss) const {
    return Covers(loss.object) && (backup.empty() || backup == loss.backup);
  }
};

Result<Meant> MeaningOf(catalog::Catalog& catalog, const BackupAcceptLossOptions& options) {
  Meant meant{.partitions = options.partitions};
  if (options.name.empty()) return meant;
  if (const auto record = catalog::GetBackup(catalog, options.name); record.ok()) {
    meant.selector = record->object;
    meant.backup = record->backup;
    return meant;
  }
  HF_ASSIGN_OR_RETURN(meant.selector, ParseSelector(options.name));
  if (!meant.partitions.empty() &&
      (meant.selector.table.empty() || !meant.selector.partition.empty())) {
    return MakeError(ErrorId::kUsage, "--partitions are those of one table",
                     "Name it as project.dataset.table");
  }
  HF_ASSIGN_OR_RETURN(const auto any, catalog.FindBackups(FilterOf(meant.selector), ""));
  if (any.items.empty()) return NoBackupsOf(options.name);
  return meant;
}

// A word on a loss, and where it is left for a catalog that is rebuilt.
struct Word {
  catalog::AcceptedLoss loss;
  repository::Location place;
};

// What is lost of what is meant, and nobody accepted yet.
Result<std::vector<Word>> FindLosses(Environment& environment, const Meant& meant) {
  catalog::Catalog& catalog = environment.catalog();
  HF_ASSIGN_OR_RETURN(const observe::RecentRuns recent,
                      observe::FindRecentRuns(catalog, WholeScope(environment.config())));
  std::vector<Word> words;
  HF_RETURN_IF_ERROR(
      observe::VisitObjects(catalog, recent.runs, [&](const observe::ObjectView& view) -> Status {
        if (!meant.Covers(view.object) || view.newest == nullptr) return Ok();
        const auto add = [&](const std::string& backup) {
          const catalog::AcceptedLoss loss{.object = view.object, .backup = backup};
          const bool is_known = !words.empty() && words.back().loss == loss;
          if (is_known || !meant.Covers(loss)) return;
          words.push_back({loss, {view.newest->bucket, view.newest->prefix}});
        };
        if (observe::ProtectionOf(view, recent).is_lost) add("");
        for (const std::string& backup : view.damaged) add(backup);
        for (const observe::PlacedBackup& left : view.from_copies) add(left.backup);
        for (const observe::PlacedBackup& copy : view.damaged_copies) add(copy.backup);
        return Ok();
      }));
  return words;
}

Result<std::vector<Word>> FindWords(Environment& environment, const Meant& meant) {
  std::vector<Word> words;
  const auto take = [&](catalog::AcceptedLoss&& loss) -> Status {
    if (!meant.Covers(loss)) return Ok();
    HF_ASSIGN_OR_RETURN(const auto newest,
                        environment.catalog().FindBackups({.project = loss.object.project,
                                                           .dataset = loss.object.dataset,
                                                           .table = loss.object.table,
                                                           .partition = loss.object.partition,
                                                           .newest_only = true},
                                                          ""));
    repository::Location place;
    if (!newest.items.empty()) place = {newest.items[0].bucket, newest.items[0].prefix};
    words.push_back({std::move(loss), std::move(place)});
    return Ok();
  };
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::AcceptedLoss>(
      [&](const std::string& token) {
        return environment.catalog().FindAccepted({.project = meant.selector.project,
                                                   .dataset = meant.selector.dataset,
                                                   .table = meant.selector.table},
                                                  token);
      },
      take));
  return words;
}

// The repositories first: they are what the catalog can be rebuilt from. One that is lost cannot
// keep it, and that may be what is accepted.
void LeaveWords(const GlobalOptions& global, Environment& environment,
                const std::vector<Word>& words) {
  std::map<repository::Location, std::vector<Json>> by_place;
  for (const Word& word : words) {
    const TableRef& object = word.loss.object;
    by_place[word.place].push_back({{"project", object.project},
                                    {"dataset", object.dataset},
                                    {"table", object.table},
                                    {"partition", object.partition},
                                    {"backup", word.loss.backup}});
  }
  const catalog::AcceptedLoss& said = words.front().loss;
  for (const auto& [place, losses] : by_place) {
    auto repository = repository::Repository::Open(environment.objects(), place);
    Status written = repository.ok() ? Ok() : Status(repository.error());
    for (size_t at = 0; written.ok() && at < losses.size(); at += kLossesPerEvidence) {
      const auto end = std::min(at + kLossesPerEvidence, losses.size());
      Json part = Json::array();
      for (size_t i = at; i < end; ++i) part.push_back(losses[i]);
      written = repository->WriteEvidence(
          repository::kAcceptedLossEvidence,
          "loss-" + verify::EvidenceMoment(environment.clock().Now(), environment.random()),
          {{"at_ms", said.at_ms},
           {"actor", said.actor},
           {"reason", said.reason},
           {"withdrawn", said.withdrawn},
           {"losses", part}});
    }
    if (written.ok()) {
      verify::LeaveAuditAnchor(environment.catalog(), *repository);
    } else {
      Say(global, "A rebuilt catalog will not know of it: " + written.error().message);
    }
  }
}

std::string NameOf(const catalog::AcceptedLoss& loss) {
  return loss.object.ToString() + (loss.backup.empty() ? "" : ", backup " + loss.backup);
}

Status Record(const GlobalOptions& global, Environment& environment, const std::string& subject,
              std::vector<Word>& words, const std::string& reason, bool withdraw) {
  const int64_t now_ms = ToUnixMillis(environment.clock().Now());
  Json named = Json::array();
  for (Word& word : words) {
    word.loss.at_ms = now_ms;
    word.loss.actor = Actor();
    word.loss.reason = reason;
    word.loss.withdrawn = withdraw;
    if (named.size() < kLossesInAudit) named.push_back(NameOf(word.loss));
  }
  HF_RETURN_IF_ERROR(
      Audit(environment, withdraw ? "backup.withdraw_accepted_loss" : "backup.accept_loss", subject,
            {{"reason", reason}, {"count", words.size()}, {"first", std::move(named)}}));
  LeaveWords(global, environment, words);
  for (const Word& word : words) {
    HF_RETURN_IF_ERROR(environment.catalog().RecordAcceptance(word.loss));
  }
  return Ok();
}

Result<int> ListAccepted(const GlobalOptions& global, Environment& environment,
                         const Meant& meant) {
  HF_ASSIGN_OR_RETURN(const std::vector<Word> words, FindWords(environment, meant));
  std::vector<Json> rows;
  for (const Word& word : words) {
    rows.push_back({{"object", word.loss.object.ToString()},
                    {"backup", word.loss.backup},
                    {"accepted", FormatTimestamp(FromUnixMillis(word.loss.at_ms))},
                    {"actor", word.loss.actor},
                    {"reason", word.loss.reason}});
  }
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "object", .heading = "OBJECT"},
             {.member = "backup", .heading = "BACKUP"},
             {.member = "accepted", .heading = "ACCEPTED"},
             {.member = "actor", .heading = "BY"},
             {.member = "reason", .heading = "REASON"}},
            rows, "No loss is accepted.");
  return kExitOk;
}

}  // namespace

Result<int> BackupAcceptLoss(const GlobalOptions& global, const BackupAcceptLossOptions& options) {
  if (!options.list && options.name.empty()) {
    return MakeError(ErrorId::kUsage, "nothing is named", "Name a table, or a backup");
  }
  if (!options.list && options.reason.empty()) {
    return MakeError(ErrorId::kUsage, "--reason is missing", "Say why, for whoever asks later");
  }
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  HF_ASSIGN_OR_RETURN(const Meant meant, MeaningOf(environment->catalog(), options));
  if (options.list) return ListAccepted(global, *environment, meant);
  HF_ASSIGN_OR_RETURN(std::vector<Word> words, options.withdraw ? FindWords(*environment, meant)
                                                                : FindLosses(*environment, meant));
  if (words.empty()) {
    Say(global, fmt::format("Nothing of {} is {}: nothing was changed.", options.name,
                            options.withdraw ? "accepted" : "lost that is not accepted already"));
    return kExitOk;
  }
  HF_RETURN_IF_ERROR(
      Record(global, *environment, options.name, words, options.reason, options.withdraw));
  const std::string count = words.size() == 1 ? "1 loss" : fmt::format("{} losses", words.size());
  Say(global,
      options.withdraw
          ? fmt::format("Taken back: {} of {}. Alerts tell of them again.", count, options.name)
          : fmt::format("Accepted: {} of {}. Alerts are quiet about them; other losses are "
                        "told of. To take it back: holdfast backup accept-loss {} "
                        "--withdraw --reason WHY",
                        count, options.name, options.name));
  const auto document = LoadPolicyDocument(loaded);
  TellAlerts(global, *environment, document.value_or(std::nullopt));
  return kExitOk;
}

}  // namespace holdfast::cli
