#include "verify/documents.h"

#include <fmt/format.h>

#include <array>

#include "base/retry.h"
#include "repository/run_file.h"

namespace holdfast::verify {

namespace {

constexpr int64_t kDocumentBytesMax = int64_t{1} << 30U;
constexpr std::array kFolders = {"runs/", "evidence/", "pins/", "tombstones/"};

// Where a document says that it belongs, against where it lies: "runs/<id>.json",
// "evidence/<kind>/<backup>-<time>.json", "pins/<backup>/<kind>-<id>.json". Empty: it fits.
std::string Misplaced(const Json& document, const std::string& path) {
  const auto expect = [&](std::string_view what, const std::string& name) {
    if (name.empty() || path.find(name) != std::string::npos) return std::string();
    return fmt::format("it is of {} {}", what, name);
  };
  if (!document.is_object()) return "it is not a JSON object";
  if (path.starts_with("runs/")) {
    const Json* const run = FindField(document, "run");
    const std::string id = run == nullptr ? "" : StringOr(*run, "id", "");
    return id.empty() ? "it names no run" : expect("run", id);
  }
  if (path.starts_with("evidence/audit/")) {
    const std::string hash = StringOr(document, "hash", "");
    return hash.empty() ? "it is no audit anchor" : expect("audit entry", hash);
  }
  const std::string of_backup = expect("backup", StringOr(document, "backup", ""));
  if (!of_backup.empty()) return of_backup;
  if (path.starts_with("pins/")) return expect("kind", "/" + StringOr(document, "kind", "") + "-");
  if (path.starts_with("tombstones/marked/") && !document.contains("manifest_generation")) {
    return "it is no tombstone";
  }
  return expect("pass", StringOr(document, "pass", ""));
}

// What is wrong with it; empty: nothing.
Result<std::string> Inspect(cloud::ObjectStore& store, const cloud::ObjectInfo& info,
                            const std::string& path) {
  const auto text = cloud::ReadObjectToString(store, info.ref, kDocumentBytesMax);
  if (!text.ok()) {
    if (IsRetryable(text.error()) || text.error().id == ErrorId::kCancelled) return text.error();
    if (text.error().id != ErrorId::kObjectNotFound) return text.error().message;
    // Deleted since it was listed: a pin that was released, a tombstone that was cleared. What is
    // listed still has lost its bytes.
    HF_ASSIGN_OR_RETURN(const auto still_there, store.StatObject(info.ref));
    return still_there ? "it is listed, and its bytes are not there" : std::string();
  }
  const auto document = ParseJson(*text, {.size_bytes_max = size_t{kDocumentBytesMax}});
  if (!document.ok()) return document.error().message;
  return Misplaced(*document, path);
}

// The outcomes of a run, which lie beside its summary in parts.
Status CheckRunParts(repository::Repository& repository, const std::string& run,
                     const DocumentVisitor& visit) {
  const auto file = repository::ReadRunFile(repository, run);
  if (!file.ok()) return IsRetryable(file.error()) ? Status(file.error()) : Ok();  // told already
  const repository::Location& location = repository.location();
  for (const repository::RunPart& part : file->parts) {
    const Status read = repository::CheckRunPart(repository, run, part);
    if (read.ok()) continue;
    if (IsRetryable(read.error()) || read.error().id == ErrorId::kCancelled) return read;
    const cloud::ObjectRef name{location.bucket,
                                repository::RunPartName(location.prefix, run, part.sha256), 0};
    HF_RETURN_IF_ERROR(visit(name.Uri(), read.error().message));
  }
  return Ok();
}

// "runs/<run>.json" to its run; empty: it is no such name.
std::string RunOfPath(std::string_view path) {
  constexpr std::string_view kBegin = "runs/";
  constexpr std::string_view kEnd = ".json";
  if (!path.starts_with(kBegin) || !path.ends_with(kEnd)) return {};
  return std::string(path.substr(kBegin.size(), path.size() - kBegin.size() - kEnd.size()));
}

}  // namespace

Status CheckDocuments(repository::Repository& repository, const DocumentVisitor& visit) {
  cloud::ObjectStore& store = repository.store();
  const repository::Location& location = repository.location();
  const std::string root = location.prefix.empty() ? "" : location.prefix + "/";
  for (const char* const folder : kFolders) {
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ObjectInfo>(
        [&](const std::string& token) {
          return store.ListObjects(location.bucket, root + folder, token);
        },
        [&](cloud::ObjectInfo&& info) -> Status {
          const std::string path = info.ref.name.substr(root.size());
          HF_ASSIGN_OR_RETURN(const std::string why, Inspect(store, info, path));
          if (!why.empty()) return visit(info.ref.Uri(), why);
          const std::string run = RunOfPath(path);
          return run.empty() ? Ok() : CheckRunParts(repository, run, visit);
        }));
  }
  return Ok();
}

}  // namespace holdfast::verify
