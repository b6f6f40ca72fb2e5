#include "verify/read_table.h"

#include <fmt/format.h>

#include "base/log.h"
#include "model/ids.h"

namespace holdfast::verify {

namespace {

void DeleteScratch(cloud::ObjectStore& objects, const std::string& bucket,
                   const std::string& prefix) {
  const Status deleted = cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) { return objects.ListObjects(bucket, prefix, token); },
      [&](cloud::ObjectInfo&& object) { return objects.DeleteObject(object.ref); });
  if (!deleted.ok()) {
    LogWarning("scratch objects were not deleted",
               {{"bucket", bucket}, {"prefix", prefix}, {"error", deleted.error().message}});
  }
}

}  // namespace

Result<SetInspection> TableReader::InspectAll(const std::vector<cloud::ObjectInfo>& extracted,
                                              const Schema& schema) const {
  SetInspection set;
  for (const cloud::ObjectInfo& object : extracted) {
    HF_RETURN_IF_ERROR(keep_alive());
    HF_ASSIGN_OR_RETURN(ObjectInspection inspected,
                        InspectObject(objects, object, schema, options));
    set.rows += inspected.object.rows;
    set.bytes += inspected.object.size_bytes;
    set.digest.Merge(inspected.digest);
    set.objects.push_back(std::move(inspected.object));
  }
  return set;
}

Result<SetInspection> TableReader::Read(const TableRef& table, const std::string& location,
                                        const Schema& schema, std::string_view purpose,
                                        std::optional<int64_t> as_of_ms) const {
  // A place of its own for each look: an earlier one may have left a part behind.
  const std::string look = RandomHex(random, 8);
  const std::string prefix = fmt::format("{}/{}/", purpose, look);
  const cloud::JobRef job{
      .project = table.project, .location = location, .id = JobId(purpose, look, table, 1)};
  HF_ASSIGN_OR_RETURN(const cloud::JobStatus done,
                      cloud::RunJob(warehouse, clock, job,
                                    cloud::ExtractJob{.source = table,
                                                      .as_of_ms = as_of_ms,
                                                      .destination_uri = "gs://" + bucket + "/" +
                                                                         prefix + "*.avro"},
                                    keep_alive));
  HF_ASSIGN_OR_RETURN(const auto extracted,
                      cloud::ListExtracted(objects, bucket, prefix, done.output_files));
  auto inspected = InspectAll(extracted, schema);
  DeleteScratch(objects, bucket, prefix);
  return inspected;
}

}  // namespace holdfast::verify
