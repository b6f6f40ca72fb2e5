#include "localcloud/logging/log_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/clock.h"

namespace holdfast::logging {
namespace {

constexpr size_t kFilterBytesMax = 20'000;

constexpr std::array<std::pair<std::string_view, int>, 9> kSeverities = {{{"DEFAULT", 0},
                                                                          {"DEBUG", 100},
                                                                          {"INFO", 200},
                                                                          {"NOTICE", 300},
                                                                          {"WARNING", 400},
                                                                          {"ERROR", 500},
                                                                          {"CRITICAL", 600},
                                                                          {"ALERT", 700},
                                                                          {"EMERGENCY", 800}}};
constexpr std::array<std::string_view, 8> kFields = {"timestamp",   "severity",    "logName",
                                                     "insertId",    "textPayload", "labels",
                                                     "jsonPayload", "resource"};

Error BadFilter(std::string_view what) {
  return WithReason("invalid", MakeError(ErrorId::kRestInvalidRequest,
                                         fmt::format("filter: {} is not understood", what)));
}

// Reads words, quoted texts and comparisons one after another.
class FilterReader {
 public:
  explicit FilterReader(std::string_view text) : text_(text) {}

  bool AtEnd() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ == text_.size();
  }

  std::string_view Rest() const { return text_.substr(at_, 40); }

  Result<std::string> Word() {
    if (AtEnd()) return BadFilter("its end");
    if (text_[at_] == '"') return Quoted();
    const size_t begin = at_;
    while (at_ < text_.size() && IsOfWord(text_[at_])) ++at_;
    if (at_ == begin) return BadFilter(fmt::format("\"{}\"", Rest()));
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> Comparison() {
    if (AtEnd()) return BadFilter("its end");
    for (const std::string_view one : {"<=", ">=", "!=", "=", "<", ">", ":"}) {
      if (!text_.substr(at_).starts_with(one)) continue;
      at_ += one.size();
      return std::string(one);
    }
    return BadFilter(fmt::format("\"{}\"", Rest()));
  }

  // Takes the word AND, if it is next.
  void SkipAnd() {
    if (AtEnd() || !text_.substr(at_).starts_with("AND")) return;
    if (at_ + 3 < text_.size() && IsOfWord(text_[at_ + 3])) return;
    at_ += 3;
  }

 private:
  static bool IsOfWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_.-/%+@").find(c) != std::string_view::npos;
  }

  Result<std::string> Quoted() {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ == text_.size()) return BadFilter("a quote that does not end");
    ++at_;
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::vector<std::string> SplitPath(std::string_view field) {
  std::vector<std::string> path;
  while (true) {
    const size_t dot = field.find('.');
    path.emplace_back(field.substr(0, dot));
    if (dot == std::string_view::npos) return path;
    field.remove_prefix(dot + 1);
  }
}

// A time of a filter: Google's own client writes its offset without a colon.
Result<Timestamp> FilterTime(std::string text) {
  const size_t sign = text.size() < 5 ? std::string::npos : text.size() - 5;
  if (sign != std::string::npos && (text[sign] == '+' || text[sign] == '-') &&
      text.find(':', sign) == std::string::npos && text.find('T') < sign) {
    text.insert(text.size() - 2, ":");
  }
  return ParseTimestamp(text);
}

template <typename T>
bool Compare(const T& a, std::string_view comparison, const T& b) {
  if (comparison == "=") return a == b;
  if (comparison == "!=") return a != b;
  if (comparison == "<") return a < b;
  if (comparison == "<=") return a <= b;
  if (comparison == ">") return a > b;
  return a >= b;
}

}  // namespace

int SeverityNumber(std::string_view name) {
  const auto* found =
      std::ranges::find(kSeverities, name, &std::pair<std::string_view, int>::first);
  return found == kSeverities.end() ? -1 : found->second;
}

Result<LogFilter> LogFilter::Parse(std::string_view text) {
  if (text.size() > kFilterBytesMax) return BadFilter("a text of over 20,000 characters");
  LogFilter filter;
  FilterReader reader(text);
  while (!reader.AtEnd()) {
    Term term;
    HF_ASSIGN_OR_RETURN(const std::string field, reader.Word());
    term.path = SplitPath(field);
    if (std::ranges::find(kFields, term.path.front()) == kFields.end()) {
      return BadFilter(fmt::format("field \"{}\"", field.substr(0, 100)));
    }
    HF_ASSIGN_OR_RETURN(term.comparison, reader.Comparison());
    HF_ASSIGN_OR_RETURN(term.value, reader.Word());
    const bool is_time = field == "timestamp";
    if ((is_time && !FilterTime(term.value).ok()) ||
        (field == "severity" && SeverityNumber(term.value) < 0)) {
      return BadFilter(fmt::format("\"{}\" as a {}", term.value.substr(0, 100), field));
    }
    filter.terms_.push_back(std::move(term));
    reader.SkipAnd();
  }
  return filter;
}

bool LogFilter::Fits(const Term& term, const Json& entry) {
  const Json* value = &entry;
  for (const std::string& key : term.path) {
    value = value->is_object() ? FindField(*value, key) : nullptr;
    if (value == nullptr) return term.comparison == "!=";
  }
  const std::string text = value->is_string() ? value->get<std::string>() : DumpJson(*value);
  if (term.comparison == ":") return text.find(term.value) != std::string::npos;
  if (term.path.front() == "timestamp") {
    const auto at = ParseTimestamp(text);
    return at.ok() && Compare(*at, term.comparison, *FilterTime(term.value));
  }
  if (term.path.front() == "severity") {
    return Compare(SeverityNumber(text), term.comparison, SeverityNumber(term.value));
  }
  return Compare(text, term.comparison, term.value);
}

bool LogFilter::Matches(const Json& entry) const {
  return std::ranges::all_of(terms_, [&](const Term& term) { return Fits(term, entry); });
}

}  // namespace holdfast::logging
