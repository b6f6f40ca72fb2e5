#include "net/http_client.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "net/curl_exchange.h"

namespace holdfast::net {

namespace {

// Prepares libcurl once for the process, before its first handle.
void InitializeCurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(code == CURLE_OK, "libcurl cannot be initialized");
}

// Easy handles with their connections, lent to one exchange each: the one used last first, since
// its connections are the most likely to be alive.
class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(HttpClientOptions options) : options_(std::move(options)) {
    InitializeCurl();
  }

  ~CurlHttpClient() override {
    for (CURL* handle : idle_) curl_easy_cleanup(handle);
  }

  Result<HttpResponse> Send(const ClientRequest& request) override {
    CURL* handle = Borrow();
    Result<HttpResponse> response = CurlExchange(handle, request, options_).Run();
    GiveBack(handle);
    return response;
  }

 private:
  CURL* Borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return lent_ < std::max(options_.connections_max, 1); });
    ++lent_;
    if (!idle_.empty()) {
      CURL* handle = idle_.back();
      idle_.pop_back();
      return handle;
    }
    CURL* handle = curl_easy_init();
    CHECK(handle != nullptr, "libcurl is out of memory");
    return handle;
  }

  void GiveBack(CURL* handle) {
    curl_easy_reset(handle);  // forgets the request; keeps connections and sessions
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(handle);
      --lent_;
    }
    returned_.notify_one();
  }

  const HttpClientOptions options_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<CURL*> idle_;
  int lent_ = 0;
};

}  // namespace

std::unique_ptr<HttpClient> MakeCurlHttpClient(HttpClientOptions options) {
  return std::make_unique<CurlHttpClient>(std::move(options));
}

}  // namespace holdfast::net
