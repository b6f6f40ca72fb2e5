#include "repository/run_file.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "model/ids.h"

namespace holdfast::repository {

namespace {

constexpr int64_t kRunFormatVersion = 2;
constexpr size_t kRunPartsMax = 100'000;
constexpr int kWriteAttemptsMax = 4;
constexpr int64_t kRunSummaryBytesMax = int64_t{256} << 20;  // an earlier version's whole report

Json PartToJson(const RunPart& part) {
  return {{"sha256", part.sha256}, {"items", part.items}, {"bytes", part.bytes}};
}

Result<RunPart> PartFromJson(const Json& json) {
  RunPart part;
  HF_ASSIGN_OR_RETURN(part.sha256, RequiredString(json, "sha256"));
  HF_ASSIGN_OR_RETURN(part.items, RequiredInt64(json, "items"));
  HF_ASSIGN_OR_RETURN(part.bytes, RequiredInt64(json, "bytes"));
  if (!IsValidId(part.sha256) || part.items < 0 || part.items > kRunPartItemsMax ||
      part.bytes < 0) {
    return MakeError(ErrorId::kInvalidJson, "a part of a run is not as it must be");
  }
  return part;
}

Result<std::vector<RunPart>> PartsFromJson(const Json& json) {
  const Json* list = FindField(json, "parts");
  if (list == nullptr || !list->is_array() || list->size() > kRunPartsMax) {
    return MakeError(ErrorId::kInvalidJson, "a run without \"parts\", or with too many");
  }
  std::vector<RunPart> parts;
  for (const Json& item : *list) {
    HF_ASSIGN_OR_RETURN(RunPart part, PartFromJson(item));
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<RunFile> RunFileFromJson(const Json& json) {
  RunFile file;
  if (FindField(json, "items") != nullptr) {
    HF_ASSIGN_OR_RETURN(RunReport report, RunReport::FromJson(json));
    file.summary = {.run = std::move(report.run),
                    .totals = report.totals,
                    .suspects = CountSuspects(report.items)};
    file.items = std::move(report.items);
    return file;
  }
  HF_ASSIGN_OR_RETURN(file.summary, RunSummary::FromJson(json));
  HF_ASSIGN_OR_RETURN(file.parts, PartsFromJson(json));
  return file;
}

Error PartDamaged(const std::string& uri, std::string_view why) {
  return MakeError(ErrorId::kObjectCorrupt, fmt::format("{}: {}", uri, why));
}

Result<std::vector<ItemOutcome>> ParsePart(const std::string& uri, std::string_view text) {
  std::vector<ItemOutcome> items;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == text.npos) return PartDamaged(uri, "its last line is cut");
    HF_ASSIGN_OR_RETURN(const Json json, ParseJson(text.substr(0, end)));
    HF_ASSIGN_OR_RETURN(ItemOutcome item, ItemOutcome::FromJson(json));
    items.push_back(std::move(item));
    text.remove_prefix(end + 1);
  }
  return items;
}

Result<std::vector<ItemOutcome>> ReadPart(Repository& repository, const std::string& run,
                                          const RunPart& part) {
  const Location& location = repository.location();
  const cloud::ObjectRef name{location.bucket, RunPartName(location.prefix, run, part.sha256), 0};
  HF_ASSIGN_OR_RETURN(const std::string text,
                      ReadObjectToString(repository.store(), name, part.bytes));
  if (Sha256Hex(text) != part.sha256) return PartDamaged(name.Uri(), "it was altered");
  auto items = ParsePart(name.Uri(), text).WithContext(name.Uri());
  if (items.ok() && static_cast<int64_t>(items->size()) != part.items) {
    return PartDamaged(name.Uri(), "it holds another number of outcomes than the run says");
  }
  return items;
}

// One that is there stays as it is. A store that says so is not taken at its word: a proxy may have
// made that answer up.
Status WriteOnce(cloud::ObjectStore& store, const cloud::ObjectRef& name,
                 const std::string& content) {
  for (int attempt = 1;; ++attempt) {
    const auto written = CreateObjectFromString(store, name, content);
    if (written.ok()) return Ok();
    const auto there = store.StatObject(name);
    if (there.ok() && *there) return Ok();
    if (attempt == kWriteAttemptsMax || written.error().code == Code::kCancelled) {
      return written.error();
    }
  }
}

}  // namespace

void RunFileWriter::Add(const ItemOutcome& item) {
  if (repositories_.empty()) return;
  lines_ += DumpJson(item.ToJson());
  lines_ += '\n';
  ++items_;
  if (items_ == kRunPartItemsMax || lines_.size() >= kRunPartBytesMax) FlushPart();
}

void RunFileWriter::FlushPart() {
  if (items_ == 0) return;
  RunPart part{
      .sha256 = Sha256Hex(lines_), .items = items_, .bytes = static_cast<int64_t>(lines_.size())};
  WriteToAll(
      [&](const Location& location) { return RunPartName(location.prefix, run_, part.sha256); },
      lines_);
  parts_.push_back(std::move(part));
  lines_.clear();
  items_ = 0;
}

void RunFileWriter::WriteToAll(const std::function<std::string(const Location& location)>& name,
                               const std::string& content) {
  std::erase_if(repositories_, [&](Repository& repository) {
    const Location& location = repository.location();
    const Status written =
        WriteOnce(repository.store(), {location.bucket, name(location), 0}, content);
    if (written.ok()) return false;
    LogWarning("run file was not written",
               {{"bucket", location.bucket}, {"error", written.error().message}});
    return true;
  });
}

void RunFileWriter::Finish(const RunSummary& summary) {
  FlushPart();
  Json json = summary.ToJson();
  json["format_version"] = kRunFormatVersion;
  json["parts"] = Json::array();
  for (const RunPart& part : parts_) json["parts"].push_back(PartToJson(part));
  WriteToAll([&](const Location& location) { return RunFileName(location.prefix, run_); },
             DumpJson(json));
}

Status CheckRunPart(Repository& repository, const std::string& run, const RunPart& part) {
  HF_RETURN_IF_ERROR(ReadPart(repository, run, part));
  return Ok();
}

Result<RunFile> ReadRunFile(Repository& repository, const std::string& run) {
  if (!IsValidId(run)) {
    return MakeError(ErrorId::kInvalidName, fmt::format("\"{}\" is not an id", run));
  }
  const Location& location = repository.location();
  const cloud::ObjectRef name{location.bucket, RunFileName(location.prefix, run), 0};
  HF_ASSIGN_OR_RETURN(const std::string text,
                      ReadObjectToString(repository.store(), name, kRunSummaryBytesMax));
  HF_ASSIGN_OR_RETURN(const Json json,
                      ParseJson(text, {.size_bytes_max = static_cast<size_t>(kRunSummaryBytesMax)})
                          .WithContext(name.Uri()));
  HF_ASSIGN_OR_RETURN(RunFile file, RunFileFromJson(json).WithContext(name.Uri()));
  if (file.summary.run.id != run) {
    return MakeError(ErrorId::kInvalidJson,
                     fmt::format("{}: it tells of run {}", name.Uri(), file.summary.run.id));
  }
  return file;
}

Status ForEachRunPage(Repository& repository, const RunFile& file,
                      const std::function<Status(std::vector<ItemOutcome>&& items)>& visit) {
  if (!file.items.empty()) HF_RETURN_IF_ERROR(visit(std::vector<ItemOutcome>(file.items)));
  for (const RunPart& part : file.parts) {
    HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items,
                        ReadPart(repository, file.summary.run.id, part));
    HF_RETURN_IF_ERROR(visit(std::move(items)));
  }
  return Ok();
}

}  // namespace holdfast::repository
