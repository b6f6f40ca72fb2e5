#include "verify/verify.h"

#include <fmt/format.h>

namespace holdfast::verify {

namespace {

// Whether the error tells of the data; any other means that it could not be looked at.
bool IsDamage(const Error& error) {
  switch (error.id) {
    case ErrorId::kObjectCorrupt:
    case ErrorId::kObjectNotFound:
    case ErrorId::kObjectMissing:
    case ErrorId::kObjectChanged:
    case ErrorId::kDataMismatch:
      return true;
    default:
      break;
  }
  return FindError(error.id).id.starts_with('A');  // what the Avro codec refuses
}

// One verification under way: collects findings and what was seen.
class Verification {
 public:
  Verification(cloud::ObjectStore& store, const Manifest& manifest, VerifyLevel level,
               const InspectOptions& options)
      : store_(store), manifest_(manifest), options_(options) {
    report_.backup = manifest.backup;
    report_.object = manifest.object;
    report_.requested = level;
  }

  Result<VerifyReport> Run() {
    for (const DataObject& object : manifest_.objects) {
      Status checked = Check(object);
      if (!checked.ok()) {
        if (!IsDamage(checked.error())) return std::move(checked).error();
        Find(std::move(checked).error());
      }
      ++report_.objects_checked;
    }
    if (manifest_.objects.empty()) {
      Find(MakeError(ErrorId::kNothingToVerify,
                     fmt::format("backup {} names no data object", manifest_.backup)));
    }
    if (report_.requested >= VerifyLevel::kL2 && report_.problems == 0) CompareContent();
    if (report_.problems == 0) report_.reached = report_.requested;
    return std::move(report_);
  }

 private:
  void Find(Error error) {
    ++report_.problems;
    if (report_.findings.size() < kFindingsMax) report_.findings.push_back(std::move(error));
  }

  cloud::ObjectRef RefOf(const DataObject& object) const {
    return {manifest_.bucket, object.name, object.generation};
  }

  Error Changed(const DataObject& object, std::string_view what) const {
    return MakeError(ErrorId::kObjectChanged, fmt::format("{}: {}", RefOf(object).Uri(), what));
  }

  Status Check(const DataObject& object) {
    HF_ASSIGN_OR_RETURN(const cloud::ObjectInfo info, CheckPresence(object));
    if (report_.requested == VerifyLevel::kL0) return Ok();
    DataObject seen;
    if (report_.requested == VerifyLevel::kL1) {
      HF_ASSIGN_OR_RETURN(seen, HashObject(store_, info, options_));
    } else {
      HF_ASSIGN_OR_RETURN(auto inspection, InspectObject(store_, info, manifest_.schema, options_));
      digest_.Merge(inspection.digest);
      seen = std::move(inspection.object);
    }
    report_.bytes_read += seen.size_bytes;
    if (seen.sha256 != object.sha256) return Changed(object, "its SHA-256 is another");
    if (report_.requested >= VerifyLevel::kL2 && seen.rows != object.rows) {
      return MakeError(ErrorId::kDataMismatch,
                       fmt::format("{}: {} rows, where the manifest says {}", RefOf(object).Uri(),
                                   seen.rows, object.rows));
    }
    return Ok();
  }

  // L0. The generation that is live is looked at: another one in its place is a change.
  Result<cloud::ObjectInfo> CheckPresence(const DataObject& object) {
    const cloud::ObjectRef live{manifest_.bucket, object.name, 0};
    auto stat = store_.StatObject(live);
    if (!stat.ok() && stat.error().id == ErrorId::kBucketNotFound) {
      return MakeError(ErrorId::kObjectMissing, stat.error().message);
    }
    HF_ASSIGN_OR_RETURN(const auto info, std::move(stat));
    if (!info) {
      return MakeError(ErrorId::kObjectMissing, fmt::format("{} is not there", live.Uri()));
    }
    if (info->ref.generation != object.generation) {
      return Changed(object, fmt::format("generation {}, where the manifest says {}",
                                         info->ref.generation, object.generation));
    }
    if (info->size_bytes != object.size_bytes) {
      return Changed(object, fmt::format("{} bytes, where the manifest says {}", info->size_bytes,
                                         object.size_bytes));
    }
    if (info->crc32c != object.crc32c) return Changed(object, "its crc32c is another");
    return *info;
  }

  // L2, when every object was read and is as the manifest says.
  void CompareContent() {
    report_.rows_read = static_cast<int64_t>(digest_.rows());
    report_.content_digest = digest_.ToString();
    const auto mismatch = [&](std::string_view what, const auto& seen, const auto& expected) {
      Find(MakeError(ErrorId::kDataMismatch,
                     fmt::format("backup {}: {} {}, where the manifest says {}", manifest_.backup,
                                 what, seen, expected)));
    };
    if (report_.rows_read != manifest_.rows) mismatch("rows", report_.rows_read, manifest_.rows);
    if (report_.content_digest != manifest_.content_digest) {
      mismatch("content digest", report_.content_digest, manifest_.content_digest);
    }
  }

  cloud::ObjectStore& store_;
  const Manifest& manifest_;
  const InspectOptions& options_;
  VerifyReport report_;
  ContentDigest digest_;
};

// A backup without data is its manifest, which was read whole under its sum: what is left to look
// at is whether the definition is the one that was seen at the source.
VerifyReport VerifyDefinition(const Manifest& manifest, VerifyLevel level) {
  VerifyReport report{.backup = manifest.backup,
                      .object = manifest.object,
                      .requested = level,
                      .objects_checked = 1,
                      .content_digest = {},
                      .findings = {}};
  if (MetadataHash(manifest.Definition()) == manifest.source.metadata_hash) {
    report.reached = level;
    return report;
  }
  report.problems = 1;
  report.findings.push_back(
      MakeError(ErrorId::kDataMismatch,
                fmt::format("backup {}: the definition is not the one whose hash the manifest has",
                            manifest.backup)));
  return report;
}

}  // namespace

Result<VerifyReport> VerifyBackup(cloud::ObjectStore& store, const Manifest& manifest,
                                  VerifyLevel level, const InspectOptions& options) {
  const bool can_be_read =
      manifest.method == Method::kExport || manifest.method == Method::kDefinition;
  if (!can_be_read || level < VerifyLevel::kL0 || level > VerifyLevel::kL2) {
    return MakeError(ErrorId::kVerifyUnsupported,
                     fmt::format("backup {} of method {} cannot be verified at {}", manifest.backup,
                                 MethodName(manifest.method), VerifyLevelName(level)));
  }
  if (IsDefinitionOnly(manifest.kind)) return VerifyDefinition(manifest, level);
  return Verification(store, manifest, level, options).Run();
}

Result<VerifyReport> VerifyCopy(const TableReader& reader, const Manifest& manifest,
                                VerifyLevel level) {
  if (!manifest.copy || (level != VerifyLevel::kL0 && level != VerifyLevel::kL2)) {
    return MakeError(ErrorId::kVerifyUnsupported,
                     fmt::format("backup {} of method {} cannot be verified at {}", manifest.backup,
                                 MethodName(manifest.method), VerifyLevelName(level)));
  }
  // Without a digest there is nothing to hold its rows against.
  if (manifest.content_digest.empty()) level = VerifyLevel::kL0;
  VerifyReport report{.backup = manifest.backup,
                      .object = manifest.object,
                      .requested = level,
                      .content_digest = {},
                      .findings = {}};
  const auto find = [&](ErrorId id, const std::string& what) {
    ++report.problems;
    report.findings.push_back(MakeError(id, manifest.copy->ToString() + ": " + what));
  };
  report.objects_checked = 1;
  const auto copy = reader.warehouse.GetTable(*manifest.copy);
  if (!copy.ok()) {
    if (copy.error().code != Code::kNotFound) return copy.error();
    find(ErrorId::kObjectMissing, "the copy is gone");
    return report;
  }
  // An edit of its description moves the time too; the rows tell, where they were read before.
  const bool touched = copy->last_modified_ms != manifest.copy_modified_ms;
  if (touched && manifest.content_digest.empty()) {
    find(ErrorId::kObjectChanged, "the copy was written to after the backup");
  }
  if (copy->rows != manifest.rows) {
    find(ErrorId::kDataMismatch,
         fmt::format("{} rows, where the manifest says {}", copy->rows, manifest.rows));
  }
  if (report.problems != 0) return report;
  report.reached = VerifyLevel::kL0;
  if (level == VerifyLevel::kL0 && !touched) return report;
  HF_ASSIGN_OR_RETURN(const SetInspection read,
                      reader.Read(*manifest.copy, manifest.location, manifest.schema, "verify"));
  report.bytes_read = read.bytes;
  report.rows_read = read.rows;
  report.content_digest = read.digest.ToString();
  if (report.content_digest == manifest.content_digest) {
    report.reached = level;
  } else {
    report.reached = VerifyLevel::kNone;
    find(touched ? ErrorId::kObjectChanged : ErrorId::kDataMismatch,
         fmt::format("content digest {}, where the manifest says {}", report.content_digest,
                     manifest.content_digest));
  }
  return report;
}

Json VerifyReport::ToJson() const {
  Json list = Json::array();
  for (const Error& finding : findings) {
    list.push_back({{"id", FindError(finding.id).id}, {"message", finding.message}});
  }
  return {{"backup", backup},
          {"object", object.ToString()},
          {"requested", VerifyLevelName(requested)},
          {"reached", VerifyLevelName(reached)},
          {"passed", Passed()},
          {"objects_checked", objects_checked},
          {"bytes_read", bytes_read},
          {"rows_read", rows_read},
          {"content_digest", content_digest},
          {"problems", problems},
          {"findings", std::move(list)},
          {"note", note}};
}

Result<ComparisonReport> CompareWithBackup(cloud::ObjectStore& store,
                                           const std::vector<cloud::ObjectInfo>& extracted,
                                           const Schema& schema, const Manifest& manifest,
                                           const InspectOptions& options) {
  if (manifest.content_digest.empty()) {
    return MakeError(ErrorId::kNothingToVerify,
                     fmt::format("backup {} has no content digest", manifest.backup));
  }
  HF_ASSIGN_OR_RETURN(const SetInspection set, InspectObjects(store, extracted, schema, options));
  ComparisonReport report{.expected_digest = manifest.content_digest,
                          .actual_digest = set.digest.ToString(),
                          .expected_rows = manifest.rows,
                          .actual_rows = set.rows,
                          .schema_equal = SchemaHash(schema) == SchemaHash(manifest.schema),
                          .differences = {}};
  if (report.actual_rows != report.expected_rows) {
    report.differences.push_back(
        fmt::format("{} rows, where the backup has {}", report.actual_rows, report.expected_rows));
  }
  if (!report.schema_equal) report.differences.push_back("the schemas differ");
  if (report.actual_digest != report.expected_digest) {
    report.differences.push_back(fmt::format("content digest {}, where the backup has {}",
                                             report.actual_digest, report.expected_digest));
  }
  return report;
}

Json ComparisonReport::ToJson() const {
  return {{"equal", Equal()},
          {"expected_rows", expected_rows},
          {"actual_rows", actual_rows},
          {"expected_digest", expected_digest},
          {"actual_digest", actual_digest},
          {"schema_equal", schema_equal},
          {"differences", differences}};
}

}  // namespace holdfast::verify
