#include "verify/inspect.h"

#include <fmt/format.h>

#include "avro/reader.h"
#include "avro/schema_mapping.h"
#include "verify/object_bytes.h"

namespace holdfast::verify {

namespace {

DataObject DataObjectOf(const cloud::ObjectInfo& info) {
  return {.name = info.ref.name,
          .generation = info.ref.generation,
          .size_bytes = info.size_bytes,
          .crc32c = info.crc32c};
}

// Whether file and table have the same columns, at every depth. The reader fills in null for a
// column that a file lacks: here that would be a column lost without a word.
Status CompareColumns(const std::vector<Field>& table, const std::vector<Field>& file) {
  if (file.size() != table.size()) {
    return MakeError(ErrorId::kDataMismatch,
                     fmt::format("{} columns, where the table has {}", file.size(), table.size()));
  }
  const Schema columns{file};
  for (const Field& field : table) {
    const Field* found = columns.Find(field.name);
    if (found == nullptr) {
      return MakeError(ErrorId::kDataMismatch,
                       fmt::format("column \"{}\" of the table is missing", field.name));
    }
    if (field.type == FieldType::kRecord) {
      HF_RETURN_IF_ERROR(CompareColumns(field.fields, found->fields));
    }
  }
  return Ok();
}

Status ReadRows(ObjectBytes& bytes, const Schema& schema, const InspectOptions& options,
                ObjectInspection& inspection) {
  const auto source = [&](std::span<char> buffer) { return bytes.Read(buffer); };
  HF_ASSIGN_OR_RETURN(const auto reader, avro::Reader::Open(source, {.schema = schema}));
  HF_ASSIGN_OR_RETURN(const Schema written, avro::FromAvroSchema(reader->header().avro_schema));
  if (!options.lacks_columns) HF_RETURN_IF_ERROR(CompareColumns(schema.fields, written.fields));
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto batch, reader->Next(options.batch_rows));
    if (!batch) return Ok();
    inspection.digest.Add(schema, batch->view);
  }
}

}  // namespace

Result<ObjectInspection> InspectObject(cloud::ObjectStore& store, const cloud::ObjectInfo& info,
                                       const Schema& schema, const InspectOptions& options) {
  ObjectBytes bytes(store, info, options.chunk_bytes);
  ObjectInspection inspection{.object = DataObjectOf(info), .digest = {}};
  const Status decoded = ReadRows(bytes, schema, options, inspection);
  // A store that fails says nothing about the object; of the rest the checksum is the better
  // witness: damaged bytes are told as such, and not as bad Avro.
  auto sha256 = bytes.Finish();
  if (!sha256.ok()) return std::move(sha256).error();
  if (!decoded.ok()) return decoded.error().WithContext(info.ref.Uri());
  inspection.object.sha256 = std::move(*sha256);
  inspection.object.rows = static_cast<int64_t>(inspection.digest.rows());
  return inspection;
}

Result<DataObject> HashObject(cloud::ObjectStore& store, const cloud::ObjectInfo& info,
                              const InspectOptions& options) {
  ObjectBytes bytes(store, info, options.chunk_bytes);
  DataObject object = DataObjectOf(info);
  HF_ASSIGN_OR_RETURN(object.sha256, bytes.Finish());
  return object;
}

Result<SetInspection> InspectObjects(cloud::ObjectStore& store,
                                     const std::vector<cloud::ObjectInfo>& objects,
                                     const Schema& schema, const InspectOptions& options) {
  if (objects.empty()) {
    return MakeError(ErrorId::kNothingToVerify, "there is no object to inspect");
  }
  SetInspection set;
  for (const cloud::ObjectInfo& info : objects) {
    HF_ASSIGN_OR_RETURN(ObjectInspection inspection, InspectObject(store, info, schema, options));
    set.rows += inspection.object.rows;
    set.bytes += inspection.object.size_bytes;
    set.digest.Merge(inspection.digest);
    set.objects.push_back(std::move(inspection.object));
  }
  return set;
}

}  // namespace holdfast::verify
