#include "repository/layout.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "model/ids.h"

namespace holdfast::repository {
namespace {

const TableRef kSpacedTable{"acme", "sales", "orders 2024", ""};

TEST(Layout, IsThatOfTheDesign) {
  EXPECT_EQ(RepositoryFileName(""), "repository.json");
  EXPECT_EQ(RepositoryFileName("a/b"), "a/b/repository.json");
  EXPECT_EQ(ManifestName("", kSpacedTable, "b1"), "manifests/acme/sales/orders%202024/all/b1.json");
  EXPECT_EQ(ManifestName("x", kSpacedTable.WithPartition("20240101"), "b1"),
            "x/manifests/acme/sales/orders%202024/20240101/b1.json");
  EXPECT_EQ(AttemptPattern("", kSpacedTable, "b1", 2),
            "data/acme/sales/orders%202024/all/b1/2/*.avro");
  EXPECT_EQ(RunFileName("", "r1"), "runs/r1.json");
  EXPECT_EQ(EvidenceName("", "verify", "e1"), "evidence/verify/e1.json");
  EXPECT_EQ(ManifestsPrefix("x"), "x/manifests/");
  EXPECT_EQ(DataPrefix("", {"acme", "sales", "", ""}), "data/acme/sales/");
}

TEST(Layout, ObjectsOfReservedNamesLieBesideTables) {
  for (const TableRef& object :
       {RoutineObject({"acme", "sales"}, "net"), DatasetObject({"acme", "sales"})}) {
    const auto path = ParseManifestName("", ManifestName("", object, "b1"));
    ASSERT_TRUE(path.has_value());
    EXPECT_EQ(path->object, object);
  }
  EXPECT_EQ(ManifestName("", RoutineObject({"acme", "sales"}, "net"), "b1"),
            "manifests/acme/sales/routine%3Anet/all/b1.json");
}

TEST(Layout, APrefixOfATableIsNotThatOfAnother) {
  const std::string prefix = ManifestsPrefix("", {"acme", "sales", "order", ""});
  EXPECT_FALSE(ManifestName("", {"acme", "sales", "orders", ""}, "b").starts_with(prefix));
}

TEST(Layout, PartsThatWouldLeaveTheirFolderAreEncoded) {
  EXPECT_EQ(EncodePart(".."), "%2E%2E");
  EXPECT_EQ(EncodePart("a/b"), "a%2Fb");
  EXPECT_EQ(EncodePart("*"), "%2A");
  EXPECT_EQ(EncodePart("100%"), "100%25");
  EXPECT_EQ(EncodePart("__NULL__"), "__NULL__");
  EXPECT_EQ(EncodePart("é"), "%C3%A9");
}

TEST(Layout, LongNamesAreCutButStayApart) {
  const std::string name(1024, 'n');
  const std::string encoded = EncodePart(name);
  EXPECT_LE(encoded.size(), kPartBytesMax);
  EXPECT_NE(encoded, EncodePart(name.substr(1)));
  EXPECT_FALSE(DecodePart(encoded));
  std::string cyrillic;
  while (cyrillic.size() < 1024) cyrillic += "ж";
  EXPECT_LE(EncodePart(cyrillic).size(), kPartBytesMax);
  const TableRef longest{std::string(63, 'p'), name, cyrillic, "20240101"};
  EXPECT_LE(AttemptPrefix(std::string(100, 'x'), longest, std::string(40, 'b'), 99).size(), 900);
  const auto path = ParseManifestName("", ManifestName("", longest, "b1"));
  ASSERT_TRUE(path);
  EXPECT_FALSE(path->object);
  EXPECT_EQ(path->backup, "b1");
}

RC_GTEST_PROP(Layout, EveryPartComesBackOrIsCut, (const std::string& part)) {
  RC_PRE(!part.empty());
  const std::string encoded = EncodePart(part);
  RC_ASSERT(encoded.find('/') == std::string::npos);
  const auto decoded = DecodePart(encoded);
  RC_ASSERT((decoded ? *decoded == part : encoded.size() > 100));
}

RC_GTEST_PROP(Layout, NamesAreTakenApartAgain,
              (const std::string& dataset, const std::string& table, bool partitioned)) {
  RC_PRE(!dataset.empty() && !table.empty());
  const TableRef object{"acme", dataset, table, partitioned ? "-5" : ""};
  const auto manifest = ParseManifestName("p/q", ManifestName("p/q", object, "b-1"));
  RC_ASSERT(manifest.has_value());
  RC_ASSERT(manifest->backup == "b-1");
  if (manifest->object) RC_ASSERT(*manifest->object == object);

  const auto data = ParseDataName("p/q", AttemptPrefix("p/q", object, "b-1", 3) + "0.avro");
  RC_ASSERT(data.has_value());
  RC_ASSERT(data->attempt == 3);
  RC_ASSERT(data->file == "0.avro");
  RC_ASSERT(data->object_path == manifest->object_path);
  RC_ASSERT(ManifestNameOf("p/q", *data) == ManifestName("p/q", object, "b-1"));
}

TEST(Layout, NamesOfOthersAreNotOurs) {
  for (const char* name :
       {"manifests/a/b/c/all/x.txt", "manifests/a/b/c/x.json", "manifests/a/b/c/all/d/x.json",
        "other/a/b/c/all/x.json", "manifests/a/b/c/all/.json", "manifests/a/b/c/all/x y.json"}) {
    EXPECT_FALSE(ParseManifestName("", name)) << name;
  }
  for (const char* name : {"data/a/b/c/all/x/0/f", "data/a/b/c/all/x/one/f", "data/a/b/c/all/x/1/",
                           "data/a/b/c/all/x/1", "data/a/b/c/all/x/1/f/g"}) {
    EXPECT_FALSE(ParseDataName("", name)) << name;
  }
}

TEST(Layout, OnlyPlainPrefixesAreTaken) {
  for (const char* prefix : {"", "a", "a/b-c.d_e"}) {
    EXPECT_TRUE(ValidateLocation({"bucket", prefix}).ok()) << prefix;
  }
  for (const char* prefix : {"/a", "a/", "a//b", "..", "a/../b", "a b", "."}) {
    EXPECT_FALSE(ValidateLocation({"bucket", prefix}).ok()) << prefix;
  }
}

}  // namespace
}  // namespace holdfast::repository
