#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "base/error_ids.h"

namespace holdfast {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return MakeError(ErrorId::kInvalidName, std::to_string(number) + " is odd");
  return number / 2;
}

Result<int> Quarter(int number) {
  HF_ASSIGN_OR_RETURN(const int half, Half(number));
  return Half(half);
}

Status CheckEven(int number) {
  HF_RETURN_IF_ERROR(Half(number));
  return Ok();
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(Half(4).value(), 2);
  EXPECT_TRUE(Half(4));
  EXPECT_FALSE(Half(3));
  EXPECT_EQ(Half(3).error().id, ErrorId::kInvalidName);
  EXPECT_EQ(Half(3).error().code, Code::kInvalidArgument) << "the registry's code";
  EXPECT_EQ(Half(3).value_or(7), 7);
}

TEST(Result, TheMacrosPassTheFirstErrorOn) {
  EXPECT_EQ(Quarter(12).value(), 3);
  EXPECT_EQ(Quarter(6).error().message, "3 is odd");
  EXPECT_EQ(Quarter(5).error().message, "5 is odd");
  EXPECT_TRUE(CheckEven(2).ok());
  EXPECT_EQ(CheckEven(1).error().message, "1 is odd");
}

TEST(Result, ContextReadsFromTheOperationDownToTheCause) {
  EXPECT_EQ(Quarter(6).WithContext("halving").WithContext("plan").error().message,
            "plan: halving: 3 is odd");
  EXPECT_EQ(Quarter(12).WithContext("halving").value(), 3);
  EXPECT_EQ(CheckEven(1).WithContext("check").error().message, "check: 1 is odd");
  EXPECT_TRUE(CheckEven(2).WithContext("check").ok());
}

TEST(Result, CarriesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  const std::unique_ptr<int> owned = *std::move(made);
  EXPECT_EQ(*owned, 5);
}

TEST(ResultDeathTest, ReadingTheWrongSideAborts) {
  EXPECT_DEATH((void)Half(3).value(), "3 is odd");
  EXPECT_DEATH((void)Half(4).error(), "holds a value");
  EXPECT_DEATH((void)Ok().error(), "is ok");
}

TEST(Error, TellsWhetherTheDataIsSafeAndWhatToDo) {
  const std::string text = MakeError(ErrorId::kInvalidName, "\"x\" is no table").ToString();
  EXPECT_TRUE(text.starts_with("error[X0007]: \"x\" is no table\n")) << text;
  EXPECT_NE(text.find("\n  Your data: Nothing was changed"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  Next: Write it as"), std::string::npos) << text;
  const Error hinted = MakeError(ErrorId::kInvalidName, "m", "do this");
  EXPECT_TRUE(hinted.ToString().ends_with("Next: do this"));
}

TEST(ErrorRegistry, EveryEntryIsCompleteAndFoundByItsId) {
  ASSERT_FALSE(AllErrors().empty());
  for (const ErrorEntry& entry : AllErrors()) {
    EXPECT_EQ(entry.id.size(), 5U) << entry.id;
    EXPECT_NE(entry.code, Code::kOk) << entry.id;
    for (const std::string_view text : {entry.title, entry.cause, entry.data, entry.action}) {
      EXPECT_FALSE(text.empty()) << entry.id;
      EXPECT_FALSE(text.ends_with('.')) << entry.id << ": " << text;
    }
    EXPECT_EQ(&FindError(entry.error_id), &entry);
    ASSERT_NE(FindError(entry.id), nullptr);
  }
  EXPECT_EQ(FindError("x0007")->error_id, ErrorId::kInvalidName) << "in any case";
  EXPECT_EQ(FindError("Z9999"), nullptr);
}

TEST(ErrorRegistry, NoIdIsUsedTwice) {
  std::set<std::string_view> seen;
  for (const ErrorEntry& entry : AllErrors()) {
    EXPECT_TRUE(seen.insert(entry.id).second) << entry.id;
  }
}

TEST(CodeName, IsTheNameOfTheProto) {
  EXPECT_EQ(CodeName(Code::kOk), "OK");
  EXPECT_EQ(CodeName(Code::kFailedPrecondition), "FAILED_PRECONDITION");
  EXPECT_EQ(CodeName(Code::kUnauthenticated), "UNAUTHENTICATED");
}

}  // namespace
}  // namespace holdfast
