#include "avro/writer.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "avro/file_header.h"
#include "avro/row_encoder.h"
#include "avro/varint.h"

namespace holdfast::avro {

namespace {

constexpr size_t kBlockBytesMin = size_t{1} << 10U;
constexpr size_t kBlockBytesMax = size_t{15} << 20U;

void AppendBytes(std::string_view bytes, std::string& out) {
  std::array<char, kVarintBytesMax> length{};
  const char* end = WriteVarint(static_cast<int64_t>(bytes.size()), length.data());
  out.append(length.data(), static_cast<size_t>(end - length.data()));
  out.append(bytes);
}

std::string RandomSync(Random& random) {
  std::string sync(kSyncBytes, '\0');
  for (size_t at = 0; at < kSyncBytes; at += sizeof(uint64_t)) {
    const uint64_t bits = random.Next();
    std::memcpy(sync.data() + at, &bits, sizeof(bits));
  }
  return sync;
}

std::string HeaderText(const Json& avro_schema, const WriterOptions& options,
                       std::string_view sync) {
  std::string header(kFileMagic);
  // One block of metadata entries; their count is under 64, so its varint is one byte.
  header += static_cast<char>(2 * (options.metadata.size() + 2));
  AppendBytes("avro.schema", header);
  AppendBytes(DumpJson(avro_schema), header);
  AppendBytes("avro.codec", header);
  AppendBytes(CodecName(options.codec), header);
  for (const auto& [key, value] : options.metadata) {
    AppendBytes(key, header);
    AppendBytes(value, header);
  }
  header += '\0';
  header += sync;
  return header;
}

Status CheckOptions(const WriterOptions& options) {
  if (options.block_bytes < kBlockBytesMin || options.block_bytes > kBlockBytesMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("Avro blocks are {}..{} bytes, not {}", kBlockBytesMin,
                                 kBlockBytesMax, options.block_bytes));
  }
  constexpr size_t kMetadataMax = 60;
  if (options.metadata.size() > kMetadataMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("Avro header: over {} metadata entries", kMetadataMax));
  }
  for (const auto& [key, value] : options.metadata) {
    if (key.starts_with("avro.")) {
      return MakeError(ErrorId::kAvroSchema,
                       fmt::format("Avro header: metadata key \"{}\" is reserved", key));
    }
  }
  return Ok();
}

class FileWriter final : public Writer {
 public:
  FileWriter(const Schema& schema, const WriterOptions& options,
             std::unique_ptr<Compressor> compressor, ByteSink sink, std::string sync)
      : options_(options),
        encoder_(schema, options.datetime_form),
        compressor_(std::move(compressor)),
        sink_(std::move(sink)),
        sync_(std::move(sync)) {}

  Status Start(const Json& avro_schema) { return Emit(HeaderText(avro_schema, options_, sync_)); }

  Status Write(const BatchView& batch) override { return Keep(WriteRows(batch)); }

  Status Finish() override {
    if (failed_) return *failed_;
    CHECK(!finished_, "Finish called twice");
    finished_ = true;
    return Keep(rows_in_block_ > 0 ? WriteBlock() : Ok());
  }

  uint64_t rows_written() const override { return rows_written_; }
  uint64_t bytes_written() const override { return bytes_written_; }

 private:
  Status WriteRows(const BatchView& batch) {
    if (failed_) return *failed_;
    CHECK(!finished_, "Write called after Finish");
    encoder_.Bind(batch);
    size_t row = 0;
    while (row < batch.rows) {
      const size_t before = row;
      HF_RETURN_IF_ERROR(encoder_.Encode(row, batch.rows, options_.block_bytes, block_));
      rows_in_block_ += row - before;
      rows_written_ += row - before;
      if (block_.size() >= options_.block_bytes) HF_RETURN_IF_ERROR(WriteBlock());
    }
    return Ok();
  }

  Status WriteBlock() {
    std::string_view stored = block_.view();
    if (options_.codec != Codec::kNull) {
      HF_RETURN_IF_ERROR(compressor_->Compress(stored, compressed_));
      stored = compressed_.view();
    }
    std::array<char, 2 * kVarintBytesMax> lengths{};
    char* end = WriteVarint(static_cast<int64_t>(rows_in_block_), lengths.data());
    end = WriteVarint(static_cast<int64_t>(stored.size()), end);
    HF_RETURN_IF_ERROR(Emit({lengths.data(), static_cast<size_t>(end - lengths.data())}));
    HF_RETURN_IF_ERROR(Emit(stored));
    HF_RETURN_IF_ERROR(Emit(sync_));
    block_.Clear();
    rows_in_block_ = 0;
    return Ok();
  }

  Status Emit(std::string_view bytes) {
    bytes_written_ += bytes.size();
    return sink_(bytes);
  }

  // Remembers a failure: what reached the sink is no complete file any more.
  Status Keep(Status status) {
    if (!status.ok() && !failed_) failed_ = status.error();
    return status;
  }

  const WriterOptions options_;
  RowEncoder encoder_;
  std::unique_ptr<Compressor> compressor_;
  ByteSink sink_;
  std::string sync_;
  ByteBuffer block_;
  ByteBuffer compressed_;
  uint64_t rows_in_block_ = 0;
  uint64_t rows_written_ = 0;
  uint64_t bytes_written_ = 0;
  bool finished_ = false;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Create(const Schema& schema, const WriterOptions& options,
                                               ByteSink sink, Random& random) {
  HF_RETURN_IF_ERROR(CheckOptions(options));
  HF_ASSIGN_OR_RETURN(const Json avro_schema, ToAvroSchema(schema, options.datetime_form));
  HF_ASSIGN_OR_RETURN(auto compressor, MakeCompressor(options.codec, options.level));
  auto writer = std::make_unique<FileWriter>(schema, options, std::move(compressor),
                                             std::move(sink), RandomSync(random));
  HF_RETURN_IF_ERROR(writer->Start(avro_schema));
  return std::unique_ptr<Writer>(std::move(writer));
}

}  // namespace holdfast::avro
