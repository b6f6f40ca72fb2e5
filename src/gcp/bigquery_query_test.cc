#include "gcp/bigquery_query.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cloud/page.h"
#include "gcp/scripted_http_for_test.h"

namespace holdfast::gcp {
namespace {

using namespace std::chrono_literals;

constexpr const char* kReference = R"("jobReference": {"jobId": "job-1", "location": "EU"})";

// An answer of jobs.query and getQueryResults.
std::string Answer(std::string_view rest, bool complete = true) {
  return fmt::format(R"({{{}, "jobComplete": {}{}{}}})", kReference, complete,
                     rest.empty() ? "" : ", ", rest);
}

class RunQueryTest : public testing::Test, protected RestSurroundings {
 protected:
  Result<QueryPage> Run(const std::string& page_token = {}) {
    return RunQuery(RestClient(kEndpoint, Environment()),
                    {.project = "p",
                     .sql = "SELECT @x",
                     .string_parameters = {{"x", "a'b"}},
                     .what = "things",
                     .names = {.not_found = ErrorId::kDatasetNotFound}},
                    page_token);
  }
  net::QueryParameters QueryOf(size_t request) {
    const std::string& url = http.requests().at(request).url;
    return net::QueryParameters::Parse(std::string_view(url).substr(url.find('?') + 1));
  }
};

TEST_F(RunQueryTest, SendsGoogleSqlWithBoundParameters) {
  http.Answer(200, Answer(""));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(http.requests().at(0).url, "https://service.test/bigquery/v2/projects/p/queries");
  const Json body = ParseJson(http.requests().at(0).body).value();
  EXPECT_EQ(body["query"], "SELECT @x");
  EXPECT_EQ(body["useLegacySql"], false);  // google-semantics A6: the default is TRUE
  EXPECT_EQ(body["useQueryCache"], false) << "a listing of yesterday would hide a change";
  EXPECT_EQ(body["parameterMode"], "NAMED");
  EXPECT_EQ(body["queryParameters"][0]["name"], "x");
  EXPECT_EQ(body["queryParameters"][0]["parameterValue"]["value"], "a'b");
}

TEST_F(RunQueryTest, GivesCellsAsTheyAreAndNullsAsNull) {
  http.Answer(200, Answer(R"("rows": [
      {"f": [{"v": "1"}, {"v": null}, {"v": ""}]},
      {"f": [{"v": {"f": [{"v": "x"}, {"v": null}]}}, {"v": [{"v": "1"}, {"v": "2"}]}, {}]},
      {"f": []}, {}, {"f": "no"}, {"f": ["no"]}])"));
  const auto page = Run();
  ASSERT_TRUE(page.ok()) << page.error().message;
  ASSERT_EQ(page->rows.size(), 6U);
  EXPECT_EQ(page->rows[0], (std::vector<Json>{"1", nullptr, ""}));
  EXPECT_EQ(page->rows[1][0]["f"][0]["v"], "x");
  EXPECT_EQ(page->rows[1][1][1]["v"], "2");
  EXPECT_TRUE(page->rows[1][2].is_null());
  EXPECT_TRUE(page->rows[2].empty());
  EXPECT_TRUE(page->rows[3].empty());
  EXPECT_TRUE(page->rows[4].empty());
  EXPECT_EQ(page->rows[5], std::vector<Json>{nullptr});
  EXPECT_EQ(page->next_page_token, "");
}

TEST_F(RunQueryTest, WaitsUntilTheJobIsComplete) {
  http.Answer(200, Answer("", false))
      .Answer(503)
      .Answer(200, Answer("", false))
      .Answer(200, Answer(R"("rows": [{"f": [{"v": "1"}]}])"));
  const auto page = Run();
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page->rows.size(), 1U);
  EXPECT_TRUE(http.requests().at(3).url.starts_with(
      "https://service.test/bigquery/v2/projects/p/queries/job-1?"));
  EXPECT_EQ(QueryOf(3).Get("location"), "EU");
  EXPECT_NE(QueryOf(3).Get("timeoutMs"), "");
}

TEST_F(RunQueryTest, AQueryThatNeverCompletesEndsAfterAnHourHoweverFastItsAnswers) {
  http.Always([](const net::ClientRequest&) -> Result<net::HttpResponse> {
    return net::HttpResponse{.status = 200, .headers = {}, .body = Answer("", false)};
  });
  const auto page = Run();
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().id, ErrorId::kServiceUnavailable);
  EXPECT_GE(elapsed(), 1h);
  EXPECT_LT(elapsed(), 1h + 1min);
}

TEST_F(RunQueryTest, ReadsPageAfterPageOfTheSameJob) {
  http.Answer(200, Answer(R"("rows": [{"f": [{"v": "1"}]}], "pageToken": "next=1")"))
      .Answer(200, Answer(R"("rows": [], "pageToken": "next=2")"))  // empty in the middle
      .Answer(200, Answer(R"("rows": [{"f": [{"v": "2"}]}])"));
  std::vector<std::string> seen;
  const Status read = cloud::ForEachPage<std::vector<Json>>(
      [&](const std::string& token) -> Result<cloud::Page<std::vector<Json>>> {
        HF_ASSIGN_OR_RETURN(QueryPage page, Run(token));
        return cloud::Page<std::vector<Json>>{std::move(page.rows), page.next_page_token};
      },
      [&](std::vector<Json>&& row) -> Status {
        seen.push_back(row.at(0).get<std::string>());
        return Ok();
      });
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(QueryOf(1).Get("pageToken"), "next=1");
  EXPECT_EQ(QueryOf(1).Get("location"), "EU");
  EXPECT_EQ(QueryOf(2).Get("pageToken"), "next=2");
}

TEST_F(RunQueryTest, APageThatIsNotReadyYetIsAskedForAgain) {
  http.Answer(200, Answer("", false)).Answer(200, Answer(R"("rows": [{"f": [{"v": "1"}]}])"));
  const auto page = Run("EU job-1 next=1");
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page->rows.size(), 1U);
  EXPECT_EQ(QueryOf(0).Get("pageToken"), "next=1");
  EXPECT_EQ(QueryOf(1).Get("pageToken"), "next=1");
}

// A listing cut short is data that no one backs up (google-semantics A1 #1).
TEST_F(RunQueryTest, MoreOfAnUnnamedJobIsAnErrorAndNotTheEnd) {
  for (const char* body : {R"({"jobComplete": true, "rows": [], "pageToken": "more"})",
                           R"({"jobComplete": false})", "{}"}) {
    RestSurroundings here;
    here.http.Answer(200, body);
    const auto page =
        RunQuery(RestClient(kEndpoint, here.Environment()),
                 {.project = "p", .sql = "", .string_parameters = {}, .what = "q"}, "");
    ASSERT_FALSE(page.ok()) << body;
    EXPECT_EQ(page.error().id, ErrorId::kInvalidJson) << body;
  }
}

TEST_F(RunQueryTest, RowsThatAreNoListAreAnErrorAndNotNone) {
  http.Answer(200, Answer(R"("rows": {"f": []})"));
  EXPECT_EQ(Run().error().id, ErrorId::kInvalidJson);
}

TEST_F(RunQueryTest, AFailureKeepsItsMeaning) {
  http.Answer(404, ErrorBodyOf(404, "notFound"));
  EXPECT_EQ(Run().error().id, ErrorId::kDatasetNotFound);
  http.Answer(403, ErrorBodyOf(403, "accessDenied"));
  EXPECT_EQ(Run().error().id, ErrorId::kAccessDenied);
  http.Answer(200, Answer("", false)).Answer(400, ErrorBodyOf(400, "invalidQuery"));
  EXPECT_EQ(Run().error().id, ErrorId::kServiceRejected);
}

TEST_F(RunQueryTest, ATokenThatIsNotOursDoesNotBreakAnything) {
  for (const char* token : {"x", " ", "  ", "a b", "a/../b %2e ?"}) {
    http.Answer(404, ErrorBodyOf(404, "notFound"));
    EXPECT_FALSE(Run(token).ok()) << token;
    EXPECT_EQ(http.requests().back().url.find("/../"), std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast::gcp
