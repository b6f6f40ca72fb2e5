#include "restore/rewrite.h"

#include <algorithm>
#include <memory>

#include "avro/reader.h"
#include "avro/writer.h"
#include "base/random.h"
#include "verify/object_bytes.h"

namespace holdfast::restore {

namespace {

constexpr size_t kChunkBytes = size_t{8} << 20U;
constexpr size_t kRowsPerBatch = 8192;
constexpr uint64_t kMarkerSeed = 1;  // the same block markers, hence the same bytes, every time

// The object's bytes; the last pull compares them with its crc32c.
avro::ByteSource CheckedBytes(cloud::ObjectStore& store, const cloud::ObjectInfo& object) {
  auto bytes = std::make_shared<verify::ObjectBytes>(store, object, kChunkBytes);
  return [bytes](std::span<char> buffer) -> Result<size_t> {
    HF_ASSIGN_OR_RETURN(const size_t count, bytes->Read(buffer));
    if (count == 0) HF_RETURN_IF_ERROR(bytes->Finish());
    return count;
  };
}

// Pulls an Avro file through the codec: rows in one encoding come out in the other.
class Recoding {
 public:
  static Result<std::unique_ptr<Recoding>> Open(cloud::ObjectStore& store,
                                                const cloud::ObjectInfo& object,
                                                const Schema& schema) {
    auto recoding = std::unique_ptr<Recoding>(new Recoding());
    avro::ReaderOptions reader_options;
    reader_options.schema = schema;
    HF_ASSIGN_OR_RETURN(recoding->reader_,
                        avro::Reader::Open(CheckedBytes(store, object), reader_options));
    const auto random = MakeSeededRandom(kMarkerSeed);
    avro::WriterOptions writer_options;
    writer_options.datetime_form = avro::DateTimeForm::kMicros;
    Recoding* self = recoding.get();
    HF_ASSIGN_OR_RETURN(recoding->writer_, avro::Writer::Create(
                                               schema, writer_options,
                                               [self](std::string_view bytes) -> Status {
                                                 self->pending_.append(bytes);
                                                 return Ok();
                                               },
                                               *random));
    return recoding;
  }

  Result<size_t> Pull(std::span<char> buffer) {
    while (position_ == pending_.size() && !finished_) {
      pending_.clear();
      position_ = 0;
      HF_ASSIGN_OR_RETURN(const auto batch, reader_->Next(kRowsPerBatch));
      if (batch) {
        HF_RETURN_IF_ERROR(writer_->Write(batch->view));
      } else {
        HF_RETURN_IF_ERROR(writer_->Finish());
        finished_ = true;
      }
    }
    const size_t count = std::min(buffer.size(), pending_.size() - position_);
    std::copy_n(pending_.data() + position_, count, buffer.data());
    position_ += count;
    return count;
  }

 private:
  Recoding() = default;

  std::unique_ptr<avro::Reader> reader_;
  std::unique_ptr<avro::Writer> writer_;
  std::string pending_;  // written and not yet pulled: a block or two
  size_t position_ = 0;
  bool finished_ = false;
};

Result<int64_t> CountBytes(const ByteSource& source) {
  std::vector<char> buffer(size_t{1} << 20U);
  int64_t total = 0;
  while (true) {
    HF_ASSIGN_OR_RETURN(const size_t count, source(buffer));
    if (count == 0) return total;
    total += static_cast<int64_t>(count);
  }
}

}  // namespace

bool NeedsRewrite(const Schema& schema) {
  const auto needs = [](const auto& self, const std::vector<Field>& fields) -> bool {
    return std::ranges::any_of(fields, [&](const Field& field) {
      const bool is_range = field.type == FieldType::kRange;
      const FieldType type = is_range ? field.range_element_type : field.type;
      return type == FieldType::kDateTime || self(self, field.fields);
    });
  };
  return needs(needs, schema.fields);
}

Status RewriteObject(cloud::ObjectStore& store, const Manifest& manifest, const DataObject& object,
                     const cloud::ObjectRef& destination) {
  const cloud::ObjectInfo info{.ref = {manifest.bucket, object.name, object.generation},
                               .size_bytes = object.size_bytes,
                               .crc32c = object.crc32c};
  const auto open = [&]() -> ByteSource {
    auto recoding = Recoding::Open(store, info, manifest.schema);
    if (!recoding.ok()) {
      return [error = recoding.error()](std::span<char>) -> Result<size_t> { return error; };
    }
    return [recoding = std::shared_ptr(*std::move(recoding))](std::span<char> buffer) {
      return recoding->Pull(buffer);
    };
  };
  HF_ASSIGN_OR_RETURN(const int64_t size_bytes, CountBytes(open()));
  HF_RETURN_IF_ERROR(store.CreateObject(destination, size_bytes, open));
  return Ok();
}

}  // namespace holdfast::restore
