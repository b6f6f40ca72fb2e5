#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::cli {
namespace {

TEST(ExitCodeOf, EveryCodeHasItsNumber) {
  const struct {
    Code code;
    int exit_code;
  } kCases[] = {
      {Code::kOk, 0},
      {Code::kCancelled, 130},
      {Code::kUnknown, 1},
      {Code::kInvalidArgument, 1},
      {Code::kDeadlineExceeded, 16},
      {Code::kNotFound, 14},
      {Code::kAlreadyExists, 13},
      {Code::kPermissionDenied, 15},
      {Code::kResourceExhausted, 1},
      {Code::kFailedPrecondition, 13},
      {Code::kAborted, 1},
      {Code::kOutOfRange, 1},
      {Code::kUnimplemented, 1},
      {Code::kInternal, 1},
      {Code::kUnavailable, 16},
      {Code::kDataLoss, 4},
      {Code::kUnauthenticated, 15},
  };
  static_assert(std::size(kCases) == 17, "all the codes of google.rpc");
  for (const auto& test : kCases) {
    const Error error = MakeError(ErrorId::kUnknown, test.code, "it failed");
    EXPECT_EQ(ExitCodeOf(error), test.exit_code) << CodeName(test.code);
  }
}

TEST(ExitCodeOf, SomeErrorsMeanMoreThanTheirCode) {
  const struct {
    ErrorId id;
    int exit_code;
  } kCases[] = {
      {ErrorId::kUsage, 2},
      {ErrorId::kConfigInvalid, 2},
      {ErrorId::kInvalidName, 2},
      {ErrorId::kBackupAmbiguous, 2},
      {ErrorId::kRestorePartial, 3},
      {ErrorId::kRestoreMismatch, 4},
      {ErrorId::kManifestDamaged, 4},
      {ErrorId::kRepositoryNotFound, 10},
      {ErrorId::kLocalcloudBusy, 11},
      {ErrorId::kDirectoryInUse, 11},
      {ErrorId::kNothingToVerify, 14},
      {ErrorId::kTableExists, 13},
      {ErrorId::kBackupNotFound, 14},
      {ErrorId::kAccessDenied, 15},
      {ErrorId::kCredentialsMissing, 15},
      {ErrorId::kServiceUnavailable, 16},
      {ErrorId::kFileError, 1},
      {ErrorId::kDiskFull, 1},
      {ErrorId::kJobFailed, 1},
      {ErrorId::kCancelled, 130},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(ExitCodeOf(MakeError(test.id, "it failed")), test.exit_code) << FindError(test.id).id;
  }
}

TEST(ExitCodeOf, NoRegisteredErrorIsASuccess) {
  ASSERT_FALSE(AllErrors().empty());
  for (const ErrorEntry& entry : AllErrors()) {
    const int code = ExitCodeOf(MakeError(entry.error_id, "it failed"));
    EXPECT_NE(code, 0) << entry.id;
    EXPECT_TRUE(std::ranges::any_of(AllExitCodes(),
                                    [&](const ExitCodeEntry& at) { return at.code == code; }))
        << entry.id << " exits with " << code << ", which is not in the table";
  }
}

TEST(AllExitCodes, AscendWithoutRepeats) {
  int last = -1;
  for (const ExitCodeEntry& entry : AllExitCodes()) {
    EXPECT_GT(entry.code, last);
    last = entry.code;
    EXPECT_FALSE(entry.meaning.empty());
  }
}

}  // namespace
}  // namespace holdfast::cli
