#include "model/resource_names.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

const DatasetRef kNamedDataset{"acme", "sales"};

TEST(ReservedName, IsMadeAndReadBack) {
  for (const ReservedName& name : {ReservedName{}, ReservedName{.routine = "net_price"}}) {
    EXPECT_EQ(ParseReservedName(MakeReservedName(name)), name);
  }
  EXPECT_EQ(DatasetObject(kNamedDataset).ToString(), "acme.sales.dataset:definition");
  EXPECT_EQ(RoutineObject(kNamedDataset, "net_price").ToString(), "acme.sales.routine:net_price");
}

TEST(ReservedName, IsTheNameOfNoTable) {
  EXPECT_FALSE(ValidateTableId(MakeReservedName({})).ok());
  EXPECT_FALSE(ValidateTableId(MakeReservedName({.routine = "f"})).ok());
  for (const char* name : {"orders", "routine", "dataset", "routine:", "routine:a b",
                           "dataset:", "dataset:other", "model:m", "Routine:f"}) {
    EXPECT_FALSE(ParseReservedName(name)) << name;
  }
}

TEST(ParseTableRef, ReadsAReservedNameInEachFormOfAProject) {
  for (const char* text : {"acme.sales.routine:f", "acme:sales.routine:f",
                           "example.com:acme.sales.routine:f", "acme.sales.dataset:definition"}) {
    const auto parsed = ParseTableRef(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->dataset, "sales") << text;
    EXPECT_TRUE(ParseReservedName(parsed->table)) << text;
  }
  EXPECT_FALSE(ParseTableRef("acme.sales.routine:f$20260101").ok());
  EXPECT_FALSE(ParseTableRef("acme.sales.routine:").ok());
  EXPECT_FALSE(ParseTableRef("acme.sales.model:m").ok());
}

}  // namespace
}  // namespace holdfast
