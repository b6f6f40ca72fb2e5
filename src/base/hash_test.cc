#include "base/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace holdfast {
namespace {

std::string Md5Hex(std::string_view bytes) {
  Hasher hasher = Hasher::Md5();
  hasher.Update(bytes);
  return HexEncode(hasher.Finish());
}

// Vectors of FIPS 180-4 (NIST's examples).
TEST(Sha256, MatchesTheStandardsVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Vectors of RFC 1321, A.5.
TEST(Md5, MatchesTheStandardsVectors) {
  EXPECT_EQ(Md5Hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Md5Hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Md5Hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

// Vectors of RFC 3720, B.4 and the check value of the CRC catalogue.
TEST(Crc32c, MatchesTheStandardsVectors) {
  EXPECT_EQ(ExtendCrc32c(0, ""), 0U);
  EXPECT_EQ(ExtendCrc32c(0, "123456789"), 0xE3069283U);
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\xff')), 0x62A8AB43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  EXPECT_EQ(ExtendCrc32c(0, rising), 0x46DD794EU);
}

RC_GTEST_PROP(Crc32c, DoesNotDependOnHowTheBytesArrive,
              (const std::string& first, const std::string& second)) {
  RC_ASSERT(ExtendCrc32c(ExtendCrc32c(0, first), second) == ExtendCrc32c(0, first + second));
}

TEST(Crc32c, TextFormIsBase64OfBigEndianBytes) {
  EXPECT_EQ(Crc32cBase64(0), "AAAAAA==");
  EXPECT_EQ(Crc32cBase64(0xE3069283U), "4waSgw==");
}

TEST(Hasher, PiecesGiveTheDigestOfTheWhole) {
  Hasher hasher = Hasher::Sha256();
  for (const char* piece : {"a", "", "bc"}) hasher.Update(piece);
  EXPECT_EQ(HexEncode(hasher.Finish()), Sha256Hex("abc"));
}

TEST(HexEncode, IsLowerCase) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\xab\xff", 3)), "00abff");
}

// Vectors of RFC 4648, 10.
TEST(Base64, MatchesTheStandardsVectors) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(Base64Encode(plain), encoded);
    EXPECT_EQ(Base64Decode(encoded).value(), plain);
    EXPECT_EQ(Base64Decode(encoded.substr(0, encoded.find('='))).value(), plain) << "not padded";
  }
}

RC_GTEST_PROP(Base64, DecodeIsTheInverseOfEncode, (const std::string& bytes)) {
  RC_ASSERT(Base64Decode(Base64Encode(bytes)).value() == bytes);
}

TEST(Base64, RefusesForeignText) {
  for (const char* text : {"A", "AAAAA", "Zg=a", "Zm9v\n", "Zm 9v", "Zm-_", "===="}) {
    EXPECT_FALSE(Base64Decode(text).ok()) << text;
  }
}

}  // namespace
}  // namespace holdfast
