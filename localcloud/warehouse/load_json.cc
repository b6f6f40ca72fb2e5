// NDJSON files, gzipped or not, as rows.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/file_area.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/json_rows.h"
#include "localcloud/warehouse/load_source.h"
#include "localcloud/warehouse/result_schema.h"

namespace holdfast::warehouse {

namespace {

constexpr size_t kReadRows = 8192;
constexpr size_t kBatchTextBytes = size_t{16} << 20U;
constexpr size_t kLineBytesMax = size_t{100} << 20U;  // BigQuery: JSON row size
constexpr unsigned kReadBytes = 1U << 20U;

// The lines of a file. zlib reads plain files as they are.
class LineReader {
 public:
  explicit LineReader(const std::string& path) : file_(gzopen(path.c_str(), "rb")) {
    if (file_ != nullptr) gzbuffer(file_, kReadBytes);
  }
  ~LineReader() {
    if (file_ != nullptr) gzclose(file_);
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line without its end, valid until the next call; nullopt after the last.
  Result<std::optional<std::string_view>> Next() {
    if (file_ == nullptr) return MakeError(ErrorId::kFileError, "the file cannot be opened");
    while (true) {
      const size_t end = buffer_.find('\n', scanned_);
      if (end != buffer_.npos) return Cut(end, end + 1);
      scanned_ = buffer_.size();
      if (buffer_.size() - begin_ > kLineBytesMax) {
        return MakeError(ErrorId::kLimitExceeded,
                         fmt::format("a row is larger than {} bytes", kLineBytesMax));
      }
      HF_ASSIGN_OR_RETURN(const bool more, Fill());
      if (more) continue;
      if (begin_ == buffer_.size()) return std::optional<std::string_view>();
      return Cut(buffer_.size(), buffer_.size());
    }
  }

 private:
  std::optional<std::string_view> Cut(size_t end, size_t next) {
    std::string_view line(buffer_.data() + begin_, end - begin_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin_ = scanned_ = next;
    return line;
  }

  Result<bool> Fill() {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    const size_t size = buffer_.size();
    buffer_.resize(size + kReadBytes);
    const int count = gzread(file_, buffer_.data() + size, kReadBytes);
    buffer_.resize(size + static_cast<size_t>(std::max(count, 0)));
    if (count >= 0) return count > 0;
    int code = 0;
    return MakeError(ErrorId::kFileError, gzerror(file_, &code));
  }

  gzFile file_;
  std::string buffer_;
  size_t begin_ = 0;    // of the current line
  size_t scanned_ = 0;  // no line end before this
};

class JsonFileSource final : public BatchSource {
 public:
  JsonFileSource(const LoadRequest& request, const Schema& schema,
                 std::vector<std::string> noted_columns)
      : request_(request),
        parser_(schema, {.ignore_unknown_values = request.ignore_unknown_values,
                         .json_columns_are_text = false,
                         .noted_columns = std::move(noted_columns)}) {}

  const Schema& schema() const override { return parser_.schema(); }

  Result<std::optional<avro::Batch>> Next() override {
    size_t bytes = 0;
    while (parser_.rows() < kReadRows && bytes < kBatchTextBytes) {
      if (reader_ == nullptr) {
        if (next_source_ == request_.sources.size()) break;
        reader_ = std::make_unique<LineReader>(request_.sources[next_source_].path);
        line_ = 0;
      }
      const std::string& name = request_.sources[next_source_].name;
      Result<std::optional<std::string_view>> line = reader_->Next();
      if (!line.ok()) return std::move(line).error().WithContext(name);
      if (!*line) {
        reader_.reset();
        ++next_source_;
        continue;
      }
      ++line_;
      bytes += (*line)->size();
      HF_RETURN_IF_ERROR(Take(name, **line));
    }
    if (parser_.rows() == 0) return std::optional<avro::Batch>();
    return std::optional(parser_.Build());
  }

  BadRecords& bad() { return bad_; }

 private:
  Status Take(const std::string& name, std::string_view line) {
    if (line.find_first_not_of(" \t") == line.npos) return Ok();
    const auto error = parser_.Append(line);
    if (!error) return Ok();
    bad_.Add({.source = name, .line = line_, .field = error->location, .message = error->message});
    if (bad_.count <= request_.bad_records_max) return Ok();
    return LoadError("too many bad records");
  }

  const LoadRequest& request_;
  JsonRowParser parser_;
  std::unique_ptr<LineReader> reader_;
  size_t next_source_ = 0;
  int64_t line_ = 0;
  BadRecords bad_;
};

class JsonInput final : public LoadInput {
 public:
  JsonInput(Warehouse& warehouse, const LoadRequest& request)
      : warehouse_(warehouse), request_(request) {}

  // DuckDB looks at the first rows of the first files and puts their members together.
  Result<Schema> Detect() override {
    HF_ASSIGN_OR_RETURN(Connection connection, warehouse_.database().Connect());
    HF_ASSIGN_OR_RETURN(const StagingDirectory staging, warehouse_.files().MakeStaging());
    if (request_.sources.empty()) return LoadError("The job names no source");
    std::string paths;
    HF_ASSIGN_OR_RETURN(const bool gzip, IsGzip(request_.sources.front()));
    for (size_t i = 0; i < std::min(request_.sources.size(), kDetectFilesMax); ++i) {
      HF_ASSIGN_OR_RETURN(const bool alike, IsGzip(request_.sources[i]));
      if (alike != gzip) continue;  // DuckDB reads one kind at a time
      HF_ASSIGN_OR_RETURN(const std::string path,
                          PlainPath(request_.sources[i].path, staging.path(), i));
      paths += (paths.empty() ? "" : ", ") + QuoteLiteral(path);
    }
    const auto statement = connection.Prepare(fmt::format(
        "SELECT * FROM read_json([{}], format = 'newline_delimited', map_inference_threshold = -1, "
        "timestampformat = 'iso', union_by_name = true, compression = '{}')",
        paths, gzip ? "gzip" : "uncompressed"));
    if (!statement.ok()) return ReadingError(request_, statement.error().message);
    return ResultSchema(*statement, {});
  }

  bool names_fields() const override { return false; }

  Result<std::string> Select(const Schema& schema) override {
    std::vector<std::string> noted;
    std::string columns;
    for (const Field& field : schema.fields) {
      const std::string name = QuoteIdentifier(field.name);
      columns += columns.empty() ? "" : ", ";
      if (!HasDefault(field) || !request_.default_sql) {
        columns += name;
        continue;
      }
      HF_ASSIGN_OR_RETURN(const std::string absent, AbsentValue(field, request_.default_sql));
      columns += fmt::format("CASE WHEN {} THEN {} ELSE {} END AS {}",
                             QuoteIdentifier(AbsentColumn(field.name)), absent, name, name);
      noted.push_back(field.name);
    }
    source_ = std::make_unique<JsonFileSource>(request_, schema, std::move(noted));
    registration_ = std::make_unique<SourceRegistration>(warehouse_.database(), *source_);
    return fmt::format("SELECT {} FROM {}", columns, registration_->relation());
  }

  Status Finish(const Status& read, BadRecords& bad) override {
    bad = source_->bad();
    const bool too_many = bad.count > request_.bad_records_max;
    if (read.ok() || too_many) return Ok();  // the loader reports what is too many
    if (source_->failure()) return *source_->failure();
    return read;
  }

 private:
  Warehouse& warehouse_;
  const LoadRequest& request_;
  std::unique_ptr<JsonFileSource> source_;
  std::unique_ptr<SourceRegistration> registration_;
};

}  // namespace

std::unique_ptr<LoadInput> MakeJsonInput(Warehouse& warehouse, const LoadRequest& request) {
  return std::make_unique<JsonInput>(warehouse, request);
}

}  // namespace holdfast::warehouse
