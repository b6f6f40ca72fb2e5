#include "gcp/service_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace holdfast::gcp {

namespace {

// What a reason or status means for us; not-found and exists take the caller's names.
enum class Meaning {
  kNotFound,
  kExists,
  kSlowDown,
  kQuota,
  kTemporary,
  kDenied,
  kUnauthenticated,
  kPrecondition,
  kRetained,
  kStorageFull,  // of localcloud: Google's never is
  kStopped,      // someone cancelled the job: another attempt may be let through
  kRejected,
};

struct ReasonMeaning {
  std::string_view reason;
  Meaning meaning;
};

// Reasons of BigQuery, Cloud Storage and Resource Manager (their `errors[].reason`; for the newer
// services `status`).
constexpr std::array kReasons = {
    ReasonMeaning{"notFound", Meaning::kNotFound},
    ReasonMeaning{"NOT_FOUND", Meaning::kNotFound},
    ReasonMeaning{"duplicate", Meaning::kExists},
    ReasonMeaning{"alreadyExists", Meaning::kExists},
    ReasonMeaning{"conflict", Meaning::kExists},
    ReasonMeaning{"ALREADY_EXISTS", Meaning::kExists},
    ReasonMeaning{"rateLimitExceeded", Meaning::kSlowDown},
    ReasonMeaning{"userRateLimitExceeded", Meaning::kSlowDown},
    ReasonMeaning{"jobRateLimitExceeded", Meaning::kSlowDown},
    ReasonMeaning{"RESOURCE_EXHAUSTED", Meaning::kSlowDown},
    ReasonMeaning{"quotaExceeded", Meaning::kQuota},
    ReasonMeaning{"dailyLimitExceeded", Meaning::kQuota},
    ReasonMeaning{"backendError", Meaning::kTemporary},
    ReasonMeaning{"internalError", Meaning::kTemporary},
    ReasonMeaning{"jobBackendError", Meaning::kTemporary},
    ReasonMeaning{"jobInternalError", Meaning::kTemporary},
    ReasonMeaning{"tableUnavailable", Meaning::kTemporary},
    ReasonMeaning{"UNAVAILABLE", Meaning::kTemporary},
    ReasonMeaning{"accessDenied", Meaning::kDenied},
    ReasonMeaning{"forbidden", Meaning::kDenied},
    ReasonMeaning{"insufficientPermissions", Meaning::kDenied},
    ReasonMeaning{"billingNotEnabled", Meaning::kDenied},
    ReasonMeaning{kApiDisabled, Meaning::kDenied},
    ReasonMeaning{"blocked", Meaning::kDenied},
    ReasonMeaning{"PERMISSION_DENIED", Meaning::kDenied},
    ReasonMeaning{"authError", Meaning::kUnauthenticated},
    ReasonMeaning{"required", Meaning::kRejected},
    ReasonMeaning{"invalid", Meaning::kRejected},
    ReasonMeaning{"invalidQuery", Meaning::kRejected},
    ReasonMeaning{"conditionNotMet", Meaning::kPrecondition},
    ReasonMeaning{"resourceInUse", Meaning::kPrecondition},
    ReasonMeaning{"retentionPolicyNotMet", Meaning::kRetained},
    ReasonMeaning{"objectUnderActiveHold", Meaning::kRetained},
    ReasonMeaning{"insufficientStorage", Meaning::kStorageFull},
    ReasonMeaning{"stopped", Meaning::kStopped},
};

std::optional<Meaning> MeaningOfReason(std::string_view reason) {
  const auto found = std::ranges::find(kReasons, reason, &ReasonMeaning::reason);
  if (found == kReasons.end()) return std::nullopt;
  return found->meaning;
}

Meaning MeaningOfStatus(int status) {
  switch (status) {
    case 401:
      return Meaning::kUnauthenticated;
    case 403:
      return Meaning::kDenied;
    case 404:
      return Meaning::kNotFound;
    case 408:
      return Meaning::kTemporary;
    case 409:
      return Meaning::kExists;
    case 412:
      return Meaning::kPrecondition;
    case 429:
      return Meaning::kSlowDown;
    case 507:
      return Meaning::kStorageFull;
    default:
      return status >= 500 ? Meaning::kTemporary : Meaning::kRejected;
  }
}

Error MakeServiceError(Meaning meaning, std::string message, const ErrorNames& names) {
  switch (meaning) {
    case Meaning::kNotFound:
      return MakeError(names.not_found, Code::kNotFound, std::move(message));
    case Meaning::kExists:
      return MakeError(names.exists, Code::kAlreadyExists, std::move(message));
    case Meaning::kSlowDown:
      return MakeError(ErrorId::kServiceUnavailable, Code::kResourceExhausted, std::move(message));
    case Meaning::kQuota:
      return MakeError(ErrorId::kQuotaExceeded, std::move(message));
    case Meaning::kTemporary:
      return MakeError(ErrorId::kServiceUnavailable, std::move(message));
    case Meaning::kDenied:
      return MakeError(ErrorId::kAccessDenied, std::move(message));
    case Meaning::kUnauthenticated:
      return MakeError(ErrorId::kCredentialsMissing, std::move(message));
    case Meaning::kPrecondition:
      return MakeError(ErrorId::kServiceRejected, Code::kFailedPrecondition, std::move(message));
    case Meaning::kRetained:
      return MakeError(ErrorId::kObjectRetained, std::move(message));
    case Meaning::kStorageFull:
      return MakeError(ErrorId::kDiskFull, std::move(message));
    case Meaning::kStopped:
      return MakeError(ErrorId::kJobFailed, Code::kAborted, std::move(message));
    case Meaning::kRejected:
      break;
  }
  return MakeError(ErrorId::kServiceRejected, std::move(message));
}

struct ErrorBody {
  std::string reason;
  std::string message;
  std::string service;   // that is not enabled: "bigquery.googleapis.com"; empty: unknown
  std::string consumer;  // in which project: "projects/123"; empty: unknown
};

// More of a service's words than anyone reads; the rest would only swell logs and reports.
constexpr size_t kMessageBytesMax = 4096;
constexpr size_t kReasonBytesMax = 100;

// The beginning of `text`, cut between characters of UTF-8.
std::string Shortened(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

// Reads of {"details": [{"reason", "metadata": {"service", "consumer"}}]} that an API is disabled.
void ReadDisabledApi(const Json& error, ErrorBody& result) {
  const Json* details = FindField(error, "details");
  if (details == nullptr || !details->is_array()) return;
  for (const Json& detail : *details) {
    if (!detail.is_object() || StringOr(detail, "reason", "") != "SERVICE_DISABLED") continue;
    result.reason = kApiDisabled;
    const Json* metadata = FindField(detail, "metadata");
    if (metadata == nullptr || !metadata->is_object()) return;
    result.service = Shortened(StringOr(*metadata, "service", ""), kReasonBytesMax);
    result.consumer = Shortened(StringOr(*metadata, "consumer", ""), kReasonBytesMax);
    return;
  }
}

// The service's words, and before them what they mean for a person who has not enabled an API.
std::string Explained(const ErrorBody& body, std::string_view words) {
  if (body.reason != kApiDisabled) return std::string(words);
  return fmt::format("{} is not enabled in {}: {}",
                     body.service.empty() ? "the API" : "the API " + body.service,
                     body.consumer.empty() ? "that project" : body.consumer, words);
}

// Reads {"error": {"message", "status", "errors": [{"reason"}]}}; what cannot be read stays empty.
ErrorBody ReadErrorBody(const std::string& body) {
  const auto json = ParseJson(body, {.size_bytes_max = size_t{1} << 20U, .depth_max = 32});
  if (!json.ok()) return {};
  const Json* error = FindField(*json, "error");
  if (error == nullptr || !error->is_object()) return {};
  ErrorBody result{.reason = StringOr(*error, "status", ""),
                   .message = StringOr(*error, "message", "")};
  const Json* errors = FindField(*error, "errors");
  if (errors != nullptr && errors->is_array() && !errors->empty()) {
    result.reason = StringOr(errors->front(), "reason", result.reason);
  }
  ReadDisabledApi(*error, result);
  result.reason = Shortened(result.reason, kReasonBytesMax);
  result.message = Shortened(result.message, kMessageBytesMax);
  return result;
}

}  // namespace

Error ErrorFromReason(std::string_view reason, std::string_view message, std::string_view what,
                      const ErrorNames& names) {
  const Meaning meaning = MeaningOfReason(reason).value_or(Meaning::kRejected);
  const std::string text =
      Explained({.reason = std::string(reason)}, Shortened(message, kMessageBytesMax));
  Error error = MakeServiceError(meaning, fmt::format("{}: {} ({})", what, text, reason), names);
  error.reason = reason;
  return error;
}

Error ErrorFromResponse(const net::HttpResponse& response, std::string_view what,
                        const ErrorNames& names) {
  const ErrorBody body = ReadErrorBody(response.body);
  const Meaning meaning = MeaningOfReason(body.reason).value_or(MeaningOfStatus(response.status));
  const std::string text =
      Explained(body, body.message.empty() ? fmt::format("the service answered {}", response.status)
                                           : body.message);
  Error error = MakeServiceError(
      meaning,
      body.reason.empty()
          ? fmt::format("{}: {} (HTTP {})", what, text, response.status)
          : fmt::format("{}: {} (HTTP {} {})", what, text, response.status, body.reason),
      names);
  error.reason = body.reason;
  return error;
}

}  // namespace holdfast::gcp
