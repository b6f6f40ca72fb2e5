#include "localcloud/warehouse/row_encoder.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <string>

#include "avro/writer.h"
#include "localcloud/warehouse/value_text.h"

namespace holdfast::warehouse {

namespace {

constexpr size_t kTextBufferBytes = size_t{256} << 10U;
constexpr int kGzipWindow = 15 + 16;  // zlib: 15 bits of window, 16 for a gzip header
constexpr int kGzipMemory = 8;

// Gives bytes to a sink, gzipped if wanted.
class ByteOutput {
 public:
  ByteOutput(std::unique_ptr<ExtractSink> sink, bool gzip) : sink_(std::move(sink)), gzip_(gzip) {
    if (gzip_) {
      CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kGzipMemory,
                         Z_DEFAULT_STRATEGY) == Z_OK,
            "zlib takes its own defaults");
    }
  }
  ~ByteOutput() {
    if (gzip_) deflateEnd(&stream_);
  }
  ByteOutput(const ByteOutput&) = delete;
  ByteOutput& operator=(const ByteOutput&) = delete;

  Status Write(std::string_view bytes) { return gzip_ ? Deflate(bytes, Z_NO_FLUSH) : Put(bytes); }

  Status Finish() {
    if (gzip_) HF_RETURN_IF_ERROR(Deflate({}, Z_FINISH));
    return sink_->Finish();
  }

  int64_t bytes_written() const { return bytes_; }

 private:
  Status Put(std::string_view bytes) {
    bytes_ += static_cast<int64_t>(bytes.size());
    return sink_->Write(bytes);
  }

  Status Deflate(std::string_view bytes, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&stream_, flush);  // fails only for arguments that these are not
      HF_RETURN_IF_ERROR(Put({buffer_.data(), buffer_.size() - stream_.avail_out}));
    } while (stream_.avail_out == 0);
    return Ok();
  }

  std::unique_ptr<ExtractSink> sink_;
  bool gzip_;
  int64_t bytes_ = 0;
  z_stream stream_{};
  std::array<char, size_t{64} << 10U> buffer_{};
};

// Rows as lines of text, collected in a buffer of bounded size.
class TextEncoder : public RowEncoder {
 public:
  TextEncoder(const Schema& schema, std::unique_ptr<ExtractSink> sink, bool gzip)
      : schema_(schema), output_(std::move(sink), gzip) {}

  Status Write(const avro::BatchView& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      AppendRow(batch, row);
      if (text_.size() >= kTextBufferBytes) HF_RETURN_IF_ERROR(Flush());
    }
    return Ok();
  }

  Status Finish() override {
    HF_RETURN_IF_ERROR(Flush());
    return output_.Finish();
  }

  int64_t bytes_written() const override {
    return output_.bytes_written() + static_cast<int64_t>(text_.size());
  }

 protected:
  virtual void AppendRow(const avro::BatchView& batch, size_t row) = 0;

  Schema schema_;
  std::string text_;

 private:
  Status Flush() {
    HF_RETURN_IF_ERROR(output_.Write(text_));
    text_.clear();
    return Ok();
  }

  ByteOutput output_;
};

class CsvEncoder final : public TextEncoder {
 public:
  CsvEncoder(const Schema& schema, const ExtractRequest& request, std::unique_ptr<ExtractSink> sink)
      : TextEncoder(schema, std::move(sink), request.compression == ExtractCompression::kGzip),
        delimiter_(request.field_delimiter) {
    if (!request.print_header) return;
    for (const Field& field : schema.fields) {
      if (!text_.empty()) text_ += delimiter_;
      AppendCell(field.name);
    }
    text_ += '\n';
  }

 private:
  void AppendRow(const avro::BatchView& batch, size_t row) override {
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      if (i > 0) text_ += delimiter_;
      const avro::ColumnView& column = batch.columns[i];
      if (!column.IsValid(row)) continue;
      cell_.clear();
      AppendScalar(schema_.fields[i], column, row, cell_);
      AppendCell(cell_);
    }
    text_ += '\n';
  }

  // An empty text is quoted, because nothing at all is NULL.
  void AppendCell(std::string_view cell) {
    const bool plain = !cell.empty() && cell.find_first_of("\"\r\n") == cell.npos &&
                       cell.find(delimiter_) == cell.npos;
    if (plain) {
      text_ += cell;
      return;
    }
    text_ += '"';
    for (const char c : cell) {
      if (c == '"') text_ += '"';
      text_ += c;
    }
    text_ += '"';
  }

  std::string delimiter_;
  std::string cell_;
};

class JsonEncoder final : public TextEncoder {
 public:
  JsonEncoder(const Schema& schema, bool gzip, std::unique_ptr<ExtractSink> sink)
      : TextEncoder(schema, std::move(sink), gzip) {
    for (const Field& field : schema.fields) {
      std::string key;
      AppendJsonString(field.name, key);
      keys_.push_back(key + ":");
    }
  }

 private:
  // A NULL is left out, as BigQuery does.
  void AppendRow(const avro::BatchView& batch, size_t row) override {
    char separator = '{';
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      const Field& field = schema_.fields[i];
      const avro::ColumnView& column = batch.columns[i];
      if (field.mode != FieldMode::kRepeated && !column.IsValid(row)) continue;
      text_ += separator;
      separator = ',';
      text_ += keys_[i];
      AppendJsonValue(field, column, row, text_);
    }
    text_ += separator == '{' ? "{}\n" : "}\n";
  }

  std::vector<std::string> keys_;
};

class AvroEncoder final : public RowEncoder {
 public:
  explicit AvroEncoder(std::unique_ptr<ExtractSink> sink) : sink_(std::move(sink)) {}

  Status Start(const Schema& schema, avro::Codec codec, Random& random) {
    avro::WriterOptions options;
    options.codec = codec;
    HF_ASSIGN_OR_RETURN(
        writer_, avro::Writer::Create(
                     schema, options,
                     [this](std::string_view bytes) { return sink_->Write(bytes); }, random));
    return Ok();
  }

  Status Write(const avro::BatchView& batch) override { return writer_->Write(batch); }

  Status Finish() override {
    HF_RETURN_IF_ERROR(writer_->Finish());
    return sink_->Finish();
  }

  int64_t bytes_written() const override { return static_cast<int64_t>(writer_->bytes_written()); }

 private:
  std::unique_ptr<ExtractSink> sink_;
  std::unique_ptr<avro::Writer> writer_;
};

avro::Codec AvroCodec(ExtractCompression compression) {
  switch (compression) {
    case ExtractCompression::kDeflate:
      return avro::Codec::kDeflate;
    case ExtractCompression::kSnappy:
      return avro::Codec::kSnappy;
    case ExtractCompression::kZstd:
      return avro::Codec::kZstd;
    default:
      return avro::Codec::kNull;
  }
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(const ExtractRequest& request,
                                                   const Schema& schema, Random& random,
                                                   std::unique_ptr<ExtractSink> sink) {
  const bool gzip = request.compression == ExtractCompression::kGzip;
  if (request.format == ExtractFormat::kCsv) {
    return std::unique_ptr<RowEncoder>(
        std::make_unique<CsvEncoder>(schema, request, std::move(sink)));
  }
  if (request.format == ExtractFormat::kNewlineDelimitedJson) {
    return std::unique_ptr<RowEncoder>(
        std::make_unique<JsonEncoder>(schema, gzip, std::move(sink)));
  }
  auto encoder = std::make_unique<AvroEncoder>(std::move(sink));
  HF_RETURN_IF_ERROR(encoder->Start(schema, AvroCodec(request.compression), random));
  return std::unique_ptr<RowEncoder>(std::move(encoder));
}

}  // namespace holdfast::warehouse
