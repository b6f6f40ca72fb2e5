#include "localcloud/rest/api_error.h"

#include <gtest/gtest.h>

namespace holdfast::rest {
namespace {

Error ErrorWith(Code code, std::string reason) {
  return WithReason(std::move(reason), MakeError(ErrorId::kInternal, code, "text"));
}

net::ServerRequest RequestWith(std::string method, std::string_view header,
                               std::string_view value) {
  net::ServerRequest request;
  request.method = std::move(method);
  request.headers.Set(header, value);
  request.body = [](std::span<char>) -> Result<size_t> { return size_t{0}; };
  return request;
}

net::ServerRequest RequestWithBody(std::string body) {
  net::ServerRequest request = RequestWith("POST", "Host", "h");
  request.body = [body = std::move(body),
                  at = size_t{0}](std::span<char> out) mutable -> Result<size_t> {
    const size_t count = body.copy(out.data(), out.size(), at);
    at += count;
    return count;
  };
  return request;
}

TEST(ApiError, HasTheFormThatGoogleSends) {
  EXPECT_EQ(Invalid("Bad value", "maxResults").ToJson(), Json::parse(R"({"error": {
      "code": 400, "message": "Bad value", "status": "INVALID_ARGUMENT",
      "errors": [{"message": "Bad value", "domain": "global", "reason": "invalid",
                  "location": "maxResults", "locationType": "parameter"}]}})"));
  EXPECT_EQ(NotFound("Not found: Table a:b.c").ToJson(), Json::parse(R"({"error": {
      "code": 404, "message": "Not found: Table a:b.c", "status": "NOT_FOUND",
      "errors": [{"message": "Not found: Table a:b.c", "domain": "global",
                  "reason": "notFound"}]}})"));
}

TEST(ApiError, TheErrorsOwnReasonDecidesTheStatus) {
  const struct {
    Code code;
    std::string reason;
    int status;
    std::string expected_reason;
    std::string rpc;
  } cases[] = {
      {Code::kFailedPrecondition, "conditionNotMet", 412, "conditionNotMet", "FAILED_PRECONDITION"},
      {Code::kFailedPrecondition, "", 400, "failedPrecondition", "INVALID_ARGUMENT"},
      {Code::kInvalidArgument, "invalidQuery", 400, "invalidQuery", "INVALID_ARGUMENT"},
      {Code::kInvalidArgument, "", 400, "invalid", "INVALID_ARGUMENT"},
      {Code::kNotFound, "", 404, "notFound", "NOT_FOUND"},
      {Code::kAlreadyExists, "", 409, "duplicate", "ALREADY_EXISTS"},
      {Code::kAborted, "", 409, "aborted", "ABORTED"},
      {Code::kPermissionDenied, "accessDenied", 403, "accessDenied", "PERMISSION_DENIED"},
      {Code::kResourceExhausted, "quotaExceeded", 403, "quotaExceeded", "PERMISSION_DENIED"},
      {Code::kResourceExhausted, "", 429, "rateLimitExceeded", "RESOURCE_EXHAUSTED"},
      {Code::kUnimplemented, "", 501, "notImplemented", "UNIMPLEMENTED"},
      {Code::kUnavailable, "", 503, "backendError", "UNAVAILABLE"},
      {Code::kDeadlineExceeded, "", 504, "gatewayTimeout", "DEADLINE_EXCEEDED"},
      {Code::kInternal, "", 500, "internalError", "INTERNAL"},
      {Code::kDataLoss, "", 500, "internalError", "INTERNAL"},
      {Code::kNotFound, "aReasonOfTheFuture", 404, "aReasonOfTheFuture", "NOT_FOUND"},
  };
  for (const auto& expected : cases) {
    const ApiError error = ApiError::From(ErrorWith(expected.code, expected.reason));
    EXPECT_EQ(error.status, expected.status) << expected.reason;
    EXPECT_EQ(error.reason, expected.expected_reason);
    EXPECT_EQ(error.message, "text");
    EXPECT_EQ(error.ToJson()["error"]["status"], expected.rpc) << expected.reason;
  }
}

TEST(ApiError, AFullDiskIsNotOneThatPassesByWaiting) {
  const ApiError error = ApiError::From(MakeError(ErrorId::kDiskFull, "no space left"));
  EXPECT_EQ(error.status, 507);
  EXPECT_EQ(error.reason, "insufficientStorage");
  EXPECT_EQ(error.ToJson()["error"]["status"], "RESOURCE_EXHAUSTED");
}

TEST(ApiError, EveryReasonHasAStatusAndEveryStatusAReason) {
  for (const int status : {304, 400, 401, 403, 404, 405, 408, 409, 410, 411, 412,
                           413, 415, 416, 429, 499, 500, 501, 503, 504, 507}) {
    EXPECT_EQ(StatusOfReason(ReasonOfStatus(status)), status);
  }
  EXPECT_EQ(ReasonOfStatus(418), "invalid");
  EXPECT_EQ(ReasonOfStatus(599), "internalError");
  EXPECT_EQ(StatusOfReason("noSuchReason"), std::nullopt);
}

TEST(ApiError, ResponsesCarryHeadersAnd304HasNoBody) {
  const net::HttpResponse not_allowed = MethodNotAllowed("PUT", "GET, POST").ToResponse();
  EXPECT_EQ(not_allowed.status, 405);
  EXPECT_EQ(not_allowed.headers.Get("Allow"), "GET, POST");
  EXPECT_EQ(not_allowed.headers.Get("Content-Type"), "application/json; charset=UTF-8");
  const net::HttpResponse not_modified =
      ApiError::From(ErrorWith(Code::kFailedPrecondition, "notModified")).ToResponse();
  EXPECT_EQ(not_modified.status, 304);
  EXPECT_EQ(not_modified.body, "");
}

TEST(ResponseOf, IsTheDocumentNothingOrTheError) {
  EXPECT_EQ(ResponseOf(Json{{"a", 1}}).body, R"({"a":1})");
  EXPECT_EQ(ResponseOf(Json()).status, 204);
  EXPECT_EQ(ResponseOf(Json()).body, "");
  EXPECT_EQ(ResponseOf(ErrorWith(Code::kNotFound, "")).status, 404);
}

TEST(ReadJsonBody, SaysWhatIsWrongInGooglesWords) {
  auto empty = RequestWithBody("");
  EXPECT_EQ(ReadJsonBody(empty).value(), Json::object());
  auto good = RequestWithBody(R"({"a": [1]})");
  EXPECT_EQ(ReadJsonBody(good).value()["a"][0], 1);
  auto bad = RequestWithBody("{\"a\":");
  EXPECT_EQ(ReadJsonBody(bad).error().reason, "parseError");
  auto deep = RequestWithBody(std::string(1000, '['));
  EXPECT_EQ(ReadJsonBody(deep).error().reason, "parseError");
  auto large = RequestWithBody(std::string(1000, ' '));
  EXPECT_EQ(ApiError::From(ReadJsonBody(large, 999).error()).status, 413);
  auto packed = RequestWith("POST", "Content-Encoding", "gzip");
  EXPECT_EQ(ApiError::From(ReadJsonBody(packed).error()).status, 415);
}

TEST(Etag, IsOfTheContent) {
  EXPECT_EQ(EtagOf("a"), EtagOf("a"));
  EXPECT_NE(EtagOf("a"), EtagOf("b"));
  EXPECT_EQ(EtagOf("a").find('"'), std::string::npos);
}

TEST(EtagListed, ReadsEverySpellingOfAList) {
  for (const char* header :
       {"x", "\"x\"", "W/\"x\"", "*", "\"a\", \"x\"", "a,x", " \"a\" ,W/\"x\" "}) {
    EXPECT_TRUE(EtagListed(header, "x")) << header;
  }
  for (const char* header : {"", "y", "\"xy\"", "\"a\", \"y\"", "\"x", ",,", "\""}) {
    EXPECT_EQ(EtagListed(header, "x"), std::string_view(header) == "\"x") << header;
  }
}

TEST(CheckEtag, RefusesAStaleEditAndSavesAFreshRead) {
  EXPECT_TRUE(CheckEtag(RequestWith("PATCH", "If-Match", "\"e1\""), "e1").ok());
  EXPECT_EQ(CheckEtag(RequestWith("PATCH", "If-Match", "\"e0\""), "e1").error().reason,
            "conditionNotMet");
  EXPECT_TRUE(CheckEtag(RequestWith("GET", "If-None-Match", "e0"), "e1").ok());
  EXPECT_EQ(CheckEtag(RequestWith("GET", "If-None-Match", "e1"), "e1").error().reason,
            "notModified");
  EXPECT_EQ(CheckEtag(RequestWith("PUT", "If-None-Match", "*"), "e1").error().reason,
            "conditionNotMet");
  EXPECT_TRUE(CheckEtag(RequestWith("GET", "Host", "h"), "e1").ok());
}

}  // namespace
}  // namespace holdfast::rest
