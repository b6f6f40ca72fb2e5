#include "base/file_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace holdfast {
namespace {

TEST(FileError, TellsAFullDiskFromTheRest) {
  for (const int full : {ENOSPC, EDQUOT}) {
    EXPECT_EQ(FileError("writing", "/a", full).id, ErrorId::kDiskFull);
  }
  for (const int other : {EACCES, EIO, ENOENT, EROFS}) {
    EXPECT_EQ(FileError("writing", "/a", other).id, ErrorId::kFileError);
  }
}

TEST(FileError, NamesTheFileAndTheSystemsReason) {
  EXPECT_EQ(FileError("writing", "/a/b", ENOSPC).message, "writing /a/b: No space left on device");
}

}  // namespace
}  // namespace holdfast
