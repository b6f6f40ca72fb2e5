#include "localcloud/rest/router.h"

#include <algorithm>
#include <compare>
#include <optional>
#include <span>

#include "base/check.h"
#include "localcloud/rest/api_error.h"

namespace holdfast::rest {

namespace {

enum class SegmentKind { kWord, kVerb, kParameter, kRestWithVerb, kRest };  // particular first

// One segment of a pattern.
struct Segment {
  SegmentKind kind = SegmentKind::kWord;
  std::string text;  // of a word, or the name of a parameter
  std::string verb;  // ":publish", or empty

  // By what it fits: the name of a parameter makes no difference.
  std::strong_ordering operator<=>(const Segment& other) const {
    if (const auto order = kind <=> other.kind; order != 0) return order;
    if (const auto order = verb <=> other.verb; order != 0) return order;
    return kind == SegmentKind::kWord ? text <=> other.text : std::strong_ordering::equal;
  }
  bool operator==(const Segment& other) const { return (*this <=> other) == 0; }
};

using Pattern = std::vector<Segment>;

Segment ParseSegment(std::string_view text) {
  if (!text.starts_with('{')) {
    CHECK(text.find_first_of("{}") == text.npos, "a parameter begins its segment");
    return {.kind = SegmentKind::kWord, .text = std::string(text), .verb = {}};
  }
  const size_t close = text.find('}');
  CHECK(close != text.npos && close > 1, "a parameter of a pattern is {name}");
  std::string_view name = text.substr(1, close - 1);
  const std::string_view verb = text.substr(close + 1);
  CHECK(verb.empty() || (verb.starts_with(':') && verb.size() > 1), "only :verb follows {name}");
  const bool rest = name.ends_with("...");
  if (rest) name.remove_suffix(3);
  const SegmentKind kind = verb.empty() ? (rest ? SegmentKind::kRest : SegmentKind::kParameter)
                                        : (rest ? SegmentKind::kRestWithVerb : SegmentKind::kVerb);
  return {.kind = kind, .text = std::string(name), .verb = std::string(verb)};
}

bool IsRest(const Segment& segment) { return segment.kind >= SegmentKind::kRestWithVerb; }

Pattern ParsePattern(std::string_view text) {
  CHECK(text.starts_with('/'), "a pattern begins with '/'");
  Pattern pattern;
  while (!text.empty()) {
    CHECK(pattern.empty() || !IsRest(pattern.back()), "{name...} ends a pattern");
    text.remove_prefix(1);
    const size_t end = std::min(text.find('/'), text.size());
    pattern.push_back(ParseSegment(text.substr(0, end)));
    text.remove_prefix(end);
  }
  if (pattern.size() == 1 && pattern[0] == Segment{}) pattern.clear();  // "/"
  return pattern;
}

// What a parameter takes of `text`, or nullopt if it does not fit.
std::optional<std::string_view> WithoutVerb(std::string_view text, std::string_view verb) {
  if (!text.ends_with(verb) || text.size() == verb.size()) return std::nullopt;
  text.remove_suffix(verb.size());
  return text;
}

std::string Join(std::span<const std::string> segments) {
  std::string text;
  for (const std::string& segment : segments) text.append("/").append(segment);
  return text.substr(1);
}

// The parameters, if the pattern fits all of `segments`.
std::optional<PathParameters> Match(const Pattern& pattern, std::span<const std::string> segments) {
  const bool open_ended = !pattern.empty() && IsRest(pattern.back());
  if (open_ended ? segments.size() < pattern.size() : segments.size() != pattern.size()) {
    return std::nullopt;
  }
  PathParameters parameters;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const Segment& wanted = pattern[i];
    if (wanted.kind == SegmentKind::kWord) {
      if (segments[i] != wanted.text) return std::nullopt;
      continue;
    }
    const std::string joined = IsRest(wanted) ? Join(segments.subspan(i)) : segments[i];
    const auto value = WithoutVerb(joined, wanted.verb);
    if (!value) return std::nullopt;
    parameters.Set(wanted.text, std::string(*value));
  }
  return parameters;
}

std::string EffectiveMethod(const net::ServerRequest& request) {
  const std::string_view override_method = request.headers.Get("X-HTTP-Method-Override");
  return request.method == "POST" && !override_method.empty() ? std::string(override_method)
                                                              : request.method;
}

}  // namespace

const std::string& PathParameters::Get(std::string_view name) const {
  static const std::string kNone;
  const auto found = std::ranges::find(values_, name, &std::pair<std::string, std::string>::first);
  return found == values_.end() ? kNone : found->second;
}

void PathParameters::Set(std::string_view name, std::string value) {
  const auto found = std::ranges::find(values_, name, &std::pair<std::string, std::string>::first);
  if (found == values_.end()) {
    values_.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

struct Router::Route {
  Pattern pattern;
  std::string method;
  std::string text;  // of the pattern
  Handler handler;

  std::strong_ordering operator<=>(const Route& other) const {
    if (const auto order = pattern <=> other.pattern; order != 0) return order;
    return method <=> other.method;
  }
};

Router::Router() = default;
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::Add(std::string_view method, std::string_view pattern, Handler handler) {
  Route route = {.pattern = ParsePattern(pattern),
                 .method = std::string(method),
                 .text = std::string(pattern),
                 .handler = std::move(handler)};
  const auto place = std::ranges::lower_bound(
      routes_, route, [](const Route& a, const Route& b) { return (a <=> b) < 0; });
  CHECK(place == routes_.end() || (*place <=> route) != 0, "the route was added before");
  routes_.insert(place, std::move(route));
}

net::HttpResponse Router::Handle(net::ServerRequest& request) const {
  request.method = EffectiveMethod(request);
  std::string allow;
  std::span<const std::string> segments(request.segments);
  const bool trailing_slash = !segments.empty() && segments.back().empty();
  for (int round = 0; round < (trailing_slash ? 2 : 1); ++round) {
    if (round == 1) segments = segments.first(segments.size() - 1);
    const Route* get = nullptr;
    for (const Route& route : routes_) {
      const auto parameters = Match(route.pattern, segments);
      if (!parameters) continue;
      if (route.method == request.method) return route.handler(request, *parameters);
      if (route.method == "GET" && get == nullptr) get = &route;
      if (allow.find(route.method) == std::string::npos) {
        allow += (allow.empty() ? "" : ", ") + route.method;
      }
    }
    if (request.method == "HEAD" && get != nullptr) {
      return get->handler(request, *Match(get->pattern, segments));
    }
  }
  if (!allow.empty()) return MethodNotAllowed(request.method, allow).ToResponse();
  return NotFound("Not found: " + request.path).ToResponse();
}

std::vector<std::string> Router::Describe() const {
  std::vector<std::string> lines;
  for (const Route& route : routes_) lines.push_back(route.method + " " + route.text);
  std::ranges::sort(lines);
  return lines;
}

}  // namespace holdfast::rest
