#include "localcloud/warehouse/parquet_write.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "localcloud/warehouse/conform.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/query_rows.h"

namespace holdfast::warehouse {

namespace {

constexpr int64_t kJobPartitionsMax = 4'000;
constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";

Error InvalidRows(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidRequest, std::move(message)));
}

std::string ConformedSelect(const ParquetWrite& write) {
  std::string columns;
  for (const Field& field : write.schema.fields) {
    if (!columns.empty()) columns += ", ";
    columns += fmt::format("{} AS {}", ConformExpression(field), QuoteIdentifier(field.name));
  }
  return fmt::format("SELECT {} FROM ({}\n) AS rows_to_write", columns, write.select_sql);
}

// A name for the bucket's column that no field has.
std::string BucketName(const Schema& schema) {
  std::string name = "holdfast_bucket";
  while (schema.Find(name) != nullptr) name += '_';
  return name;
}

bool IsRouted(const Partitioning& partitioning) {
  return partitioning.kind == PartitionKind::kTimeColumn ||
         partitioning.kind == PartitionKind::kIntegerRange;
}

struct StagedFile {
  std::string path;
  std::string partition;
  int64_t rows = 0;
  int64_t bytes = 0;
};

// What COPY ... (RETURN_STATS) says: the path and the rows of each file.
Result<std::vector<StagedFile>> RunCopy(Connection& connection, const std::string& sql,
                                        const ParquetWrite& write) {
  HF_ASSIGN_OR_RETURN(DuckStatement statement, connection.Prepare(sql));
  HF_RETURN_IF_ERROR(BindParameters(statement, write.parameters));
  HF_ASSIGN_OR_RETURN(DuckResult result, statement.Run(write.cancel));
  std::vector<StagedFile> files;
  while (true) {
    HF_ASSIGN_OR_RETURN(const DuckChunk chunk, result.Fetch());
    if (chunk.get() == nullptr) return files;
    const auto column = [&](idx_t index) {
      return duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), index));
    };
    const auto* names = static_cast<const duckdb_string_t*>(column(0));
    const auto* counts = static_cast<const uint64_t*>(column(1));
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
      files.push_back(StagedFile{.path = std::string(TextOf(names[row])),
                                 .partition = {},
                                 .rows = static_cast<int64_t>(counts[row]),
                                 .bytes = 0});
    }
  }
}

// The bucket that DuckDB put into the name of a file's folder, "bucket=11323".
std::optional<int64_t> BucketOfPath(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().filename().string();
  const std::string value = folder.substr(folder.rfind('=') + 1);
  if (value == kHiveNull) return std::nullopt;
  return std::stoll(value);  // written by DuckDB from a BIGINT: always a number
}

Result<std::vector<StagedFile>> WriteRouted(Connection& connection, const ParquetWrite& write,
                                            const std::string& directory) {
  const std::string bucket = QuoteIdentifier(BucketName(write.schema));
  const std::string sql = fmt::format(
      "COPY (SELECT *, {} AS {} FROM ({}) AS conformed) TO {} (FORMAT parquet, PARTITION_BY ({}), "
      "WRITE_PARTITION_COLUMNS false, RETURN_STATS)",
      BucketExpression(write.partitioning), bucket, ConformedSelect(write),
      QuoteLiteral(directory + "/routed"), bucket);
  HF_ASSIGN_OR_RETURN(std::vector<StagedFile> files, RunCopy(connection, sql, write));
  std::map<std::string, int64_t> partitions;
  for (StagedFile& file : files) {
    file.partition = PartitionIdOfBucket(write.partitioning, BucketOfPath(file.path));
    ++partitions[file.partition];
    if (!write.partition.empty() && file.partition != write.partition && file.rows > 0) {
      return InvalidRows(fmt::format(
          "Some rows belong to different partitions rather than destination partition {}",
          write.partition));
    }
  }
  if (static_cast<int64_t>(partitions.size()) > kJobPartitionsMax) {
    return InvalidRows(
        fmt::format("Too many partitions produced by the job: allowed {}, produces {}",
                    kJobPartitionsMax, partitions.size()));
  }
  return files;
}

Result<std::vector<StagedFile>> WriteWhole(Connection& connection, const ParquetWrite& write,
                                           const std::string& directory, Timestamp now) {
  const std::string sql =
      fmt::format("COPY ({}) TO {} (FORMAT parquet, RETURN_STATS)", ConformedSelect(write),
                  QuoteLiteral(directory + "/whole.parquet"));
  HF_ASSIGN_OR_RETURN(std::vector<StagedFile> files, RunCopy(connection, sql, write));
  for (StagedFile& file : files) {
    file.partition = write.partition;
    if (write.partition.empty() && write.partitioning.kind == PartitionKind::kIngestionTime) {
      file.partition = PartitionIdOfTime(write.partitioning, now);
    }
  }
  return files;
}

Status MeasureBytes(Connection& connection, const Schema& schema, std::vector<StagedFile>& files,
                    const std::stop_token& cancel) {
  if (files.empty()) return Ok();
  std::string paths;
  std::map<std::string, StagedFile*> by_path;
  for (StagedFile& file : files) {
    paths += (paths.empty() ? "" : ", ") + QuoteLiteral(file.path);
    by_path[file.path] = &file;
  }
  std::string name = "holdfast_file";
  while (schema.Find(name) != nullptr) name += '_';
  HF_ASSIGN_OR_RETURN(
      const auto sums,
      ReadTextRows(connection,
                   fmt::format("SELECT {0}, CAST({1} AS VARCHAR) FROM read_parquet([{2}], "
                               "filename = {3}, hive_partitioning = false) GROUP BY {0}",
                               QuoteIdentifier(name), LogicalBytesExpression(schema), paths,
                               QuoteLiteral(name)),
                   cancel));
  for (const TextRow& row : sums) {
    by_path.at(row[0].value_or(""))->bytes = std::stoll(row[1].value_or("0"));
  }
  return Ok();
}

}  // namespace

Result<WrittenFiles> WriteParquet(Warehouse& warehouse, Connection& connection,
                                  const ParquetWrite& write) {
  if (!write.partition.empty()) {
    HF_RETURN_IF_ERROR(ValidatePartitionId(write.partitioning, write.partition));
  }
  HF_ASSIGN_OR_RETURN(const StagingDirectory staging, warehouse.files().MakeStaging());
  HF_ASSIGN_OR_RETURN(std::vector<StagedFile> staged,
                      IsRouted(write.partitioning)
                          ? WriteRouted(connection, write, staging.path())
                          : WriteWhole(connection, write, staging.path(), warehouse.clock().Now()));
  std::erase_if(staged, [](const StagedFile& file) { return file.rows == 0; });
  HF_RETURN_IF_ERROR(MeasureBytes(connection, write.schema, staged, write.cancel));
  std::vector<std::string> paths;
  for (const StagedFile& file : staged) paths.push_back(file.path);
  HF_ASSIGN_OR_RETURN(PublishedFiles published, warehouse.files().Publish(paths));
  WrittenFiles written{.published = std::move(published), .files = {}, .rows = 0, .bytes = 0};
  for (size_t i = 0; i < staged.size(); ++i) {
    DataFile file;
    file.path = written.published.paths()[i];
    file.partition = staged[i].partition;
    file.rows = staged[i].rows;
    file.bytes = staged[i].bytes;
    written.rows += file.rows;
    written.bytes += file.bytes;
    written.files.push_back(std::move(file));
  }
  return written;
}

}  // namespace holdfast::warehouse
