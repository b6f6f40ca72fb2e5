// Verifies the files of backups at level L2 as the program does: every byte hashed, every row
// decoded and digested, and all of it compared with what the manifest says. One thread, no server.
//
//   verify_bench LIST     lines of: path, crc32c, SHA-256, content digest, with tabs between
//
// Prints what it read and the seconds it took; a file that is not as its line says ends it.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "avro/reader.h"
#include "avro/schema_mapping.h"
#include "bench/process_cost.h"
#include "verify/inspect.h"

namespace holdfast::bench {
namespace {

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.error().ToString());
    std::exit(1);
  }
  return std::move(result).value();
}

// Files by their paths, to be read.
class Files final : public cloud::ObjectStore {
 public:
  Status ReadObject(const cloud::ObjectRef& object, int64_t offset, int64_t length,
                    const ByteSink& sink) override {
    std::ifstream file(object.name, std::ios::binary);
    file.seekg(offset);
    buffer_.resize(static_cast<size_t>(length));
    file.read(buffer_.data(), length);
    return sink({buffer_.data(), static_cast<size_t>(file.gcount())});
  }

  Result<cloud::BucketInfo> GetBucket(const std::string& /*bucket*/) override { return Refuse(); }
  Result<cloud::BucketInfo> EnsureBucket(const cloud::BucketInfo& /*bucket*/) override {
    return Refuse();
  }
  Result<cloud::ObjectInfo> CreateObject(const cloud::ObjectRef& /*object*/, int64_t /*size_bytes*/,
                                         const std::function<ByteSource()>& /*open*/) override {
    return Refuse();
  }
  Result<std::optional<cloud::ObjectInfo>> StatObject(const cloud::ObjectRef& /*object*/) override {
    return Refuse();
  }
  Result<cloud::Page<cloud::ObjectInfo>> ListObjects(const std::string& /*bucket*/,
                                                     const std::string& /*prefix*/,
                                                     const std::string& /*page_token*/) override {
    return Refuse();
  }
  Result<cloud::ObjectInfo> CopyObject(const cloud::ObjectRef& /*source*/,
                                       const cloud::ObjectRef& /*destination*/) override {
    return Refuse();
  }
  Status DeleteObject(const cloud::ObjectRef& /*object*/) override { return Refuse(); }

 private:
  static Error Refuse() { return MakeError(ErrorId::kServiceRejected, "files are read only"); }

  std::vector<char> buffer_;
};

struct Listed {
  cloud::ObjectInfo info;
  std::string sha256;
  std::string digest;
};

std::vector<Listed> ReadList(const std::string& path) {
  std::vector<Listed> list;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    Listed listed;
    std::istringstream fields(line);
    fields >> listed.info.ref.name >> listed.info.crc32c >> listed.sha256 >> listed.digest;
    listed.info.size_bytes = static_cast<int64_t>(std::filesystem::file_size(listed.info.ref.name));
    list.push_back(std::move(listed));
  }
  return list;
}

// The table's schema, as the first file has it: the program takes it from the manifest.
Schema SchemaOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto source = [&](std::span<char> buffer) -> Result<size_t> {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    return static_cast<size_t>(file.gcount());
  };
  return Must(avro::FromAvroSchema(Must(avro::Reader::Open(source))->header().avro_schema));
}

int Verify(const std::string& path) {
  const std::vector<Listed> list = ReadList(path);
  if (list.empty()) return 1;
  const Schema schema = SchemaOf(list.front().info.ref.name);
  Files files;
  const double cpu = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  int64_t rows = 0;
  for (const Listed& listed : list) {
    const auto read = Must(verify::InspectObject(files, listed.info, schema));
    if (read.object.sha256 != listed.sha256 || read.digest.ToString() != listed.digest) {
      fmt::print(stderr, "{} is not as its manifest says\n", listed.info.ref.name);
      return 1;
    }
    rows += read.object.rows;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print("{{\"rows\": {}, \"cpu\": {:.3f}, \"wall\": {:.3f}, \"rss_mb\": {:.1f}}}\n", rows,
             CpuSeconds() - cpu, wall.count(), PeakMebibytes());
  return 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: verify_bench LIST\n");
    return 2;
  }
  return holdfast::bench::Verify(argv[1]);
}
