#include "cli/asked_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "cli/asked_file.h"
#include "cli/output.h"
#include "cli/selector.h"
#include "model/ids.h"

namespace holdfast::cli {

namespace {

constexpr size_t kChoiceNotesMax = 5;  // of one table

std::string TimeOf(int64_t ms) { return FormatTimestamp(FromUnixMillis(ms)); }

// Of a table whose rows are in the warehouse: where, and how to ask there.
Error WithoutFiles(const Manifest& manifest) {
  if (!manifest.copy) {
    return MakeError(ErrorId::kBackupWithoutFiles,
                     fmt::format("backup {} of {} is of {}, which has no rows", manifest.backup,
                                 manifest.object.ToString(), ObjectKindWords(manifest.kind)),
                     "See it with `holdfast backup show " + manifest.backup + "`");
  }
  return MakeError(
      ErrorId::kBackupWithoutFiles,
      fmt::format("backup {} of {} was made by method {}: its rows are the table {}",
                  manifest.backup, manifest.object.ToString(), MethodName(manifest.method),
                  manifest.copy->ToString()),
      fmt::format("Ask there: bq query --use_legacy_sql=false 'SELECT ... FROM `{}`'; or name a "
                  "time at which a backup was made by export",
                  manifest.copy->ToString()));
}

// The GoogleSQL of a view that was backed up; nullopt: it is none.
std::optional<std::string> ViewSqlOf(const Manifest& manifest) {
  for (const char* member : {"view", "materializedView"}) {
    const Json* view = FindField(manifest.Definition(), member);
    if (view != nullptr && view->contains("query")) return view->at("query").get<std::string>();
  }
  return std::nullopt;
}

bool IsNewer(const restore::SelectedBackup& left, const restore::SelectedBackup& right) {
  return left.record.created_ms < right.record.created_ms;
}

}  // namespace

std::string AskedName::ToString() const {
  if (!backup.empty()) return table.ToString() + "@" + backup;
  return as_of_ms ? table.ToString() + "@" + TimeOf(*as_of_ms) : table.ToString();
}

Result<AskedName> ParseAskedName(const std::string& text) {
  const size_t at = text.find('@');
  AskedName name;
  HF_ASSIGN_OR_RETURN(name.table, ParseSelector(text.substr(0, at)));
  if (name.table.table.empty()) {
    return MakeError(ErrorId::kUsage, "\"" + text + "\" names no table",
                     "Name one as project.dataset.table, or project.dataset.table@TIME");
  }
  if (at == std::string::npos) return name;
  const std::string point = text.substr(at + 1);
  if (const auto time = ParseTimestamp(point); time.ok()) {
    name.as_of_ms = ToUnixMillis(*time);
  } else if (IsValidId(point) && point.find('T') != std::string::npos) {
    name.backup = point;
  } else {
    return MakeError(ErrorId::kUsage, "\"" + point + "\" is neither a time nor the id of a backup",
                     "Give a time in RFC 3339, TABLE@2026-11-21T10:00:00Z, or a backup's id as "
                     "`holdfast backup list` shows it");
  }
  return name;
}

AskedTables::AskedTables(Environment& environment, verify::FurtherPlaces further_places,
                         std::string scratch_directory)
    : environment_(environment),
      verifying_(environment.verify_services()),
      scratch_directory_(std::move(scratch_directory)) {
  verifying_.further_places = std::move(further_places);
}

Result<std::shared_ptr<const Manifest>> AskedTables::ReadManifest(
    const catalog::BackupRecord& record) {
  auto repository = RepositoryAt({record.bucket, record.prefix});
  auto manifest = repository.ok() ? repository->ReadManifest(record.object, record.backup)
                                  : Result<Manifest>(repository.error());
  if (!manifest.ok() && verify::IsDamageOfRepository(manifest.error())) {
    manifest = ReadCopy(record, manifest.error());
  }
  if (!manifest.ok()) {
    return std::move(manifest).error().WithContext("backup " + record.backup + " of " +
                                                   record.object.ToString());
  }
  return std::make_shared<const Manifest>(*std::move(manifest));
}

// Of a backup that is lost where it was.
Result<Manifest> AskedTables::ReadCopy(const catalog::BackupRecord& record, const Error& damage) {
  HF_ASSIGN_OR_RETURN(auto copy,
                      verify::FallBackToCopy(verifying_, record, VerifyLevel::kL0, damage));
  if (!copy) return verify::DescribeLoss(verifying_, record, damage);
  const std::lock_guard lock(mutex_);
  notes_.push_back("backup " + record.backup + " was " + copy->report.note);
  return std::move(copy->manifest);
}

std::vector<std::string> AskedTables::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

Result<repository::Repository> AskedTables::RepositoryAt(const repository::Location& place) {
  const std::lock_guard lock(mutex_);
  const auto known = repositories_.find(place);
  if (known != repositories_.end()) return known->second;
  HF_ASSIGN_OR_RETURN(repository::Repository opened,
                      repository::Repository::Open(environment_.objects(), place));
  return repositories_.emplace(place, std::move(opened)).first->second;
}

// A restore's words for what is not there, with what can be asked instead.
Error AskedTables::Complete(const AskedName& name, Error error) {
  if (error.id != ErrorId::kNothingToRestore || !name.as_of_ms) return error;
  std::optional<catalog::BackupRecord> first;
  catalog::BackupFilter filter = FilterOf(name.table);
  filter.good_only = true;
  const Status listed = cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return environment_.catalog().FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        if (!first || record.consistent_through_ms < first->consistent_through_ms) first = record;
        return Ok();
      });
  if (!listed.ok() || !first || first->consistent_through_ms <= *name.as_of_ms) return error;
  const std::string time = TimeOf(first->consistent_through_ms);
  error.message = fmt::format("{} was not backed up yet at {}: its first backup is of {}",
                              name.table.ToString(), TimeOf(*name.as_of_ms), time);
  error.hint = fmt::format("Ask {}@{}, or any later time", name.table.ToString(), time);
  return error;
}

void AskedTables::NoteSelection(const restore::Selection& selection) {
  std::vector<std::string> notes = selection.notes;
  for (const restore::MissingObject& missing : selection.missing) {
    notes.push_back("missing is " + missing.object.ToString() + ": " + missing.reason);
    const bool is_known = std::ranges::any_of(missing_, [&](const restore::MissingObject& known) {
      return known.object == missing.object;
    });
    if (!is_known) missing_.push_back(missing);
  }
  for (const restore::SelectedBackup& chosen : selection.backups) {
    if (!chosen.note.empty()) {
      notes.push_back(chosen.record.object.ToString() + ": " + chosen.note);
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(notes, [&](const std::string& note) {  // of a table that is chosen again
    return std::ranges::find(notes_, note) != notes_.end();
  });
  const size_t shown = std::min(notes.size(), kChoiceNotesMax);
  notes_.insert(notes_.end(), notes.begin(), notes.begin() + static_cast<std::ptrdiff_t>(shown));
  if (shown < notes.size()) {
    notes_.push_back(Plural(static_cast<int64_t>(notes.size() - shown), "more note"));
  }
}

Result<restore::Selection> AskedTables::Choose(const AskedName& name) {
  restore::RestoreRequest request;
  request.source = name.table;
  request.backup = name.backup;
  request.as_of_ms = name.as_of_ms;
  auto selection = restore::Select(environment_.catalog(), request, environment_.clock().Now());
  if (!selection.ok()) return Complete(name, std::move(selection).error());
  NoteSelection(*selection);
  return selection;
}

Result<ask::AskedPart> AskedTables::PartOf(const catalog::BackupRecord& record) {
  HF_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, ReadManifest(record));
  if (manifest->method != Method::kExport) return WithoutFiles(*manifest);
  ask::AskedPart part;
  part.partition = record.object.partition;
  for (const DataObject& object : manifest->objects) {
    part.files.push_back({.name = NameOfFile(*manifest, object),
                          .size_bytes = object.size_bytes,
                          .rows = object.rows,
                          .open = [this, manifest, object] {
                            return FetchChecked(environment_.objects(), *manifest, object,
                                                scratch_directory_);
                          }});
  }
  return part;
}

Result<ask::AskedTable> AskedTables::Find(const AskedName& name) {
  HF_ASSIGN_OR_RETURN(const restore::Selection selection, Choose(name));
  const auto& newest = *std::ranges::max_element(selection.backups, IsNewer);
  HF_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, ReadManifest(newest.record));
  ask::AskedTable table;
  table.ref = name.table.WholeTable();
  table.schema = manifest->schema;
  table.view_sql = ViewSqlOf(*manifest);
  if (table.view_sql) return table;
  table.partitioning = manifest->source.partitioning;
  auto records = std::make_shared<std::map<std::string, catalog::BackupRecord>>();
  for (const restore::SelectedBackup& chosen : selection.backups) {
    if (chosen.record.method != Method::kExport) {
      HF_ASSIGN_OR_RETURN(const auto without, ReadManifest(chosen.record));
      return WithoutFiles(*without);
    }
    table.partitions.push_back(chosen.record.object.partition);
    records->emplace(chosen.record.object.partition, chosen.record);
  }
  std::ranges::sort(table.partitions);
  table.part = [this, records](const std::string& partition) {
    return PartOf(records->at(partition));
  };
  return table;
}

}  // namespace holdfast::cli
