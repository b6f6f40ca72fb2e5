// Decimal, calendar and UTF-8 text: the small parsers and printers under every cell.

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "avro/utf8.h"
#include "avro/varint.h"

namespace holdfast::avro {
namespace {

TEST(Varint, GivesBackEveryWidth) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const uint64_t delta : {~uint64_t{0}, uint64_t{0}, uint64_t{1}}) {
      for (const uint64_t sign : {uint64_t{1}, ~uint64_t{0}}) {
        const auto value = static_cast<int64_t>(sign * (uint64_t{1} << bits) + delta);
        std::array<char, 32> bytes{};
        const char* const end = WriteVarint(value, bytes.data());
        int64_t back = 0;
        EXPECT_EQ(ReadVarint(bytes.data(), back), end);
        EXPECT_EQ(back, value);
      }
    }
  }
}

TEST(Numeric, PrintsCanonicalText) {
  EXPECT_EQ(FormatNumeric(0), "0");
  EXPECT_EQ(FormatNumeric(1), "0.000000001");
  EXPECT_EQ(FormatNumeric(-1'500'000'000), "-1.5");
  EXPECT_EQ(FormatNumeric(10'000'000'000), "10");
}

TEST(Numeric, ParsesExactValuesOnly) {
  EXPECT_EQ(FormatNumeric(*ParseNumeric("+001.50")), "1.5");
  EXPECT_EQ(FormatNumeric(*ParseNumeric("-0.0")), "0");
  EXPECT_EQ(FormatNumeric(*ParseNumeric("12e3")), "12000");
  EXPECT_EQ(FormatNumeric(*ParseNumeric("1.5E-8")), "0.000000015");
  EXPECT_EQ(FormatNumeric(*ParseNumeric(".5")), "0.5");
  EXPECT_EQ(FormatNumeric(*ParseNumeric("99999999999999999999999999999")),
            "99999999999999999999999999999");
  for (const char* text :
       {"", "-", ".", "1.2.3", "1e", "0x1", "1 ", " 1", "0.0000000001", "NaN",
        "100000000000000000000000000000", "1e2049", "1e-2049", "1e99999999999"}) {
    EXPECT_FALSE(ParseNumeric(text).has_value()) << text;
  }
}

TEST(BigNumeric, ParsesToCanonicalText) {
  EXPECT_EQ(ParseBigNumeric("-000.500"), "-0.5");
  EXPECT_EQ(ParseBigNumeric("-0"), "0");
  EXPECT_EQ(ParseBigNumeric("1e38"), "1" + std::string(38, '0'));
  EXPECT_EQ(ParseBigNumeric("1e-38"), "0." + std::string(37, '0') + "1");
  EXPECT_FALSE(ParseBigNumeric("1e39").has_value());
  EXPECT_FALSE(ParseBigNumeric("1e-39").has_value());
  const std::string most =
      "578960446186580977117854925043439539266.34992332820282019728792003956564819967";
  EXPECT_EQ(ParseBigNumeric(most), most);
  EXPECT_FALSE(ParseBigNumeric(most.substr(0, most.size() - 1) + "8").has_value());
  EXPECT_TRUE(ParseBigNumeric("-" + most.substr(0, most.size() - 1) + "8").has_value());
  EXPECT_FALSE(ParseBigNumeric("-" + most.substr(0, most.size() - 1) + "9").has_value());
}

std::string Encoded(std::string_view text, int precision, int scale) {
  std::array<char, kDecimalBytesMax> out{};
  const auto length = EncodeBigNumeric(text, precision, scale, out.data());
  return length ? std::string(out.data(), *length) : "refused";
}

TEST(Decimal, EncodesTheLeastBytesOfTwosComplement) {
  EXPECT_EQ(Encoded("0", 77, 38), std::string(1, '\0'));
  EXPECT_EQ(Encoded("1.27", 5, 2), "\x7F");
  EXPECT_EQ(Encoded("1.28", 5, 2), std::string("\x00\x80", 2));
  EXPECT_EQ(Encoded("-1.28", 5, 2), "\x80");
  EXPECT_EQ(Encoded("-1.29", 5, 2), "\xFF\x7F");
  EXPECT_EQ(Encoded("1.234", 5, 2), "refused");
  EXPECT_EQ(Encoded("1000", 5, 2), "refused");
  std::array<char, 16> out{};
  EXPECT_EQ(EncodeNumeric(-1'280'000'000, 5, 2, out.data()), 1U);
  EXPECT_EQ(out[0], '\x80');
  EXPECT_FALSE(EncodeNumeric(1, 38, 2, out.data()).has_value());
}

TEST(Decimal, DecodesSignExtensionAndOtherScales) {
  EXPECT_EQ(FormatNumeric(*DecodeNumeric("\xFF\xFF\xFF\x80", 2)), "-1.28");
  EXPECT_EQ(FormatNumeric(*DecodeNumeric(std::string(30, '\0') + "\x7F", 0)), "127");
  EXPECT_EQ(FormatNumeric(*DecodeNumeric("\x64", 11)), "0.000000001");
  EXPECT_FALSE(DecodeNumeric("\x65", 11).has_value());
  EXPECT_FALSE(DecodeNumeric("", 0).has_value());
  EXPECT_FALSE(DecodeNumeric(std::string("\x01") + std::string(16, '\0'), 0).has_value());
  std::array<char, kBigNumericTextBytesMax> out{};
  EXPECT_EQ(std::string_view(out.data(), *DecodeBigNumeric("\xFF\x80", 2, out.data())), "-1.28");
  EXPECT_FALSE(
      DecodeBigNumeric(std::string("\x01") + std::string(32, '\0'), 0, out.data()).has_value());
  EXPECT_FALSE(DecodeBigNumeric("\x7F" + std::string(31, '\xFF'), 0, out.data()).has_value());
}

TEST(CivilText, AgreesWithTheCalendarOnEveryDay) {
  int year = 1;
  unsigned month = 1;
  unsigned day = 1;
  for (int32_t days = kDaysMin; days <= kDaysMax; ++days) {
    std::array<char, kCivilTextBytesMax> text{};
    ASSERT_EQ(WriteDate(days, text.data()), 10U);
    ASSERT_EQ(ParseDate({text.data(), 10}), days);
    const std::chrono::year_month_day expected{std::chrono::year(year), std::chrono::month(month),
                                               std::chrono::day(day)};
    ASSERT_EQ(std::chrono::sys_days(expected).time_since_epoch().count(), days);
    ASSERT_EQ(std::stoi(std::string(text.data(), 4)), year);
    ASSERT_EQ(std::stoul(std::string(text.data() + 5, 2)), month);
    ASSERT_EQ(std::stoul(std::string(text.data() + 8, 2)), day);
    ++day;
    if (!std::chrono::year_month_day{std::chrono::year(year), std::chrono::month(month),
                                     std::chrono::day(day)}
             .ok()) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
      }
    }
  }
}

TEST(CivilText, FloorsTimesBefore1970) {
  EXPECT_EQ(FormatDateTime(-1), "1969-12-31T23:59:59.999999");
  EXPECT_EQ(FormatDateTime(-kMicrosPerDay), "1969-12-31T00:00:00");
  EXPECT_EQ(FormatDateTime(kMicrosMin), "0001-01-01T00:00:00");
  EXPECT_EQ(FormatInstant(kMicrosMax), "9999-12-31T23:59:59.999999Z");
}

TEST(CivilText, ParsesItsFormsAndNothingElse) {
  EXPECT_EQ(ParseDateTime("1970-01-02 00:00:00.5"), kMicrosPerDay + 500'000);
  EXPECT_EQ(ParseInstant("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(ParseInstant("1970-01-01 00:00:00 UTC"), 0);
  for (const char* text : {"", "2024-1-01T00:00:00", "2023-02-29T00:00:00", "0000-01-01T00:00:00",
                           "2024-13-01T00:00:00", "2024-01-32T00:00:00", "2024-01-01T24:00:00",
                           "2024-01-01T00:60:00", "2024-01-01T00:00:60", "2024-01-01T00:00:00.",
                           "2024-01-01T00:00:00.1234567", "2024-01-01T00:00:00Z", "2024-01-01"}) {
    EXPECT_FALSE(ParseDateTime(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseInstant("2024-01-01T00:00:00").has_value());
  EXPECT_FALSE(ParseInstant("0001-01-01T00:00:00+01:00").has_value());
}

// Of whole seconds a date and time is parsed in a way of its own, of fractions by its parts.
TEST(CivilText, ParsesWholeSecondsAsItParsesFractions) {
  int64_t parsed = 0;
  for (const std::string whole : {"2024-02-29T13:47:58", "1999-12-31T23:59:59"}) {
    for (size_t at = 0; at < whole.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string edited = whole;
        edited[at] = static_cast<char>(byte);
        const auto micros = ParseDateTime(edited);
        EXPECT_EQ(micros, ParseDateTime(edited + ".0")) << edited;
        parsed += micros.has_value() ? 1 : 0;
      }
    }
  }
  EXPECT_GT(parsed, 100);
  for (int64_t day = kMicrosMin / kMicrosPerDay; day <= kMicrosMax / kMicrosPerDay; day += 13) {
    const int64_t micros =
        day * kMicrosPerDay + (day * 7'919 % 86'400 + 86'400) % 86'400 * 1'000'000;
    ASSERT_EQ(ParseDateTime(FormatDateTime(micros)), micros);
  }
}

TEST(Utf8, AcceptsWellFormedTextOnly) {
  for (const std::string_view text : {"", "ascii only, and long enough to take eight at a time",
                                      "\xC2\x80", "12345678\xE2\x82\xAC", "\xED\x9F\xBF",
                                      "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
  for (const std::string_view text :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2", "\xE2\x82", "\xF0\x9F\x92", "12345678\xFF",
        "1234567\xC2"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

}  // namespace
}  // namespace holdfast::avro
