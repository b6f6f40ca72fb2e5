// avro_judge: our codec on the command line, for interop/avro_fastavro.py to be judged by others.
//
//   avro_judge decode FILE             prints the file's table schema, then each row, as JSON lines
//   avro_judge encode FILE CODEC FORM  reads the same from stdin and writes FILE; FORM: text,
//   micros

#include <cstdio>
#include <iostream>

#include "avro/batch_builder.h"
#include "avro/cell_json.h"
#include "avro/reader.h"
#include "avro/writer.h"

namespace holdfast::avro {
namespace {

Status Decode(const char* path) {
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) return MakeError(ErrorId::kFileError, path);
  HF_ASSIGN_OR_RETURN(auto reader, Reader::Open([file](std::span<char> out) -> Result<size_t> {
                        return std::fread(out.data(), 1, out.size(), file);
                      }));
  std::cout << DumpJson(reader->schema().ToJson()) << '\n';
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto batch, reader->Next(1000));
    if (!batch) break;
    for (size_t row = 0; row < batch->view.rows; ++row) {
      std::cout << DumpJson(RowToJson(reader->schema(), batch->view, row)) << '\n';
    }
  }
  std::fclose(file);
  return Ok();
}

Status Encode(const char* path, std::string_view codec_name, std::string_view form) {
  const auto codec = FindCodec(codec_name);
  if (!codec) return MakeError(ErrorId::kAvroUnsupported, std::string(codec_name));
  std::string line;
  std::getline(std::cin, line);
  HF_ASSIGN_OR_RETURN(const Json schema_json, ParseJson(line));
  HF_ASSIGN_OR_RETURN(const Schema schema, Schema::FromJson(schema_json));
  BatchBuilder builder(schema);
  while (std::getline(std::cin, line)) {
    HF_ASSIGN_OR_RETURN(const Json row, ParseJson(line));
    HF_RETURN_IF_ERROR(builder.AppendRow(row));
  }
  std::FILE* const file = std::fopen(path, "wb");
  if (file == nullptr) return MakeError(ErrorId::kFileError, path);
  const auto sink = [file](std::string_view bytes) -> Status {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size()) return Ok();
    return MakeError(ErrorId::kDiskFull, "short write");
  };
  const auto random = MakeSystemRandom();
  const WriterOptions options{
      .codec = *codec,
      .block_bytes = 4096,
      .datetime_form = form == "micros" ? DateTimeForm::kMicros : DateTimeForm::kText};
  HF_ASSIGN_OR_RETURN(auto writer, Writer::Create(schema, options, sink, *random));
  HF_RETURN_IF_ERROR(writer->Write(builder.Build().view));
  HF_RETURN_IF_ERROR(writer->Finish());
  std::fclose(file);
  return Ok();
}

}  // namespace
}  // namespace holdfast::avro

int main(int argc, char** argv) {
  holdfast::Status status = holdfast::MakeError(
      holdfast::ErrorId::kAvroSchema, "usage: avro_judge decode FILE | encode FILE CODEC FORM");
  if (argc == 3) status = holdfast::avro::Decode(argv[2]);
  if (argc == 5) status = holdfast::avro::Encode(argv[2], argv[3], argv[4]);
  if (status.ok()) return 0;
  std::cerr << status.error().ToString() << '\n';
  return 1;
}
