#include "localcloud/rest/fault_injection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/rest/api_error.h"

namespace holdfast::rest {

namespace {

constexpr std::string_view kAddress = "/_localcloud/faults";
constexpr size_t kRulesMax = 1000;
constexpr Duration kDelayMax = std::chrono::minutes{5};

constexpr std::pair<FaultEffect, std::string_view> kEffectNames[] = {
    {FaultEffect::kStatus, "status"},         {FaultEffect::kReset, "reset"},
    {FaultEffect::kDropAnswer, "dropAnswer"}, {FaultEffect::kTruncate, "truncate"},
    {FaultEffect::kDelay, "delay"},
};

constexpr std::array<std::string_view, 10> kFields = {
    "method",  "path", "effect", "status", "reason", "message", "retryAfterSeconds",
    "delayMs", "skip", "count"};

Error BadRule(std::string message) {
  return WithReason("invalid",
                    MakeError(ErrorId::kRestInvalidRequest, "fault rule: " + std::move(message)));
}

Result<FaultEffect> ParseEffect(const std::string& name) {
  for (const auto& [effect, effect_name] : kEffectNames) {
    if (effect_name == name) return effect;
  }
  return BadRule(
      fmt::format("effect \"{}\" is none of status, reset, dropAnswer, truncate, delay", name));
}

std::string_view NameOf(FaultEffect effect) {
  return std::ranges::find(kEffectNames, effect, [](const auto& e) { return e.first; })->second;
}

// The number in field `key` within [least, most], or `fallback` when absent.
Result<int64_t> ReadNumber(const Json& json, std::string_view key, int64_t fallback, int64_t least,
                           int64_t most) {
  HF_ASSIGN_OR_RETURN(const auto number, OptionalInt64(json, key));
  if (!number) return fallback;
  if (*number >= least && *number <= most) return *number;
  return BadRule(fmt::format("{} is {}, not between {} and {}", key, *number, least, most));
}

Status RefuseUnknownFields(const Json& json) {
  if (!json.is_object()) return BadRule("a JSON object is wanted");
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(kFields, key) == kFields.end()) {
      return BadRule(fmt::format("field \"{}\" is unknown", key));
    }
  }
  return Ok();
}

net::HttpResponse ResetConnection() {
  net::HttpResponse response;
  response.status = net::HttpResponse::kReset;
  return response;
}

net::HttpResponse AnswerOf(const FaultRule& rule) {
  ApiError error;
  error.status = rule.status;
  error.reason = rule.reason.empty() ? ReasonOfStatus(rule.status) : rule.reason;
  error.message = rule.message.empty() ? "This failure was injected on request" : rule.message;
  if (rule.retry_after_seconds) {
    error.headers.Set("Retry-After", std::to_string(*rule.retry_after_seconds));
  }
  return error.ToResponse();
}

// The response with a body that breaks off in the middle.
net::HttpResponse Truncated(net::HttpResponse response) {
  if (!response.body_reader) {
    response.body_size = response.body.size();
    response.body_reader = [body = std::move(response.body),
                            at = size_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
      const size_t count = body.copy(buffer.data(), buffer.size(), at);
      at += count;
      return count;
    };
    response.body.clear();
  }
  // Of a body of unknown size, its first bytes go out.
  const uint64_t half = response.body_size ? *response.body_size / 2 : 1024;
  response.body_reader = [whole = std::move(response.body_reader),
                          left = half](std::span<char> buffer) mutable -> Result<size_t> {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(left, buffer.size()));
    if (wanted > 0) {
      HF_ASSIGN_OR_RETURN(const size_t count, whole(buffer.first(wanted)));
      left = count == 0 ? 0 : left - count;
      if (count > 0) return count;
    }
    return MakeError(ErrorId::kCancelled, "the answer was cut off on request");
  };
  return response;
}

}  // namespace

Result<FaultRule> FaultRule::FromJson(const Json& json) {
  HF_RETURN_IF_ERROR(RefuseUnknownFields(json));
  FaultRule rule;
  HF_ASSIGN_OR_RETURN(const auto method, OptionalString(json, "method"));
  HF_ASSIGN_OR_RETURN(const auto path, OptionalString(json, "path"));
  HF_ASSIGN_OR_RETURN(const auto effect, OptionalString(json, "effect"));
  HF_ASSIGN_OR_RETURN(const auto reason, OptionalString(json, "reason"));
  HF_ASSIGN_OR_RETURN(const auto message, OptionalString(json, "message"));
  rule.method = method.value_or("");
  rule.path = path.value_or("*");
  rule.reason = reason.value_or("");
  rule.message = message.value_or("");
  HF_ASSIGN_OR_RETURN(const int64_t status, ReadNumber(json, "status", rule.status, 200, 599));
  rule.status = static_cast<int>(status);
  HF_ASSIGN_OR_RETURN(const int64_t delay_ms,
                      ReadNumber(json, "delayMs", 0, 0, kDelayMax / std::chrono::milliseconds{1}));
  rule.delay = std::chrono::milliseconds{delay_ms};
  HF_ASSIGN_OR_RETURN(const int64_t retry_after,
                      ReadNumber(json, "retryAfterSeconds", -1, 0, 86400));
  if (retry_after >= 0) rule.retry_after_seconds = retry_after;
  HF_ASSIGN_OR_RETURN(rule.skip, ReadNumber(json, "skip", 0, 0, INT64_MAX));
  HF_ASSIGN_OR_RETURN(rule.count, ReadNumber(json, "count", 1, -1, INT64_MAX));
  const bool only_delays = delay_ms > 0 && FindField(json, "status") == nullptr;
  if (effect) {
    HF_ASSIGN_OR_RETURN(rule.effect, ParseEffect(*effect));
  } else if (only_delays) {
    rule.effect = FaultEffect::kDelay;
  } else if (FindField(json, "status") == nullptr) {
    return BadRule("it has neither an effect nor a status nor a delay");
  }
  return rule;
}

Json FaultRule::ToJson() const {
  Json json = {{"path", path}, {"effect", NameOf(effect)}, {"skip", skip}, {"count", count}};
  if (!method.empty()) json["method"] = method;
  if (effect == FaultEffect::kStatus) json["status"] = status;
  if (!reason.empty()) json["reason"] = reason;
  if (!message.empty()) json["message"] = message;
  if (retry_after_seconds) json["retryAfterSeconds"] = *retry_after_seconds;
  if (delay > Duration{0}) json["delayMs"] = delay / std::chrono::milliseconds{1};
  return json;
}

Result<int64_t> FaultInjector::Add(FaultRule rule) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kRulesMax) {
    return MakeError(ErrorId::kLimitExceeded, fmt::format("there are {} fault rules", kRulesMax));
  }
  entries_.push_back({.id = next_id_, .rule = std::move(rule)});
  return next_id_++;
}

void FaultInjector::Clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

Json FaultInjector::List() const {
  const std::lock_guard lock(mutex_);
  Json rules = Json::array();
  for (const Entry& entry : entries_) {
    Json json = entry.rule.ToJson();
    json["id"] = entry.id;
    json["seen"] = entry.seen;
    json["used"] = entry.used;
    rules.push_back(std::move(json));
  }
  return {{"faults", std::move(rules)}};
}

std::optional<FaultRule> FaultInjector::Choose(const net::ServerRequest& request) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    const FaultRule& rule = entry.rule;
    if (!rule.method.empty() && rule.method != request.method) continue;
    if (!GlobMatches(rule.path, request.path)) continue;
    ++entry.seen;
    if (entry.seen <= rule.skip || (rule.count >= 0 && entry.used >= rule.count)) continue;
    ++entry.used;
    return rule;
  }
  return std::nullopt;
}

net::HttpResponse FaultInjector::Apply(const FaultRule& rule, net::ServerRequest& request,
                                       const net::HttpHandler& next) {
  clock_.SleepFor(rule.delay);
  switch (rule.effect) {
    case FaultEffect::kStatus:
      return AnswerOf(rule);
    case FaultEffect::kReset:
      return ResetConnection();
    case FaultEffect::kDropAnswer:
      static_cast<void>(next(request));
      return ResetConnection();
    case FaultEffect::kTruncate:
      return Truncated(next(request));
    case FaultEffect::kDelay:
      return next(request);
  }
  return next(request);
}

net::HttpResponse FaultInjector::Administer(net::ServerRequest& request) {
  if (request.method == "GET") return JsonResponse(200, List());
  if (request.method == "DELETE") {
    Clear();
    return EmptyResponse();
  }
  if (request.method != "POST") {
    return MethodNotAllowed(request.method, "GET, POST, DELETE").ToResponse();
  }
  const auto added = [&]() -> Result<Json> {
    HF_ASSIGN_OR_RETURN(const Json body, ReadJsonBody(request));
    const Json* list = FindField(body, "faults");
    if (list != nullptr && !list->is_array()) return BadRule("\"faults\" is not an array");
    const Json rules = list != nullptr ? *list : Json::array({body});
    std::vector<FaultRule> parsed;  // all or none of them
    for (const Json& rule : rules) {
      HF_ASSIGN_OR_RETURN(parsed.emplace_back(), FaultRule::FromJson(rule));
    }
    for (FaultRule& rule : parsed) HF_RETURN_IF_ERROR(Add(std::move(rule)));
    return List();
  }();
  return ResponseOf(added);
}

net::HttpHandler FaultInjector::Wrap(net::HttpHandler next) {
  return [this, next = std::move(next)](net::ServerRequest& request) {
    if (request.path == kAddress) return Administer(request);
    const auto rule = Choose(request);
    return rule ? Apply(*rule, request, next) : next(request);
  };
}

bool GlobMatches(std::string_view glob, std::string_view text) {
  size_t at = 0;                         // in glob
  size_t star = std::string_view::npos;  // the last '*' of glob
  size_t retry = 0;                      // where in text that '*' ends next
  for (size_t i = 0; i < text.size();) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      retry = i;
    } else if (at < glob.size() && (glob[at] == '?' || glob[at] == text[i])) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++retry;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

}  // namespace holdfast::rest
