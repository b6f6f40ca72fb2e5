#include "avro/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "avro/avro_type.h"
#include "avro/column_set.h"
#include "avro/decode_plan.h"
#include "avro/file_header.h"
#include "avro/file_input.h"
#include "avro/row_decoder.h"
#include "avro/schema_mapping.h"

namespace holdfast::avro {

namespace {

// What batches point into besides their own arrays: the symbols of enums, the columns' layout.
struct SharedPlan {
  AvroType root;
  DecodePlan plan;
};

class FileReader final : public Reader {
 public:
  FileReader(std::unique_ptr<FileInput> input, ParsedHeader parsed, Schema schema,
             std::shared_ptr<const SharedPlan> shared, const ReaderLimits& limits)
      : input_(std::move(input)),
        parsed_(std::move(parsed)),
        schema_(std::move(schema)),
        shared_(std::move(shared)),
        limits_(limits),
        decoder_(shared_->plan, limits),
        decompressor_(MakeDecompressor(parsed_.header.codec)),
        bytes_read_(input_->position()) {}

  const FileHeader& header() const override { return parsed_.header; }
  const Schema& schema() const override { return schema_; }
  uint64_t rows_read() const override { return rows_read_; }
  uint64_t bytes_read() const override { return bytes_read_; }

  Result<std::optional<Batch>> Next(size_t rows_max) override {
    CHECK(rows_max > 0, "a batch of no rows");
    if (failed_) return *failed_;
    Result<std::optional<Batch>> batch = ReadBatch(rows_max);
    if (!batch.ok()) failed_ = batch.error();
    return batch;
  }

 private:
  Result<std::optional<Batch>> ReadBatch(size_t rows_max) {
    const size_t width = std::max<size_t>(shared_->plan.row_width, 1);
    uint64_t wanted = std::clamp<uint64_t>(limits_.batch_bytes / width, 1, rows_max);
    auto columns = std::make_shared<ColumnSet>(shared_->plan.layout);
    std::vector<std::shared_ptr<void>> owners = {columns};
    size_t held_bytes = 0;
    while (wanted > 0 && held_bytes <= limits_.batch_bytes) {
      HF_ASSIGN_OR_RETURN(const bool has_rows, EnsureRows());
      if (!has_rows) break;
      const uint64_t asked = std::min(wanted, rows_in_block_);
      uint64_t rows_left = asked;
      Status status = decoder_.Decode(block_->data(), at_, block_->data() + block_->size(),
                                      rows_left, *columns);
      if (!status.ok()) return std::move(status).error().WithContext(BlockName());
      wanted -= asked - rows_left;
      rows_in_block_ -= asked - rows_left;
      rows_read_ += asked - rows_left;
      if (shared_->plan.keeps_block) {
        owners.push_back(block_);
        held_bytes += block_->capacity();
      }
      if (rows_left > 0) break;
      HF_RETURN_IF_ERROR(CheckBlockEnd());
    }
    if (columns->level(0).size == 0) return std::optional<Batch>();
    owners.push_back(std::const_pointer_cast<SharedPlan>(shared_));
    return std::optional<Batch>(Batch{.view = columns->View(), .owners = std::move(owners)});
  }

  // Whether rows are left, once blocks without any are passed over.
  Result<bool> EnsureRows() {
    while (rows_in_block_ == 0) {
      HF_ASSIGN_OR_RETURN(const bool at_end, input_->AtEnd());
      if (at_end) return false;
      ++block_number_;
      block_offset_ = input_->position();
      Status status = ReadBlock();
      if (!status.ok()) return std::move(status).error().WithContext(BlockName());
      HF_RETURN_IF_ERROR(CheckBlockEnd());
    }
    return true;
  }

  Status ReadBlock() {
    HF_ASSIGN_OR_RETURN(const int64_t rows, input_->ReadNumber("the block's row count"));
    HF_ASSIGN_OR_RETURN(const int64_t size, input_->ReadNumber("the block's size"));
    if (rows < 0 || size < 0) {
      return MakeError(ErrorId::kAvroCorrupt,
                       fmt::format("{} rows in {} bytes: a count is negative", rows, size));
    }
    if (static_cast<uint64_t>(size) > limits_.block_bytes) {
      return MakeError(ErrorId::kAvroLimit,
                       fmt::format("{} bytes, over the limit of {}", size, limits_.block_bytes));
    }
    // A block of its own, as batches may still point into the one before.
    block_ = std::make_shared<ByteBuffer>();
    const bool is_plain = parsed_.header.codec == Codec::kNull;
    ByteBuffer& stored = is_plain ? *block_ : stored_;
    stored.Clear();
    stored.Resize(static_cast<size_t>(size));
    HF_RETURN_IF_ERROR(input_->Read(stored.data(), stored.size(), "a block's data"));
    HF_RETURN_IF_ERROR(CheckSync());
    if (!is_plain) {
      HF_RETURN_IF_ERROR(
          decompressor_->Decompress(stored.view(), limits_.block_plain_bytes, *block_));
    }
    if (static_cast<uint64_t>(rows) > block_->size() / shared_->plan.row_bytes_min) {
      return MakeError(ErrorId::kAvroCorrupt, fmt::format("{} rows are more than {} bytes can hold",
                                                          rows, block_->size()));
    }
    rows_in_block_ = static_cast<uint64_t>(rows);
    at_ = block_->data();
    return Ok();
  }

  Status CheckSync() {
    std::array<char, kSyncBytes> sync{};
    HF_RETURN_IF_ERROR(input_->Read(sync.data(), sync.size(), "a block's sync marker"));
    if (sync != parsed_.sync) {
      return MakeError(ErrorId::kAvroCorrupt,
                       fmt::format("the sync marker at byte {} is not the file's",
                                   input_->position() - kSyncBytes));
    }
    bytes_read_ = input_->position();
    return Ok();
  }

  // When a block's rows are all read, so are its bytes.
  Status CheckBlockEnd() const {
    if (rows_in_block_ > 0 || at_ == block_->data() + block_->size()) return Ok();
    return MakeError(ErrorId::kAvroCorrupt,
                     fmt::format("{}: {} bytes are left after its last row", BlockName(),
                                 block_->data() + block_->size() - at_));
  }

  std::string BlockName() const {
    return fmt::format("block {} at byte {}", block_number_, block_offset_);
  }

  const std::unique_ptr<FileInput> input_;
  const ParsedHeader parsed_;
  const Schema schema_;
  const std::shared_ptr<const SharedPlan> shared_;
  const ReaderLimits limits_;
  RowDecoder decoder_;
  const std::unique_ptr<Decompressor> decompressor_;
  ByteBuffer stored_;                  // the block as stored, when it is compressed
  std::shared_ptr<ByteBuffer> block_;  // the block's plain bytes; batches with text share it
  const char* at_ = nullptr;           // the first row of it not read yet
  uint64_t rows_in_block_ = 0;         // rows of it not read yet
  uint64_t block_number_ = 0;
  uint64_t block_offset_ = 0;
  uint64_t rows_read_ = 0;
  uint64_t bytes_read_ = 0;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::unique_ptr<Reader>> Reader::Open(ByteSource source, const ReaderOptions& options) {
  auto input = std::make_unique<FileInput>(std::move(source));
  HF_ASSIGN_OR_RETURN(ParsedHeader parsed, ReadFileHeader(*input, options.limits.header_bytes));
  auto shared = std::make_shared<SharedPlan>();
  HF_ASSIGN_OR_RETURN(shared->root, ParseAvroType(parsed.header.avro_schema));
  Schema schema;
  if (options.schema) {
    schema = *options.schema;
  } else {
    HF_ASSIGN_OR_RETURN(schema, FromAvroType(shared->root));
  }
  HF_ASSIGN_OR_RETURN(shared->plan, CompileDecodePlan(shared->root, schema));
  return std::unique_ptr<Reader>(std::make_unique<FileReader>(
      std::move(input), std::move(parsed), std::move(schema), std::move(shared), options.limits));
}

}  // namespace holdfast::avro
