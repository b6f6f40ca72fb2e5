// Errors as values: `Result<T>` holds a T or an `Error`; `Status` is a Result without a value.
//
// Nothing in Holdfast throws. A library's exception is caught where the library is entered and
// becomes an Error there. Every Result is [[nodiscard]]: an ignored failure in a recovery tool is a
// lost backup. Context is added once per layer on the way up (`WithContext`), so the final message
// reads from the operation down to the cause.
//
// Thread-safety: plain values; no shared state. Source: DESIGN §3 "Errors".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error_ids.h"

namespace holdfast {

// One failure: what went wrong, under which registered id, and what to do about it.
struct [[nodiscard]] Error {
  Code code = Code::kUnknown;      // google.rpc code: decides retry, HTTP status, exit code
  ErrorId id = ErrorId::kUnknown;  // registry entry: title, cause, data safety, action
  std::string message;             // what failed and where, for a person; names the object
  std::string hint;                // the next command or step; empty: the registry's own action
  std::string reason;              // the service's reason word (e.g. "rateLimitExceeded"), if any

  // The same error with `where` put before the message, as "where: message".
  Error WithContext(std::string_view where) const&;
  Error WithContext(std::string_view where) &&;

  // "error[B0003]: message" followed by the data-safety and next-step lines of interfaces.md.
  std::string ToString() const;
};

// An error of registry entry `id` with the registry's code.
Error MakeError(ErrorId id, std::string message, std::string hint = {});

// An error of registry entry `id` whose code is decided at run time (e.g. from an HTTP status).
Error MakeError(ErrorId id, Code code, std::string message, std::string hint = {});

// `error` with the reason by which Google's API tells it apart, e.g. "notFound" (Error::reason).
Error WithReason(std::string_view reason, Error error);

// A T or an Error. Reading the wrong side is a broken invariant and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // NOLINTBEGIN(google-explicit-constructor): `return value;` and `return error;` are its purpose.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // The value; aborts with the error's message when there is none.
  const T& value() const& {
    CHECK(ok(), error_text());
    return *std::get_if<0>(&state_);
  }
  T& value() & {
    CHECK(ok(), error_text());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok(), error_text());
    return std::move(*std::get_if<0>(&state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  // The value, or `fallback` in place of an error, which is then lost.
  T value_or(T fallback) const& { return ok() ? value() : std::move(fallback); }

  // The error; aborts when there is none.
  const Error& error() const& {
    CHECK(!ok(), "error() of a Result that holds a value");
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    CHECK(!ok(), "error() of a Result that holds a value");
    return std::move(*std::get_if<1>(&state_));
  }

  // The same result; a failure gets `where` put before its message.
  Result WithContext(std::string_view where) && {
    if (ok()) return std::move(*this);
    return std::move(*this).error().WithContext(where);
  }

 private:
  std::string error_text() const { return ok() ? std::string() : std::get_if<1>(&state_)->message; }
  std::variant<T, Error> state_;
};

// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }

  // The error; aborts when there is none.
  const Error& error() const& {
    CHECK(!ok(), "error() of a Status that is ok");
    return *error_;
  }
  Error&& error() && {
    CHECK(!ok(), "error() of a Status that is ok");
    return std::move(*error_);
  }

  // For the macros: aborts unless ok.
  void value() const { CHECK(ok(), ok() ? std::string() : error_->message); }

  // As above.
  Result WithContext(std::string_view where) && {
    if (ok()) return {};
    return std::move(*error_).WithContext(where);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

inline Status Ok() { return {}; }

}  // namespace holdfast

#define HF_CONCAT_INNER(a, b) a##b
#define HF_CONCAT(a, b) HF_CONCAT_INNER(a, b)

// Returns the error of `expression` (a Result or Status) from the enclosing function.
#define HF_RETURN_IF_ERROR(expression)                                                \
  do {                                                                                \
    auto&& hf_status = (expression);                                                  \
    if (!hf_status.ok()) return std::forward<decltype(hf_status)>(hf_status).error(); \
  } while (false)

// Declares or assigns `target` from the value of `expression`, or returns its error.
// Expands to several statements: never the sole body of an unbraced `if`.
#define HF_ASSIGN_OR_RETURN(target, expression) \
  HF_ASSIGN_OR_RETURN_INNER(HF_CONCAT(hf_result_, __LINE__), target, expression)
#define HF_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return std::move(result).error();         \
  target = std::move(result).value()
