// Manifest: the write-once document that says a backup exists and exactly what it consists of.
//
// A backup is complete when its manifest is in the repository. It names each data object with
// generation, size and checksums: a restore reads that list, never a wildcard (google-semantics
// traps 8, 11). The text is canonical (sorted members, no spaces), and holds a SHA-256 of itself:
// one that was cut, damaged or edited is refused. That guards against accidents and careless hands,
// not against someone who computes the sum anew. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/fingerprint.h"
#include "model/method.h"
#include "model/object_kind.h"
#include "model/resource_names.h"
#include "model/schema.h"
#include "model/table.h"

namespace holdfast {

inline constexpr int kManifestFormatVersion = 1;
inline constexpr size_t kManifestBytesMax = size_t{64} << 20U;
inline constexpr size_t kManifestObjectsMax = 100'000;  // BigQuery loads 10,000 URIs a job

// One object of the data, in the manifest's bucket.
struct DataObject {
  std::string name;
  int64_t generation = 0;
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;
  std::string sha256;  // 64 lower-case hexadecimal digits
  int64_t rows = 0;

  bool operator==(const DataObject&) const = default;
};

struct Manifest {
  std::string backup;                    // its id
  ObjectKind kind = ObjectKind::kTable;  // absent in the text: a table
  TableRef object;  // with .partition when it is of one partition; of a reserved name when it is of
                    // a routine or a dataset
  Method method = Method::kExport;
  std::string run;
  int attempt = 1;  // which try of the run made it
  int64_t created_ms = 0;
  std::string tool_version;

  std::string location;  // of the dataset
  Fingerprint source;    // before the data was read; partitioning included
  Schema schema;
  Json table_resource = Json::object();    // tables.get, whole; of a routine, routines.get
  Json dataset_resource = Json::object();  // datasets.get, whole
  // Who may do what with it beside what its dataset allows: "iam_policy" as tables.getIamPolicy has
  // it, "row_access_policies" as they are listed. nullopt: not looked at.
  std::optional<Json> access;

  std::string bucket;               // method export: where `objects` are
  std::string codec;                // method export: "SNAPPY", ...
  std::vector<DataObject> objects;  // method export: in name order; one at least
  std::optional<TableRef> copy;     // methods copy and snapshot: the table that holds the data
  int64_t copy_modified_ms = 0;     // of it, by the warehouse: a later time means it was written to

  int64_t rows = 0;                   // captured
  int64_t stored_bytes = 0;           // sum of the objects' sizes; of a copy, the table's bytes
  std::string content_digest;         // ContentDigest's text; empty: not read (a copy at kL0)
  int64_t consistent_through_ms = 0;  // later rows may be missing (trap 4)
  std::optional<int64_t> as_of_ms;    // time travel: the data is the table's as of then, and
                                      // `source` was looked at later; nullopt: as it was just then
  std::optional<StreamingBuffer> streaming_buffer;  // rows that were in none of it
  VerifyLevel verified = VerifyLevel::kNone;        // reached before the manifest was written
  std::string suspect;  // why it is suspect ("rows fell from 900 to 3"); empty: it is not

  // The document that a backup without data is of: a dataset's, else the object's own.
  const Json& Definition() const {
    return kind == ObjectKind::kDataset ? dataset_resource : table_resource;
  }

  // Whether it is kept but not counted as good.
  bool IsSuspect() const { return !suspect.empty(); }

  // The whole document but for the sum of itself.
  Json ToJson() const;

  // Strict: every member's type, non-negative numbers, object names without "//" or "..", sums that
  // add up, no data where the kind has none, limits. Errors: kInvalidJson, kLimitExceeded naming
  // the member.
  static Result<Manifest> FromJson(const Json& json);
};

// The bytes to store, the same for equal manifests.
std::string SerializeManifest(const Manifest& manifest);

// The inverse. Errors: kManifestDamaged when it is not JSON, its sum is wrong or missing, or a
// member is not as it must be; kManifestVersion when a newer program wrote it; kLimitExceeded.
Result<Manifest> ParseManifest(std::string_view text);

}  // namespace holdfast
