#include "localcloud/storage/object_rules.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "avro/utf8.h"
#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {
namespace {

constexpr size_t kObjectNameBytesMax = 1024;
constexpr size_t kBucketNameBytesMin = 3;
constexpr size_t kBucketNameBytesMax = 222;
constexpr size_t kBucketLabelBytesMax = 63;
constexpr int64_t kRetentionSecondsMax = 3'155'760'000;  // 100 years

bool IsBucketCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Error ConditionNotMet(std::string message) {
  return WithReason("conditionNotMet",
                    MakeError(ErrorId::kStoragePrecondition, std::move(message)));
}

enum class Outcome { kMet, kMatchFailed, kNotMatchFailed };

Outcome Evaluate(const std::optional<int64_t>& match, const std::optional<int64_t>& not_match,
                 int64_t actual) {
  if (match && *match != actual) return Outcome::kMatchFailed;
  if (not_match && *not_match == actual) return Outcome::kNotMatchFailed;
  return Outcome::kMet;
}

std::string Describe(std::string_view what, int64_t actual) {
  return "the " + std::string(what) + " is " + std::to_string(actual) +
         ", which the precondition excludes";
}

Status Decide(Outcome outcome, std::string_view what, int64_t actual, bool read) {
  if (outcome == Outcome::kMet) return Ok();
  if (outcome == Outcome::kNotMatchFailed && read) {
    return WithReason("notModified",
                      MakeError(ErrorId::kStorageNotModified, Describe(what, actual)));
  }
  return ConditionNotMet(Describe(what, actual));
}

Status CheckConditions(const Preconditions& conditions, int64_t generation, int64_t metageneration,
                       bool read) {
  HF_RETURN_IF_ERROR(
      Decide(Evaluate(conditions.generation_match, conditions.generation_not_match, generation),
             "generation", generation, read));
  return Decide(Evaluate(conditions.metageneration_match, conditions.metageneration_not_match,
                         metageneration),
                "metageneration", metageneration, read);
}

Error Retained(const ObjectRecord& object, const std::string& why) {
  return WithReason("retentionPolicyNotMet",
                    MakeError(ErrorId::kStorageRetained,
                              "object " + object.bucket + "/" + object.name + " " + why));
}

}  // namespace

Status CheckBucketName(std::string_view name) {
  const bool dotted = name.find('.') != std::string_view::npos;
  const size_t size_max = dotted ? kBucketNameBytesMax : kBucketLabelBytesMax;
  const std::string quoted = "bucket name \"" + std::string(name.substr(0, 256)) + "\" ";
  if (name.size() < kBucketNameBytesMin || name.size() > size_max) {
    return StorageInvalid(quoted + "must be 3-63 characters long (222 with dots)");
  }
  if (!std::all_of(name.begin(), name.end(), IsBucketCharacter)) {
    return StorageInvalid(quoted + "may have lower-case letters, digits, '-', '_' and '.' only");
  }
  if (!IsLetterOrDigit(name.front()) || !IsLetterOrDigit(name.back())) {
    return StorageInvalid(quoted + "must begin and end with a letter or a digit");
  }
  if (name.find("..") != std::string_view::npos)
    return StorageInvalid(quoted + "has two dots in a row");
  return Ok();
}

Status CheckObjectName(std::string_view name) {
  if (name.empty()) return StorageInvalid("the object name is empty");
  if (name.size() > kObjectNameBytesMax) {
    return StorageInvalid("the object name has " + std::to_string(name.size()) +
                          " bytes; at most 1024 are allowed");
  }
  if (!avro::IsValidUtf8(name)) return StorageInvalid("the object name is not valid UTF-8");
  const auto is_control = [](unsigned char c) { return c < 0x20 && c != '\t'; };
  if (std::ranges::any_of(name, is_control)) {
    return StorageInvalid("the object name has a control character");
  }
  if (name == "." || name == "..") return StorageInvalid("an object cannot be named . or ..");
  if (name.starts_with(".well-known/acme-challenge/")) {
    return StorageInvalid("an object name cannot begin with .well-known/acme-challenge/");
  }
  return Ok();
}

Status CheckWriteConditions(const Preconditions& conditions, const ObjectRecord* live) {
  if (live != nullptr) {
    return CheckConditions(conditions, live->generation, live->metageneration, false);
  }
  if (conditions.generation_match.value_or(0) != 0 || conditions.metageneration_match) {
    return ConditionNotMet("there is no live object, and the precondition demands one");
  }
  if (conditions.generation_not_match == 0) {
    return ConditionNotMet("there is no live object, and ifGenerationNotMatch=0 demands one");
  }
  return Ok();
}

Status CheckReadConditions(const Preconditions& conditions, const ObjectRecord& object) {
  return CheckConditions(conditions, object.generation, object.metageneration, true);
}

Status CheckBucketWriteConditions(const Preconditions& conditions, const BucketRecord& bucket) {
  return Decide(Evaluate(conditions.metageneration_match, conditions.metageneration_not_match,
                         bucket.metageneration),
                "metageneration", bucket.metageneration, false);
}

Status CheckBucketReadConditions(const Preconditions& conditions, const BucketRecord& bucket) {
  return Decide(Evaluate(conditions.metageneration_match, conditions.metageneration_not_match,
                         bucket.metageneration),
                "metageneration", bucket.metageneration, true);
}

Status CheckNotRetained(const BucketRecord& bucket, const ObjectRecord& object, Timestamp now) {
  if (object.held()) {
    Error error = Retained(object, "is under active hold and cannot be deleted or replaced");
    error.reason = "objectUnderActiveHold";
    return error;
  }
  const auto expiration = RetentionExpiration(bucket, object);
  if (expiration && *expiration > now) {
    return Retained(object,
                    "is subject to the bucket's retention policy and cannot be deleted or "
                    "replaced until " +
                        FormatTimestamp(*expiration));
  }
  return Ok();
}

Status CheckRetentionChange(const BucketRecord& before, const BucketRecord& after) {
  if (after.retention &&
      (after.retention->seconds < 1 || after.retention->seconds > kRetentionSecondsMax)) {
    return StorageInvalid("a retention period is 1 to " + std::to_string(kRetentionSecondsMax) +
                          " seconds");
  }
  if (!before.retention || !before.retention->locked) return Ok();
  if (after.retention && after.retention->locked &&
      after.retention->seconds >= before.retention->seconds) {
    return Ok();
  }
  return WithReason("forbidden",
                    MakeError(ErrorId::kStoragePolicyLocked,
                              "bucket " + before.name + " has a locked retention policy of " +
                                  std::to_string(before.retention->seconds) +
                                  " s, which cannot be removed or reduced"));
}

std::optional<std::string> AfterPrefix(std::string_view prefix) {
  std::string bound(prefix);
  while (!bound.empty() && static_cast<unsigned char>(bound.back()) == 0xFFU) bound.pop_back();
  if (bound.empty()) return std::nullopt;
  bound.back() = static_cast<char>(static_cast<unsigned char>(bound.back()) + 1U);
  return bound;
}

bool MatchesWildcard(std::string_view pattern, std::string_view name) {
  // Greedy with one point of return: on a mismatch the last '*' takes one more character.
  size_t at_pattern = 0;
  size_t at_name = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (at_name < name.size()) {
    if (at_pattern < pattern.size() && pattern[at_pattern] == '*') {
      star = at_pattern++;
      resume = at_name;
    } else if (at_pattern < pattern.size() && pattern[at_pattern] == name[at_name]) {
      ++at_pattern;
      ++at_name;
    } else if (star != std::string_view::npos) {
      at_pattern = star + 1;
      at_name = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at_pattern) == std::string_view::npos;
}

}  // namespace holdfast::storage
