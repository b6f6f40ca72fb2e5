#include "gcp/credentials.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include "base/hash.h"

namespace holdfast::gcp {

namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view kDefaultTokenUri = "https://oauth2.googleapis.com/token";
constexpr Duration kRenewBefore = std::chrono::minutes{1};
constexpr int64_t kAssertionSeconds = 3600;
constexpr int64_t kDefaultLifeSeconds = 300;    // of a token whose answer does not tell
constexpr int64_t kLifeSecondsMax = 24 * 3600;  // no Google token lives longer
constexpr int kOk = 200;

Error Missing(std::string message) {
  return MakeError(ErrorId::kCredentialsMissing, std::move(message));
}

// What may go better on another try.
Error Unavailable(std::string message) {
  return MakeError(ErrorId::kServiceUnavailable, std::move(message));
}

// The Error of a token service's status. Its body may repeat what was sent, so it is left out.
Error Refusal(int status) {
  std::string message = fmt::format("the token service answered {}", status);
  const bool temporary = status == 408 || status == 429 || status >= 500;
  return temporary ? Unavailable(std::move(message)) : Missing(std::move(message));
}

// A member that a credentials file must have. The message names the member, never its value.
Result<std::string> RequiredMember(const Json& key, std::string_view member) {
  std::string value = StringOr(key, member, "");
  if (value.empty()) return Missing(fmt::format("the credentials have no \"{}\"", member));
  return value;
}

// base64 for URLs, without padding (RFC 7515).
std::string Base64Url(std::string_view bytes) {
  std::string text = Base64Encode(bytes);
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Result<std::string> SignSha256(const std::string& private_key_pem, std::string_view text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())), BIO_free);
  // Without a callback OpenSSL would ask the terminal for an encrypted key's passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (!key) return Missing("the private key of the service account cannot be read");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, text.size()) != 1) {
    return Missing("the private key of the service account cannot sign");
  }
  std::vector<unsigned char> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, data, text.size()) != 1) {
    return Missing("the private key of the service account cannot sign");
  }
  return std::string(reinterpret_cast<const char*>(signature.data()), size);
}

// Tokens from one place, kept while they last.
class CachedTokens {
 public:
  CachedTokens(net::HttpClient& http, Clock& clock, CredentialsOptions options)
      : http_(http), clock_(clock), options_(std::move(options)) {}

  Result<std::string> Get() {
    const std::lock_guard lock(mutex_);
    if (!token_.empty() && clock_.Now() + kRenewBefore < expires_) return token_;
    HF_ASSIGN_OR_RETURN(const net::HttpResponse response, Ask());
    if (response.status != kOk) return Refusal(response.status);
    const auto json = ParseJson(response.body);
    const std::string token = json.ok() ? StringOr(*json, "access_token", "") : "";
    // The parser's message would quote the token.
    if (token.empty()) return Unavailable("the token service's answer holds no token");
    token_ = token;
    const int64_t seconds = Int64Or(*json, "expires_in", kDefaultLifeSeconds);
    expires_ =
        clock_.Now() + std::chrono::seconds{std::clamp<int64_t>(seconds, 0, kLifeSecondsMax)};
    return token_;
  }

  // `token` was refused; another call may have replaced it already. It is kept as the sign that a
  // metadata server is there.
  void Forget(const std::string& token) {
    const std::lock_guard lock(mutex_);
    if (token == token_) expires_ = {};
  }

 private:
  Result<net::HttpResponse> Ask() {
    if (options_.key_file.empty()) return AskMetadataServer();
    HF_ASSIGN_OR_RETURN(const Json key, ReadKey());
    const std::string type = StringOr(key, "type", "");
    if (type == "service_account") {
      HF_ASSIGN_OR_RETURN(const std::string assertion, MakeJwtAssertion(key, clock_.Now()));
      net::QueryParameters form;
      form.Add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
      form.Add("assertion", assertion);
      return PostForm(StringOr(key, "token_uri", kDefaultTokenUri), form);
    }
    if (type == "authorized_user") {
      net::QueryParameters form;
      form.Add("grant_type", "refresh_token");
      for (const char* member : {"client_id", "client_secret", "refresh_token"}) {
        HF_ASSIGN_OR_RETURN(std::string value, RequiredMember(key, member));
        form.Add(member, std::move(value));
      }
      return PostForm(StringOr(key, "token_uri", kDefaultTokenUri), form);
    }
    return Missing(
        fmt::format("{}: credentials of type \"{}\" are not known", options_.key_file, type));
  }

  Result<net::HttpResponse> PostForm(const std::string& url, const net::QueryParameters& form) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = url;
    request.headers.Set("Content-Type", "application/x-www-form-urlencoded");
    request.body = form.ToString();
    return http_.Send(request);
  }

  Result<net::HttpResponse> AskMetadataServer() {
    net::ClientRequest request;
    request.url =
        options_.metadata_server + "/computeMetadata/v1/instance/service-accounts/default/token";
    request.headers.Set("Metadata-Flavor", "Google");
    request.timeout = std::chrono::seconds{5};
    auto response = http_.Send(request);
    // One that has answered before is there; without any, waiting would only delay the message.
    if (!response.ok() && token_.empty()) {
      return Missing("GOOGLE_APPLICATION_CREDENTIALS is not set and no metadata server answers");
    }
    return response;
  }

  Result<Json> ReadKey() const {
    std::ifstream file(options_.key_file, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) {
      return Missing(options_.key_file + ": the credentials file cannot be read");
    }
    auto json = ParseJson(text.str(), {.size_bytes_max = size_t{64} << 10U, .depth_max = 8});
    // The parser's message would quote the file.
    if (!json.ok()) return Missing(options_.key_file + ": the credentials file is not JSON");
    return json;
  }

  net::HttpClient& http_;
  Clock& clock_;
  CredentialsOptions options_;
  std::mutex mutex_;
  std::string token_;
  Timestamp expires_;
};

}  // namespace

Result<std::string> MakeJwtAssertion(const Json& key, Timestamp now) {
  HF_ASSIGN_OR_RETURN(const std::string account, RequiredMember(key, "client_email"));
  HF_ASSIGN_OR_RETURN(const std::string private_key, RequiredMember(key, "private_key"));
  const int64_t seconds = ToUnixMillis(now) / 1000;
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (const Json* id = FindField(key, "private_key_id")) header["kid"] = *id;
  const Json claims = {{"iss", account},
                       {"scope", kScope},
                       {"aud", StringOr(key, "token_uri", kDefaultTokenUri)},
                       {"iat", seconds},
                       {"exp", seconds + kAssertionSeconds}};
  const std::string text = Base64Url(DumpJson(header)) + "." + Base64Url(DumpJson(claims));
  HF_ASSIGN_OR_RETURN(const std::string signature, SignSha256(private_key, text));
  return text + "." + Base64Url(signature);
}

TokenSource MakeTokenSource(net::HttpClient& http, Clock& clock, CredentialsOptions options) {
  auto tokens = std::make_shared<CachedTokens>(http, clock, std::move(options));
  return {[tokens] { return tokens->Get(); },
          [tokens](const std::string& token) { tokens->Forget(token); }};
}

TokenSource NoToken() { return {}; }

}  // namespace holdfast::gcp
