#include <iostream>
#include <map>

#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/selector.h"
#include "cli/status_text.h"
#include "repository/repository.h"
#include "retain/pins.h"

namespace holdfast::cli {

namespace {

struct Listed {
  std::vector<Json> rows;
  bool more = false;  // there are more than the limit
};

// What keeps the listed backups from being pruned, by repository, as far as it can be read.
class PinsOfRepositories {
 public:
  PinsOfRepositories(const GlobalOptions& global, cloud::ObjectStore& objects)
      : global_(global), objects_(objects) {}

  // "pin", "hold", "pin, hold" or nothing.
  std::string Of(const catalog::BackupRecord& record) {
    const repository::Location place{record.bucket, record.prefix};
    auto known = pins_.find(place);
    if (known == pins_.end()) known = pins_.emplace(place, Read(place)).first;
    const auto found = known->second.find(record.backup);
    if (found == known->second.end()) return {};
    std::string text = found->second.pins > 0 ? "pin" : "";
    if (found->second.holds > 0) text += text.empty() ? "hold" : ", hold";
    return text;
  }

 private:
  using Pins = std::map<std::string, retain::PinCounts>;

  // A list of what the catalog knows is worth having while the bucket is away.
  Pins Read(const repository::Location& place) {
    auto repository = repository::Repository::Open(objects_, place);
    auto pins = repository.ok() ? retain::ListPins(*repository) : Result<Pins>(repository.error());
    if (pins.ok()) return *std::move(pins);
    Say(global_, "Pins and holds of gs://" + place.bucket +
                     " cannot be read and are not shown: " + pins.error().message);
    return {};
  }

  const GlobalOptions& global_;
  cloud::ObjectStore& objects_;
  std::map<repository::Location, Pins> pins_;
};

Result<Listed> FindRows(catalog::Catalog& catalog, const catalog::BackupFilter& filter,
                        size_t limit, bool pretty, PinsOfRepositories& pins) {
  Listed listed;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, catalog.FindBackups(filter, token));
    for (const catalog::BackupRecord& record : page.items) {
      listed.more = listed.rows.size() == limit;
      if (listed.more) return listed;
      Json row = BackupJson(record);
      row["kept_by"] = pins.Of(record);
      if (pretty) {
        row["rows"] = HumanCount(record.rows);
        row["bytes"] = HumanBytes(record.stored_bytes);
      }
      listed.rows.push_back(std::move(row));
    }
    token = page.next_page_token;
  } while (!token.empty());
  return listed;
}

}  // namespace

Result<int> BackupList(const GlobalOptions& global, const BackupListOptions& options) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  catalog::BackupFilter filter;
  if (!options.name.empty()) {
    HF_ASSIGN_OR_RETURN(const TableRef selector, ParseSelector(options.name));
    filter = FilterOf(selector);
  }
  filter.newest_only = options.latest;
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  PinsOfRepositories pins(global, environment->objects());
  HF_ASSIGN_OR_RETURN(const Listed listed,
                      FindRows(environment->catalog(), filter, static_cast<size_t>(options.limit),
                               global.OutputFormat() == Format::kPretty, pins));
  if (listed.rows.empty() && !options.name.empty()) return NoBackupsOf(options.name);
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "backup", .heading = "BACKUP"},
             {.member = "object", .heading = "OBJECT"},
             {.member = "created", .heading = "CREATED"},
             {.member = "rows", .heading = "ROWS", .align_right = true},
             {.member = "bytes", .heading = "SIZE", .align_right = true},
             {.member = "method", .heading = "METHOD"},
             {.member = "verified", .heading = "VERIFIED"},
             {.member = "state", .heading = "STATE"},
             {.member = "kept_by", .heading = "KEPT BY"}},
            listed.rows, kNoBackupsText);
  if (listed.more) Say(global, "There are more: raise --limit, or name a table.");
  return kExitOk;
}

Result<int> BackupShow(const GlobalOptions& global, const std::string& id) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const catalog::BackupRecord record,
                      catalog::GetBackup(environment->catalog(), id));
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      repository::Repository::Open(environment->objects(), {record.bucket, record.prefix}));
  HF_ASSIGN_OR_RETURN(const Manifest manifest,
                      repository.ReadManifest(record.object, record.backup));
  Json document = BackupJson(record);
  Json objects = Json::array();
  for (const DataObject& object : manifest.objects) {
    objects.push_back({{"uri", "gs://" + manifest.bucket + "/" + object.name},
                       {"bytes", object.size_bytes},
                       {"rows", object.rows},
                       {"sha256", object.sha256}});
  }
  document["data"] = std::move(objects);
  if (manifest.copy) document["copy"] = manifest.copy->ToString();
  document["schema"] = manifest.schema.ToJson()["fields"];
  if (IsDefinitionOnly(manifest.kind)) document["definition"] = manifest.Definition();
  HF_ASSIGN_OR_RETURN(const auto verifications,
                      environment->catalog().ListVerifications(record.backup));
  for (const catalog::VerificationRecord& verification : verifications) {
    document["verifications"].push_back(
        {{"at", FormatTimestamp(FromUnixMillis(verification.at_ms))},
         {"level", VerifyLevelName(verification.level)},
         {"passed", verification.passed},
         {"detail", verification.detail}});
  }
  HF_ASSIGN_OR_RETURN(const auto pins, retain::ReadPins(repository, record.backup));
  for (const retain::Pin& pin : pins) {
    document["kept_by"].push_back({{"kind", retain::PinKindName(pin.kind)},
                                   {"reason", pin.reason},
                                   {"actor", pin.actor},
                                   {"created", FormatTimestamp(FromUnixMillis(pin.created_ms))}});
  }
  PrintDocument(std::cout, global.OutputFormat(), document);
  return kExitOk;
}

}  // namespace holdfast::cli
