#include "catalog/rebuild_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/retry.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kProblemsMax = 100;

void NoteDamage(RebuildReport& report, const Error& error) {
  ++report.damaged;
  if (report.problems.size() < kProblemsMax) report.problems.push_back(error);
}

Result<std::optional<BackupRecord>> FindRecord(Catalog& catalog, const std::string& backup) {
  HF_ASSIGN_OR_RETURN(auto known, catalog.FindBackups({.id_prefix = backup}, ""));
  for (BackupRecord& record : known.items) {
    if (record.backup == backup) return std::optional(std::move(record));
  }
  return std::optional<BackupRecord>();
}

bool LiesIn(const RebuildSource& source, const BackupRecord& record) {
  return record.bucket == source.bucket && record.prefix == source.prefix;
}

// A copy of which nothing is known but that it was made.
CopyRecord CopyAsMade(const BackupRecord& copy, int64_t created_ms) {
  return {.object = copy.object,
          .backup = copy.backup,
          .bucket = copy.bucket,
          .prefix = copy.prefix,
          .state = CopyState::kWhole,
          .level = VerifyLevel::kL0,
          .at_ms = created_ms,
          .detail = {}};
}

Status AddManifest(const RebuildSource& source, const Manifest& manifest, Catalog& catalog) {
  // Asked first: what is in the catalog is not read again, if this should be killed here.
  bool accepted = false;
  if (manifest.IsSuspect()) {
    HF_ASSIGN_OR_RETURN(accepted, source.is_accepted(manifest.backup));
  }
  const BackupRecord here = RecordOf(manifest, source.bucket, source.prefix);
  HF_RETURN_IF_ERROR(catalog.RecordBackup(here));
  HF_ASSIGN_OR_RETURN(const auto known, FindRecord(catalog, manifest.backup));
  if (known && !LiesIn(source, *known)) {
    const auto is_there = source.has_manifest(*known);
    // A place that cannot be asked may have it.
    if (!is_there.ok() && IsRetryable(is_there.error())) return is_there.error();
    const bool is_gone = is_there.ok() && !*is_there;
    if (is_gone) {
      HF_RETURN_IF_ERROR(catalog.MoveBackup(
          here, {.object = known->object,
                 .backup = known->backup,
                 .bucket = known->bucket,
                 .prefix = known->prefix,
                 .state = CopyState::kLeft,
                 .at_ms = source.now_ms,
                 .detail = "its manifest was not there when the catalog was rebuilt"}));
    } else {
      HF_RETURN_IF_ERROR(catalog.RecordCopy(CopyAsMade(here, manifest.created_ms)));
    }
  }
  return accepted ? catalog.AcceptBackup(manifest.backup) : Ok();
}

// A finished run, with all that it found. The run itself comes last: without it its outcomes are
// nobody's, whenever this is cut short. What of it cannot be read is in `damage`.
Status AddRun(const FoundRun& found, Catalog& catalog, std::optional<Error>& damage) {
  Status recorded;
  const Status read = found.for_each_page([&](std::vector<ItemOutcome>&& items) -> Status {
    recorded = catalog.RecordOutcomes(found.run.id, items);
    return recorded;
  });
  HF_RETURN_IF_ERROR(recorded);
  if (read.ok()) return catalog.AdoptRun(found.run);
  if (IsRetryable(read.error()) || read.error().id == ErrorId::kCancelled) return read;
  damage = read.error();
  return Ok();
}

Error LostBackup(const std::string& backup) {
  return MakeError(ErrorId::kManifestNotFound,
                   fmt::format("backup {}: a verification of it is there, its manifest is not, or "
                               "cannot be read",
                               backup));
}

// What a verification says of a backup that lies in another repository.
CopyRecord CopyOf(const RebuildSource& source, const BackupRecord& known,
                  const VerificationRecord& found) {
  return {.object = known.object,
          .backup = known.backup,
          .bucket = source.bucket,
          .prefix = source.prefix,
          .state = found.passed ? CopyState::kWhole : CopyState::kDamaged,
          .level = found.passed ? found.level : VerifyLevel::kNone,
          .at_ms = found.at_ms,
          .detail = found.detail};
}

bool SpeaksAgainst(const VerificationRecord& pass, const VerificationRecord& failure) {
  return pass.level >= failure.level ||
         (pass.level >= VerifyLevel::kL2 && failure.level <= VerifyLevel::kL3);
}

// Whether the damage of which the word was said was found to be over and there is other damage
// since, of which nobody said anything. `found`: all that verifications found, the newest first.
bool IsOfEarlierDamage(const AcceptedLoss& accepted, const std::vector<VerificationRecord>& found) {
  for (size_t i = 0; i < found.size() && found[i].at_ms > accepted.at_ms; ++i) {
    if (!found[i].passed) continue;
    const auto pass = found.begin() + static_cast<ptrdiff_t>(i);
    const bool is_whole = std::all_of(pass, found.end(), [&](const VerificationRecord& before) {
      return before.passed || SpeaksAgainst(*pass, before);
    });
    const bool fails_later = std::any_of(
        found.begin(), pass, [](const VerificationRecord& later) { return !later.passed; });
    if (is_whole && fails_later) return true;
  }
  return false;
}

// A word on a backup that was pruned, or on damage before that which it has now, is over.
Status AddAcceptance(const RebuildSource& source, const AcceptedLoss& accepted, Catalog& catalog) {
  if (accepted.backup.empty()) return catalog.RecordAcceptance(accepted);
  HF_ASSIGN_OR_RETURN(const bool pruned, source.is_pruned(accepted.backup));
  if (pruned) return Ok();
  HF_ASSIGN_OR_RETURN(const auto found, catalog.ListVerifications(accepted.backup));
  return IsOfEarlierDamage(accepted, found) ? Ok() : catalog.RecordAcceptance(accepted);
}

// Words on losses, once all manifests of the repository are known.
Status AddLosses(const RebuildSource& source, Catalog& catalog, RebuildReport& report) {
  if (!source.for_each_loss) return Ok();
  return source.for_each_loss([&](const Result<FoundLoss>& found) -> Status {
    if (!found.ok()) {
      NoteDamage(report, found.error());
      return Ok();
    }
    if (const auto* accepted = std::get_if<AcceptedLoss>(&*found)) {
      return AddAcceptance(source, *accepted, catalog);
    }
    CopyRecord left = std::get<CopyRecord>(*found);
    HF_ASSIGN_OR_RETURN(const auto known, FindRecord(catalog, left.backup));
    // It was read from there, and is still.
    if (!known || !LiesIn(source, *known)) return Ok();
    left.object = known->object;
    return catalog.RecordCopy(left);
  });
}

Status AddRepository(const RebuildSource& source, Catalog& catalog, RebuildReport& report,
                     std::set<std::string>& runs, std::set<std::string>& lost) {
  HF_RETURN_IF_ERROR(source.for_each_manifest([&](const Result<Manifest>& manifest) -> Status {
    if (!manifest.ok()) {
      NoteDamage(report, manifest.error());
      return Ok();
    }
    ++report.manifests;
    return AddManifest(source, *manifest, catalog);
  }));
  HF_RETURN_IF_ERROR(
      source.for_each_verification([&](const Result<VerificationRecord>& found) -> Status {
        if (!found.ok()) {
          NoteDamage(report, found.error());
          return Ok();
        }
        HF_ASSIGN_OR_RETURN(const auto known, FindRecord(catalog, found->backup));
        // Its manifest is gone, or was one of those that could not be read.
        if (!known) {
          HF_ASSIGN_OR_RETURN(const bool pruned, source.is_pruned(found->backup));
          if (pruned) return Ok();
          if (lost.insert(found->backup).second) NoteDamage(report, LostBackup(found->backup));
          return Ok();
        }
        if (!LiesIn(source, *known)) return catalog.RecordCopy(CopyOf(source, *known, *found));
        ++report.verifications;
        return catalog.RecordVerification(*found);
      }));
  HF_RETURN_IF_ERROR(AddLosses(source, catalog, report));
  return source.for_each_run([&](const Result<FoundRun>& run) -> Status {
    if (!run.ok()) {
      NoteDamage(report, run.error());
      return Ok();
    }
    // A run has a file in every repository that it wrote to.
    if (runs.contains(run->run.id)) return Ok();
    std::optional<Error> damage;
    HF_RETURN_IF_ERROR(AddRun(*run, catalog, damage));
    if (damage) {
      NoteDamage(report, *damage);
      return Ok();
    }
    ++report.runs;
    runs.insert(run->run.id);
    return Ok();
  });
}

// Looks for backups that runs name and the index does not have: lost ones. A run tells what each
// object of its scope had; of projects of which nothing was read there may be repositories
// elsewhere.
class LostBackups {
 public:
  LostBackups(const std::vector<RebuildSource>& sources, Catalog& catalog,
              std::set<std::string>& lost, RebuildReport& report)
      : sources_(sources), catalog_(catalog), lost_(lost), report_(report) {}

  // By the newest run over everything, and the narrower ones since.
  Status Find() {
    HF_ASSIGN_OR_RETURN(const auto runs, catalog_.ListRuns(false, ""));
    for (const Run& run : runs.items) {
      if (run.state != RunState::kFinished) continue;
      HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
          [&](const std::string& token) { return catalog_.ListOutcomes(run.id, token); },
          [&](ItemOutcome&& item) { return Look(run.id, item); }));
      if (run.policy.scope.include.empty()) break;
    }
    return Ok();
  }

 private:
  Status Look(const std::string& run, const ItemOutcome& item) {
    if (item.backup.empty() || !told_.insert(item.object).second) return Ok();
    HF_ASSIGN_OR_RETURN(const bool was_read, WasRead(item.object.project));
    if (!was_read) return Ok();
    HF_ASSIGN_OR_RETURN(const auto known, catalog_.FindBackups({.id_prefix = item.backup}, ""));
    if (!known.items.empty() || lost_.contains(item.backup)) return Ok();
    for (const RebuildSource& source : sources_) {
      HF_ASSIGN_OR_RETURN(const bool pruned, source.is_pruned(item.backup));
      if (pruned) return Ok();
    }
    lost_.insert(item.backup);
    NoteDamage(report_,
               MakeError(ErrorId::kManifestNotFound,
                         fmt::format("backup {} of {}, which run {} names, has no manifest "
                                     "that can be read",
                                     item.backup, item.object.ToString(), run)));
    return Ok();
  }

  Result<bool> WasRead(const std::string& project) {
    const auto known = was_read_.find(project);
    if (known != was_read_.end()) return known->second;
    HF_ASSIGN_OR_RETURN(const auto any, catalog_.FindBackups({.project = project}, ""));
    return was_read_.emplace(project, !any.items.empty()).first->second;
  }

  const std::vector<RebuildSource>& sources_;
  Catalog& catalog_;
  std::set<std::string>& lost_;
  RebuildReport& report_;
  std::set<TableRef> told_;  // objects of which a newer run told
  std::map<std::string, bool> was_read_;
};

}  // namespace

Result<RebuildReport> RebuildCatalog(const std::vector<RebuildSource>& sources, Catalog& catalog) {
  RebuildReport report;
  std::set<std::string> runs;
  std::set<std::string> lost;  // named, and nowhere
  for (const RebuildSource& source : sources) {
    HF_RETURN_IF_ERROR(
        AddRepository(source, catalog, report, runs, lost).WithContext("gs://" + source.bucket));
  }
  HF_RETURN_IF_ERROR(LostBackups(sources, catalog, lost, report).Find());
  return report;
}

}  // namespace holdfast::catalog
