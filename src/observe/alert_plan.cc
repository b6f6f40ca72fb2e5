#include "observe/alert_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/hash.h"

namespace holdfast::observe {

namespace {

std::string TitleOf(const Finding& finding) {
  const std::string subject =
      !finding.subject.empty()
          ? "\"" + finding.subject + "\""
          : fmt::format("{} {}", finding.count, finding.count == 1 ? "object" : "objects");
  const std::string_view title =
      finding.title.empty() ? EntryOf(finding.kind).title : std::string_view(finding.title);
  return fmt::format(fmt::runtime(title), subject);
}

// Whether people who were told of `sent` do not know enough any more.
bool GotWorse(const Finding& finding, const SentAlert& sent) {
  return finding.count > sent.count ||
         (finding.count == sent.count && finding.digest != sent.digest);
}

cloud::Alert AlertOf(const Finding& finding, int64_t since_ms, int64_t now_ms, bool repeated) {
  const AlertKindEntry& entry = EntryOf(finding.kind);
  return {.key = finding.Key(),
          .kind = std::string(entry.id),
          .severity = entry.severity,
          .title = TitleOf(finding),
          .detail = finding.detail,
          .action = std::string(entry.action),
          .count = finding.count,
          .objects = finding.objects,
          .since_ms = since_ms,
          .at_ms = now_ms,
          .is_repetition = repeated};
}

cloud::Alert ResolvedAlert(const SentAlert& sent, int64_t now_ms) {
  const AlertKindEntry& entry = EntryOf(sent.kind);
  return {.key = sent.key,
          .kind = std::string(entry.id),
          .severity = entry.severity,
          .title = sent.title,
          .detail = "This is over.",
          .action = {},
          .since_ms = sent.since_ms,
          .at_ms = now_ms,
          .is_resolved = true};
}

// What the channel is to be told of the finding; nullopt: nothing now.
std::optional<PlannedAlert> PlanOne(const AlertSettings& settings, const std::string& channel,
                                    const Finding& finding, const AlertState& state,
                                    int64_t now_ms) {
  const auto repeat = settings.RepeatAfter(finding.kind, channel);
  if (!repeat) return std::nullopt;
  const std::string key = finding.Key();
  const SentAlert* sent = state.Find(channel, key);
  const int64_t since_ms = sent != nullptr ? sent->since_ms : now_ms;
  if (sent != nullptr && !GotWorse(finding, *sent)) {
    const int64_t repeat_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(*repeat).count();
    // A clock that was set back must not silence it for longer than that.
    const bool is_time = now_ms - sent->sent_ms >= repeat_ms || now_ms < sent->sent_ms;
    if (!is_time) return std::nullopt;
  }
  PlannedAlert planned{.channel = channel,
                       .alert = AlertOf(finding, since_ms, now_ms, sent != nullptr),
                       .remembered = {}};
  planned.remembered = {.channel = channel,
                        .key = key,
                        .kind = finding.kind,
                        .title = planned.alert.title,
                        .since_ms = since_ms,
                        .sent_ms = now_ms,
                        .count = finding.count,
                        .digest = finding.digest};
  return planned;
}

Error Damaged(std::string_view what) {
  return MakeError(ErrorId::kAlertStateDamaged, fmt::format("alerts/sent.json: {}", what));
}

Result<SentAlert> SentFromJson(const Json& json) {
  SentAlert sent;
  HF_ASSIGN_OR_RETURN(sent.channel, RequiredString(json, "channel"));
  HF_ASSIGN_OR_RETURN(sent.key, RequiredString(json, "key"));
  HF_ASSIGN_OR_RETURN(const std::string kind, RequiredString(json, "kind"));
  const AlertKindEntry* entry = FindAlertKind(kind);
  if (entry == nullptr) return Damaged("it holds a kind that is not known");
  sent.kind = entry->kind;
  HF_ASSIGN_OR_RETURN(sent.title, RequiredString(json, "title"));
  HF_ASSIGN_OR_RETURN(sent.since_ms, RequiredInt64(json, "since_ms"));
  HF_ASSIGN_OR_RETURN(sent.sent_ms, RequiredInt64(json, "sent_ms"));
  HF_ASSIGN_OR_RETURN(sent.count, RequiredInt64(json, "count"));
  HF_ASSIGN_OR_RETURN(const std::string digest, RequiredString(json, "digest"));
  const auto [end, error] =
      std::from_chars(digest.data(), digest.data() + digest.size(), sent.digest, 16);
  if (error != std::errc() || end != digest.data() + digest.size()) {
    return Damaged("a digest is no number");
  }
  return sent;
}

}  // namespace

std::string Finding::Key() const {
  const std::string kind_id(EntryOf(kind).id);
  return subject.empty() ? kind_id : kind_id + "/" + subject;
}

void Finding::Add(const std::string& object) {
  ++count;
  if (objects.size() < kAlertObjectsMax) objects.push_back(object);
  // A sum does not depend on the order; a hash of each keeps two from making up for a third.
  uint64_t hash = 0;
  const std::string hex = Sha256Hex(object).substr(0, 16);
  std::from_chars(hex.data(), hex.data() + hex.size(), hash, 16);
  digest += hash;
}

const SentAlert* AlertState::Find(const std::string& channel, const std::string& key) const {
  const auto found = std::ranges::find_if(
      sent, [&](const SentAlert& at) { return at.channel == channel && at.key == key; });
  return found == sent.end() ? nullptr : &*found;
}

Result<AlertState> AlertState::FromJson(const Json& json) {
  AlertState state;
  const Json* list = FindField(json, "sent");
  if (list == nullptr || !list->is_array()) return Damaged("it holds no list \"sent\"");
  for (const Json& item : *list) {
    auto sent = SentFromJson(item);
    if (!sent.ok()) return Damaged(sent.error().message);
    state.sent.push_back(*std::move(sent));
  }
  return state;
}

Json AlertState::ToJson() const {
  Json list = Json::array();
  for (const SentAlert& at : sent) {
    list.push_back({{"channel", at.channel},
                    {"key", at.key},
                    {"kind", EntryOf(at.kind).id},
                    {"title", at.title},
                    {"since_ms", at.since_ms},
                    {"sent_ms", at.sent_ms},
                    {"count", at.count},
                    {"digest", fmt::format("{:x}", at.digest)}});
  }
  return {{"schema", "holdfast.alerts.v1"}, {"sent", std::move(list)}};
}

std::vector<PlannedAlert> PlanAlerts(const AlertSettings& settings,
                                     const std::vector<Finding>& findings, const AlertState& state,
                                     int64_t now_ms) {
  std::vector<PlannedAlert> planned;
  for (const AlertChannel& channel : settings.channels) {
    for (const Finding& finding : findings) {
      if (auto one = PlanOne(settings, channel.name, finding, state, now_ms)) {
        planned.push_back(*std::move(one));
      }
    }
  }
  for (const SentAlert& sent : state.sent) {
    const bool goes_on = std::ranges::any_of(
        findings, [&](const Finding& finding) { return finding.Key() == sent.key; });
    if (goes_on || settings.FindChannel(sent.channel) == nullptr ||
        !settings.RepeatAfter(sent.kind, sent.channel)) {
      continue;
    }
    planned.push_back(
        {.channel = sent.channel, .alert = ResolvedAlert(sent, now_ms), .remembered = sent});
  }
  std::ranges::stable_sort(planned, {}, [](const PlannedAlert& at) {
    return std::pair<const std::string&, const std::string&>(at.channel, at.alert.key);
  });
  return planned;
}

void NoteSent(AlertState& state, const PlannedAlert& planned) {
  std::erase_if(state.sent, [&](const SentAlert& at) {
    return at.channel == planned.channel && at.key == planned.alert.key;
  });
  if (!planned.alert.is_resolved) state.sent.push_back(planned.remembered);
}

void Forget(AlertState& state, const AlertSettings& settings) {
  std::erase_if(state.sent, [&](const SentAlert& at) {
    return settings.FindChannel(at.channel) == nullptr ||
           !settings.RepeatAfter(at.kind, at.channel);
  });
}

cloud::Alert TestAlert(int64_t now_ms) {
  const AlertKindEntry& entry = EntryOf(AlertKind::kTest);
  return {.key = fmt::format("test/{}", now_ms),
          .kind = std::string(entry.id),
          .severity = entry.severity,
          .title = std::string(entry.title),
          .detail = "Sent by `holdfast alert test`.",
          .action = std::string(entry.action),
          .since_ms = now_ms,
          .at_ms = now_ms};
}

}  // namespace holdfast::observe
