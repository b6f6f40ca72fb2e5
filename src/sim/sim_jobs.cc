#include "sim/sim_jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "avro/batch_builder.h"
#include "avro/codec.h"
#include "avro/reader.h"
#include "avro/writer.h"

namespace holdfast::sim {

namespace {

Error JobFailed(std::string reason, std::string message) {
  return WithReason(std::move(reason), MakeError(ErrorId::kJobFailed, std::move(message)));
}

Result<avro::Codec> CodecOf(const std::string& name) {
  if (name == "NONE") return avro::Codec::kNull;
  if (name == "DEFLATE") return avro::Codec::kDeflate;
  if (name == "SNAPPY") return avro::Codec::kSnappy;
  return JobFailed("invalid", fmt::format("codec {} is not for Avro", name));
}

// The object that a URI names; the generation is no part of it.
Result<cloud::ObjectRef> ParseUri(const std::string& uri) {
  constexpr std::string_view kScheme = "gs://";
  const size_t slash = uri.find('/', kScheme.size());
  if (!uri.starts_with(kScheme) || slash == uri.npos) {
    return JobFailed("invalid", fmt::format("{} is not a gs:// address", uri));
  }
  return cloud::ObjectRef{uri.substr(kScheme.size(), slash - kScheme.size()), uri.substr(slash + 1),
                          0};
}

// One Avro file of the rows [begin, end).
Result<std::string> EncodeRows(const Schema& schema, const Rows& rows, size_t begin, size_t end,
                               avro::Codec codec) {
  avro::BatchBuilder builder(schema);
  for (size_t i = begin; i < end; ++i) HF_RETURN_IF_ERROR(builder.AppendRow(rows[i]));
  const avro::Batch batch = builder.Build();
  std::string bytes;
  const auto sink = [&](std::string_view piece) -> Status {
    bytes.append(piece);
    return Ok();
  };
  const auto random = MakeSeededRandom(begin);
  HF_ASSIGN_OR_RETURN(const auto writer,
                      avro::Writer::Create(schema, {.codec = codec}, sink, *random));
  HF_RETURN_IF_ERROR(writer->Write(batch.view));
  HF_RETURN_IF_ERROR(writer->Finish());
  return bytes;
}

Result<Rows> DecodeRows(const Schema& schema, const std::string& bytes) {
  size_t at = 0;
  const auto source = [&](std::span<char> buffer) -> Result<size_t> {
    const size_t count = std::min(buffer.size(), bytes.size() - at);
    std::copy_n(bytes.data() + at, count, buffer.data());
    at += count;
    return count;
  };
  HF_ASSIGN_OR_RETURN(const auto reader, avro::Reader::Open(source, {.schema = schema}));
  Rows rows;
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto batch, reader->Next(1024));
    if (!batch) return rows;
    Rows more = RowsOfBatch(schema, batch->view);
    rows.insert(rows.end(), more.begin(), more.end());
  }
}

Status RunExtract(const cloud::ExtractJob& job, const SimTable& source, JobWorld& world,
                  cloud::JobStatus& status) {
  HF_ASSIGN_OR_RETURN(const avro::Codec codec, CodecOf(job.codec));
  HF_ASSIGN_OR_RETURN(const cloud::ObjectRef pattern, ParseUri(job.destination_uri));
  const size_t star = pattern.name.find('*');
  const Rows rows = source.RowsOf(job.source.partition);
  const size_t size =
      star == std::string::npos ? std::max<size_t>(rows.size(), 1) : world.rows_per_object;
  size_t file = 0;
  for (size_t begin = 0; begin == 0 || begin < rows.size(); begin += size, ++file) {
    const size_t end = std::min(begin + size, rows.size());
    HF_ASSIGN_OR_RETURN(std::string bytes, EncodeRows(source.schema, rows, begin, end, codec));
    if (world.faults.CorruptsWrite()) {
      const size_t at = world.faults.Pick(bytes.size());
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
    }
    cloud::ObjectRef target = pattern;
    if (star != std::string::npos) target.name.replace(star, 1, fmt::format("{:012}", file));
    HF_RETURN_IF_ERROR(world.objects.PutObject(target, std::move(bytes)));
  }
  status.output_files = static_cast<int64_t>(file);
  return Ok();
}

// The table to write to, as a copy to change, cleared or checked as the disposition says.
Result<SimTable> OpenDestination(const TableRef& destination, cloud::WriteDisposition disposition,
                                 const JobWorld& world) {
  HF_ASSIGN_OR_RETURN(const TableState state, world.tables.Get(destination));
  SimTable table = *state;
  if (disposition == cloud::WriteDisposition::kEmpty &&
      !table.RowsOf(destination.partition).empty()) {
    return JobFailed("duplicate", fmt::format("{} is not empty", destination.ToString()));
  }
  if (disposition == cloud::WriteDisposition::kTruncate) {
    table.Clear(destination.partition, world.now_ms);
  }
  return table;
}

Status Publish(SimTable table, const Rows& rows, const std::string& partition, JobWorld& world,
               cloud::JobStatus& status) {
  table.Append(rows, partition, world.now_ms);
  status.output_rows = static_cast<int64_t>(rows.size());
  for (const Json& row : rows) status.output_bytes += RowBytes(table.schema, row);
  world.tables.Put(std::move(table), world.now_ms);
  return Ok();
}

Status RunLoad(const cloud::LoadJob& job, JobWorld& world, cloud::JobStatus& status) {
  HF_ASSIGN_OR_RETURN(SimTable table, OpenDestination(job.destination, job.disposition, world));
  if (SchemaHash(job.schema) != SchemaHash(table.schema)) {
    return JobFailed("invalid", "the schema given is not the table's");
  }
  Rows rows;
  for (const std::string& uri : job.source_uris) {
    HF_ASSIGN_OR_RETURN(const cloud::ObjectRef object, ParseUri(uri));
    if (object.name.find_first_of("*#") != std::string::npos) {
      return JobFailed("invalid", fmt::format("{} is not the name of one object", uri));
    }
    HF_ASSIGN_OR_RETURN(const auto content, world.objects.GetContent(object));
    auto decoded = DecodeRows(table.schema, *content);
    if (!decoded.ok()) return JobFailed("invalid", decoded.error().message);
    rows.insert(rows.end(), decoded->begin(), decoded->end());
  }
  return Publish(std::move(table), rows, job.destination.partition, world, status);
}

// A new table like `source`, with what a copy carries over: schema and partitioning, but neither
// description nor labels; a snapshot loses the partitions' expiration (google-semantics A3 #19).
Result<SimTable> LikeSource(const cloud::CopyJob& job, const SimTable& source, JobWorld& world) {
  Json resource = {{"schema", source.schema.ToJson()}};
  for (const char* member : {"timePartitioning", "rangePartitioning", "clustering"}) {
    if (source.resource.contains(member)) resource[member] = source.resource[member];
  }
  if (job.operation == cloud::CopyOperation::kSnapshot) {
    resource["type"] = "SNAPSHOT";
    if (resource.contains("timePartitioning")) resource["timePartitioning"].erase("expirationMs");
  }
  if (job.destination_expiration_ms) {
    resource["expirationTime"] = std::to_string(*job.destination_expiration_ms);
  }
  const auto dataset = world.tables.datasets().find(job.destination.dataset_ref());
  if (dataset == world.tables.datasets().end()) {
    return MakeError(ErrorId::kDatasetNotFound,
                     fmt::format("dataset of {} is not there", job.destination.ToString()));
  }
  return MakeSimTable(job.destination, dataset->second.location, resource, world.now_ms);
}

Status RunCopy(const cloud::CopyJob& job, const std::vector<TableState>& sources, JobWorld& world,
               cloud::JobStatus& status) {
  const bool exists = world.tables.Has(job.destination);
  if (exists && job.operation != cloud::CopyOperation::kCopy &&
      job.operation != cloud::CopyOperation::kRestore) {
    return JobFailed("duplicate", fmt::format("{} is there", job.destination.ToString()));
  }
  auto destination = exists ? OpenDestination(job.destination, job.disposition, world)
                            : LikeSource(job, *sources.front(), world);
  if (!destination.ok()) return std::move(destination).error();
  SimTable table = std::move(*destination);
  Rows copied;
  for (size_t i = 0; i < sources.size(); ++i) {
    const SimTable& source = *sources[i];
    if (SchemaHash(source.schema) != SchemaHash(table.schema)) {
      return JobFailed("invalid", "the tables' schemas differ");
    }
    const TableRef& named = job.sources[i];
    for (const auto& [id, partition] : source.partitions) {
      if (!named.partition.empty() && id != named.partition) continue;
      const bool same_partitions = table.partitioning == source.partitioning;
      const std::string target = !job.destination.partition.empty() ? job.destination.partition
                                 : same_partitions                  ? id
                                                                    : "";
      table.Append(*partition.rows, target, world.now_ms);
      copied.insert(copied.end(), partition.rows->begin(), partition.rows->end());
    }
  }
  status.output_rows = static_cast<int64_t>(copied.size());
  for (const Json& row : copied) status.output_bytes += RowBytes(table.schema, row);
  world.tables.Put(std::move(table), world.now_ms);
  return Ok();
}

std::string JoinNames(const std::vector<TableRef>& tables) {
  std::string text;
  for (const TableRef& table : tables) text += table.ToString() + "\n";
  return text;
}

}  // namespace

std::string KindOf(const cloud::JobSpec& spec) {
  if (std::holds_alternative<cloud::ExtractJob>(spec)) return "extract";
  return std::holds_alternative<cloud::LoadJob>(spec) ? "load" : "copy";
}

std::string SpecText(const cloud::JobSpec& spec) {
  if (const auto* extract = std::get_if<cloud::ExtractJob>(&spec)) {
    return fmt::format("extract {} {} {} {}", extract->source.ToString(),
                       extract->as_of_ms.value_or(-1), extract->destination_uri, extract->codec);
  }
  if (const auto* load = std::get_if<cloud::LoadJob>(&spec)) {
    return fmt::format("load {} {} {} {}", load->destination.ToString(),
                       static_cast<int>(load->disposition), SchemaHash(load->schema),
                       fmt::join(load->source_uris, "\n"));
  }
  const auto& copy = std::get<cloud::CopyJob>(spec);
  return fmt::format("copy {} {} {} {} {} {}", copy.destination.ToString(),
                     static_cast<int>(copy.disposition), static_cast<int>(copy.operation),
                     copy.as_of_ms.value_or(-1), copy.destination_expiration_ms.value_or(-1),
                     JoinNames(copy.sources));
}

Result<std::vector<TableState>> SourcesOf(const cloud::JobSpec& spec, const TableVersions& tables) {
  std::vector<TableRef> names;
  std::optional<int64_t> as_of_ms;
  if (const auto* extract = std::get_if<cloud::ExtractJob>(&spec)) {
    names = {extract->source};
    as_of_ms = extract->as_of_ms;
  } else if (const auto* copy = std::get_if<cloud::CopyJob>(&spec)) {
    names = copy->sources;
    as_of_ms = copy->as_of_ms;
  }
  std::vector<TableState> states;
  for (const TableRef& name : names) {
    HF_ASSIGN_OR_RETURN(TableState state, tables.Get(name, as_of_ms));
    const TableKind kind = ParseTableKind(StringOr(state->resource, "type", "TABLE"));
    if (kind != TableKind::kTable && kind != TableKind::kSnapshot) {
      return MakeError(ErrorId::kServiceRejected,
                       fmt::format("{} is a {}", name.ToString(), TableKindName(kind)));
    }
    states.push_back(std::move(state));
  }
  return states;
}

Status RunJob(const cloud::JobSpec& spec, const std::vector<TableState>& sources, JobWorld& world,
              cloud::JobStatus& status) {
  if (const auto* extract = std::get_if<cloud::ExtractJob>(&spec)) {
    return RunExtract(*extract, *sources.front(), world, status);
  }
  if (const auto* load = std::get_if<cloud::LoadJob>(&spec)) return RunLoad(*load, world, status);
  return RunCopy(std::get<cloud::CopyJob>(spec), sources, world, status);
}

}  // namespace holdfast::sim
