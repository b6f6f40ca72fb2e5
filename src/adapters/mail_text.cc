#include "adapters/mail_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/clock.h"
#include "base/hash.h"

namespace holdfast {

namespace {

constexpr size_t kSubjectBytesMax = 240;
constexpr size_t kLineBytesMax = 2000;
constexpr size_t kPlainHeaderMax = 60;   // with its name, one line of 78
constexpr size_t kEncodedBytesMax = 42;  // of one encoded word: 56 digits of base64, 68 in all
constexpr size_t kBodyColumns = 76;
constexpr size_t kAddressMax = 254;

// How many bytes the character that begins `text` has; 0: it is none.
size_t CharacterBytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xf0 && lead <= 0xf4  ? 4
                      : lead >= 0xe0 && lead < 0xf0 ? 3
                      : lead >= 0xc2 && lead < 0xe0 ? 2
                                                    : 0;
  if (size == 0 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : size;
}

bool IsPrintableAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// A header's value; of clean text.
std::string HeaderText(const std::string& text) {
  // What looks like an encoded word already must not be decoded by the reader.
  if (IsPrintableAscii(text) && text.size() <= kPlainHeaderMax &&
      text.find("=?") == std::string::npos) {
    return text;
  }
  std::string encoded;
  std::string word;
  const auto flush = [&] {
    if (word.empty()) return;
    encoded += (encoded.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + Base64Encode(word) + "?=";
    word.clear();
  };
  for (std::string_view rest = text; !rest.empty();) {
    const size_t size = std::max<size_t>(CharacterBytes(rest), 1);
    if (word.size() + size > kEncodedBytesMax) flush();
    word += rest.substr(0, size);
    rest.remove_prefix(size);
  }
  flush();
  return encoded;
}

// "Sat, 21 Nov 2026 23:11:12 +0000"
std::string MailDate(int64_t unix_ms) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto at = std::chrono::floor<std::chrono::seconds>(FromUnixMillis(unix_ms));
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format(
      "{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
      time.seconds().count());
}

std::string Base64Lines(const std::string& text) {
  const std::string encoded = Base64Encode(text);
  std::string lines;
  for (size_t at = 0; at < encoded.size(); at += kBodyColumns) {
    lines += encoded.substr(at, kBodyColumns) + "\r\n";
  }
  return lines;
}

}  // namespace

std::string OneLine(std::string_view text, size_t size_max) {
  std::string line;
  while (!text.empty()) {
    const size_t size = CharacterBytes(text);
    const auto lead = static_cast<unsigned char>(text.front());
    const bool is_c1 = size == 2 && lead == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    const std::string_view character = size == 0 ? std::string_view("?")
                                       : (size == 1 && (lead < 0x20 || lead == 0x7f)) || is_c1
                                           ? std::string_view(" ")
                                           : text.substr(0, size);
    if (line.size() + character.size() > size_max) break;
    line += character;
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return line;
}

bool IsMailAddress(std::string_view text) {
  const size_t at = text.find('@');
  return text.size() <= kAddressMax && at != 0 && at != text.npos && at + 1 < text.size() &&
         text.find('@', at + 1) == text.npos && std::ranges::all_of(text, [](char c) {
           return c > 0x20 && c < 0x7f &&
                  std::string_view("<>()[],;:\"\\").find(c) == std::string_view::npos;
         });
}

std::string AlertSubject(const cloud::Alert& alert) {
  std::string severity(cloud::AlertSeverityName(alert.severity));
  std::ranges::transform(severity, severity.begin(),
                         [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return fmt::format("[holdfast] {}: {}",
                     alert.is_resolved     ? "resolved"
                     : alert.is_repetition ? severity + " (again)"
                                           : severity,
                     alert.title);
}

std::string AlertText(const cloud::Alert& alert) {
  std::string text = OneLine(alert.title, kLineBytesMax) + "\n";
  if (!alert.detail.empty()) text += OneLine(alert.detail, kLineBytesMax) + "\n";
  if (!alert.objects.empty()) text += "\n";
  for (const std::string& object : alert.objects) {
    text += "  " + OneLine(object, kLineBytesMax) + "\n";
  }
  const int64_t more = alert.count - static_cast<int64_t>(alert.objects.size());
  if (!alert.objects.empty() && more > 0) text += fmt::format("  and {} more\n", more);
  if (!alert.is_resolved && !alert.action.empty()) {
    text += "\nWhat to do: " + OneLine(alert.action, kLineBytesMax) + "\n";
  }
  return text + fmt::format("\nKind: {}\nSince: {}\nAt: {}\n", alert.kind,
                            FormatTimestamp(FromUnixMillis(alert.since_ms)),
                            FormatTimestamp(FromUnixMillis(alert.at_ms)));
}

std::string ComposeMail(const cloud::Alert& alert, const MailAddresses& addresses) {
  const std::string domain = addresses.from.substr(addresses.from.find('@') + 1);
  std::string mail = "From: Holdfast <" + addresses.from + ">\r\n";
  std::string to;
  for (const std::string& address : addresses.to) to += (to.empty() ? "" : ",\r\n ") + address;
  mail += "To: " + to + "\r\n";
  mail += "Subject: " + HeaderText(OneLine(AlertSubject(alert), kSubjectBytesMax)) + "\r\n";
  mail += "Date: " + MailDate(alert.at_ms) + "\r\n";
  mail += fmt::format("Message-ID: <{}.{}@{}>\r\n", Sha256Hex(alert.key).substr(0, 16), alert.at_ms,
                      domain);
  mail += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  mail += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  return mail + Base64Lines(AlertText(alert));
}

}  // namespace holdfast
