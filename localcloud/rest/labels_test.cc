#include "localcloud/rest/labels.h"

#include <gtest/gtest.h>

namespace holdfast::rest {
namespace {

Json Many(int count) {
  Json labels = Json::object();
  for (int i = 0; i < count; ++i) labels["k" + std::to_string(i)] = "v";
  return labels;
}

// A letter of three bytes, so many times.
std::string Letters(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "\u30c6";
  return text;
}

TEST(Labels, OfGooglesFormAreTaken) {
  for (const Json& labels :
       {Json::object(), Json{{"team", "data-1_x"}}, Json{{"empty", ""}}, Json{{"gone", nullptr}},
        Json{{std::string(63, 'k'), std::string(63, '9')}}, Json{{Letters(63), Letters(63)}},
        Many(64)}) {
    EXPECT_EQ(LabelsComplaint(labels), std::nullopt) << labels;
  }
  Json most = Many(64);
  most["gone"] = nullptr;
  EXPECT_EQ(LabelsComplaint(most), std::nullopt);
}

TEST(Labels, OfAnotherFormAreRefused) {
  for (const Json& labels :
       {Json::array(), Json("x"), Json{{"", "v"}}, Json{{"Team", "v"}}, Json{{"1st", "v"}},
        Json{{"_x", "v"}}, Json{{"-x", "v"}}, Json{{"a b", "v"}}, Json{{"a.b", "v"}},
        Json{{std::string(64, 'k'), "v"}}, Json{{Letters(64), "v"}}, Json{{"k", "V"}},
        Json{{"k", "a b"}}, Json{{"k", std::string(64, 'v')}}, Json{{"k", Letters(64)}},
        Json{{"k", 5}}, Many(65)}) {
    EXPECT_NE(LabelsComplaint(labels), std::nullopt) << labels;
  }
}

}  // namespace
}  // namespace holdfast::rest
