// One exchange on a libcurl easy handle: sets the request, receives the response, names the
// failure.
//
// Used once, by one thread; the handle is the caller's and keeps its connections for the next
// exchange. Source: libcurl easy interface, RFC 9110.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"

namespace holdfast::net {

class CurlExchange {
 public:
  // All must outlive the exchange.
  CurlExchange(CURL* handle, const ClientRequest& request, const HttpClientOptions& options)
      : handle_(handle), request_(request), options_(options) {}

  // Blocks until the response is whole or has failed. Errors: as HttpClient::Send.
  Result<HttpResponse> Run();

 private:
  void SetConnection();
  Status SetProxy();
  void SetMethodAndBody();
  void SetHeaders();
  void SetPatience();
  void SetCallbacks();
  Error FailureOf(CURLcode code) const;
  bool streams() const { return request_.body_reader || request_.response_writer; }

  // libcurl's callbacks; `self` is the exchange.
  static size_t OnRead(char* buffer, size_t size, size_t count, void* self);
  static size_t OnHeader(char* line, size_t size, size_t count, void* self);
  static size_t OnWrite(char* bytes, size_t size, size_t count, void* self);
  static int OnRequestSent(void* self, char*, char*, int, int);

  Result<size_t> GiveBody(std::span<char> out);
  Status TakeHeaderLine(std::string_view line);
  Status TakeBody(std::string_view bytes);

  CURL* handle_;
  const ClientRequest& request_;
  const HttpClientOptions& options_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_{nullptr, curl_slist_free_all};
  HttpResponse response_;
  uint64_t sent_bytes_ = 0;  // of body_reader
  size_t header_bytes_ = 0;
  bool header_complete_ = false;
  int attempts_ = 0;                     // of sending the request
  std::optional<Error> callback_error_;  // why a callback stopped the transfer
  char detail_[CURL_ERROR_SIZE] = "";
};

}  // namespace holdfast::net
