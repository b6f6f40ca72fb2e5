#include "restore/wider_readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::restore {
namespace {

Json Listing(Json access) { return {{"access", std::move(access)}}; }

Json Reader(const char* kind, const char* who) { return {{"role", "READER"}, {kind, who}}; }

struct ReaderCase {
  const char* what;
  Json source;
  Json target;
  const char* target_project;
  std::vector<std::string> wider;
};

// Of lists with the source's in the project acme.
void ExpectWider(const std::vector<ReaderCase>& cases) {
  for (const ReaderCase& c : cases) {
    EXPECT_EQ(WiderReaders(Listing(c.source), "acme", Listing(c.target), c.target_project), c.wider)
        << c.what;
  }
}

const Json kAnnReads = Reader("userByEmail", "ann@x.org");
const Json kEveReads = Reader("userByEmail", "eve@x.org");
const Json kProjectReads = Reader("specialGroup", "projectReaders");

Json WithRole(Json entry, const char* role) {
  entry["role"] = role;
  return entry;
}

TEST(WiderReaders, AreThoseWhomTheSourceDoesNotName) {
  const Json hidden = WithRole(kEveReads, "roles/bigquery.metadataViewer");
  const Json view = {
      {"view", {{"projectId", "acme"}, {"datasetId", "reports"}, {"tableId", "all"}}}};
  Json conditional = kAnnReads;
  conditional["condition"] = {{"expression", "false"}};
  ExpectWider({
      {"the same", {kAnnReads}, {Reader("userByEmail", "Ann@x.org")}, "acme", {}},
      {"one more", {kAnnReads}, {kAnnReads, kEveReads}, "acme", {"user:eve@x.org"}},
      {"fewer", {kAnnReads}, Json::array(), "acme", {}},
      {"a stronger role reads no more rows",
       {kAnnReads},
       {WithRole(kAnnReads, "WRITER")},
       "acme",
       {}},
      {"a role that shows no rows, at the source",
       {hidden},
       {kEveReads},
       "acme",
       {"user:eve@x.org"}},
      {"and at the target", Json::array(), {hidden}, "acme", {}},
      {"a custom role may show rows",
       Json::array(),
       {WithRole(kEveReads, "organizations/1/roles/mine")},
       "acme",
       {"user:eve@x.org"}},
      {"an authorized view", Json::array(), {view}, "acme", {"view:acme.reports.all"}},
      {"the same authorized view", {view}, {view}, "acme", {}},
      {"a condition that falls away", {conditional}, {kAnnReads}, "acme", {"user:ann@x.org"}},
      {"a condition that is new", {kAnnReads}, {conditional}, "acme", {}},
  });
}

TEST(WiderReaders, AreNotThoseWhomAnEntryForManyCovers) {
  const Json everybody = Reader("specialGroup", "allAuthenticatedUsers");
  const Json domain = Reader("domain", "x.org");
  ExpectWider({
      {"the project's own", {kProjectReads}, {kProjectReads}, "acme", {}},
      {"those of another project are other people",
       {kProjectReads},
       {kProjectReads},
       "other",
       {"projectReaders of other"}},
      {"owners of a project read it anyway",
       Json::array(),
       {WithRole(Reader("specialGroup", "projectOwners"), "OWNER")},
       "other",
       {}},
      {"a domain covers its users", {domain}, {kAnnReads}, "acme", {}},
      {"but not a group, whose members may be of elsewhere",
       {domain},
       {Reader("groupByEmail", "all@x.org")},
       "acme",
       {"group:all@x.org"}},
      {"nor a domain that ends so",
       {domain},
       {Reader("userByEmail", "eve@ex.org")},
       "acme",
       {"user:eve@ex.org"}},
      {"a service account by either name",
       {Reader("userByEmail", "robot@x.org")},
       {Reader("iamMember", "serviceAccount:robot@x.org")},
       "acme",
       {}},
      {"everybody", {kAnnReads}, {everybody}, "acme", {"allAuthenticatedUsers"}},
      {"the world covers everybody",
       {Reader("iamMember", "allUsers")},
       {kAnnReads, everybody},
       "other",
       {}},
  });
}

TEST(WiderReaders, ADatasetWithoutAListLetsInNobody) {
  const Json none = Json::object();
  EXPECT_TRUE(WiderReaders(none, "acme", none, "acme").empty());
  EXPECT_EQ(WiderReaders(none, "acme", Listing({Reader("userByEmail", "a@x.org")}), "acme").size(),
            1u);
}

}  // namespace
}  // namespace holdfast::restore
