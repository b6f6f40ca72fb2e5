#include "adapters/mail_text.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace holdfast {
namespace {

cloud::Alert Sample() {
  return {.key = "suspect",
          .kind = "suspect",
          .severity = cloud::AlertSeverity::kCritical,
          .title = "The newest backup of 1 object is suspect",
          .detail = "d",
          .action = "look",
          .count = 1,
          .objects = {"a.b.c"},
          .since_ms = 1'790'000'000'000,
          .at_ms = 1'790'000'000'000};
}

const MailAddresses kAddresses{.from = "holdfast@acme.example",
                               .to = {"one@acme.example", "two@acme.example"}};

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find("\r\n", at);
    if (end == std::string::npos) {
      ADD_FAILURE() << "a line without its end";
      break;
    }
    lines.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

std::string BodyOf(const std::string& mail) {
  std::string encoded;
  bool in_body = false;
  for (const std::string& line : LinesOf(mail)) {
    if (in_body) encoded += line;
    in_body = in_body || line.empty();
  }
  return Base64Decode(encoded).value();
}

TEST(ComposeMail, SaysWhoWhatAndWhen) {
  const std::string mail = ComposeMail(Sample(), kAddresses);
  const auto lines = LinesOf(mail);
  ASSERT_GT(lines.size(), 10U);
  EXPECT_EQ(lines[0], "From: Holdfast <holdfast@acme.example>");
  EXPECT_EQ(lines[1], "To: one@acme.example,");
  EXPECT_EQ(lines[2], " two@acme.example");
  EXPECT_NE(mail.find("\r\nDate: Mon, 21 Sep 2026 14:13:20 +0000\r\n"), std::string::npos) << mail;
  EXPECT_NE(BodyOf(mail).find("  a.b.c\n\nWhat to do: look\n"), std::string::npos) << BodyOf(mail);
}

// What a reader takes for the subject: encoded words are decoded, folds between them dropped.
std::string SubjectOf(const std::string& mail) {
  const size_t begin = mail.find("\r\nSubject: ") + 11;
  std::string header = mail.substr(begin, mail.find("\r\nDate: ") - begin);
  std::string decoded;
  for (size_t at = 0; at < header.size();) {
    if (header.compare(at, 10, "=?UTF-8?B?") == 0) {
      const size_t end = header.find("?=", at + 10);
      decoded += Base64Decode(header.substr(at + 10, end - at - 10)).value();
      at = end + 2;
      if (header.compare(at, 3, "\r\n ") == 0) at += 3;
    } else {
      decoded += header[at++];
    }
  }
  return decoded;
}

TEST(ComposeMail, LetsNoNameBecomeAHeader) {
  const std::string evil = "x\r\nBcc: thief@evil.example\r\n\r\n.\r\nbody\n\tZ\xc2\x85";
  cloud::Alert alert = Sample();
  alert.title = evil;
  alert.objects = {evil};
  alert.key = evil;
  alert.detail = evil;
  const std::string mail = ComposeMail(alert, kAddresses);
  size_t headers = 0;
  for (const std::string& line : LinesOf(mail)) {
    if (line.empty()) break;
    EXPECT_FALSE(line.starts_with("Bcc")) << line;
    EXPECT_LE(line.size(), 78U) << line;
    headers += line.front() != ' ' ? 1 : 0;
  }
  EXPECT_EQ(headers, 9U);
  for (const char c : BodyOf(mail)) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(BodyOf(mail).find("\nBcc"), std::string::npos);
}

TEST(ComposeMail, KeepsNamesOfAnyScript) {
  cloud::Alert alert = Sample();
  for (int i = 0; i < 12; ++i) alert.title += " résumé-数据表-🗄";
  const std::string mail = ComposeMail(alert, kAddresses);
  for (const char c : mail) ASSERT_GE(c, 0) << "only ASCII goes over the line";
  const std::string subject = SubjectOf(mail);
  EXPECT_NE(subject.find("résumé-数据表-🗄 résumé"), std::string::npos) << subject;
  EXPECT_LE(subject.size(), 240U);
}

TEST(ComposeMail, DoesNotPassOnWhatLooksEncoded) {
  cloud::Alert alert = Sample();
  alert.title = "=?UTF-8?B?QmNjOg==?=";
  EXPECT_EQ(SubjectOf(ComposeMail(alert, kAddresses)), "[holdfast] CRITICAL: =?UTF-8?B?QmNjOg==?=");
}

TEST(OneLine, ReplacesWhatIsNoText) {
  EXPECT_EQ(OneLine("a\tb\xff\xc0\xaf", 100), "a b???");
  EXPECT_EQ(OneLine("\xed\xa0\x80", 100), "???") << "a surrogate";
  EXPECT_EQ(OneLine("ééé", 5), "éé") << "cut between characters";
}

TEST(IsMailAddress, TakesOnlyWhatStandsAsItIs) {
  for (const char* good : {"a@b", "first.last+tag@mail.example.com"}) {
    EXPECT_TRUE(IsMailAddress(good)) << good;
  }
  for (const char* bad :
       {"", "a", "@b", "a@", "a@b@c", "a b@c", "<a@b>", "a@b\r\nX: y", "a,b@c", "\"a\"@b", "ä@b"}) {
    EXPECT_FALSE(IsMailAddress(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast
