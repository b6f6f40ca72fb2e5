// Reading a table of the warehouse by content: an extract into a scratch place, read and deleted.
//
// What a digest of a copy, and the comparison of a restored table, are made from. Memory is bounded
// as in inspect.h; the scratch place costs the table's size in storage for as long as it takes.
// References outlive the reader; thread-safe as far as the ports are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "cloud/run_job.h"
#include "verify/inspect.h"

namespace holdfast::verify {

struct TableReader {
  cloud::Warehouse& warehouse;
  cloud::ObjectStore& objects;
  Clock& clock;
  Random& random;
  std::string bucket;           // scratch, in the table's location; it exists
  cloud::KeepAlive keep_alive;  // between polls and objects
  InspectOptions options = {};

  // Reads all rows of `table` (or of the partition it names), as rows of `schema`; as of that time,
  // if one is given. `location` is the table's; `purpose` ("compare") becomes part of names.
  // Nothing of it stays behind, but for what cannot be deleted: that is logged. Errors: of the job,
  // kExtractIncomplete, those of InspectObjects.
  Result<SetInspection> Read(const TableRef& table, const std::string& location,
                             const Schema& schema, std::string_view purpose,
                             std::optional<int64_t> as_of_ms = std::nullopt) const;

 private:
  Result<SetInspection> InspectAll(const std::vector<cloud::ObjectInfo>& extracted,
                                   const Schema& schema) const;
};

}  // namespace holdfast::verify
