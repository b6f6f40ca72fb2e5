// Fingerprint: what the warehouse tells, without reading data, by which a change is noticed.
//
// Two fingerprints are compared by `!=`, never by `>`: a modification time can move backwards, and
// late rows carry an older one (google-semantics trap 5, A2 #10). Of a partition, `rows`, `bytes`
// and `last_modified_ms` are the partition's; creation, schema and metadata are its table's.
//
// Why "metadata only" is a guess. An edit of a description moves the modification time of the table
// and of every partition (A2 #9). An UPDATE that keeps rows and bytes moves the very same time, and
// nothing in here parts the two, least of all when both happened since the last look. So
// kMetadataOnly is answered only when the metadata document changed and rows, bytes, schema,
// creation and partitioning did not; and the stage that acts on it asks the service when rows were
// last written (backup/metadata_unit.h), or reads the data once more and compares content digests
// (`SettleMetadataOnly`). Whatever else moved the time is kDataChanged. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/table.h"

namespace holdfast {

struct Fingerprint {
  int64_t creation_ms = 0;       // another one: dropped and created anew (A1 #8)
  int64_t last_modified_ms = 0;  // server time
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string schema_hash;    // SchemaHash of the table
  std::string metadata_hash;  // MetadataHash of the table's resource
  Partitioning partitioning;
  bool streaming = false;  // rows were in the streaming buffer, in none of the counts (trap 4)

  bool operator==(const Fingerprint&) const = default;

  // Errors: kInvalidJson naming the member.
  static Result<Fingerprint> FromJson(const Json& json);
  Json ToJson() const;
};

enum class Change { kUnchanged, kMetadataOnly, kDataChanged };
std::string_view ChangeName(Change change);  // "unchanged", "metadata_only", "data_changed"

// The inverse; nullopt for another text.
std::optional<Change> FindChange(std::string_view name);

// What happened to an object between its last good backup and now. A fingerprint that was taken
// while rows were streaming in is never "unchanged" against a later one: those rows land without
// moving the time.
Change CompareFingerprints(const Fingerprint& last, const Fingerprint& now);

// The same for an object without data, whose definition is all there is of it: kUnchanged or
// kDataChanged, whatever the times say. One that was dropped and made anew as it was is unchanged.
Change CompareDefinitionFingerprints(const Fingerprint& last, const Fingerprint& now);

// Settles a kMetadataOnly by content: the digests of the last good backup and of the data now.
// Either one empty (unknown): kDataChanged.
Change SettleMetadataOnly(std::string_view last_digest, std::string_view digest_now);

// The resource document of a table, routine or dataset without the members that the service moves
// by itself: statistics, times, etag, streaming buffer, the refreshes of a materialized view.
// Descriptions, labels, expirations, access and all of the schema stay.
Json StableMembers(const Json& resource);

// Lower-case hex SHA-256 over the stable members.
std::string MetadataHash(const Json& resource);

// The fingerprint of a whole table, and of one of its partitions. Of the partitions of a table that
// rows stream into, only `__UNPARTITIONED__` is marked as streaming: rows that land in another one
// change its count, and marking all would export all of them in every run.
Fingerprint FingerprintOf(const TableInfo& table);
// Of an object without data, from its resource.
Fingerprint FingerprintOfDefinition(const Json& resource);
Fingerprint FingerprintOf(const TableInfo& table, const PartitionInfo& partition);

}  // namespace holdfast
