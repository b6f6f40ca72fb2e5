// Rows of our own on their way into a table of the warehouse: Avro objects of bounded size.
//
// Rows are appended cell by cell in the order of the schema. A batch and one part are in memory;
// parts go to the staging bucket as they fill, to be named in one load job. After an error the
// upload is good for nothing but being destroyed. One thread; borrows the store and the chance.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "avro/batch_builder.h"
#include "avro/writer.h"
#include "base/random.h"
#include "base/result.h"
#include "cloud/object_store.h"
#include "model/schema.h"

namespace holdfast::observe {

inline constexpr size_t kUploadPartBytes = size_t{8} << 20U;
inline constexpr size_t kUploadPartsMax = 10'000;  // BigQuery: URIs of one load job

class TableUpload {
 public:
  // Parts are written below `place`: its name is their prefix.
  TableUpload(cloud::ObjectStore& objects, Random& random, cloud::ObjectRef place, Schema schema,
              size_t part_bytes = kUploadPartBytes);

  // The cells of a row, one after another. Text that is not UTF-8 gets U+FFFD in place of what is
  // wrong with it.
  TableUpload& Text(std::string_view value);        // empty stays empty
  TableUpload& TextOrNull(std::string_view value);  // empty is NULL
  TableUpload& Int(int64_t value);
  TableUpload& Bool(bool value);
  TableUpload& TimeOrNull(int64_t at_ms);                      // milliseconds since 1970; 0 is NULL
  TableUpload& Texts(const std::vector<std::string>& values);  // of a REPEATED STRING

  // A cell of another shape: the column of the next cell, which is to get one value.
  avro::ColumnBuilder& NextColumn() { return builder_.column(cell_++); }

  // Ends the row, which has all of its cells. Errors: the store's; kLimitExceeded over
  // kUploadPartsMax parts.
  Status EndRow();

  // Writes what is left. The URIs of all parts: one at least, without rows when there were none.
  Result<std::vector<std::string>> Finish();

  int64_t rows() const { return rows_; }

 private:
  Status WriteBatch();
  Status OpenPart();
  Status ClosePart();

  cloud::ObjectStore& objects_;
  Random& random_;
  const cloud::ObjectRef place_;
  const size_t part_bytes_;
  avro::BatchBuilder builder_;
  size_t cell_ = 0;  // of the row that is being appended
  size_t batch_rows_ = 0;
  size_t batch_bytes_ = 0;                // of its texts
  std::string part_;                      // the bytes of the open part
  std::unique_ptr<avro::Writer> writer_;  // of the open part; nullptr: none is open
  std::vector<std::string> uris_;
  int64_t rows_ = 0;
};

// The text with U+FFFD in place of each byte that keeps it from being UTF-8.
std::string ValidText(std::string_view text);

}  // namespace holdfast::observe
