// Writes an Avro object container file, block by block, to a sink.
//
// Memory is bounded by one block (plus one row, when a row is larger). The file is complete only
// after `Finish`. After an error the writer is broken: every later call returns the same error, and
// what reached the sink is not a complete file. One thread at a time; borrows the sink's target.
// Source: Avro 1.11 specification, "Object Container Files".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "avro/batch.h"
#include "avro/codec.h"
#include "avro/schema_mapping.h"
#include "base/random.h"
#include "base/result.h"
#include "model/schema.h"

namespace holdfast::avro {

// Takes the file's next bytes; an error stops the writer.
using ByteSink = std::function<Status(std::string_view bytes)>;

inline constexpr size_t kRowBytesMax = size_t{50} << 20U;  // BigQuery loads no larger row

struct WriterOptions {
  Codec codec = Codec::kSnappy;
  int level = 0;                            // see MakeCompressor
  size_t block_bytes = size_t{128} << 10U;  // plain bytes after which a block is closed; 1 KiB..15
                                            // MiB, as BigQuery refuses blocks over 16 MB
  DateTimeForm datetime_form = DateTimeForm::kText;
  std::vector<std::pair<std::string, std::string>> metadata;  // more entries of the file's header
};

class Writer {
 public:
  // Writes the header to `sink`. `random` gives the 16 bytes that part the blocks; it is not kept.
  // Errors: those of ToAvroSchema and MakeCompressor, the sink's, kLimitExceeded for options.
  static Result<std::unique_ptr<Writer>> Create(const Schema& schema, const WriterOptions& options,
                                                ByteSink sink, Random& random);
  virtual ~Writer() = default;

  // Appends all rows of `batch`, whose columns are those of the schema in order. Errors:
  // kAvroBadValue naming column and row for null in REQUIRED or in a list, invalid UTF-8 in text, a
  // number or time outside its type's range or its column's precision and scale, a row over
  // kRowBytesMax; the sink's.
  virtual Status Write(const BatchView& batch) = 0;

  // Writes the last block. To be called once, after the last Write.
  virtual Status Finish() = 0;

  virtual uint64_t rows_written() const = 0;   // appended so far, those of the open block included
  virtual uint64_t bytes_written() const = 0;  // given to the sink so far; the open block is not

 protected:
  Writer() = default;
};

}  // namespace holdfast::avro
