#include "cli/metrics_text.h"

#include <filesystem>

#include "backup/scan_plan.h"
#include "cli/replace_file.h"
#include "cli/text_file.h"

namespace holdfast::cli {

namespace {

constexpr Duration kKeptFor = std::chrono::seconds{15};
constexpr size_t kLevelsBytesMax = size_t{1} << 20U;

std::string LevelsPath(const std::string& data_dir) { return data_dir + "/service_levels.json"; }

}  // namespace

Result<std::optional<observe::ServiceLevels>> ReadServiceLevels(const std::string& data_dir) {
  std::error_code error;
  if (!std::filesystem::exists(LevelsPath(data_dir), error)) {
    return std::optional<observe::ServiceLevels>();
  }
  HF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(LevelsPath(data_dir), kLevelsBytesMax));
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  HF_ASSIGN_OR_RETURN(auto levels, observe::ServiceLevels::FromJson(json));
  return std::optional(levels);
}

Result<observe::ServiceLevels> MeasureAndKeepServiceLevels(
    Environment& environment,
    const std::function<Status(const observe::ServiceLevelMiss& miss)>& on_miss) {
  const Config& config = environment.config();
  HF_ASSIGN_OR_RETURN(
      const auto levels,
      observe::MeasureServiceLevels({.projects = environment.projects(),
                                     .warehouse = environment.warehouse(),
                                     .index = environment.catalog(),
                                     .organization = config.organization,
                                     .is_backed_up = backup::IsBackedUpDataset},
                                    WholeScope(config), environment.clock().Now(), on_miss));
  HF_RETURN_IF_ERROR(
      ReplaceFile(LevelsPath(config.data_dir), DumpPrettyJson(levels.ToJson()) + "\n"));
  return levels;
}

MetricsSource::MetricsSource(Environment& environment)
    : environment_(environment),
      collector_(environment.catalog(), environment.config().policy.name,
                 WholeScope(environment.config())) {}

Result<std::string> MetricsSource::Text() {
  const std::lock_guard lock(mutex_);
  const Timestamp now = environment_.clock().Now();
  const Duration age = now - collected_;
  if (!text_.empty() && age >= Duration{0} && age < kKeptFor) return text_;
  HF_ASSIGN_OR_RETURN(observe::MetricSet metrics, collector_.Collect(now));
  HF_ASSIGN_OR_RETURN(const auto levels, ReadServiceLevels(environment_.config().data_dir));
  if (levels) levels->AddTo(metrics);
  text_ = metrics.ToText();
  collected_ = now;
  return text_;
}

}  // namespace holdfast::cli
