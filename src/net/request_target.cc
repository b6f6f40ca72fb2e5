#include "net/request_target.h"

#include <algorithm>

namespace holdfast::net {

namespace {

Error Malformed(std::string_view why) {
  return MakeError(ErrorId::kHttpInvalidRequest, std::string("request target ").append(why));
}

// The path and query of an absolute form, or the target itself.
std::string_view WithoutAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    return target.empty() ? std::string_view("/") : target;
  }
  return target;
}

}  // namespace

Result<RequestTarget> ParseRequestTarget(std::string_view target) {
  target = WithoutAuthority(target);
  if (!target.starts_with('/')) return Malformed("has no path");
  const size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);

  RequestTarget parsed;
  parsed.path = path;
  parsed.query = QueryParameters::Parse(target.substr(std::min(question + 1, target.size())));
  for (size_t begin = 1; path.size() > 1 && begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    auto segment = PercentDecode(path.substr(begin, end - begin));
    if (!segment) return Malformed("has a malformed % escape in its path");
    if (segment->find('\0') != std::string::npos) return Malformed("has a NUL in its path");
    parsed.segments.push_back(*std::move(segment));
    begin = end + 1;
  }
  return parsed;
}

}  // namespace holdfast::net
