#include "gcp/service_error.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/retry.h"
#include "gcp/scripted_http_for_test.h"

namespace holdfast::gcp {
namespace {

constexpr ErrorNames kNames = {.not_found = ErrorId::kTableNotFound,
                               .exists = ErrorId::kTableExists};

Error ErrorOf(int status, std::string body) {
  return ErrorFromResponse({.status = status, .headers = {}, .body = std::move(body)},
                           "table a.b.c", kNames);
}

struct ReasonCase {
  int status;
  const char* reason;
  ErrorId id;
  Code code;
  bool retryable;
};

// google-semantics A5 #38, #39; A7 #43.
constexpr ReasonCase kReasonCases[] = {
    {403, "rateLimitExceeded", ErrorId::kServiceUnavailable, Code::kResourceExhausted, true},
    {403, "userRateLimitExceeded", ErrorId::kServiceUnavailable, Code::kResourceExhausted, true},
    {400, "jobRateLimitExceeded", ErrorId::kServiceUnavailable, Code::kResourceExhausted, true},
    {429, "RESOURCE_EXHAUSTED", ErrorId::kServiceUnavailable, Code::kResourceExhausted, true},
    {403, "quotaExceeded", ErrorId::kQuotaExceeded, Code::kResourceExhausted, false},
    {403, "dailyLimitExceeded", ErrorId::kQuotaExceeded, Code::kResourceExhausted, false},
    {403, "accessDenied", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "forbidden", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "insufficientPermissions", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "accessNotConfigured", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "billingNotEnabled", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "blocked", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "PERMISSION_DENIED", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {403, "retentionPolicyNotMet", ErrorId::kObjectRetained, Code::kFailedPrecondition, false},
    {403, "objectUnderActiveHold", ErrorId::kObjectRetained, Code::kFailedPrecondition, false},
    {401, "authError", ErrorId::kCredentialsMissing, Code::kUnauthenticated, false},
    {404, "notFound", ErrorId::kTableNotFound, Code::kNotFound, false},
    {409, "duplicate", ErrorId::kTableExists, Code::kAlreadyExists, false},
    {409, "conflict", ErrorId::kTableExists, Code::kAlreadyExists, false},
    {412, "conditionNotMet", ErrorId::kServiceRejected, Code::kFailedPrecondition, false},
    {400, "resourceInUse", ErrorId::kServiceRejected, Code::kFailedPrecondition, false},
    {400, "invalid", ErrorId::kServiceRejected, Code::kInvalidArgument, false},
    {400, "invalidQuery", ErrorId::kServiceRejected, Code::kInvalidArgument, false},
    {500, "internalError", ErrorId::kServiceUnavailable, Code::kUnavailable, true},
    {503, "backendError", ErrorId::kServiceUnavailable, Code::kUnavailable, true},
    {400, "tableUnavailable", ErrorId::kServiceUnavailable, Code::kUnavailable, true},
    {499, "stopped", ErrorId::kJobFailed, Code::kAborted, true},
    {507, "insufficientStorage", ErrorId::kDiskFull, Code::kResourceExhausted, false},
    // A reason that nobody has told us of fails closed, unless the status itself says "again".
    {403, "vpcServiceControls", ErrorId::kAccessDenied, Code::kPermissionDenied, false},
    {400, "somethingNew", ErrorId::kServiceRejected, Code::kInvalidArgument, false},
    {409, "somethingNew", ErrorId::kTableExists, Code::kAlreadyExists, false},
    {503, "somethingNew", ErrorId::kServiceUnavailable, Code::kUnavailable, true},
};

TEST(ServiceError, TheReasonDecidesWhatAnAnswerMeans) {
  for (const ReasonCase& expected : kReasonCases) {
    SCOPED_TRACE(expected.reason);
    const Error error = ErrorOf(expected.status, ErrorBodyOf(expected.status, expected.reason));
    EXPECT_EQ(error.id, expected.id);
    EXPECT_EQ(error.code, expected.code) << CodeName(error.code);
    EXPECT_EQ(IsRetryable(error), expected.retryable);
    EXPECT_EQ(error.reason, expected.reason);
  }
}

TEST(ServiceError, AnAnswerWithoutReasonIsClassifiedByItsStatus) {
  const struct {
    int status;
    ErrorId id;
    Code code;
    bool retryable;
  } cases[] = {
      {302, ErrorId::kServiceRejected, Code::kInvalidArgument, false},
      {400, ErrorId::kServiceRejected, Code::kInvalidArgument, false},
      {401, ErrorId::kCredentialsMissing, Code::kUnauthenticated, false},
      {403, ErrorId::kAccessDenied, Code::kPermissionDenied, false},
      {404, ErrorId::kTableNotFound, Code::kNotFound, false},
      {408, ErrorId::kServiceUnavailable, Code::kUnavailable, true},
      {409, ErrorId::kTableExists, Code::kAlreadyExists, false},
      {410, ErrorId::kServiceRejected, Code::kInvalidArgument, false},
      {412, ErrorId::kServiceRejected, Code::kFailedPrecondition, false},
      {429, ErrorId::kServiceUnavailable, Code::kResourceExhausted, true},
      {500, ErrorId::kServiceUnavailable, Code::kUnavailable, true},
      {502, ErrorId::kServiceUnavailable, Code::kUnavailable, true},
      {503, ErrorId::kServiceUnavailable, Code::kUnavailable, true},
      {504, ErrorId::kServiceUnavailable, Code::kUnavailable, true},
  };
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.status);
    const Error error = ErrorOf(expected.status, "");
    EXPECT_EQ(error.id, expected.id);
    EXPECT_EQ(error.code, expected.code) << CodeName(error.code);
    EXPECT_EQ(IsRetryable(error), expected.retryable);
    EXPECT_NE(error.message.find(std::to_string(expected.status)), std::string::npos);
  }
}

// google-semantics A5 #40: what answers may be a proxy, or may break off.
TEST(ServiceError, BodiesThatAreNotGooglesAreClassifiedByTheirStatus) {
  const std::string bodies[] = {
      "",
      "<html><body>Bad gateway</body></html>",
      "{\"error\": {\"code\": 403, \"message\": \"cut o",
      "[]",
      "null",
      "\"quotaExceeded\"",
      "{}",
      R"({"error": null})",
      R"({"error": "invalid_grant", "error_description": "no"})",
      R"({"error": ["quotaExceeded"]})",
      R"({"error": {"errors": {"reason": "quotaExceeded"}}})",
      R"({"error": {"errors": []}})",
      R"({"error": {"errors": ["quotaExceeded"]}})",
      R"({"error": {"errors": [{"reason": 7}], "message": 7, "status": 7}})",
      std::string("{\"error\0\xff\xfe", 10),
      std::string(100'000, '['),
      std::string(size_t{3} << 20U, 'x'),
      R"({"error": {"errors": [{"reason": "quotaExceeded"}], "message": ")" +
          std::string(size_t{3} << 20U, 'x') + "\"}}",
  };
  for (const std::string& body : bodies) {
    SCOPED_TRACE(body.substr(0, 60));
    const Error busy = ErrorOf(503, body);
    EXPECT_EQ(busy.id, ErrorId::kServiceUnavailable);
    EXPECT_TRUE(IsRetryable(busy));
    const Error denied = ErrorOf(403, body);
    EXPECT_EQ(denied.id, ErrorId::kAccessDenied);
    EXPECT_FALSE(IsRetryable(denied));
    EXPECT_EQ(denied.message, "table a.b.c: the service answered 403 (HTTP 403)");
  }
}

TEST(ServiceError, TheNewerServicesStatusIsAReasonToo) {
  const Error error = ErrorOf(
      403, R"({"error": {"code": 403, "message": "slow", "status": "RESOURCE_EXHAUSTED"}})");
  EXPECT_EQ(error.id, ErrorId::kServiceUnavailable);
  EXPECT_EQ(error.reason, "RESOURCE_EXHAUSTED");
  EXPECT_TRUE(IsRetryable(error));
}

TEST(ServiceError, TheMessageNamesTheObjectAndKeepsTheServicesWords) {
  const Error error = ErrorOf(
      403, ErrorBodyOf(403, "vpcServiceControls", "vpcServiceControlsUniqueIdentifier: aB3-_x"));
  EXPECT_EQ(error.message,
            "table a.b.c: vpcServiceControlsUniqueIdentifier: aB3-_x (HTTP 403 "
            "vpcServiceControls)");
}

// BigQuery has a reason of its own for it, the newer services an ErrorInfo beside their status.
TEST(ServiceError, AnApiThatIsNotEnabledIsNamedAndKnownByOneReason) {
  const Error old = ErrorOf(403, ErrorBodyOf(403, "accessNotConfigured", "enable it"));
  EXPECT_EQ(old.message,
            "table a.b.c: the API is not enabled in that project: enable it (HTTP 403 "
            "accessNotConfigured)");
  const Error job = ErrorFromReason("accessNotConfigured", "enable it", "job x", kNames);
  EXPECT_EQ(job.message,
            "job x: the API is not enabled in that project: enable it (accessNotConfigured)");

  const Error newer = ErrorOf(403, R"({"error": {
      "code": 403, "message": "enable it", "status": "PERMISSION_DENIED",
      "details": [{"@type": "type.googleapis.com/google.rpc.Help", "links": []},
                  {"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                   "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
                   "metadata": {"service": "cloudresourcemanager.googleapis.com",
                                "consumer": "projects/123"}}]}})");
  EXPECT_EQ(newer.message,
            "table a.b.c: the API cloudresourcemanager.googleapis.com is not enabled in "
            "projects/123: enable it (HTTP 403 accessNotConfigured)");
  for (const Error& error : {old, job, newer}) {
    EXPECT_EQ(error.reason, "accessNotConfigured");
    EXPECT_EQ(error.id, ErrorId::kAccessDenied);
    EXPECT_EQ(error.code, Code::kPermissionDenied);
  }

  for (const char* details : {"7", "[7, null, {}]", R"([{"reason": 7}])",
                              R"([{"reason": "IAM_PERMISSION_DENIED", "metadata": {}}])"}) {
    const Error other = ErrorOf(
        403,
        fmt::format(R"({{"error": {{"status": "PERMISSION_DENIED", "details": {}}}}})", details));
    EXPECT_EQ(other.reason, "PERMISSION_DENIED") << details;
  }
}

TEST(ServiceError, LongWordsOfTheServiceAreCutBetweenCharacters) {
  for (const size_t lead : {0, 1, 2}) {
    std::string words(lead, 'a');
    for (int i = 0; i < 10'000; ++i) words += "\u20ac";
    for (const Error& error :
         {ErrorOf(400, ErrorBodyOf(400, "invalid", words)), ErrorOf(400, ErrorBodyOf(400, words)),
          ErrorFromReason("invalid", words, "job", kNames)}) {
      EXPECT_LT(error.message.size(), 5000U);
      EXPECT_GT(error.message.size(), 100U);
      EXPECT_NO_THROW(static_cast<void>(Json(error.message).dump())) << "not UTF-8 any more";
    }
  }
}

TEST(ServiceError, AJobsErrorIsClassifiedByReasonAlone) {
  for (const ReasonCase& expected : kReasonCases) {
    if (std::string_view(expected.reason) == "somethingNew" ||
        std::string_view(expected.reason) == "vpcServiceControls") {
      continue;
    }
    SCOPED_TRACE(expected.reason);
    const Error error = ErrorFromReason(expected.reason, "no", "job x", kNames);
    EXPECT_EQ(error.id, expected.id);
    EXPECT_EQ(error.code, expected.code);
    EXPECT_EQ(IsRetryable(error), expected.retryable);
    if (expected.reason == kApiDisabled) continue;
    EXPECT_EQ(error.message, fmt::format("job x: no ({})", expected.reason));
  }
  for (const char* unknown : {"", "somethingNew"}) {
    const Error error = ErrorFromReason(unknown, "no", "job x", kNames);
    EXPECT_EQ(error.id, ErrorId::kServiceRejected) << unknown;
    EXPECT_FALSE(IsRetryable(error)) << unknown;
  }
}

}  // namespace
}  // namespace holdfast::gcp
