#include "model/staged_table.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(StagedTable, IsKnownByItsName) {
  const std::string name = StagedTableName("0a1b2c3d", "20261121T101844Z-3fa9c1d2", "backups");
  EXPECT_EQ(name, "holdfast_export_0a1b2c3d_20261121T101844Z-3fa9c1d2_backups");
  EXPECT_TRUE(IsStagedTable(name));
  EXPECT_TRUE(IsStagedTable(name, "0a1b2c3d"));
  EXPECT_FALSE(IsStagedTable(name, "0a1b2c3e"));
}

TEST(StagedTable, IsNoTableThatIsOnlyCalledLikeIt) {
  for (const char* name : {"", "orders", "holdfast_export_", "holdfast_export_backups",
                           "holdfast_export_0a1b2c3d_20261121T101844Z-3fa9c1d2_",
                           "holdfast_export_0A1B2C3D_20261121T101844Z-3fa9c1d2_backups",
                           "holdfast_export_0a1b2c3d_2026112xT101844Z-3fa9c1d2_backups",
                           "my_holdfast_export_0a1b2c3d_20261121T101844Z-3fa9c1d2_backups"}) {
    EXPECT_FALSE(IsStagedTable(name)) << name;
  }
}

}  // namespace
}  // namespace holdfast
