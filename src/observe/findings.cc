#include "observe/findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "model/effective_policy.h"
#include "model/policy_field.h"
#include "observe/object_stream.h"
#include "observe/protection.h"

namespace holdfast::observe {

namespace {

// Resolves for one project at a time: objects come in order of project.
class NamedRpo {
 public:
  explicit NamedRpo(PolicyDocument document) : document_(std::move(document)) {}

  std::optional<Duration> Of(const TableRef& object) {
    if (!resolver_ || project_ != object.project) {
      project_ = object.project;
      resolver_.emplace(document_, project_, std::vector<std::string>(), Labels());
    }
    const EffectivePolicy policy = resolver_->OfTable(object.WholeTable(), {}, {});
    const auto found = policy.fields.find("rpo");
    if (found == policy.fields.end() || !found->second.value.is_string()) return std::nullopt;
    const auto span = ParsePolicyDuration(found->second.value.get<std::string>());
    return span.ok() ? std::optional<Duration>(*span) : std::nullopt;
  }

 private:
  const PolicyDocument document_;
  std::string project_;
  std::optional<PolicyResolver> resolver_;
};

// Projects, datasets and tables that the run over everything could not look into. They come before
// what is in them.
class Unseen {
 public:
  void Note(const ItemOutcome& outcome) {
    if (outcome.outcome != Outcome::kFailed) return;
    const TableRef& object = outcome.object;
    if (object.dataset.empty()) {
      project_ = object.project;
    } else if (object.table.empty()) {
      dataset_ = object.dataset_ref();
    } else if (object.partition.empty()) {
      table_ = object;
    }
  }

  bool Covers(const TableRef& object) const {
    return object.project == project_ || object.dataset_ref() == dataset_ ||
           object.WholeTable() == table_;
  }

 private:
  std::string project_;
  DatasetRef dataset_;
  TableRef table_;
};

// "(backup A, B and 3 more)".
std::string DamagedText(const std::vector<std::string>& backups) {
  constexpr size_t kNamedMax = 3;
  const size_t named = std::min(backups.size(), kNamedMax);
  const std::string more =
      backups.size() > named ? fmt::format(" and {} more", backups.size() - named) : std::string();
  return fmt::format(
      "(backup {}{})",
      fmt::join(backups.begin(), backups.begin() + static_cast<int64_t>(named), ", "), more);
}

// The same with the places.
std::vector<std::string> TextsOf(const std::vector<PlacedBackup>& backups, std::string_view link) {
  std::vector<std::string> texts;
  for (const PlacedBackup& at : backups) {
    texts.push_back(fmt::format("{}{}{}", at.backup, link, at.place));
  }
  return texts;
}

class Collector {
 public:
  Collector(const RecentRuns& recent, const RpoOf& rpo, Timestamp now)
      : recent_(recent), rpo_(rpo), now_(now) {}

  Status Visit(const ObjectView& view) {
    if (recent_.whole >= 0) {
      const ItemOutcome* of_whole = view.outcomes[static_cast<size_t>(recent_.whole)];
      if (of_whole != nullptr) unseen_.Note(*of_whole);
    }
    const std::string name = NameOf(view.object);
    if (IsFailed(view)) failed_.Add(name);
    const Protection protection = ProtectionOf(view, recent_);
    if (protection.is_damaged) defect_.Add(name + " " + DamagedText(view.damaged));
    if (protection.is_from_copy) {
      from_copy_.Add(name + " " + DamagedText(TextsOf(view.from_copies, ", which was in ")));
    }
    if (protection.has_damaged_copy) {
      copy_defect_.Add(name + " " + DamagedText(TextsOf(view.damaged_copies, " in ")));
    }
    if (protection.is_suspect) AddSuspect(view, protection, name);
    if (IsRpoMissed(view)) rpo_missed_.Add(name);
    return Ok();
  }

  std::vector<Finding> Take() {
    if (oldest_ms_ > 0) {
      rpo_missed_.detail =
          "The oldest recovery point is of " + FormatTimestamp(FromUnixMillis(oldest_ms_)) + ".";
    }
    if (fallen_rows_ != fallen_bytes_) {
      suspect_.title = fallen_rows_ ? "Rows are missing from {}" : "Bytes are missing from {}";
    }
    std::vector<Finding> findings;
    for (Finding* finding :
         {&failed_, &rpo_missed_, &suspect_, &defect_, &from_copy_, &copy_defect_}) {
      if (finding->count > 0) findings.push_back(std::move(*finding));
    }
    return findings;
  }

 private:
  bool IsFailed(const ObjectView& view) {
    const int newest = view.NewestOutcome();
    if (newest < 0) return false;
    const ItemOutcome& outcome = *view.outcomes[static_cast<size_t>(newest)];
    if (outcome.outcome != Outcome::kFailed) return false;
    const Run& run = recent_.runs[static_cast<size_t>(newest)];
    if (view.newest != nullptr && view.newest->created_ms >= run.started_ms) return false;
    if (failed_.count == 0) {
      failed_.detail =
          fmt::format("First: {} [{}] in run {}", outcome.reason, outcome.error_id, run.id);
    }
    return true;
  }

  void AddSuspect(const ObjectView& view, const Protection& protection, const std::string& name) {
    if (suspect_.count == 0) {
      const int newest = view.NewestOutcome();
      suspect_.detail =
          "First: " + (protection.is_lost ? view.outcomes[static_cast<size_t>(newest)]->reason
                                          : view.newest->suspect);
    }
    // Of partitions that are gone it is their rows.
    const bool is_bytes = !protection.is_lost && IsFallOfBytes(view.newest->suspect);
    (is_bytes ? fallen_bytes_ : fallen_rows_) = true;
    suspect_.Add(name);
  }

  // Whether the source is there, as far as is known, and is meant to be backed up. What the run
  // over everything does not speak of is gone, unless it lies where that run could not look.
  bool IsToBeProtected(const ObjectView& view) const {
    for (size_t i = 0; i < view.outcomes.size(); ++i) {
      const bool is_past_whole = recent_.whole >= 0 && i > static_cast<size_t>(recent_.whole);
      if (is_past_whole && !unseen_.Covers(view.object)) return false;
      const ItemOutcome* outcome = view.outcomes[i];
      if (outcome == nullptr) continue;
      return outcome->outcome != Outcome::kVanished && outcome->outcome != Outcome::kExcluded &&
             outcome->outcome != Outcome::kUnsupported;
    }
    return unseen_.Covers(view.object);
  }

  bool IsRpoMissed(const ObjectView& view) {
    if (view.object.table.empty() || !IsToBeProtected(view)) return false;
    const std::optional<Duration> allowed = rpo_(view.object);
    if (!allowed) return false;
    const int64_t point_ms = view.RecoveryPointMs(recent_.runs);
    if (now_ - FromUnixMillis(point_ms) <= *allowed) return false;
    if (point_ms > 0 && (oldest_ms_ == 0 || point_ms < oldest_ms_)) oldest_ms_ = point_ms;
    return true;
  }

  const RecentRuns& recent_;
  const RpoOf& rpo_;
  const Timestamp now_;
  Unseen unseen_;
  int64_t oldest_ms_ = 0;      // of the recovery points that are too old
  bool fallen_rows_ = false;   // of something that is suspect
  bool fallen_bytes_ = false;  // of another, and its rows did not
  Finding failed_{.kind = AlertKind::kFailedStep, .subject = {}, .objects = {}, .detail = {}};
  Finding rpo_missed_{.kind = AlertKind::kRpoMissed, .subject = {}, .objects = {}, .detail = {}};
  Finding suspect_{.kind = AlertKind::kSuspect, .subject = {}, .objects = {}, .detail = {}};
  Finding defect_{.kind = AlertKind::kVerifyDefect, .subject = {}, .objects = {}, .detail = {}};
  Finding from_copy_{.kind = AlertKind::kFromCopy, .subject = {}, .objects = {}, .detail = {}};
  Finding copy_defect_{.kind = AlertKind::kCopyDefect, .subject = {}, .objects = {}, .detail = {}};
};

}  // namespace

RpoOf RpoByNames(const std::optional<PolicyDocument>& document) {
  if (!document) return [](const TableRef&) { return std::optional<Duration>(); };
  const auto named = std::make_shared<NamedRpo>(*document);
  return [named](const TableRef& object) { return named->Of(object); };
}

Result<std::vector<Finding>> CollectFindings(catalog::Catalog& catalog, const Scope& whole,
                                             const RpoOf& rpo, Timestamp now) {
  HF_ASSIGN_OR_RETURN(const RecentRuns recent, FindRecentRuns(catalog, whole));
  Collector collector(recent, rpo, now);
  HF_RETURN_IF_ERROR(VisitObjects(catalog, recent.runs,
                                  [&](const ObjectView& view) { return collector.Visit(view); }));
  return collector.Take();
}

}  // namespace holdfast::observe
