#include "localcloud/bigquery/uploads.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

constexpr char kPath[] = "/upload/bigquery/v2/projects/acme/jobs";
constexpr char kCsv[] = "1,one\n2,two\n";

class UploadsTest : public testing::Test {
 protected:
  UploadsTest() { service.MakeDataset("d"); }

  static Json Description(const std::string& id) {
    return {{"jobReference", {{"projectId", "acme"}, {"jobId", id}}},
            {"configuration",
             {{"load",
               {{"destinationTable", TableJson("d", "t")},
                {"schema",
                 {{"fields",
                   Json::array({FieldJson("id", "INTEGER"), FieldJson("name", "STRING")})}}}}}}}};
  }

  Answer Multipart(const std::string& body) {
    return service.CallRaw("POST", std::string(kPath) + "?uploadType=multipart", body,
                           {{"Content-Type", "multipart/related; boundary=\"xyz\""}});
  }

  // Where the session that was begun goes on.
  std::string Begin(const std::string& id) {
    const Answer begun = service.CallRaw("POST", std::string(kPath) + "?uploadType=resumable",
                                         DumpJson(Description(id)));
    EXPECT_EQ(begun.status, 200) << begun.body;
    const std::string location(begun.headers.Get("Location"));
    EXPECT_TRUE(location.starts_with("http://localhost:9050/upload/")) << location;
    return location.substr(location.find("/upload/"));
  }

  Answer Put(const std::string& target, const std::string& range, const std::string& bytes) {
    return service.CallRaw("PUT", target, bytes, {{"Content-Range", range}});
  }

  std::string RowsOf(const std::string& job) {
    service.Get("/jobs/" + job);
    for (int i = 0; i < 100'000; ++i) {
      if (service.Get("/jobs/" + job)["status"]["state"] == "DONE") break;
    }
    return DumpJson(service.Query("SELECT id, name FROM d.t ORDER BY id"));
  }

  size_t FilesLeft() const {
    const std::filesystem::directory_iterator files(service.directory() + "/uploads");
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  ServiceForTest service;
};

TEST_F(UploadsTest, MultipartLoadsTheSecondPart) {
  const Answer answer =
      Multipart("--xyz\r\nContent-Type: application/json\r\n\r\n" + DumpJson(Description("m")) +
                "\r\n--xyz\r\nContent-Type: */*\r\n\r\n" + kCsv + "\r\n--xyz--\r\n");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(RowsOf("m"), R"([["1","one"],["2","two"]])");
  EXPECT_EQ(FilesLeft(), 0);
}

TEST_F(UploadsTest, ADryRunLeavesNothing) {
  Json description = Description("m");
  description["configuration"]["dryRun"] = true;
  const Answer answer = Multipart("--xyz\r\n\r\n" + DumpJson(description) + "\r\n--xyz\r\n\r\n" +
                                  kCsv + "\r\n--xyz--\r\n");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(FilesLeft(), 0);
}

TEST_F(UploadsTest, MalformedUploadsAreRefusedAndLeaveNothing) {
  const std::string head = "--xyz\r\n\r\n" + DumpJson(Description("m"));
  for (const std::string& body :
       {std::string(), std::string("--xyz\r\n\r\n{bad\r\n--xyz\r\n\r\nx\r\n--xyz--"),
        head + "\r\n--xyz--", head + "\r\n--xyz\r\n\r\n1,cut"}) {
    EXPECT_EQ(Multipart(body).status, 400) << body;
  }
  EXPECT_EQ(service.CallRaw("POST", std::string(kPath) + "?uploadType=media", "x").status, 400);
  EXPECT_EQ(service.CallRaw("PUT", std::string(kPath) + "?upload_id=../../etc", "x").status, 404);
  EXPECT_EQ(FilesLeft(), 0);
}

TEST_F(UploadsTest, ResumableGoesOnWhereItStoppedAfterARestartToo) {
  const std::string session = Begin("r");
  Answer answer = Put(session, "bytes 0-3/*", "1,on");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ(answer.headers.Get("Range"), "bytes=0-3");
  service.Restart();
  answer = Put(session, "bytes */*", "");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ(answer.headers.Get("Range"), "bytes=0-3");
  EXPECT_EQ(Put(session, "bytes 8-11/12", "two\n").status, 400) << "a gap";
  answer = Put(session, "bytes 2-11/12", "one\n2,two\n");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(RowsOf("r"), R"([["1","one"],["2","two"]])");
  EXPECT_EQ(Put(session, "bytes */12", "").status, 404) << "the session is over";
  EXPECT_EQ(FilesLeft(), 0);
}

TEST_F(UploadsTest, AWholeUploadMayComeInOnePut) {
  const std::string session = Begin("w");
  EXPECT_EQ(service.CallRaw("PUT", session, kCsv).status, 200);
  EXPECT_EQ(RowsOf("w"), R"([["1","one"],["2","two"]])");
}

TEST_F(UploadsTest, AJobIdInUseIsRefusedAndItsBytesDropped) {
  for (const int status : {200, 409}) {
    EXPECT_EQ(service.CallRaw("PUT", Begin("same"), kCsv).status, status);
  }
  EXPECT_EQ(RowsOf("same"), R"([["1","one"],["2","two"]])");
  EXPECT_EQ(FilesLeft(), 0);
}

}  // namespace
}  // namespace holdfast::bigquery
