#include "cli/asking.h"

#include <fmt/format.h>

#include "backup/rebuild.h"

namespace holdfast::cli {

Result<Asking> Asking::Open(const GlobalOptions& global, int memory_mebibytes) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  Asking asking;
  HF_ASSIGN_OR_RETURN(asking.environment, Environment::Open(config));
  const ask::AskerOptions options{.scratch_parent = config.data_dir,
                                  .memory_bytes_max = int64_t{memory_mebibytes} << 20U};
  HF_ASSIGN_OR_RETURN(asking.asker, ask::Asker::Open(options, asking.environment->clock(),
                                                     asking.environment->random()));
  asking.tables = std::make_unique<AskedTables>(*asking.environment, asking.asker->directory());
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

void Asking::SayNotes(const GlobalOptions& global) const {
  for (const std::string& note : tables->notes()) Say(global, "Note: " + note);
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
