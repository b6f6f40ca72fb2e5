// Reads an Avro object container file from a source of bytes, as columns of a BigQuery table.
//
// The file's bytes are hostile: every length, count and index is checked before it is used, and the
// limits below bound memory whatever the file claims. Text in a batch points into the decompressed
// block, which the batch keeps alive. Errors name the block's number (from 1) and its byte offset
// in the file, and the column where there is one. One thread at a time; a batch may outlive its
// reader. Source: Avro 1.11 specification, "Object Container Files"; google-semantics A4.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "avro/batch.h"
#include "avro/codec.h"
#include "base/json.h"
#include "base/result.h"
#include "model/schema.h"

namespace holdfast::avro {

// Pulls the file's next bytes into `buffer`; 0 means the end. Of the same shape as net::BodyReader.
using ByteSource = std::function<Result<size_t>(std::span<char> buffer)>;

struct ReaderLimits {
  size_t header_bytes = size_t{16} << 20U;        // all of the header's metadata, schema included
  size_t block_bytes = size_t{64} << 20U;         // one block as stored
  size_t block_plain_bytes = size_t{256} << 20U;  // one block decompressed
  size_t text_bytes = size_t{100} << 20U;  // one STRING or BYTES value (BigQuery's cell limit)
  // Column arrays of one batch, which ends early when they pass it; one row may need 16 times as
  // much.
  size_t batch_bytes = size_t{16} << 20U;
};

struct ReaderOptions {
  ReaderLimits limits;
  // The table to read as: columns are matched by name without case; columns of the file that the
  // table lacks are skipped; a column that the file lacks is null (empty when REPEATED, an error
  // when REQUIRED). Unset: the table that the file's own schema describes.
  std::optional<Schema> schema;
};

// What a file says of itself.
struct FileHeader {
  Json avro_schema;
  Codec codec = Codec::kNull;
  std::vector<std::pair<std::string, std::string>> metadata;  // all entries, in file order
};

class Reader {
 public:
  // Reads the header. Errors: kAvroNotAvro, kAvroTruncated, kAvroCorrupt, kAvroLimit,
  // kAvroUnsupported (codec), those of FromAvroSchema, kAvroMismatch when a column cannot be read
  // as the table's.
  static Result<std::unique_ptr<Reader>> Open(ByteSource source, const ReaderOptions& options = {});
  virtual ~Reader() = default;

  // What Open read; the same as long as the reader.
  virtual const FileHeader& header() const = 0;
  virtual const Schema& schema() const = 0;  // the columns of every batch

  // The next 1..rows_max rows, or nullopt after the last. Errors: kAvroTruncated, kAvroCorrupt,
  // kAvroLimit, kAvroBadValue (invalid UTF-8, null in REQUIRED, a time or number out of range), the
  // source's own; after an error every call returns it again. `rows_max` at least 1.
  virtual Result<std::optional<Batch>> Next(size_t rows_max) = 0;

  virtual uint64_t rows_read() const = 0;   // to be compared: a cut between two blocks is no error
  virtual uint64_t bytes_read() const = 0;  // of the file, up to the end of the last block read

 protected:
  Reader() = default;
};

}  // namespace holdfast::avro
