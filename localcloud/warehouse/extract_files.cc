#include "localcloud/warehouse/extract_files.h"

#include <fmt/format.h>

#include <fstream>

namespace holdfast::warehouse {

namespace {

bool Supports(ExtractFormat format, ExtractCompression compression) {
  using enum ExtractCompression;
  switch (format) {
    case ExtractFormat::kAvro:
      return compression != kGzip;
    case ExtractFormat::kParquet:
      return compression != kDeflate;
    case ExtractFormat::kCsv:
    case ExtractFormat::kNewlineDelimitedJson:
      break;
  }
  return compression == kNone || compression == kGzip;
}

}  // namespace

Error InvalidExtract(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidRequest, std::move(message)));
}

Status CheckForm(const ExtractRequest& request, const Schema& schema) {
  if (!Supports(request.format, request.compression)) {
    return InvalidExtract("The destination format does not have that compression");
  }
  if (request.format == ExtractFormat::kCsv) {
    for (const Field& field : schema.fields) {
      if (field.type != FieldType::kRecord && field.mode != FieldMode::kRepeated) continue;
      return InvalidExtract(
          fmt::format("Operation cannot be performed on a nested schema. Field: {}", field.name));
    }
  }
  return Ok();
}

std::string_view ParquetCodec(ExtractCompression compression) {
  switch (compression) {
    case ExtractCompression::kGzip:
      return "gzip";
    case ExtractCompression::kSnappy:
      return "snappy";
    case ExtractCompression::kZstd:
      return "zstd";
    default:
      return "uncompressed";
  }
}

Status CopyToSink(const std::string& path, ExtractSink& sink) {
  std::ifstream file(path, std::ios::binary);
  std::string buffer(size_t{1} << 20U, '\0');
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto count = static_cast<size_t>(file.gcount());
    if (count > 0) HF_RETURN_IF_ERROR(sink.Write(std::string_view(buffer).substr(0, count)));
  }
  if (!file.eof()) return MakeError(ErrorId::kFileError, fmt::format("cannot read {}", path));
  return sink.Finish();
}

Status FileSplitter::Write(const avro::BatchView& batch) {
  if (encoder_ == nullptr) HF_RETURN_IF_ERROR(Open());
  HF_RETURN_IF_ERROR(encoder_->Write(batch));
  const bool full = request_.split && encoder_->bytes_written() >= request_.file_bytes_max;
  return full ? Close() : Ok();
}

Status FileSplitter::Finish() {
  if (files_ == 0 && encoder_ == nullptr) HF_RETURN_IF_ERROR(Open());
  return encoder_ == nullptr ? Ok() : Close();
}

Status FileSplitter::Open() {
  HF_ASSIGN_OR_RETURN(std::unique_ptr<ExtractSink> sink, sinks_(files_));
  HF_ASSIGN_OR_RETURN(encoder_, MakeRowEncoder(request_, schema_, random_, std::move(sink)));
  return Ok();
}

Status FileSplitter::Close() {
  HF_RETURN_IF_ERROR(encoder_->Finish());
  encoder_.reset();
  ++files_;
  return Ok();
}

}  // namespace holdfast::warehouse
