#include "base/result.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace holdfast {

namespace {

constexpr std::array kEntries = {
#define HF_ERROR(name, id, code, title, cause, data, action) \
  ErrorEntry{ErrorId::name, id, code, title, cause, data, action},
#include "base/errors.def"
#undef HF_ERROR
};

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

}  // namespace

const ErrorEntry& FindError(ErrorId id) { return kEntries.at(static_cast<size_t>(id)); }

const ErrorEntry* FindError(std::string_view id) {
  const auto found = std::ranges::find_if(
      kEntries, [id](const ErrorEntry& entry) { return EqualIgnoringCase(entry.id, id); });
  return found == kEntries.end() ? nullptr : &*found;
}

std::span<const ErrorEntry> AllErrors() { return kEntries; }

std::string_view CodeName(Code code) {
  static constexpr std::array<std::string_view, 17> kNames = {"OK",
                                                              "CANCELLED",
                                                              "UNKNOWN",
                                                              "INVALID_ARGUMENT",
                                                              "DEADLINE_EXCEEDED",
                                                              "NOT_FOUND",
                                                              "ALREADY_EXISTS",
                                                              "PERMISSION_DENIED",
                                                              "RESOURCE_EXHAUSTED",
                                                              "FAILED_PRECONDITION",
                                                              "ABORTED",
                                                              "OUT_OF_RANGE",
                                                              "UNIMPLEMENTED",
                                                              "INTERNAL",
                                                              "UNAVAILABLE",
                                                              "DATA_LOSS",
                                                              "UNAUTHENTICATED"};
  return kNames.at(static_cast<size_t>(code));
}

Error MakeError(ErrorId id, std::string message, std::string hint) {
  return MakeError(id, FindError(id).code, std::move(message), std::move(hint));
}

Error MakeError(ErrorId id, Code code, std::string message, std::string hint) {
  return Error{
      .code = code, .id = id, .message = std::move(message), .hint = std::move(hint), .reason = {}};
}

Error WithReason(std::string_view reason, Error error) {
  error.reason = reason;
  return error;
}

Error Error::WithContext(std::string_view where) const& { return Error(*this).WithContext(where); }

Error Error::WithContext(std::string_view where) && {
  message.insert(0, ": ").insert(0, where);
  return std::move(*this);
}

std::string Error::ToString() const {
  const ErrorEntry& entry = FindError(id);
  std::string text = "error[";
  text.append(entry.id).append("]: ").append(message);
  text.append("\n  Your data: ").append(entry.data);
  text.append("\n  Next: ").append(hint.empty() ? std::string(entry.action) : hint);
  return text;
}

}  // namespace holdfast
