// Cloud Storage's side of uploads in memory, with faults at any byte: for tests of transfers.
//
// Serves multipart and resumable uploads of one object and its metadata. A client that breaks the
// protocol (a gap, an overlap, a missing precondition) fails the test. Used by one thread. Source:
// Cloud Storage JSON API "Resumable uploads"; google-semantics A7 #43-#45.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "gcp/scripted_http_for_test.h"
#include "net/http_client.h"

namespace holdfast::gcp {

// What befalls one request. Without any member set, nothing does.
struct UploadFault {
  // The connection breaks after so many bytes of the body; all of them: the answer alone is lost.
  std::optional<size_t> cut_after = std::nullopt;
  std::optional<size_t> keep = std::nullopt;     // the server keeps only so many bytes of it
  std::optional<net::HttpResponse> answer = {};  // this is answered, and nothing else happens
  std::optional<std::string> body_instead = {};  // done as it should be, but answered with this
};

class FakeUploads final : public net::HttpClient {
 public:
  // What befalls a request, by its number (from 0) among all of them.
  std::map<int, UploadFault> faults;
  // What befalls every request for which `faults` says nothing.
  std::function<UploadFault(const net::ClientRequest&)> always = [](const net::ClientRequest&) {
    return UploadFault{};
  };
  bool damages = false;  // the stored object is not what arrived

  Result<net::HttpResponse> Send(const net::ClientRequest& request) override {
    requests.push_back(request);
    const auto planned = faults.find(static_cast<int>(requests.size()) - 1);
    const UploadFault fault = planned == faults.end() ? always(request) : planned->second;
    if (fault.answer) return *fault.answer;
    const std::string_view whole = request.body;
    const size_t arrived = std::min(fault.cut_after.value_or(whole.size()), whole.size());
    const bool complete = arrived == whole.size();
    net::HttpResponse response;
    if (request.method == "DELETE") {
      response = Delete(request);
    } else if (request.method == "GET") {
      response = Describe();
    } else if (request.url.find("uploadType=multipart") != std::string::npos) {
      if (complete) response = StoreMultipart(request);
    } else if (request.method == "POST") {
      response = Begin(request);
    } else {
      const size_t kept = std::min(fault.keep.value_or(arrived), arrived);
      response = TakePiece(request, whole.substr(0, kept));
    }
    if (fault.cut_after) return MakeError(ErrorId::kHttpConnectionLost, "cut");
    if (fault.body_instead) response.body = *fault.body_instead;
    return response;
  }

  std::vector<net::ClientRequest> requests;
  std::optional<std::string> object;  // what was stored
  int objects_made = 0;
  int sessions = 0;

 private:
  net::HttpResponse Describe() const {
    if (!object) return {.status = 404, .headers = {}, .body = {}};
    std::string stored = *object;
    if (damages && !stored.empty()) stored.back() ^= 1;
    return {.status = 200,
            .headers = {},
            .body = DumpJson({{"bucket", "b"},
                              {"name", "o"},
                              {"generation", std::to_string(objects_made)},
                              {"size", std::to_string(stored.size())},
                              {"crc32c", Crc32cBase64(ExtendCrc32c(0, stored))}})};
  }

  net::HttpResponse Delete(const net::ClientRequest& request) {
    EXPECT_TRUE(request.url.ends_with(fmt::format("/o/o?generation={}", objects_made)));
    object.reset();
    return {.status = 204, .headers = {}, .body = {}};
  }

  static void ExpectCreateOnly(const net::ClientRequest& request) {
    EXPECT_NE(request.url.find("ifGenerationMatch=0"), std::string::npos) << request.url;
  }

  static net::HttpResponse Exists() {
    return {.status = 412, .headers = {}, .body = ErrorBodyOf(412, "conditionNotMet")};
  }

  net::HttpResponse Store(std::string bytes) {
    if (object) return Exists();
    object = std::move(bytes);
    ++objects_made;
    return Describe();
  }

  net::HttpResponse StoreMultipart(const net::ClientRequest& request) {
    ExpectCreateOnly(request);
    const std::string_view type = request.headers.Get("Content-Type");
    const std::string mark = "--" + std::string(type.substr(type.rfind('=') + 1));
    const size_t second = request.body.find(mark, request.body.find(mark) + mark.size());
    const size_t begin = request.body.find("\r\n\r\n", second) + 4;
    const size_t end = request.body.rfind("\r\n" + mark + "--");
    return Store(request.body.substr(begin, end - begin));
  }

  net::HttpResponse Begin(const net::ClientRequest& request) {
    ExpectCreateOnly(request);
    if (object) return Exists();
    received_.clear();
    net::HttpResponse response{.status = 200, .headers = {}, .body = {}};
    response.headers.Set(
        "Location", fmt::format("https://service.test/session?upload_id=secret-{}", ++sessions));
    return response;
  }

  net::HttpResponse TakePiece(const net::ClientRequest& request, std::string_view bytes) {
    EXPECT_TRUE(request.url.ends_with(fmt::format("upload_id=secret-{}", sessions)));
    unsigned long first = 0;
    unsigned long last = 0;
    unsigned long total = 0;
    const std::string range(request.headers.Get("Content-Range"));
    if (std::sscanf(range.c_str(), "bytes %lu-%lu/%lu", &first, &last, &total) == 3) {
      EXPECT_EQ(last - first + 1, request.body.size()) << range;
      EXPECT_EQ(first, received_.size()) << "a gap or an overlap: " << range;
      received_ += bytes;
    } else {
      EXPECT_EQ(std::sscanf(range.c_str(), "bytes */%lu", &total), 1) << range;
      EXPECT_TRUE(request.body.empty());
    }
    if (finished_session_ == sessions) return Describe();
    if (received_.size() == total) {
      finished_session_ = sessions;
      return Store(received_);
    }
    net::HttpResponse response{.status = 308, .headers = {}, .body = {}};
    if (!received_.empty()) {
      response.headers.Set("Range", fmt::format("bytes=0-{}", received_.size() - 1));
    }
    return response;
  }

  std::string received_;  // by the present session
  int finished_session_ = 0;
};

}  // namespace holdfast::gcp
