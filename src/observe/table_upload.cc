#include "observe/table_upload.h"

#include <fmt/format.h>

#include "avro/utf8.h"
#include "base/check.h"

namespace holdfast::observe {

namespace {

constexpr size_t kBatchRows = 1'000;
constexpr size_t kBatchBytes = size_t{1} << 20U;
constexpr int64_t kMicrosPerMilli = 1'000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// How many bytes the character that `text` begins with has; 0: it begins with none.
size_t CharacterLength(std::string_view text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (avro::IsValidUtf8(text.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string ValidText(std::string_view text) {
  if (avro::IsValidUtf8(text)) return std::string(text);
  std::string valid;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    valid += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return valid;
}

TableUpload::TableUpload(cloud::ObjectStore& objects, Random& random, cloud::ObjectRef place,
                         Schema schema, size_t part_bytes)
    : objects_(objects),
      random_(random),
      place_(std::move(place)),
      part_bytes_(part_bytes),
      builder_(std::move(schema)) {}

TableUpload& TableUpload::Text(std::string_view value) {
  batch_bytes_ += value.size();
  if (avro::IsValidUtf8(value)) {
    NextColumn().AppendText(value);
  } else {
    NextColumn().AppendText(ValidText(value));
  }
  return *this;
}

TableUpload& TableUpload::TextOrNull(std::string_view value) {
  if (!value.empty()) return Text(value);
  NextColumn().AppendNull();
  return *this;
}

TableUpload& TableUpload::Int(int64_t value) {
  NextColumn().AppendInt64(value);
  return *this;
}

TableUpload& TableUpload::Bool(bool value) {
  NextColumn().AppendBool(value);
  return *this;
}

TableUpload& TableUpload::TimeOrNull(int64_t at_ms) {
  if (at_ms == 0) {
    NextColumn().AppendNull();
  } else {
    NextColumn().AppendInt64(at_ms * kMicrosPerMilli);
  }
  return *this;
}

TableUpload& TableUpload::Texts(const std::vector<std::string>& values) {
  avro::ColumnBuilder& column = NextColumn();
  for (const std::string& value : values) {
    batch_bytes_ += value.size();
    column.element().AppendText(ValidText(value));
  }
  column.FinishList();
  return *this;
}

Status TableUpload::EndRow() {
  CHECK(cell_ == builder_.schema().fields.size(), place_.name);
  cell_ = 0;
  ++rows_;
  if (++batch_rows_ < kBatchRows && batch_bytes_ < kBatchBytes) return Ok();
  return WriteBatch();
}

Status TableUpload::OpenPart() {
  if (uris_.size() == kUploadPartsMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("{} needs more than {} objects", place_.Uri(), kUploadPartsMax));
  }
  HF_ASSIGN_OR_RETURN(writer_, avro::Writer::Create(
                                   builder_.schema(), {},
                                   [this](std::string_view bytes) -> Status {
                                     part_ += bytes;
                                     return Ok();
                                   },
                                   random_));
  return Ok();
}

Status TableUpload::WriteBatch() {
  if (!writer_) HF_RETURN_IF_ERROR(OpenPart());
  const avro::Batch batch = builder_.Build();
  batch_rows_ = 0;
  batch_bytes_ = 0;
  HF_RETURN_IF_ERROR(writer_->Write(batch.view));
  return part_.size() < part_bytes_ ? Ok() : ClosePart();
}

Status TableUpload::ClosePart() {
  HF_RETURN_IF_ERROR(writer_->Finish());
  writer_.reset();
  const cloud::ObjectRef object{place_.bucket,
                                fmt::format("{}{:06}.avro", place_.name, uris_.size()), 0};
  const auto created = cloud::CreateObjectFromString(objects_, object, part_);
  if (!created.ok()) return created.error();
  part_.clear();
  uris_.push_back(object.Uri());
  return Ok();
}

Result<std::vector<std::string>> TableUpload::Finish() {
  if (batch_rows_ > 0 || (uris_.empty() && !writer_)) HF_RETURN_IF_ERROR(WriteBatch());
  if (writer_) HF_RETURN_IF_ERROR(ClosePart());
  return uris_;
}

}  // namespace holdfast::observe
