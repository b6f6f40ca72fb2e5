#include "cli/asking.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/rebuild.h"
#include "cli/audit.h"
#include "cli/further_places.h"

namespace holdfast::cli {

Result<Asking> Asking::Open(const GlobalOptions& global, int memory_mebibytes) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  const Config& config = loaded.config;
  Asking asking;
  HF_ASSIGN_OR_RETURN(asking.environment, Environment::Open(config));
  const ask::AskerOptions options{.scratch_parent = config.data_dir,
                                  .memory_bytes_max = int64_t{memory_mebibytes} << 20U};
  HF_ASSIGN_OR_RETURN(asking.asker, ask::Asker::Open(options, asking.environment->clock(),
                                                     asking.environment->random()));
  asking.tables = std::make_unique<AskedTables>(
      *asking.environment, FurtherPlacesOf(config, ReadableDocument(global, loaded)),
      asking.asker->directory());
  return asking;
}

Status Asking::LearnOfOthersBackups(const GlobalOptions& global, const TableRef& table) {
  HF_ASSIGN_OR_RETURN(const catalog::RebuildReport report,
                      backup::CatchUp(environment->backup_services(), table));
  if (report.manifests > 0) {
    Say(global, fmt::format("{} made with another catalog: read in from the repository",
                            Plural(report.manifests, "backup")));
  }
  for (const Error& problem : report.problems) {
    Say(global, fmt::format("Not read: {} [{}]", problem.message, FindError(problem.id).id));
  }
  return Ok();
}

Status Asking::Note(const std::string& action, const std::string& subject, const Json& detail) {
  return Audit(*environment, action, subject, detail);
}

Json Asking::Missing() const {
  Json missing = Json::array();
  for (const restore::MissingObject& object : tables->missing()) missing.push_back(object.ToJson());
  return missing;
}

int Asking::ExitCode() const {
  const bool lacks = std::ranges::any_of(
      tables->missing(), [](const restore::MissingObject& object) { return !object.unsupported; });
  return lacks ? kExitPartial : kExitOk;
}

void Asking::SayNotes(const GlobalOptions& global) {
  const std::vector<std::string> notes = tables->notes();
  for (; notes_said < notes.size(); ++notes_said) {
    Say(global, "On the choice of backups: " + notes[notes_said]);
  }
}

std::string CostText(const ask::AskStatistics& statistics) {
  return fmt::format("Read {} of {}: {} of {}", HumanBytes(statistics.bytes_read),
                     Plural(statistics.files_read, "file"), HumanCount(statistics.partitions_read),
                     Plural(statistics.partitions, "partition"));
}

Json CostJson(const ask::AskStatistics& statistics) {
  return {{"bytes_read", statistics.bytes_read},
          {"files_read", statistics.files_read},
          {"partitions", statistics.partitions},
          {"partitions_read", statistics.partitions_read}};
}

}  // namespace holdfast::cli
