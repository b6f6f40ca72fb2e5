#include "net/curl_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <span>

namespace holdfast::net {

namespace {

constexpr size_t kHeaderBytesMax = size_t{256} << 10U;
constexpr Duration kConnectTimeout = std::chrono::seconds{30};

long Milliseconds(Duration duration) {
  return std::max(
      1L, static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count()));
}

// libcurl counts silence in whole seconds.
long Seconds(Duration duration) {
  return std::max(1L, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "[::1]";
}

// The host of an absolute http or https URL; nullopt for anything else.
std::optional<std::string> HostOf(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return std::nullopt;
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  char* host = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return std::nullopt;
  }
  std::string copy(host);
  curl_free(host);
  return copy;
}

// A field may not carry line breaks: they would begin another field.
bool HasLineBreak(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

// Runs `callback`, keeping what it throws from going through libcurl's frames.
template <typename Callback>
auto Guarded(Callback callback) -> decltype(callback()) {
  try {
    return callback();
  } catch (const std::exception& error) {
    return MakeError(ErrorId::kInternal, error.what());
  }
}

}  // namespace

Result<HttpResponse> CurlExchange::Run() {
  if (HasLineBreak(request_.method)) {
    return MakeError(ErrorId::kHttpInvalidRequest, "the method has a line break in it");
  }
  for (const auto& [name, value] : request_.headers.all()) {
    if (HasLineBreak(name) || HasLineBreak(value)) {
      return MakeError(ErrorId::kHttpInvalidRequest,
                       fmt::format("the header \"{}\" has a line break in it", name));
    }
  }
  SetConnection();
  HF_RETURN_IF_ERROR(SetProxy());
  SetMethodAndBody();
  SetHeaders();
  SetPatience();
  SetCallbacks();
  const CURLcode code = curl_easy_perform(handle_);
  // libcurl takes a header that the server broke off after a whole line for a complete one.
  if (code != CURLE_OK || !header_complete_) return FailureOf(code);
  return std::move(response_);
}

void CurlExchange::SetConnection() {
  curl_easy_setopt(handle_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);  // signals and threads do not mix
  curl_easy_setopt(handle_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle_, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, detail_);
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(handle_, CURLOPT_CAINFO, options_.ca_file.c_str());
  }
}

Status CurlExchange::SetProxy() {
  const auto host = HostOf(request_.url);
  if (!host) {
    return MakeError(ErrorId::kHttpInvalidRequest,
                     fmt::format("\"{}\" is not an http or https URL", request_.url));
  }
  if (IsLoopback(*host)) curl_easy_setopt(handle_, CURLOPT_PROXY, "");
  return Ok();
}

void CurlExchange::SetMethodAndBody() {
  const bool has_body = request_.body_reader || !request_.body.empty();
  if (request_.method == "HEAD") {
    curl_easy_setopt(handle_, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request_.body_reader) {
    curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle_, CURLOPT_READFUNCTION, &OnRead);
    curl_easy_setopt(handle_, CURLOPT_READDATA, this);
    curl_easy_setopt(
        handle_, CURLOPT_INFILESIZE_LARGE,
        request_.body_size ? static_cast<curl_off_t>(*request_.body_size) : curl_off_t{-1});
  } else if (has_body || request_.method == "POST" || request_.method == "PUT" ||
             request_.method == "PATCH") {
    // With a size of 0, these methods still say "Content-Length: 0", as servers want.
    curl_easy_setopt(handle_, CURLOPT_POST, 1L);
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
  } else {
    curl_easy_setopt(handle_, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void CurlExchange::SetHeaders() {
  const auto append = [this](const std::string& line) {
    // On failure the list stays as it was, and so does its owner.
    if (curl_slist* list = curl_slist_append(headers_.get(), line.c_str())) {
      static_cast<void>(headers_.release());
      headers_.reset(list);
    }
  };
  for (const auto& [name, value] : request_.headers.all()) {
    append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // libcurl's own additions, where the request does not ask for them: a form's content type, and an
  // expectation that costs a round trip.
  for (const char* name : {"Content-Type", "Expect", "Accept"}) {
    if (!request_.headers.Find(name)) append(std::string(name) + ":");
  }
  if (request_.body_reader && !request_.body_size && !request_.headers.Find("Transfer-Encoding")) {
    append("Transfer-Encoding: chunked");
  }
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_.get());
}

void CurlExchange::SetPatience() {
  const Duration connect =
      streams() ? request_.stall_timeout : std::min(request_.timeout, request_.stall_timeout);
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS,
                   Milliseconds(std::min(connect, kConnectTimeout)));
  if (!streams()) curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, Milliseconds(request_.timeout));
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, Seconds(request_.stall_timeout));
}

void CurlExchange::SetCallbacks() {
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &OnWrite);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle_, CURLOPT_PREREQFUNCTION, &OnRequestSent);
  curl_easy_setopt(handle_, CURLOPT_PREREQDATA, this);
}

// libcurl sends a request again by itself when a kept connection breaks before any answer. The
// server may have carried it out the first time, so it is stopped from doing so.
int CurlExchange::OnRequestSent(void* self, char*, char*, int, int) {
  return ++static_cast<CurlExchange*>(self)->attempts_ > 1 ? CURL_PREREQFUNC_ABORT
                                                           : CURL_PREREQFUNC_OK;
}

size_t CurlExchange::OnRead(char* buffer, size_t size, size_t count, void* self_pointer) {
  auto& self = *static_cast<CurlExchange*>(self_pointer);
  const auto read = Guarded([&] { return self.GiveBody(std::span(buffer, size * count)); });
  if (read.ok()) return *read;
  self.callback_error_ = read.error();
  return CURL_READFUNC_ABORT;
}

size_t CurlExchange::OnHeader(char* line, size_t size, size_t count, void* self_pointer) {
  auto& self = *static_cast<CurlExchange*>(self_pointer);
  const auto taken = self.TakeHeaderLine({line, size * count});
  if (taken.ok()) return size * count;
  self.callback_error_ = taken.error();
  return 0;
}

size_t CurlExchange::OnWrite(char* bytes, size_t size, size_t count, void* self_pointer) {
  auto& self = *static_cast<CurlExchange*>(self_pointer);
  const auto taken = Guarded([&] { return self.TakeBody({bytes, size * count}); });
  if (taken.ok()) return size * count;
  self.callback_error_ = taken.error();
  return CURL_WRITEFUNC_ERROR;
}

Result<size_t> CurlExchange::GiveBody(std::span<char> out) {
  HF_ASSIGN_OR_RETURN(const size_t count, request_.body_reader(out));
  sent_bytes_ += count;
  if (request_.body_size &&
      (sent_bytes_ > *request_.body_size || (count == 0 && sent_bytes_ < *request_.body_size))) {
    return MakeError(ErrorId::kInternal,
                     fmt::format("a body of {} bytes was to be sent, and {} came",
                                 *request_.body_size, sent_bytes_));
  }
  return count;
}

Status CurlExchange::TakeHeaderLine(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderBytesMax) {
    return MakeError(ErrorId::kHttpBodyTooLarge, Code::kOutOfRange,
                     fmt::format("the header of the answer is over {} bytes", kHeaderBytesMax));
  }
  if (line.starts_with("HTTP/")) {  // another one follows an interim answer
    response_ = {};
    header_complete_ = false;
    const size_t space = std::min(line.find(' '), line.size() - 1);
    std::from_chars(line.data() + space + 1, line.data() + line.size(), response_.status);
    return Ok();
  }
  const size_t colon = line.find(':');
  if (Trimmed(line).empty()) header_complete_ = true;
  if (colon == std::string_view::npos) return Ok();
  response_.headers.Add(Trimmed(line.substr(0, colon)), Trimmed(line.substr(colon + 1)));
  return Ok();
}

Status CurlExchange::TakeBody(std::string_view bytes) {
  if (request_.response_writer && response_.status / 100 == 2) {
    return request_.response_writer(bytes);
  }
  if (response_.body.size() + bytes.size() > request_.response_bytes_max) {
    return MakeError(
        ErrorId::kHttpBodyTooLarge, Code::kOutOfRange,
        fmt::format("the answer is over the limit of {} bytes", request_.response_bytes_max));
  }
  response_.body.append(bytes);
  return Ok();
}

Error CurlExchange::FailureOf(CURLcode code) const {
  if (callback_error_) return *callback_error_;
  const std::string message =
      fmt::format("{} {}: {}", request_.method, request_.url.substr(0, request_.url.find('?')),
                  attempts_ > 1        ? "the kept connection broke before an answer came"
                  : code == CURLE_OK   ? "the answer was cut off in its header"
                  : detail_[0] != '\0' ? detail_
                                       : curl_easy_strerror(code));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return MakeError(ErrorId::kHttpTimeout, message);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return MakeError(ErrorId::kHttpTlsFailed, message);
    case CURLE_URL_MALFORMAT:
      return MakeError(ErrorId::kHttpInvalidRequest, message);
    default:
      return MakeError(ErrorId::kHttpConnectionLost, message);
  }
}

}  // namespace holdfast::net
