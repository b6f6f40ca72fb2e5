#include "gcp/credentials.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "base/retry.h"
#include "gcp/scripted_http_for_test.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::gcp {
namespace {

using namespace std::chrono_literals;

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr const char* kAccount = "backup@project.iam.gserviceaccount.com";

// One key for the whole program: making it is the slow part.
EVP_PKEY* RsaKey() {
  static const PrivateKey key(EVP_RSA_gen(2048), EVP_PKEY_free);
  return key.get();
}

// The key as PEM; encrypted when there is a passphrase.
std::string Pem(EVP_PKEY* key, const char* passphrase = nullptr) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  const auto* text = reinterpret_cast<const unsigned char*>(passphrase);
  const int size = passphrase == nullptr ? 0 : static_cast<int>(std::string(passphrase).size());
  PEM_write_bio_PrivateKey(bio.get(), key, passphrase == nullptr ? nullptr : EVP_aes_256_cbc(),
                           text, size, nullptr, nullptr);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(length)};
}

// Between its first and last line: what must never be shown.
std::string SecretPart(const std::string& pem) { return pem.substr(pem.find('\n') + 1, 64); }

std::string DecodeUrl(std::string text) {
  for (char& c : text) {
    EXPECT_TRUE(c != '+' && c != '/' && c != '=') << "not base64url";
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  return Base64Decode(text).value();
}

bool Verifies(EVP_PKEY* key, const std::string& text, const std::string& signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

Json ServiceAccount() {
  return {{"type", "service_account"},
          {"client_email", kAccount},
          {"private_key_id", "key-1"},
          {"private_key", Pem(RsaKey())},
          {"token_uri", "https://tokens.test/token"}};
}

std::string TokenBody(std::string_view token, int64_t seconds = 3600) {
  return DumpJson({{"access_token", token}, {"expires_in", seconds}, {"token_type", "Bearer"}});
}

class Credentials : public testing::Test, protected RestSurroundings {
 protected:
  TokenSource FromFile(const std::string& content) {
    const std::string path = directory_.path() + "/key.json";
    std::ofstream(path, std::ios::binary) << content;
    return MakeTokenSource(http, clock, {.key_file = path});
  }
  TokenSource FromMetadataServer() {
    return MakeTokenSource(http, clock, {.key_file = {}, .metadata_server = "http://meta.test"});
  }

  testing_support::TemporaryDirectory directory_;
};

TEST_F(Credentials, TheAssertionIsSignedAndNamesAccountAudienceAndTime) {
  const std::string assertion = MakeJwtAssertion(ServiceAccount(), clock.Now()).value();
  const size_t first = assertion.find('.');
  const size_t second = assertion.find('.', first + 1);
  ASSERT_NE(second, std::string::npos);
  const Json header = ParseJson(DecodeUrl(assertion.substr(0, first))).value();
  EXPECT_EQ(header, (Json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}}));
  const Json claims = ParseJson(DecodeUrl(assertion.substr(first + 1, second - first - 1))).value();
  EXPECT_EQ(claims, (Json{{"iss", kAccount},
                          {"scope", "https://www.googleapis.com/auth/cloud-platform"},
                          {"aud", "https://tokens.test/token"},
                          {"iat", 1'790'000'000},
                          {"exp", 1'790'003'600}}));
  const std::string signature = DecodeUrl(assertion.substr(second + 1));
  EXPECT_TRUE(Verifies(RsaKey(), assertion.substr(0, second), signature));
  EXPECT_FALSE(Verifies(RsaKey(), assertion.substr(0, second) + "x", signature));
}

TEST_F(Credentials, AServiceAccountExchangesItsAssertionForAToken) {
  http.Answer(200, TokenBody("token-1"));
  const TokenSource token = FromFile(DumpJson(ServiceAccount()));
  EXPECT_EQ(token().value(), "token-1");
  const net::ClientRequest& sent = http.requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "https://tokens.test/token");
  EXPECT_EQ(sent.headers.Get("Content-Type"), "application/x-www-form-urlencoded");
  const auto form = net::QueryParameters::Parse(sent.body);
  EXPECT_EQ(form.Get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  EXPECT_EQ(form.Get("assertion"), MakeJwtAssertion(ServiceAccount(), clock.Now()).value());
}

TEST_F(Credentials, AnAuthorizedUserRefreshes) {
  http.Answer(200, TokenBody("token-1"));
  const TokenSource token = FromFile(DumpJson({{"type", "authorized_user"},
                                               {"client_id", "id&1"},
                                               {"client_secret", "s e=cret"},
                                               {"refresh_token", "1//x+y"}}));
  EXPECT_EQ(token().value(), "token-1");
  EXPECT_EQ(http.requests().at(0).url, "https://oauth2.googleapis.com/token");
  const auto form = net::QueryParameters::Parse(http.requests().at(0).body);
  EXPECT_EQ(form.Get("grant_type"), "refresh_token");
  EXPECT_EQ(form.Get("client_id"), "id&1");
  EXPECT_EQ(form.Get("client_secret"), "s e=cret");
  EXPECT_EQ(form.Get("refresh_token"), "1//x+y");
}

TEST_F(Credentials, WithoutAFileTheMetadataServerIsAsked) {
  http.Answer(200, TokenBody("token-1"));
  EXPECT_EQ(FromMetadataServer()().value(), "token-1");
  const net::ClientRequest& sent = http.requests().at(0);
  EXPECT_EQ(sent.method, "GET");
  EXPECT_EQ(sent.url,
            "http://meta.test/computeMetadata/v1/instance/service-accounts/default/token");
  EXPECT_EQ(sent.headers.Get("Metadata-Flavor"), "Google");
}

TEST_F(Credentials, ATokenIsKeptUntilAMinuteBeforeItsEnd) {
  http.Answer(200, TokenBody("token-1", 3600)).Answer(200, TokenBody("token-2", 3600));
  const TokenSource token = FromMetadataServer();
  EXPECT_EQ(token().value(), "token-1");
  clock.Advance(59min - 1s);
  EXPECT_EQ(token().value(), "token-1");
  EXPECT_EQ(http.requests().size(), 1U);
  clock.Advance(1s);
  EXPECT_EQ(token().value(), "token-2");
  EXPECT_EQ(token().value(), "token-2");
  EXPECT_EQ(http.requests().size(), 2U);
}

TEST_F(Credentials, ATokenThatWasRefusedIsReplacedBeforeItsEnd) {
  http.Answer(200, TokenBody("token-1", 3600)).Answer(200, TokenBody("token-2", 3600));
  const TokenSource token = FromMetadataServer();
  EXPECT_EQ(token().value(), "token-1");
  EXPECT_EQ(token.InPlaceOf("token-1").value(), "token-2");
  EXPECT_EQ(token.InPlaceOf("token-1").value(), "token-2");  // another call replaced it already
  EXPECT_EQ(token().value(), "token-2");
  EXPECT_EQ(http.requests().size(), 2U);
}

TEST_F(Credentials, LifetimesOutOfReasonAreNotBelieved) {
  for (const char* seconds :
       {"315360000", "9223372036854775807", "-9223372036854775808", "0", "-5"}) {
    RestSurroundings here;
    here.http.Always([&](const net::ClientRequest&) -> Result<net::HttpResponse> {
      return net::HttpResponse{
          .status = 200,
          .headers = {},
          .body = fmt::format(R"({{"access_token": "t", "expires_in": {}}})", seconds)};
    });
    const TokenSource token = MakeTokenSource(here.http, here.clock, {.key_file = {}});
    EXPECT_EQ(token().value(), "t") << seconds;
    here.clock.Advance(25h);
    EXPECT_EQ(token().value(), "t") << seconds;
    EXPECT_EQ(here.http.requests().size(), 2U) << seconds;
  }
}

TEST_F(Credentials, ManyCallersShareOneToken) {
  http.Answer(200, TokenBody("token-1"));
  const TokenSource token = FromMetadataServer();
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] { EXPECT_EQ(token().value(), "token-1"); });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(http.requests().size(), 1U);
}

TEST_F(Credentials, AFileThatIsNoKeyIsNamedButNotShown) {
  const std::string pem = Pem(RsaKey());
  const std::string secret = SecretPart(pem);
  Json no_account = ServiceAccount();
  no_account.erase("client_email");
  Json no_key = ServiceAccount();
  no_key.erase("private_key");
  Json cut_key = ServiceAccount();
  cut_key["private_key"] = pem.substr(0, pem.size() / 2);
  Json key_of_other_type = ServiceAccount();
  key_of_other_type["private_key"] = {pem};
  Json encrypted = ServiceAccount();
  encrypted["private_key"] = Pem(RsaKey(), "passphrase");
  const std::string whole = DumpJson(ServiceAccount());
  const struct {
    const char* what;
    std::string content;
  } cases[] = {
      {"empty", ""},
      {"not JSON", "private_key: " + pem},
      {"cut", whole.substr(0, whole.find(secret.substr(0, 20)) + 40)},
      {"a secret alone", "\"" + secret + "\""},
      {"an array", "[" + DumpJson(secret) + "]"},
      {"null", "null"},
      {"without type", DumpJson({{"private_key", pem}})},
      {"another type", DumpJson({{"type", "external_account"}, {"private_key", pem}})},
      {"without account", DumpJson(no_account)},
      {"without key", DumpJson(no_key)},
      {"cut key", DumpJson(cut_key)},
      {"key in an array", DumpJson(key_of_other_type)},
      {"encrypted key", DumpJson(encrypted)},
      {"user without token",
       DumpJson({{"type", "authorized_user"}, {"client_id", "i"}, {"client_secret", secret}})},
      {"too large",
       DumpJson({{"type", "service_account"}, {"x", secret + std::string(70'000, 'x')}})},
      {"too deep", std::string(100, '[') + DumpJson(secret) + std::string(100, ']')},
  };
  for (const auto& wrong : cases) {
    SCOPED_TRACE(wrong.what);
    const auto token = FromFile(wrong.content)();
    ASSERT_FALSE(token.ok());
    EXPECT_EQ(token.error().id, ErrorId::kCredentialsMissing) << token.error().message;
    EXPECT_FALSE(IsRetryable(token.error()));
    EXPECT_EQ(token.error().ToString().find(secret.substr(0, 12)), std::string::npos);
  }
  EXPECT_TRUE(http.requests().empty());
}

TEST_F(Credentials, AFileThatCannotBeReadIsNamed) {
  for (const std::string& path : {directory_.path() + "/absent", directory_.path()}) {
    const auto token = MakeTokenSource(http, clock, {.key_file = path})();
    ASSERT_FALSE(token.ok());
    EXPECT_EQ(token.error().id, ErrorId::kCredentialsMissing);
    EXPECT_NE(token.error().message.find(path), std::string::npos);
  }
}

TEST_F(Credentials, OnlyATemporaryFailureOfTheTokenServiceIsWorthAnotherTry) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    http.Answer(status, "busy");
    const auto token = FromFile(DumpJson(ServiceAccount()))();
    ASSERT_FALSE(token.ok());
    EXPECT_TRUE(IsRetryable(token.error())) << status;
  }
  for (const int status : {302, 400, 401, 403, 404}) {
    http.Answer(status, R"({"error": "invalid_grant"})");
    const auto token = FromFile(DumpJson(ServiceAccount()))();
    ASSERT_FALSE(token.ok());
    EXPECT_EQ(token.error().id, ErrorId::kCredentialsMissing) << status;
    EXPECT_FALSE(IsRetryable(token.error())) << status;
  }
  http.Lose();
  const auto token = FromFile(DumpJson(ServiceAccount()))();
  ASSERT_FALSE(token.ok());
  EXPECT_TRUE(IsRetryable(token.error()));
}

TEST_F(Credentials, ACallIsRepeatedWhenItsTokenComesLate) {
  http.Answer(503).Lose().Answer(200, TokenBody("token-1")).Answer(200, R"({"answer": 42})");
  RestEnvironment environment = Environment();
  environment.token = FromFile(DumpJson(ServiceAccount()));
  const auto json = RestClient(kEndpoint, environment).Call({.path = "/x", .what = "x"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(http.requests().at(3).headers.Get("Authorization"), "Bearer token-1");
}

TEST_F(Credentials, AMetadataServerThatNeverAnsweredIsNotThere) {
  http.Lose();
  const auto none = FromMetadataServer()();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().id, ErrorId::kCredentialsMissing);

  http.Answer(200, TokenBody("token-1")).Lose().Answer(200, TokenBody("token-2"));
  const TokenSource token = FromMetadataServer();
  EXPECT_TRUE(token().ok());
  clock.Advance(1h);
  const auto lost = token();
  ASSERT_FALSE(lost.ok());
  EXPECT_TRUE(IsRetryable(lost.error()));
  EXPECT_EQ(token().value(), "token-2");
}

TEST_F(Credentials, AnAnswerThatIsNotReadableIsNotShown) {
  for (const char* body :
       {R"({"access_token": "ya29.secret-token)", R"(["ya29.secret-token"])", "ya29.secret-token",
        R"({"access_token": ["ya29.secret-token"]})", R"({"access_token": ""})", "{}", ""}) {
    SCOPED_TRACE(body);
    http.Answer(200, body);
    const auto token = FromMetadataServer()();
    ASSERT_FALSE(token.ok());
    EXPECT_TRUE(IsRetryable(token.error()));
    EXPECT_EQ(token.error().ToString().find("secret-token"), std::string::npos)
        << token.error().message;
  }
}

TEST_F(Credentials, AnEmulatorWantsNoToken) { EXPECT_EQ(NoToken()().value(), ""); }

}  // namespace
}  // namespace holdfast::gcp
