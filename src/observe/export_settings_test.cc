#include "observe/export_settings.h"

#include <gtest/gtest.h>

namespace holdfast::observe {
namespace {

TEST(ExportSettings, AreReadFromTheirMap) {
  EXPECT_EQ(ParseExportSettings(Json::object()).value(), ExportSettings());
  const auto settings =
      ParseExportSettings({{"to", "acme-ops.holdfast"}, {"every", "24h"}, {"location", "EU"}});
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->to, (DatasetRef{"acme-ops", "holdfast"}));
  EXPECT_EQ(settings->every, Duration{std::chrono::hours{24}});
  EXPECT_EQ(settings->location, "EU");
}

TEST(ExportSettings, NameTheMemberThatIsWrong) {
  const struct {
    Json document;
    const char* member;
  } kCases[] = {{Json::array(), "catalog.export"},
                {{{"too", "a.b"}}, "\"too\""},
                {{{"to", 5}}, "catalog.export.to"},
                {{{"to", "acme-ops"}}, "catalog.export.to"},
                {{{"to", "a-b.c"}, {"every", "soon"}}, "catalog.export.every"},
                {{{"to", "a-b.c"}, {"every", "1m"}}, "catalog.export.every"},
                {{{"every", "24h"}}, "catalog.export.every"}};
  for (const auto& test : kCases) {
    const auto settings = ParseExportSettings(test.document);
    ASSERT_FALSE(settings.ok()) << test.document;
    EXPECT_EQ(settings.error().id, ErrorId::kConfigInvalid);
    EXPECT_NE(settings.error().message.find(test.member), std::string::npos)
        << settings.error().message;
  }
}

}  // namespace
}  // namespace holdfast::observe
