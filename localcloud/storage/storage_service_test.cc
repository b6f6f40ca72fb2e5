// The JSON API through the router: resources, errors, conditions, names.
#include "localcloud/storage/storage_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "localcloud/storage/service_fixture.h"

namespace holdfast::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BucketApi, GivesTheResourceAsGoogleDoes) {
  ServiceFixture api;
  const Answer created =
      api.MakeBucket("bucket", {{"location", "europe-west3"}, {"labels", {{"team", "data"}}}});
  ASSERT_EQ(created.status, 200) << created.body;
  const Json json = api.Send("GET", "/storage/v1/b/bucket").json();
  EXPECT_EQ(json["kind"], "storage#bucket");
  EXPECT_EQ(json["location"], "EUROPE-WEST3");
  EXPECT_EQ(json["locationType"], "region");
  EXPECT_EQ(json["metageneration"], "1");
  EXPECT_EQ(json["labels"]["team"], "data");
  EXPECT_EQ(json["selfLink"], "http://localhost:1234/storage/v1/b/bucket");
  EXPECT_EQ(json["timeCreated"], "2026-09-21T14:13:20Z");
}

TEST(BucketApi, TellsWhoMayAccessItAndTheNumberOfItsProject) {
  ServiceFixture api;
  const Json plain = api.MakeBucket("plain").json();
  EXPECT_EQ(plain["projectNumber"], "4711");
  EXPECT_EQ(plain["iamConfiguration"], Json({{"uniformBucketLevelAccess", {{"enabled", false}}},
                                             {"publicAccessPrevention", "inherited"}}));
  const Json closed = {{"uniformBucketLevelAccess", {{"enabled", true}}},
                       {"publicAccessPrevention", "enforced"}};
  ASSERT_EQ(api.MakeBucket("closed", {{"iamConfiguration", closed}}).status, 200);
  api.Restart();
  EXPECT_EQ(api.Send("GET", "/storage/v1/b/closed").json()["iamConfiguration"], closed);
  const Json list = api.Send("GET", "/storage/v1/b?project=acme").json();
  EXPECT_EQ(list["items"][0]["projectNumber"], "4711");

  for (const Json& wrong : {Json{{"publicAccessPrevention", "never"}},
                            Json{{"uniformBucketLevelAccess", {{"enabled", "yes"}}}}}) {
    EXPECT_EQ(api.MakeBucket("wrong", {{"iamConfiguration", wrong}}).status, 400) << wrong;
  }
}

TEST(BucketApi, RefusesWithGooglesReasons) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  api.Upload("bucket", "a", "x");
  struct Case {
    const char* method;
    const char* target;
    Json body;
    int status;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"POST", "/storage/v1/b?project=acme", {{"name", "bucket"}}, 409, "conflict"},
      {"POST", "/storage/v1/b?project=other", {{"name", "bucket"}}, 409, "conflict"},
      {"POST", "/storage/v1/b", {{"name", "second"}}, 400, "required"},
      {"POST", "/storage/v1/b?project=acme", {{"name", "No"}}, 400, "invalid"},
      {"POST", "/storage/v1/b?project=forbidden", {{"name", "second"}}, 404, "notFound"},
      {"POST", "/storage/v1/b?project=acme", {{"name", "abc"}, {"labels", 5}}, 400, "invalid"},
      {"POST",
       "/storage/v1/b?project=acme",
       {{"name", "abc"}, {"labels", {{"Team", "x"}}}},
       400,
       "invalid"},
      {"PATCH", "/storage/v1/b/bucket", {{"labels", {{"team", "X"}}}}, 400, "invalid"},
      {"GET", "/storage/v1/b/absent", nullptr, 404, "notFound"},
      {"DELETE", "/storage/v1/b/bucket", nullptr, 409, "conflict"},
      {"PATCH", "/storage/v1/b/bucket?ifMetagenerationMatch=9", Json::object(), 412,
       "conditionNotMet"},
      {"PATCH", "/storage/v1/b/bucket?ifMetagenerationMatch=x", Json::object(), 400, "invalid"},
      {"POST", "/storage/v1/b/bucket/lockRetentionPolicy", nullptr, 400, "required"},
      {"GET", "/storage/v1/b/bucket/o?pageToken=forged", nullptr, 400, "invalid"},
      {"GET", "/storage/v1/b/bucket/o?matchGlob=%7Ba", nullptr, 400, "invalid"},
      {"GET", "/storage/v1/b/bucket/o?softDeleted=true", nullptr, 501, "notImplemented"},
      {"POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=a%00b", nullptr, 400,
       "invalid"},
  };
  for (const Case& test : cases) {
    const Answer answer = api.SendJson(test.method, test.target, test.body);
    EXPECT_EQ(answer.status, test.status) << test.method << " " << test.target << answer.body;
    EXPECT_EQ(ReasonOf(answer), test.reason) << test.method << " " << test.target;
  }
}

TEST(BucketApi, MergesAPatchAndReplacesByAPut) {
  ServiceFixture api;
  api.MakeBucket("bucket", {{"labels", {{"a", "1"}, {"b", "2"}}}});
  Json json = api.SendJson("PATCH", "/storage/v1/b/bucket",
                           {{"labels", {{"a", nullptr}, {"c", "3"}}},
                            {"retentionPolicy", {{"retentionPeriod", "100"}}}})
                  .json();
  EXPECT_EQ(json["labels"], Json({{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(json["retentionPolicy"]["retentionPeriod"], "100");
  EXPECT_EQ(json["metageneration"], "2");
  json = api.SendJson("PATCH", "/storage/v1/b/bucket", {{"retentionPolicy", nullptr}}).json();
  EXPECT_FALSE(json.contains("retentionPolicy"));
  json = api.SendJson("PUT", "/storage/v1/b/bucket", {{"labels", {{"x", "y"}}}}).json();
  EXPECT_EQ(json["labels"], Json({{"x", "y"}}));
  EXPECT_EQ(json["location"], "US");
}

TEST(BucketApi, KeepsAnIamPolicyUnderItsEtag) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  const Json before = api.Send("GET", "/storage/v1/b/bucket/iam").json();
  const Json binding = {{"role", "roles/storage.admin"}, {"members", {"user:a@b.c"}}};
  const Json policy = {{"bindings", Json::array({binding})}, {"etag", before["etag"]}};
  const Answer set = api.SendJson("PUT", "/storage/v1/b/bucket/iam", policy);
  EXPECT_EQ(set.json()["bindings"], Json::array({binding}));
  EXPECT_EQ(api.SendJson("PUT", "/storage/v1/b/bucket/iam", policy).status, 412);
  EXPECT_THAT(
      api.Send("GET", "/storage/v1/b/bucket/iam/testPermissions?permissions=a&permissions=b")
          .json()["permissions"],
      ElementsAre("a", "b"));
}

TEST(ObjectApi, GivesTheResourceAsGoogleDoes) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  const Answer uploaded =
      api.Upload("bucket", "dir/ü ?.txt", "123456789", "", {{"Content-Type", "text/plain"}});
  ASSERT_EQ(uploaded.status, 200) << uploaded.body;
  const Json json = api.Send("GET", ServiceFixture::ObjectPath("bucket", "dir/ü ?.txt")).json();
  EXPECT_EQ(json["name"], "dir/ü ?.txt");
  EXPECT_EQ(json["size"], "9");
  EXPECT_EQ(json["crc32c"], "4waSgw==");
  EXPECT_EQ(json["md5Hash"], "JfnnlDI7RTiF9RgfG2JNCw==");
  EXPECT_EQ(json["contentType"], "text/plain");
  EXPECT_EQ(json["metageneration"], "1");
  EXPECT_TRUE(json["generation"].is_string());
  EXPECT_EQ(json["id"], "bucket/dir/ü ?.txt/" + json["generation"].get<std::string>());
  EXPECT_THAT(json["mediaLink"].get<std::string>(), HasSubstr("/o/dir%2F%C3%BC%20%3F.txt?"));
}

TEST(ObjectApi, AppliesPreconditions) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  const Json object = api.Upload("bucket", "a", "1").json();
  const std::string generation = object["generation"];
  const std::string path = ServiceFixture::ObjectPath("bucket", "a");
  EXPECT_EQ(api.Upload("bucket", "a", "2", "&ifGenerationMatch=0").status, 412);
  EXPECT_EQ(api.Upload("bucket", "b", "2", "&ifGenerationMatch=0").status, 200);
  EXPECT_EQ(api.Send("GET", path + "?ifGenerationNotMatch=" + generation).status, 304);
  EXPECT_EQ(api.Send("GET", path + "?ifMetagenerationMatch=2").status, 412);
  EXPECT_EQ(api.Send("GET", path, "", {{"If-None-Match", object["etag"]}}).status, 304);
  EXPECT_EQ(api.Send("GET", path, "", {{"If-Match", "other"}}).status, 412);
  EXPECT_EQ(api.Send("DELETE", path + "?ifGenerationMatch=1").status, 412);
  EXPECT_EQ(api.Send("DELETE", path + "?ifGenerationMatch=" + generation).status, 204);
  EXPECT_EQ(api.Send("DELETE", path).status, 404);
}

TEST(ObjectApi, KeepsMetadataAndRefusesHeaderInjection) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  api.Upload("bucket", "a", "1");
  const std::string path = ServiceFixture::ObjectPath("bucket", "a");
  Json json = api.SendJson("PATCH", path,
                           {{"metadata", {{"k", "v"}, {"gone", "x"}}},
                            {"cacheControl", "no-store"},
                            {"customTime", "2026-01-02T00:00:00Z"},
                            {"size", "999"}})
                  .json();
  EXPECT_EQ(json["size"], "1");
  EXPECT_EQ(json["metageneration"], "2");
  json = api.SendJson("PATCH", path, {{"metadata", {{"gone", nullptr}}}}).json();
  EXPECT_EQ(json["metadata"], Json({{"k", "v"}}));
  EXPECT_EQ(json["cacheControl"], "no-store");
  EXPECT_EQ(api.SendJson("PATCH", path, {{"customTime", "2026-01-01T00:00:00Z"}}).status, 400);
  EXPECT_EQ(api.SendJson("PATCH", path, {{"contentType", "text/html\r\nSet-Cookie: a=b"}}).status,
            400);
  EXPECT_EQ(api.SendJson("PATCH", path, {{"temporaryHold", "yes"}}).status, 400);
  EXPECT_EQ(api.SendJson("PATCH", path, Json::array()).status, 400);
}

TEST(ObjectApi, ProtectsRetainedObjects) {
  ServiceFixture api;
  api.MakeBucket("bucket", {{"retentionPolicy", {{"retentionPeriod", "60"}}}});
  const Json object = api.Upload("bucket", "a", "1").json();
  EXPECT_EQ(object["retentionExpirationTime"], "2026-09-21T14:14:20Z");
  const Answer refused = api.Send("DELETE", ServiceFixture::ObjectPath("bucket", "a"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(ReasonOf(refused), "retentionPolicyNotMet");
  EXPECT_EQ(api.Upload("bucket", "a", "2").status, 403);
  ASSERT_EQ(
      api.Send("POST", "/storage/v1/b/bucket/lockRetentionPolicy?ifMetagenerationMatch=1").status,
      200);
  EXPECT_EQ(api.SendJson("PATCH", "/storage/v1/b/bucket", {{"retentionPolicy", nullptr}}).status,
            403);
}

TEST(ObjectApi, ListsWithPagesAndPrefixes) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  for (const char* name : {"a/1", "a/2", "b", "c"}) api.Upload("bucket", name, "");
  const std::string list = "/storage/v1/b/bucket/o?delimiter=%2F&maxResults=2";
  const Json first = api.Send("GET", list).json();
  EXPECT_EQ(first["prefixes"], Json::array({"a/"}));
  EXPECT_EQ(first["items"].size(), 1U);
  const std::string token = net::PercentEncode(first["nextPageToken"].get<std::string>());
  const Json second = api.Send("GET", list + "&pageToken=" + token).json();
  EXPECT_EQ(second["items"][0]["name"], "c");
  EXPECT_FALSE(second.contains("nextPageToken"));
  // A token is good for its own listing only.
  EXPECT_EQ(api.Send("GET", "/storage/v1/b/bucket/o?prefix=a&pageToken=" + token).status, 400);
}

TEST(ObjectApi, ComposesCopiesAndRewrites) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  api.MakeBucket("other");
  const std::string generation = api.Upload("bucket", "a", "12").json()["generation"];
  api.Upload("bucket", "b", "34");
  const Json compose = {
      {"sourceObjects", {{{"name", "a"}, {"generation", generation}}, {{"name", "b"}}}},
      {"destination", {{"contentType", "text/plain"}}}};
  const Json whole =
      api.SendJson("POST", ServiceFixture::ObjectPath("bucket", "c/d") + "/compose", compose)
          .json();
  EXPECT_EQ(whole["componentCount"], 2);
  EXPECT_FALSE(whole.contains("md5Hash"));
  const std::string target = "To/b/other/o/x%2Fy";
  const std::string source = ServiceFixture::ObjectPath("bucket", "c/d");
  const Json copied = api.Send("POST", source + "/copy" + target).json();
  EXPECT_EQ(copied["contentType"], "text/plain");
  const Json rewritten =
      api.SendJson("POST", source + "/rewrite" + target, {{"metadata", {{"k", "v"}}}}).json();
  EXPECT_EQ(rewritten["done"], true);
  EXPECT_EQ(rewritten["totalBytesRewritten"], "4");
  EXPECT_EQ(rewritten["resource"]["metadata"]["k"], "v");
  EXPECT_EQ(api.Send("POST", source + "/rewrite" + target + "?ifGenerationMatch=0").status, 412);
  EXPECT_EQ(api.Send("POST", source + "/rewrite" + target + "?ifSourceGenerationMatch=1").status,
            412);
  EXPECT_EQ(api.Send("GET", "/download/storage/v1/b/other/o/x%2Fy?alt=media").body, "1234");
}

TEST(ObjectApi, NeverLetsANameOutOfTheStore) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "a/../b", "%2e%2e", "'\"`;"}) {
    ASSERT_EQ(api.Upload("bucket", name, name).status, 200) << name;
    const Answer read = api.Send("GET", ServiceFixture::ObjectPath("bucket", name) + "?alt=media");
    EXPECT_EQ(read.body, name);
  }
  EXPECT_EQ(api.Send("GET", "/storage/v1/b/..%2f..%2fetc/o/passwd").status, 404);
}

TEST(ObjectApi, RefusesKeysItCannotHonour) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  const Answer answer =
      api.Upload("bucket", "a", "x", "", {{"X-Goog-Encryption-Algorithm", "AES256"}});
  EXPECT_EQ(answer.status, 501);
  EXPECT_EQ(api.Send("GET", ServiceFixture::ObjectPath("bucket", "a")).status, 404);
}

TEST(DownloadApi, GivesWholeAndRanges) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  api.Upload("bucket", "a", "0123456789", "", {{"Content-Type", "text/plain"}});
  const std::string path = "/download/storage/v1/b/bucket/o/a?alt=media";
  const Answer whole = api.Send("GET", path);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "0123456789");
  EXPECT_EQ(whole.headers.Get("Content-Type"), "text/plain");
  EXPECT_THAT(std::string(whole.headers.Get("X-Goog-Hash")), HasSubstr("crc32c="));
  EXPECT_FALSE(whole.headers.Get("X-Goog-Generation").empty());
  const Answer part = api.Send("GET", path, "", {{"Range", "bytes=3-5"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "345");
  EXPECT_EQ(part.headers.Get("Content-Range"), "bytes 3-5/10");
  EXPECT_EQ(api.Send("GET", path, "", {{"Range", "bytes=-2"}}).body, "89");
  const Answer beyond = api.Send("GET", path, "", {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.Get("Content-Range"), "bytes */10");
}

TEST(ObjectApi, TellsAHoldFromARetentionPolicy) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  api.Upload("bucket", "a", "1");
  const std::string path = ServiceFixture::ObjectPath("bucket", "a");
  ASSERT_EQ(api.SendJson("PATCH", path, {{"temporaryHold", true}}).status, 200);
  const Answer refused = api.Send("DELETE", path);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(ReasonOf(refused), "objectUnderActiveHold");
}

TEST(ObjectApi, ListsWhatAGlobMatches) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  for (const char* name : {"a/1.csv", "a/2.avro", "b/c/3.csv", "4.csv"}) {
    api.Upload("bucket", name, "x");
  }
  const auto names = [&](const std::string& glob) {
    std::vector<std::string> found;
    const Json page =
        api.Send("GET", "/storage/v1/b/bucket/o?matchGlob=" + net::PercentEncode(glob)).json();
    for (const Json& item : page.value("items", Json::array())) found.push_back(item["name"]);
    return found;
  };
  EXPECT_THAT(names("**.csv"), ElementsAre("4.csv", "a/1.csv", "b/c/3.csv"));
  EXPECT_THAT(names("*.csv"), ElementsAre("4.csv"));
  EXPECT_THAT(names("{a,b/c}/*.csv"), ElementsAre("a/1.csv", "b/c/3.csv"));
}

constexpr char kBatchType[] = "multipart/mixed; boundary=\"==b==\"";

// A batch as Google's Python client writes it: LF between parts, CRLF inside.
std::string BatchOf(const std::vector<std::string>& calls) {
  std::string body;
  for (const std::string& call : calls) {
    body += "--==b==\nContent-Type: application/http\nMIME-Version: 1.0\n\n" + call + "\n";
  }
  return body + "--==b==--\n";
}

TEST(BatchApi, AnswersEveryCallInOrder) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  for (const char* name : {"a", "b"}) api.Upload("bucket", name, "x");
  const Answer answer = api.Send(
      "POST", "/batch/storage/v1",
      BatchOf({"DELETE http://localhost:1234/storage/v1/b/bucket/o/a HTTP/1.1\r\n\r\n",
               "DELETE /storage/v1/b/bucket/o/absent HTTP/1.1\r\n\r\n",
               "PATCH /storage/v1/b/bucket/o/b HTTP/1.1\r\nContent-Type: application/json\r\n"
               "Content-Length: 27\r\n\r\n{\"contentType\": \"text/csv\"}"}),
      {{"Content-Type", kBatchType}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.headers.Get("Content-Type"), HasSubstr("multipart/mixed; boundary="));
  const size_t first = answer.body.find("HTTP/1.1 204");
  const size_t second = answer.body.find("HTTP/1.1 404", first);
  const size_t third = answer.body.find("HTTP/1.1 200", second);
  EXPECT_NE(third, std::string::npos) << answer.body;
  EXPECT_EQ(api.Send("GET", ServiceFixture::ObjectPath("bucket", "a")).status, 404);
  const Json changed = api.Send("GET", ServiceFixture::ObjectPath("bucket", "b")).json();
  EXPECT_EQ(changed["contentType"], "text/csv");
}

TEST(BatchApi, RefusesWhatIsMalformedOrTooMuch) {
  ServiceFixture api;
  api.MakeBucket("bucket");
  const auto status = [&](const std::string& body) {
    return api.Send("POST", "/batch/storage/v1", body, {{"Content-Type", kBatchType}}).status;
  };
  EXPECT_EQ(api.Send("POST", "/batch/storage/v1", "{}").status, 400);
  EXPECT_EQ(status("--==b==\n\nGET / HTTP/1.1"), 400);  // cut short
  EXPECT_EQ(status(BatchOf(std::vector<std::string>(101, "GET /storage/v1/b HTTP/1.1\n\n"))), 400);
  // A call that is none, a batch in a batch and an upload in a batch fail by themselves.
  const std::string nested = BatchOf({"nonsense", "POST /batch/storage/v1 HTTP/1.1\n\n",
                                      "POST /upload/storage/v1/b/bucket/o?name=a HTTP/1.1\n\nx"});
  const Answer answer =
      api.Send("POST", "/batch/storage/v1", nested, {{"Content-Type", kBatchType}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(answer.body, HasSubstr("HTTP/1.1 404"));
  EXPECT_EQ(api.Send("GET", ServiceFixture::ObjectPath("bucket", "a")).status, 404);
}

}  // namespace
}  // namespace holdfast::storage
