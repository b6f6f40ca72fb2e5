// Batches as the bytes of one CSV, NDJSON or Avro file. Internal to the extractor.
#pragma once

#include <memory>

#include "avro/batch.h"
#include "base/random.h"
#include "localcloud/warehouse/extractor.h"
#include "model/schema.h"

namespace holdfast::warehouse {

// Writes one file to a sink, which it owns. After an error it is only good for being destroyed.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;

  // Encodes every row; bytes may wait here until Finish. Errors: the sink's.
  virtual Status Write(const avro::BatchView& batch) = 0;

  virtual Status Finish() = 0;                // once, last; finishes the sink too
  virtual int64_t bytes_written() const = 0;  // given to the sink so far
};

// The encoder of the request's format, which is not kParquet, and compression. `random`: the sync
// marker of Avro. Errors: the sink's, and those of the schema in Avro.
Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(const ExtractRequest& request,
                                                   const Schema& schema, Random& random,
                                                   std::unique_ptr<ExtractSink> sink);

}  // namespace holdfast::warehouse
