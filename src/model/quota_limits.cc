#include "model/quota_limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/calendar.h"
#include "model/resource_names.h"

namespace holdfast {

namespace {

constexpr auto kQuotas = std::to_array<QuotaEntry>({
#define HF_QUOTA(name, text, limit, unit, scope, what, handling, source) \
  {Quota::name, text, limit, QuotaUnit::unit, QuotaScope::scope, what, handling, source},
#include "model/quota_limits.def"
#undef HF_QUOTA
});

constexpr std::string_view kProjectsMember = "projects";

QuotaAmounts GoogleLimits() {
  QuotaAmounts limits;
  for (size_t i = 0; i < kPlannedQuotas; ++i) limits[i] = kQuotas[i].limit;
  return limits;
}

Error InvalidQuota(std::string_view what) {
  return MakeError(ErrorId::kConfigInvalid, fmt::format("quotas: {}", what));
}

// One member of the setting that names a planned quota, into `amounts`.
Status ReadLimit(const std::string& member, const Json& value, QuotaAmounts& amounts) {
  const auto quota = FindPlannedQuota(member);
  if (!quota) {
    return InvalidQuota(fmt::format("\"{}\" is none that can be set: expected {}, {}, {} or {}",
                                    member, kQuotas[0].name, kQuotas[1].name, kQuotas[2].name,
                                    kQuotas[3].name));
  }
  const auto index = static_cast<size_t>(*quota);
  const int64_t most = kQuotas[index].limit * kQuotaRaiseMax;
  const bool fits =
      value.is_number_unsigned()
          ? value.get<uint64_t>() >= 1 && value.get<uint64_t>() <= static_cast<uint64_t>(most)
          : value.is_number_integer() && value.get<int64_t>() >= 1 && value.get<int64_t>() <= most;
  if (!fits) {
    return InvalidQuota(fmt::format("{} is not a whole number from 1 to {}", member, most));
  }
  amounts[index] = value.get<int64_t>();
  return Ok();
}

Status ReadLimits(const Json& json, QuotaAmounts& amounts) {
  if (!json.is_object()) return InvalidQuota("not a map of limits");
  for (const auto& [member, value] : json.items()) {
    if (member == kProjectsMember) continue;
    HF_RETURN_IF_ERROR(ReadLimit(member, value, amounts));
  }
  return Ok();
}

Json LimitsToJson(const QuotaAmounts& amounts, const QuotaAmounts& base) {
  Json json = Json::object();
  for (size_t i = 0; i < kPlannedQuotas; ++i) {
    if (amounts[i] != base[i]) json[std::string(kQuotas[i].name)] = amounts[i];
  }
  return json;
}

// UTC where the system knows no time zones: a day is a day.
const Calendar& PacificTime() {
  static const Calendar kPacific = Calendar::Of("America/Los_Angeles").value_or(Calendar());
  return kPacific;
}

std::chrono::local_days PacificDay(Timestamp now, int days_later) {
  return std::chrono::floor<std::chrono::days>(PacificTime().ToLocal(now)) +
         std::chrono::days{days_later};
}

}  // namespace

std::span<const QuotaEntry> AllQuotas() { return kQuotas; }

std::string_view QuotaScopeText(QuotaScope scope) {
  switch (scope) {
    case QuotaScope::kProjectDay:
      return "per project and day";
    case QuotaScope::kTableDay:
      return "per table and day";
    case QuotaScope::kTable:
      return "per table";
    case QuotaScope::kJob:
      return "per job";
    case QuotaScope::kAtOnce:
      return "at once";
    case QuotaScope::kUserSecond:
      return "per user and second";
    case QuotaScope::kProjectSecond:
      break;
  }
  return "per project and second";
}

QuotaAmounts UseOf(Method method, int64_t bytes) {
  QuotaAmounts use{};
  const auto add = [&](Quota quota, int64_t amount) { use[static_cast<size_t>(quota)] = amount; };
  if (method == Method::kExport) {
    add(Quota::kExtractJobs, 1);
    add(Quota::kExtractBytes, std::max<int64_t>(bytes, 0));
  } else if (method == Method::kCopy || method == Method::kSnapshot) {
    add(Quota::kCopyJobs, 1);
    if (method == Method::kSnapshot) add(Quota::kSnapshotJobs, 1);
  }
  return use;
}

QuotaAmounts UseOfFreeze() { return UseOf(Method::kCopy, 0); }

std::optional<Quota> FindPlannedQuota(std::string_view name) {
  const auto planned = std::span(kQuotas).first(kPlannedQuotas);
  const auto found = std::ranges::find(planned, name, &QuotaEntry::name);
  if (found == planned.end()) return std::nullopt;
  return found->quota;
}

std::string_view QuotaName(Quota quota) { return kQuotas[static_cast<size_t>(quota)].name; }

std::string QuotaAmountText(Quota quota, int64_t amount) {
  constexpr double kTebibyte = static_cast<double>(int64_t{1} << 40U);
  const std::string_view plural = amount == 1 ? "" : "s";
  switch (quota) {
    case Quota::kExtractJobs:
      return fmt::format("{} extract job{}", amount, plural);
    case Quota::kExtractBytes:
      return fmt::format("{:.4g} TiB of extracted data", static_cast<double>(amount) / kTebibyte);
    case Quota::kCopyJobs:
      return fmt::format("{} copy job{}", amount, plural);
    default:
      return fmt::format("{} snapshot job{}", amount, plural);
  }
}

QuotaLimits::QuotaLimits() : all_(GoogleLimits()) {}

Result<QuotaLimits> QuotaLimits::FromJson(const Json& json) {
  QuotaLimits limits;
  HF_RETURN_IF_ERROR(ReadLimits(json, limits.all_));
  const Json* projects = FindField(json, kProjectsMember);
  if (projects == nullptr) return limits;
  if (!projects->is_object()) return InvalidQuota("\"projects\" is not a map");
  if (projects->size() > kQuotaProjectsMax) {
    return InvalidQuota(fmt::format("more than {} projects", kQuotaProjectsMax));
  }
  for (const auto& [project, value] : projects->items()) {
    if (!ValidateProjectId(project).ok()) {
      return InvalidQuota(fmt::format("\"{}\" is not the id of a project", project));
    }
    if (FindField(value, kProjectsMember) != nullptr) {
      return InvalidQuota(fmt::format("projects within project {}", project));
    }
    QuotaAmounts amounts = limits.all_;
    HF_RETURN_IF_ERROR(ReadLimits(value, amounts).WithContext(project));
    limits.projects_.emplace(project, amounts);
  }
  return limits;
}

Json QuotaLimits::ToJson() const {
  Json json = LimitsToJson(all_, GoogleLimits());
  for (const auto& [project, amounts] : projects_) {
    json[std::string(kProjectsMember)][project] = LimitsToJson(amounts, all_);
  }
  return json;
}

const QuotaAmounts& QuotaLimits::Of(std::string_view project) const {
  const auto found = projects_.find(project);
  return found == projects_.end() ? all_ : found->second;
}

Timestamp QuotaDayStart(Timestamp now, int days_later) {
  return PacificTime().ToInstant(LocalTime(PacificDay(now, days_later)));
}

std::string QuotaDate(Timestamp now, int days_later) {
  const std::chrono::year_month_day date(PacificDay(now, days_later));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace holdfast
