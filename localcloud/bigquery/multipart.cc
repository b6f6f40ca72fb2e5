#include "localcloud/bigquery/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/upload_file.h"

namespace holdfast::bigquery {

namespace {

constexpr size_t kHeadBytesMax = size_t{1} << 20U;  // of the JSON part and both parts' headers
constexpr size_t kBoundaryBytesMax = 200;           // RFC 2046 allows 70

Error Malformed(std::string_view what) {
  return Invalid(fmt::format("Malformed multipart body: {}", what));
}

// The bytes of a body, searched for marks, with no more in memory than was asked to be kept.
class Scanner {
 public:
  explicit Scanner(const net::BodyReader& body) : body_(body) {}

  // Everything up to `mark`, which is dropped. Errors: no mark within `bytes_max`.
  Result<std::string> Until(std::string_view mark, size_t bytes_max) {
    while (true) {
      const size_t found = pending_.find(mark);
      if (found != std::string::npos) {
        std::string text = pending_.substr(0, found);
        pending_.erase(0, found + mark.size());
        return text;
      }
      if (pending_.size() > bytes_max) return Malformed("a part is too long");
      HF_ASSIGN_OR_RETURN(const bool more, Fill());
      if (!more) return Malformed("it ends too early");
    }
  }

  // Writes everything up to `mark` to `file`.
  Status CopyUntil(std::string_view mark, UploadFile& file) {
    while (true) {
      const size_t found = pending_.find(mark);
      if (found != std::string::npos) {
        return file.Append(std::string_view(pending_).substr(0, found));
      }
      const size_t safe = pending_.size() - std::min(pending_.size(), mark.size() - 1);
      HF_RETURN_IF_ERROR(file.Append(std::string_view(pending_).substr(0, safe)));
      pending_.erase(0, safe);
      HF_ASSIGN_OR_RETURN(const bool more, Fill());
      if (!more) return Malformed("it ends too early");
    }
  }

 private:
  Result<bool> Fill() {
    std::array<char, size_t{64} << 10U> buffer;
    HF_ASSIGN_OR_RETURN(const size_t read, body_(buffer));
    pending_.append(buffer.data(), read);
    return read > 0;
  }

  const net::BodyReader& body_;
  std::string pending_;
};

}  // namespace

Result<std::string> ParseBoundary(std::string_view content_type) {
  constexpr std::string_view kName = "boundary=";
  const size_t found = content_type.find(kName);
  if (!content_type.starts_with("multipart/") || found == std::string_view::npos) {
    return Invalid("A multipart upload needs Content-Type: multipart/related; boundary=...");
  }
  std::string_view value = content_type.substr(found + kName.size());
  if (value.starts_with('"')) {
    value.remove_prefix(1);
    value = value.substr(0, value.find('"'));
  } else {
    value = value.substr(0, value.find_first_of("; "));
  }
  if (value.empty() || value.size() > kBoundaryBytesMax) return Malformed("its boundary is bad");
  return std::string(value);
}

Result<Json> ReadMultipart(const net::BodyReader& body, const std::string& boundary,
                           const std::string& path) {
  const std::string mark = "--" + boundary;
  Scanner scanner(body);
  HF_RETURN_IF_ERROR(scanner.Until(mark, kHeadBytesMax));
  HF_RETURN_IF_ERROR(scanner.Until("\r\n\r\n", kHeadBytesMax));
  HF_ASSIGN_OR_RETURN(const std::string text, scanner.Until(mark, kHeadBytesMax));
  HF_ASSIGN_OR_RETURN(Json json, ParseJson(text));
  HF_RETURN_IF_ERROR(scanner.Until("\r\n\r\n", kHeadBytesMax));
  HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::Create(path));
  HF_RETURN_IF_ERROR(scanner.CopyUntil("\r\n" + mark, file));
  HF_RETURN_IF_ERROR(file.Close());
  return json;
}

}  // namespace holdfast::bigquery
