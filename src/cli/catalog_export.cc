#include "cli/catalog_export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>

#include "backup/scan_plan.h"
#include "base/directory_lock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/audit.h"
#include "cli/replace_file.h"
#include "cli/text_file.h"
#include "model/staged_table.h"
#include "repository/repository.h"
#include "retain/pins.h"

namespace holdfast::cli {

namespace {

constexpr Duration kExportLookInterval = std::chrono::milliseconds{200};
constexpr Duration kExportRetryInterval = std::chrono::hours{1};
constexpr size_t kLastExportBytesMax = size_t{64} << 10U;

std::string LastExportPath(const std::string& data_dir) { return data_dir + "/last_export.json"; }

// The pins of one repository, each with its reason.
Status VisitPins(cloud::ObjectStore& objects, const repository::Location& location,
                 const std::function<Status(const observe::ExportedPin& pin)>& visit) {
  HF_ASSIGN_OR_RETURN(repository::Repository repository,
                      repository::Repository::Open(objects, location));
  HF_ASSIGN_OR_RETURN(const auto counts, retain::ListPins(repository));
  for (const auto& [backup, count] : counts) {
    HF_ASSIGN_OR_RETURN(const auto pins, retain::ReadPins(repository, backup));
    for (const retain::Pin& pin : pins) {
      HF_RETURN_IF_ERROR(visit({.backup = backup,
                                .kind = std::string(retain::PinKindName(pin.kind)),
                                .reason = pin.reason,
                                .actor = pin.actor,
                                .created_ms = pin.created_ms}));
    }
  }
  return Ok();
}

observe::ExportServices ExportServicesOf(Environment& environment) {
  return {.warehouse = environment.warehouse(),
          .objects = environment.objects(),
          .catalog = environment.catalog(),
          .clock = environment.clock(),
          .random = environment.random(),
          .staging_bucket_pattern = environment.config().policy.staging_bucket_pattern,
          .tool_version = ProgramVersion(),
          .visit_pins = [&objects = environment.objects()](
                            const repository::Location& location,
                            const std::function<Status(const observe::ExportedPin& pin)>& visit) {
            return VisitPins(objects, location, visit);
          }};
}

// Of this machine and this directory, in which one process exports at a time.
std::string ExportHolder(const std::string& data_dir) {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host.front() = '\0';
  std::error_code no_path;
  const auto whole = std::filesystem::weakly_canonical(data_dir, no_path);
  const std::string named = no_path ? data_dir : whole.string();
  return Sha256Hex(fmt::format("{}:{}", host.data(), named)).substr(0, kStagedHolderDigits);
}

// When it was last exported to that dataset; the beginning of time if it never was, or no one
// remembers.
Timestamp LastExport(const std::string& data_dir, const DatasetRef& dataset) {
  const auto text = ReadTextFile(LastExportPath(data_dir), kLastExportBytesMax);
  const auto json = text.ok() ? ParseJson(*text) : Result<Json>(text.error());
  if (!json.ok() || StringOr(*json, "dataset", "") != dataset.ToString()) return Timestamp{};
  return FromUnixMillis(Int64Or(*json, "exported_at_ms", 0));
}

Status RememberExport(const std::string& data_dir, const observe::ExportReport& report) {
  const Json json = {{"dataset", report.plan.dataset.ToString()},
                     {"export", report.stamp.id},
                     {"exported_at_ms", report.stamp.at_ms}};
  return ReplaceFile(LastExportPath(data_dir), DumpPrettyJson(json) + "\n");
}

}  // namespace

Result<observe::ExportPlan> PlanCatalogExport(Environment& environment,
                                              const observe::ExportRequest& request) {
  return observe::PlanExport(ExportServicesOf(environment), request);
}

Result<observe::ExportReport> ExportCatalogTo(
    Environment& environment, const observe::ExportRequest& request, const std::string& actor,
    const std::function<void(const observe::ExportProgress& progress)>& on_progress,
    const std::stop_token& stop) {
  const Config& config = environment.config();
  HF_ASSIGN_OR_RETURN(const auto lock, DirectoryLock::Take(config.data_dir + "/catalog_export"));
  observe::ExportServices services = ExportServicesOf(environment);
  services.on_progress = on_progress;
  services.keep_alive = [&stop]() -> Status {
    return stop.stop_requested() ? Status(MakeError(ErrorId::kCancelled, "told to stop")) : Ok();
  };
  services.holder = ExportHolder(config.data_dir);
  HF_ASSIGN_OR_RETURN(const observe::ExportPlan plan, observe::PlanExport(services, request));
  HF_RETURN_IF_ERROR(
      Audit(environment, "catalog.export", request.dataset.ToString(), Json::object(), actor));
  HF_ASSIGN_OR_RETURN(auto report,
                      observe::ExportCatalog(services,
                                             {.projects = environment.projects(),
                                              .warehouse = environment.warehouse(),
                                              .index = environment.catalog(),
                                              .organization = config.organization,
                                              .is_backed_up = backup::IsBackedUpDataset},
                                             WholeScope(config), plan));
  HF_RETURN_IF_ERROR(RememberExport(config.data_dir, report));
  return report;
}

void RunCatalogExports(const GlobalOptions& global, Environment& environment,
                       const std::stop_token& stop) {
  const observe::ExportSettings& settings = environment.config().catalog_export;
  if (!settings.to || !settings.every) return;
  const std::string& data_dir = environment.config().data_dir;
  Timestamp due = LastExport(data_dir, *settings.to) + *settings.every;
  while (!stop.stop_requested()) {
    if (environment.clock().Now() < due) {
      environment.clock().SleepFor(kExportLookInterval);
      continue;
    }
    const auto report = ExportCatalogTo(
        environment, {*settings.to, settings.location}, "schedule",
        [](const observe::ExportProgress&) {}, stop);
    if (report.ok()) {
      Say(global, "Exported the catalog to " + settings.to->ToString());
      due = environment.clock().Now() + *settings.every;
    } else if (report.error().id != ErrorId::kCancelled) {
      LogError("the catalog was not exported",
               {{"dataset", settings.to->ToString()}, {"error", report.error().message}});
      due = environment.clock().Now() + std::min(*settings.every, kExportRetryInterval);
    }
  }
}

}  // namespace holdfast::cli
