#include "catalog/postgres_url.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>
#include <string_view>

namespace holdfast::catalog {

namespace {

constexpr const char* kForm =
    "Write it as postgresql://USER@HOST:5432/DATABASE, with options such as ?sslmode=verify-full";

// Whether a password is written in the URL, be it well-formed or not.
bool HoldsPassword(std::string_view url) {
  if (url.find("password=") != url.npos) return true;
  const std::string_view after = url.substr(url.find("://") + 3);
  const size_t at = after.rfind('@');
  return at != after.npos && after.substr(0, at).find(':') != after.npos;
}

}  // namespace

Status ValidatePostgresUrl(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
    return MakeError(ErrorId::kConfigInvalid, "is not the URL of a PostgreSQL database", kForm);
  }
  if (HoldsPassword(url)) {
    return MakeError(ErrorId::kConfigInvalid, "holds a password, which would be shown with it",
                     "Leave it out, and set catalog.password to env:NAME or file:PATH");
  }
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &problem), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> problem_owner(problem, &PQfreemem);
  if (options != nullptr) return Ok();
  std::string text = problem == nullptr ? "out of memory" : problem;
  while (text.ends_with('\n')) text.pop_back();
  return MakeError(ErrorId::kConfigInvalid, "is malformed: " + text, kForm);
}

}  // namespace holdfast::catalog
