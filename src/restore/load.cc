#include "restore/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/retry.h"
#include "model/ids.h"
#include "restore/compare.h"
#include "restore/rewrite.h"

namespace holdfast::restore {

namespace {

constexpr int kJobAttemptsMax = 4;  // of one process
constexpr int kJobIdsMax = 1000;    // of all that ever worked on this restore
constexpr Duration kWidenedLifetime = std::chrono::hours{24};

TableRef DestinationOf(const TableRef& target, const Partitioning& partitioning,
                       const Manifest& manifest) {
  const std::string& partition = manifest.object.partition;
  const bool addressed = IsByIngestionTime(partitioning) && IsPartitionOfItsOwn(partition);
  return addressed ? target.WithPartition(partition) : target;
}

bool HoldsColumnsOf(const std::vector<Field>& newer, const std::vector<Field>& older) {
  const Schema columns{newer};
  return std::ranges::all_of(older, [&](const Field& field) {
    const Field* found = columns.Find(field.name);
    return found != nullptr && found->type == field.type &&
           found->range_element_type == field.range_element_type &&
           (found->mode == FieldMode::kRepeated) == (field.mode == FieldMode::kRepeated) &&
           HoldsColumnsOf(found->fields, field.fields);
  });
}

// Whether the service said that it did not take the job, and not merely failed to answer.
bool WasRefused(const Error& error) {
  switch (error.code) {
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
    case Code::kFailedPrecondition:
    case Code::kResourceExhausted:
    case Code::kUnimplemented:
      return true;
    default:
      return false;
  }
}

class TargetFill {
 public:
  // `schema` is the target's.
  TargetFill(const Services& services, const OwnedTable& owned, const Schema& schema,
             FillProgress& progress)
      : services_(services), owned_(owned), schema_(schema), progress_(progress) {}

  Status Load(const LoadGroup& group, size_t number) {
    const Manifest& first = *group.parts.front().manifest;
    if (first.copy) {
      if (first.method == Method::kSnapshot) return RestoreSnapshot(first, group, number);
      if (SchemaHash(first.schema) != SchemaHash(schema_)) return AppendWidened(group, number);
      return Append(*first.copy, group.destination, number);
    }
    std::vector<std::string> uris;
    for (const LoadPart& part : group.parts) HF_RETURN_IF_ERROR(AddUris(part, uris));
    return RunUntilDone(fmt::format("restore-{}", number), [&] {
      return cloud::JobSpec(cloud::LoadJob{.source_uris = uris,
                                           .destination = group.destination,
                                           .disposition = cloud::WriteDisposition::kAppend,
                                           .schema = SchemaToLoad(first.schema, schema_)});
    });
  }

  // Where this restore stages what it rewrites.
  std::string StagingPrefix() const { return "restore/" + owned_.restore_id + "/"; }

 private:
  // Out of a snapshot only a restoring job makes rows of a table; it is of a whole one, which is
  // empty.
  Status RestoreSnapshot(const Manifest& manifest, const LoadGroup& group, size_t number) {
    return RunUntilDone(fmt::format("restore-{}", number), [&] {
      return cloud::JobSpec(cloud::CopyJob{.sources = {*manifest.copy},
                                           .destination = group.destination,
                                           .operation = cloud::CopyOperation::kRestore});
    });
  }

  Status Append(const TableRef& source, const TableRef& destination, size_t number) {
    return RunUntilDone(fmt::format("restore-{}", number), [&] {
      return cloud::JobSpec(cloud::CopyJob{.sources = {source},
                                           .destination = destination,
                                           .disposition = cloud::WriteDisposition::kAppend});
    });
  }

  // A copy job takes tables of the same columns only. The copy is a backup and stays as it is, so
  // one from before the table got a column is copied once more, and that gets the column.
  Status AppendWidened(const LoadGroup& group, size_t number) {
    TableRef widened = owned_.table.ref;
    widened.table = fmt::format("holdfast_{}_{}", owned_.restore_id, number);
    HF_RETURN_IF_ERROR(RunUntilDone(fmt::format("widen-{}", number), [&] {
      return cloud::JobSpec(
          cloud::CopyJob{.sources = {*group.parts.front().manifest->copy}, .destination = widened});
    }));
    const Timestamp expires = services_.clock.Now() + kWidenedLifetime;
    const auto patched = services_.warehouse.UpdateTable(
        widened,
        {{"schema", schema_.ToJson()}, {"expirationTime", std::to_string(ToUnixMillis(expires))}});
    // One that is gone was appended and dropped by an earlier process.
    if (!patched.ok() && patched.error().code != Code::kNotFound) return patched.error();
    HF_RETURN_IF_ERROR(Append(widened, group.destination, number));
    const Status dropped = services_.warehouse.DeleteTable(widened);
    if (!dropped.ok()) {
      LogWarning("a table of the restore is left to expire",
                 {{"table", widened.ToString()}, {"error", dropped.error().message}});
    }
    return Ok();
  }

  Status AddUris(const LoadPart& part, std::vector<std::string>& uris) {
    if (NeedsRewrite(part.manifest->schema)) return RewriteInto(part, uris);
    for (const DataObject& object : part.objects) {
      uris.push_back(cloud::ObjectRef{part.manifest->bucket, object.name, 0}.Uri());
    }
    return Ok();
  }

  Status RewriteInto(const LoadPart& part, std::vector<std::string>& uris) {
    const Manifest& manifest = *part.manifest;
    HF_ASSIGN_OR_RETURN(
        const std::string bucket,
        EnsureStagingBucket(services_, owned_.table.ref.project, owned_.table.location));
    for (const DataObject& object : part.objects) {
      const cloud::ObjectRef destination{
          bucket,
          fmt::format("{}{}/{}", StagingPrefix(), manifest.backup,
                      object.name.substr(object.name.rfind('/') + 1)),
          0};
      HF_RETURN_IF_ERROR(
          RewriteObject(services_.objects, manifest, object, destination).WithContext("rewrite"));
      uris.push_back(destination.Uri());
    }
    return Ok();
  }

  // A job that failed for a passing reason is tried under another id. One that is found under its
  // id was started by an earlier process and counts, unless it failed: what was in its way then,
  // such as a full disk or a quota, may be gone, and a failed job has loaded nothing.
  template <typename MakeSpec>
  Status RunUntilDone(const std::string& operation, const MakeSpec& make_spec) {
    int failed_here = 0;
    for (int attempt = 1;; ++attempt) {
      const cloud::JobRef job{.project = owned_.table.ref.project,
                              .location = owned_.table.location,
                              .id = JobId(operation, owned_.restore_id, owned_.table.ref, attempt)};
      progress_.job_may_run = true;
      auto status = services_.warehouse.StartJob(job, make_spec());
      if (!status.ok()) {
        progress_.job_may_run = !WasRefused(status.error());
        return status.error();
      }
      if (status->FailedEarlier() && attempt < kJobIdsMax) continue;
      const auto done = Wait(*std::move(status));
      if (done.ok()) return Ok();
      if (!IsRetryable(done.error()) || ++failed_here == kJobAttemptsMax) return done.error();
    }
  }

  // The job's own error is told from one that only says that it cannot be looked at.
  Result<cloud::JobStatus> Wait(cloud::JobStatus status) {
    const cloud::JobRef job = status.ref;
    auto done = cloud::WaitForJob(services_.warehouse, services_.clock, std::move(status),
                                  [] { return Status(); });
    if (done.ok()) {
      progress_.job_may_run = false;
    } else if (const auto last = services_.warehouse.GetJob(job); last.ok()) {
      progress_.job_may_run = last->state != cloud::JobState::kDone;
    }
    return done;
  }

  const Services& services_;
  const OwnedTable& owned_;
  const Schema& schema_;
  FillProgress& progress_;
};

// A backup in parts that each fit in one job; a backup without objects is one part.
std::vector<LoadPart> PartsOf(const Manifest& manifest) {
  const std::span<const DataObject> objects = manifest.objects;
  std::vector<LoadPart> parts;
  size_t begin = 0;
  do {
    const size_t count = std::min(kLoadUrisMax, objects.size() - begin);
    parts.push_back({.manifest = &manifest, .objects = objects.subspan(begin, count)});
    begin += count;
  } while (begin < objects.size());
  return parts;
}

// Jobs that may take more backups: the last one of each schema.
struct OpenGroup {
  size_t index = 0;
  size_t uris = 0;
};

}  // namespace

bool IsByIngestionTime(const Partitioning& partitioning) {
  return partitioning.kind != Partitioning::Kind::kNone && partitioning.field.empty();
}

bool IsPartitionOfItsOwn(const std::string& partition) {
  return !partition.empty() && partition != kNullPartition && partition != kUnpartitionedPartition;
}

bool HoldsColumns(const Schema& newer, const Schema& older) {
  return HoldsColumnsOf(newer.fields, older.fields);
}

const Schema& SchemaToLoad(const Schema& backup, const Schema& target) {
  return HoldsColumns(target, backup) ? target : backup;
}

std::vector<LoadGroup> GroupLoads(const TableRef& target, const Partitioning& partitioning,
                                  const std::vector<Manifest>& manifests) {
  std::vector<LoadGroup> groups;
  std::map<std::string, OpenGroup> open;  // by the hash of the schema
  for (const Manifest& manifest : manifests) {
    const TableRef destination = DestinationOf(target, partitioning, manifest);
    const bool shares = !manifest.copy && destination.partition.empty();
    const std::string schema = shares ? SchemaHash(manifest.schema) : "";
    for (const LoadPart& part : PartsOf(manifest)) {
      const auto found = shares ? open.find(schema) : open.end();
      const bool joins = found != open.end() &&
                         groups[found->second.index].parts.size() < kLoadPartitionsMax &&
                         found->second.uris + part.objects.size() <= kLoadUrisMax;
      if (joins) {
        groups[found->second.index].parts.push_back(part);
        found->second.uris += part.objects.size();
        continue;
      }
      if (shares) open[schema] = {.index = groups.size(), .uris = part.objects.size()};
      groups.push_back({.destination = destination, .parts = {part}});
    }
  }
  return groups;
}

Status FillTarget(const Services& services, const OwnedTable& owned,
                  const std::vector<Manifest>& manifests, FillProgress& progress) {
  TargetFill fill(services, owned, NewestOf(manifests).schema, progress);
  const auto groups = GroupLoads(owned.table.ref, owned.table.partitioning, manifests);
  for (size_t number = 0; number < groups.size(); ++number) {
    HF_RETURN_IF_ERROR(fill.Load(groups[number], number));
  }
  for (const Manifest& manifest : manifests) {
    if (!manifest.copy && NeedsRewrite(manifest.schema)) {
      HF_ASSIGN_OR_RETURN(
          const std::string bucket,
          EnsureStagingBucket(services, owned.table.ref.project, owned.table.location));
      DeleteStaged(services, bucket, fill.StagingPrefix());
      break;
    }
  }
  return Ok();
}

}  // namespace holdfast::restore
