// What extracts of tables and of other rows share: forms, and files one after the other. Internal
// to the warehouse.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "avro/batch.h"
#include "base/random.h"
#include "localcloud/warehouse/extractor.h"
#include "localcloud/warehouse/row_encoder.h"
#include "model/schema.h"

namespace holdfast::warehouse {

// kWarehouseInvalidRequest, reason "invalid".
Error InvalidExtract(std::string message);

// Whether rows of `schema` can be written in the request's format and compression. Errors:
// kWarehouseInvalidRequest.
Status CheckForm(const ExtractRequest& request, const Schema& schema);

// DuckDB's name of a compression of Parquet.
std::string_view ParquetCodec(ExtractCompression compression);

// The bytes of a file to a sink, which is finished.
Status CopyToSink(const std::string& path, ExtractSink& sink);

// Splits a stream of batches into files, of a format that is not Parquet. Borrows what it is given.
class FileSplitter {
 public:
  FileSplitter(const ExtractRequest& request, const Schema& schema, Random& random,
               const ExtractSinkFactory& sinks)
      : request_(request), schema_(schema), random_(random), sinks_(sinks) {}

  // Writes every row; a file that has reached its size is closed. Errors: the sinks'.
  Status Write(const avro::BatchView& batch);

  // Closes the last file. No rows still give one file, which carries the schema.
  Status Finish();

  int64_t files() const { return files_; }  // closed ones

 private:
  Status Open();
  Status Close();

  const ExtractRequest& request_;
  const Schema& schema_;
  Random& random_;
  const ExtractSinkFactory& sinks_;
  std::unique_ptr<RowEncoder> encoder_;
  int64_t files_ = 0;
};

}  // namespace holdfast::warehouse
