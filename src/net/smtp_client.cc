#include "net/smtp_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

namespace holdfast::net {

namespace {

constexpr long kConnectTimeoutMs = 30'000;

void InitializeMailCurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(code == CURLE_OK, "libcurl cannot be initialized");
}

// What may not stand in a URL, an address or a login: it would begin another SMTP command.
bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Error Invalid(std::string message) {
  return MakeError(ErrorId::kHttpInvalidRequest, std::move(message));
}

Status CheckMessage(const SmtpMessage& message) {
  const bool smtps = message.url.starts_with("smtps://");
  if ((!message.url.starts_with("smtp://") && !smtps) || HasControl(message.url)) {
    return Invalid("the mail server is not an smtp:// or smtps:// URL");
  }
  if (message.to.empty()) return Invalid("a mail without recipients");
  for (const std::string& address : message.to) {
    if (address.empty() || HasControl(address)) return Invalid("a recipient is no address");
  }
  if (message.from.empty() || HasControl(message.from)) return Invalid("the sender is no address");
  if (HasControl(message.username) || HasControl(message.password)) {
    return Invalid("the user name or password of the mail server has a control character in it");
  }
  if (!message.username.empty() && !message.require_tls && !smtps) {
    return Invalid("a password is not sent over a connection that is not encrypted");
  }
  return Ok();
}

class SmtpExchange {
 public:
  SmtpExchange(const SmtpMessage& message, const SmtpClientOptions& options)
      : message_(message), options_(options), handle_(curl_easy_init()) {
    CHECK(handle_ != nullptr, "libcurl is out of memory");
  }
  ~SmtpExchange() { curl_easy_cleanup(handle_); }
  SmtpExchange(const SmtpExchange&) = delete;
  SmtpExchange& operator=(const SmtpExchange&) = delete;

  Status Run() {
    SetServer();
    SetLogin();
    SetContent();
    const CURLcode code = curl_easy_perform(handle_);
    return code == CURLE_OK ? Ok() : Status(FailureOf(code));
  }

 private:
  void SetServer() {
    curl_easy_setopt(handle_, CURLOPT_URL, message_.url.c_str());
    curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(handle_, CURLOPT_PROXY, "");
    curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, detail_);
    curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    const auto whole = std::chrono::ceil<std::chrono::milliseconds>(message_.timeout).count();
    curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(whole)));
    // CURLUSESSL_ALL ends the session where a server does not offer STARTTLS: what stands between
    // must not be able to take the offer out of the greeting.
    curl_easy_setopt(handle_, CURLOPT_USE_SSL,
                     static_cast<long>(message_.require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(handle_, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
  }

  void SetLogin() {
    if (message_.username.empty()) return;
    curl_easy_setopt(handle_, CURLOPT_USERNAME, message_.username.c_str());
    curl_easy_setopt(handle_, CURLOPT_PASSWORD, message_.password.c_str());
  }

  void SetContent() {
    curl_easy_setopt(handle_, CURLOPT_MAIL_FROM, ("<" + message_.from + ">").c_str());
    for (const std::string& address : message_.to) {
      if (curl_slist* list = curl_slist_append(recipients_.get(), ("<" + address + ">").c_str())) {
        static_cast<void>(recipients_.release());
        recipients_.reset(list);
      }
    }
    curl_easy_setopt(handle_, CURLOPT_MAIL_RCPT, recipients_.get());
    curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle_, CURLOPT_READFUNCTION, &OnRead);
    curl_easy_setopt(handle_, CURLOPT_READDATA, this);
    curl_easy_setopt(handle_, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(message_.content.size()));
  }

  static size_t OnRead(char* buffer, size_t size, size_t count, void* self_pointer) {
    auto& self = *static_cast<SmtpExchange*>(self_pointer);
    const size_t wanted = std::min(size * count, self.message_.content.size() - self.sent_);
    std::memcpy(buffer, self.message_.content.data() + self.sent_, wanted);
    self.sent_ += wanted;
    return wanted;
  }

  Error FailureOf(CURLcode code) const {
    long answer = 0;  // the server's last one, "550"
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &answer);
    const std::string what = detail_[0] != '\0' ? detail_ : curl_easy_strerror(code);
    const std::string message = fmt::format("mail server {}: {}", message_.url, what);
    switch (code) {
      case CURLE_LOGIN_DENIED:
        return MakeError(ErrorId::kSmtpLoginDenied, message);
      case CURLE_OPERATION_TIMEDOUT:
        return MakeError(ErrorId::kHttpTimeout, message);
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_SSL_ISSUER_ERROR:
      case CURLE_USE_SSL_FAILED:
        return MakeError(ErrorId::kHttpTlsFailed, message);
      case CURLE_URL_MALFORMAT:
        return Invalid(message);
      default:
        break;
    }
    if (answer >= 400) {
      return MakeError(ErrorId::kSmtpRefused,
                       answer < 500 ? Code::kUnavailable : Code::kFailedPrecondition,
                       fmt::format("{} (answer {})", message, answer));
    }
    return MakeError(ErrorId::kHttpConnectionLost, message);
  }

  const SmtpMessage& message_;
  const SmtpClientOptions& options_;
  CURL* handle_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> recipients_{nullptr, curl_slist_free_all};
  size_t sent_ = 0;
  char detail_[CURL_ERROR_SIZE] = "";
};

class CurlSmtpClient final : public SmtpClient {
 public:
  explicit CurlSmtpClient(SmtpClientOptions options) : options_(std::move(options)) {
    InitializeMailCurl();
  }

  Status Send(const SmtpMessage& message) override {
    HF_RETURN_IF_ERROR(CheckMessage(message));
    return SmtpExchange(message, options_).Run();
  }

 private:
  const SmtpClientOptions options_;
};

}  // namespace

std::unique_ptr<SmtpClient> MakeCurlSmtpClient(SmtpClientOptions options) {
  return std::make_unique<CurlSmtpClient>(std::move(options));
}

}  // namespace holdfast::net
