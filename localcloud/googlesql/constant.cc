#include "localcloud/googlesql/constant.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "localcloud/googlesql/date_parts.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

// Reads up to `digits_max` digits from the front of `text`.
std::optional<int64_t> TakeNumber(std::string_view& text, size_t digits_max) {
  size_t digits = 0;
  int64_t value = 0;
  while (digits < digits_max && digits < text.size() && text[digits] >= '0' &&
         text[digits] <= '9') {
    value = value * 10 + (text[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool TakeCharacter(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> TakeDate(std::string_view& text) {
  const auto year = TakeNumber(text, 4);
  if (!year || !TakeCharacter(text, "-")) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !TakeCharacter(text, "-")) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400000000};
}

// "12:34:56.789" in microseconds.
std::optional<int64_t> TakeTime(std::string_view& text) {
  const auto hour = TakeNumber(text, 2);
  if (!hour || *hour > 23 || !TakeCharacter(text, ":")) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t micros = (*hour * 60 + *minute) * 60000000;
  if (!TakeCharacter(text, ":")) return micros;
  const auto second = TakeNumber(text, 2);
  if (!second || *second > 59) return std::nullopt;
  micros += *second * 1000000;
  if (!TakeCharacter(text, ".")) return micros;
  const size_t before = text.size();
  auto fraction = TakeNumber(text, 6);
  if (!fraction) return std::nullopt;
  for (size_t digits = before - text.size(); digits < 6; ++digits) *fraction *= 10;
  return micros + *fraction;
}

// "Z", " UTC", "+02", "+02:00" or nothing, in microseconds east of UTC.
std::optional<int64_t> TakeOffset(std::string_view& text) {
  if (text.empty() || text == "Z" || text == "z" || text == " UTC") {
    text = {};
    return 0;
  }
  const bool west = text.front() == '-';
  if (!TakeCharacter(text, "+-")) return std::nullopt;
  const auto hours = TakeNumber(text, 2);
  if (!hours || *hours > 14) return std::nullopt;
  int64_t minutes = *hours * 60;
  if (TakeCharacter(text, ":")) {
    const auto more = TakeNumber(text, 2);
    if (!more || *more > 59) return std::nullopt;
    minutes += *more;
  }
  return (west ? -minutes : minutes) * 60000000;
}

Error NotConstant(const Expression& expression) {
  return UnsupportedError("expression that is not a constant timestamp", expression.position);
}

std::optional<int64_t> IntegerOf(const Expression& expression) {
  const auto* const number = std::get_if<NumberLiteral>(&expression.node);
  if (number == nullptr || number->is_float) return std::nullopt;
  int64_t value = 0;
  const char* const end = number->text.data() + number->text.size();
  if (std::from_chars(number->text.data(), end, value).ptr != end) return std::nullopt;
  return value;
}

Result<int64_t> Multiplied(int64_t value, int64_t unit, const Expression& expression) {
  int64_t product = 0;
  if (__builtin_mul_overflow(value, unit, &product)) {
    return QueryError("Timestamp is out of range", expression.position);
  }
  return product;
}

// INTERVAL n PART in microseconds.
Result<int64_t> ConstantInterval(const Expression& expression) {
  const auto* const interval = std::get_if<IntervalLiteral>(&expression.node);
  if (interval == nullptr) return NotConstant(expression);
  const auto amount = IntegerOf(*interval->amount);
  const auto unit = PartMicroseconds(interval->part);
  if (!amount || !unit) return NotConstant(expression);
  return Multiplied(*amount, *unit, expression);
}

Result<int64_t> Shifted(const Expression& time, const Expression& interval, bool add,
                        int64_t now_us) {
  HF_ASSIGN_OR_RETURN(const int64_t base, ConstantTimestamp(time, now_us));
  HF_ASSIGN_OR_RETURN(const int64_t shift, ConstantInterval(interval));
  int64_t sum = 0;
  if (add ? __builtin_add_overflow(base, shift, &sum) : __builtin_sub_overflow(base, shift, &sum)) {
    return QueryError("Timestamp is out of range", time.position);
  }
  return sum;
}

Result<int64_t> ConstantCall(const Expression& expression, const FunctionCall& call,
                             int64_t now_us) {
  if (call.name == "CURRENT_TIMESTAMP" && call.arguments.empty()) return now_us;
  if ((call.name == "TIMESTAMP_ADD" || call.name == "TIMESTAMP_SUB") &&
      call.arguments.size() == 2) {
    return Shifted(*call.arguments[0], *call.arguments[1], call.name == "TIMESTAMP_ADD", now_us);
  }
  if (call.arguments.size() != 1) return NotConstant(expression);
  if (call.name == "TIMESTAMP") return ConstantTimestamp(*call.arguments.front(), now_us);
  const auto number = IntegerOf(*call.arguments.front());
  if (!number) return NotConstant(expression);
  if (call.name == "TIMESTAMP_SECONDS") return Multiplied(*number, 1000000, expression);
  if (call.name == "TIMESTAMP_MILLIS") return Multiplied(*number, 1000, expression);
  if (call.name == "TIMESTAMP_MICROS") return *number;
  return NotConstant(expression);
}

}  // namespace

std::optional<int64_t> ParseTimestampText(std::string_view text) {
  const auto date = TakeDate(text);
  if (!date) return std::nullopt;
  int64_t time = 0;
  if (!text.empty() && (text.front() == ' ' || text.front() == 'T' || text.front() == 't') &&
      text != " UTC") {
    text.remove_prefix(1);
    const auto taken = TakeTime(text);
    if (!taken) return std::nullopt;
    time = *taken;
  }
  const auto offset = TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return *date + time - *offset;
}

Result<int64_t> ConstantTimestamp(const Expression& expression, int64_t now_us) {
  std::optional<std::string> text;
  if (const auto* const typed = std::get_if<TypedLiteral>(&expression.node)) {
    if (typed->type == "TIMESTAMP") text = typed->value;
  }
  if (const auto* const plain = std::get_if<StringLiteral>(&expression.node)) text = plain->value;
  if (text) {
    const auto parsed = ParseTimestampText(*text);
    if (parsed) return *parsed;
    return QueryError(fmt::format("Invalid timestamp: '{}'", *text), expression.position);
  }
  if (const auto* const name = std::get_if<Name>(&expression.node)) {
    if (SameWord(name->text, "CURRENT_TIMESTAMP")) return now_us;
  }
  if (const auto* const binary = std::get_if<Binary>(&expression.node)) {
    if (binary->operation == "+" || binary->operation == "-") {
      return Shifted(*binary->left, *binary->right, binary->operation == "+", now_us);
    }
  }
  const auto* const call = std::get_if<FunctionCall>(&expression.node);
  if (call == nullptr) return NotConstant(expression);
  return ConstantCall(expression, *call, now_us);
}

Result<Json> ConstantOption(const Expression& expression, int64_t now_us) {
  if (std::holds_alternative<NullLiteral>(expression.node)) return Json(nullptr);
  if (const auto* const node = std::get_if<BoolLiteral>(&expression.node)) return Json(node->value);
  if (const auto* const node = std::get_if<StringLiteral>(&expression.node))
    return Json(node->value);
  if (const auto integer = IntegerOf(expression)) return Json(*integer);
  if (const auto* const node = std::get_if<NumberLiteral>(&expression.node)) {
    double value = 0;
    const char* const end = node->text.data() + node->text.size();
    if (std::from_chars(node->text.data(), end, value).ptr == end) return Json(value);
  }
  Json list = Json::array();
  if (const auto* const node = std::get_if<ArrayLiteral>(&expression.node)) {
    for (const ExpressionPtr& element : node->elements) {
      HF_ASSIGN_OR_RETURN(Json value, ConstantOption(*element, now_us));
      list.push_back(std::move(value));
    }
    return list;
  }
  if (const auto* const node = std::get_if<StructLiteral>(&expression.node)) {
    for (const auto& [name, member] : node->members) {
      HF_ASSIGN_OR_RETURN(Json value, ConstantOption(*member, now_us));
      list.push_back(std::move(value));
    }
    return list;
  }
  HF_ASSIGN_OR_RETURN(const int64_t micros, ConstantTimestamp(expression, now_us));
  return Json(micros / 1000);
}

}  // namespace holdfast::googlesql
