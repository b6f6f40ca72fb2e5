#include "avro/file_header.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::avro {

namespace {

constexpr int64_t kMetadataEntriesMax = 10'000;

class HeaderReader {
 public:
  HeaderReader(FileInput& input, size_t bytes_max) : input_(input), bytes_max_(bytes_max) {}

  Result<ParsedHeader> Read() {
    HF_RETURN_IF_ERROR(ReadMagic());
    HF_RETURN_IF_ERROR(ReadMetadata());
    HF_RETURN_IF_ERROR(input_.Read(parsed_.sync.data(), kSyncBytes, "the sync marker"));
    HF_RETURN_IF_ERROR(Interpret());
    return std::move(parsed_);
  }

 private:
  Status ReadMagic() {
    std::array<char, kFileMagic.size()> magic{};
    const Status status = input_.Read(magic.data(), magic.size(), "the magic bytes");
    if (!status.ok() && status.error().id != ErrorId::kAvroTruncated) return status;
    if (!status.ok() || std::string_view(magic.data(), magic.size()) != kFileMagic) {
      return MakeError(ErrorId::kAvroNotAvro, "the first bytes are not \"Obj\" and 1");
    }
    return Ok();
  }

  Status ReadMetadata() {
    int64_t entries = 0;
    while (true) {
      HF_ASSIGN_OR_RETURN(int64_t count, input_.ReadNumber("the header"));
      if (count == 0) return Ok();
      if (count < 0) {  // followed by the run's size in bytes
        if (count == INT64_MIN) return Corrupt("a count is out of range");
        count = -count;
        HF_ASSIGN_OR_RETURN(const int64_t size, input_.ReadNumber("the header"));
        if (size < 0) return Corrupt("a size is negative");
      }
      if (count > kMetadataEntriesMax - entries) {
        return MakeError(ErrorId::kAvroLimit,
                         fmt::format("header: over {} metadata entries", kMetadataEntriesMax));
      }
      entries += count;
      for (; count > 0; --count) {
        HF_ASSIGN_OR_RETURN(std::string key, ReadText());
        HF_ASSIGN_OR_RETURN(std::string value, ReadText());
        parsed_.header.metadata.emplace_back(std::move(key), std::move(value));
      }
    }
  }

  // Grows piece by piece, so that a length that lies costs no more memory than the file has bytes.
  Result<std::string> ReadText() {
    constexpr size_t kPieceBytes = size_t{64} << 10U;
    HF_ASSIGN_OR_RETURN(const int64_t length, input_.ReadNumber("the header"));
    if (length < 0) return Corrupt("a length is negative");
    if (static_cast<uint64_t>(length) > bytes_max_ - bytes_used_) {
      return MakeError(ErrorId::kAvroLimit,
                       fmt::format("header: metadata over the limit of {} bytes", bytes_max_));
    }
    bytes_used_ += static_cast<size_t>(length);
    std::string text;
    while (text.size() < static_cast<size_t>(length)) {
      const size_t begin = text.size();
      text.resize(std::min(static_cast<size_t>(length), begin + kPieceBytes));
      HF_RETURN_IF_ERROR(input_.Read(text.data() + begin, text.size() - begin, "the header"));
    }
    return text;
  }

  Status Interpret() {
    const std::string* schema = Find("avro.schema");
    if (schema == nullptr) return MakeError(ErrorId::kAvroSchema, "header: no avro.schema");
    Result<Json> json = ParseJson(*schema, {.size_bytes_max = bytes_max_});
    if (!json.ok()) {
      return MakeError(ErrorId::kAvroSchema, "header: avro.schema: " + json.error().message);
    }
    parsed_.header.avro_schema = *std::move(json);
    const std::string* codec = Find("avro.codec");
    const auto found = FindCodec(codec == nullptr ? "null" : std::string_view(*codec));
    if (!found) {
      return MakeError(ErrorId::kAvroUnsupported,
                       fmt::format("header: codec \"{:.40}\" is not known", *codec));
    }
    parsed_.header.codec = *found;
    return Ok();
  }

  const std::string* Find(std::string_view key) const {
    for (const auto& entry : parsed_.header.metadata) {
      if (entry.first == key) return &entry.second;
    }
    return nullptr;
  }

  Error Corrupt(std::string_view why) const {
    return MakeError(ErrorId::kAvroCorrupt,
                     fmt::format("header, byte {}: {}", input_.position(), why));
  }

  FileInput& input_;
  const size_t bytes_max_;
  size_t bytes_used_ = 0;
  ParsedHeader parsed_;
};

}  // namespace

Result<ParsedHeader> ReadFileHeader(FileInput& input, size_t bytes_max) {
  return HeaderReader(input, bytes_max).Read();
}

}  // namespace holdfast::avro
