// HTTP as plain values: what net/'s server and client exchange with the rest of the program.
//
// Bodies stream: a small one is a string, a large one a `BodyReader` that is pulled piece by piece,
// so that memory does not grow with the size of an object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::net {

// Pulls the next bytes into `buffer`; 0 means the end. Called by one thread at a time, never again
// after the end or an error.
using BodyReader = std::function<Result<size_t>(std::span<char> buffer)>;

// Takes the next bytes; an error stops the transfer.
using BodyWriter = std::function<Status(std::string_view bytes)>;

// Whether two header names are the same: they are compared without case.
bool SameHeaderName(std::string_view a, std::string_view b);

// Header fields in order.
class Headers {
 public:
  void Set(std::string_view name, std::string_view value);  // replaces
  void Add(std::string_view name, std::string_view value);  // keeps others of the name

  // The first of that name, in any case; the view is valid until the headers change.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const;  // "" when absent
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A request's query parameters, decoded; a name may repeat.
class QueryParameters {
 public:
  // Parses the text after '?'; undecodable escapes are kept as they stand.
  static QueryParameters Parse(std::string_view query);
  void Add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  std::optional<std::string> Find(std::string_view name) const;  // the first of that name
  std::string Get(std::string_view name) const;                  // "" when absent

  // All of that name, in order; empty when absent.
  std::vector<std::string> GetAll(std::string_view name) const;
  std::string ToString() const;  // encoded, without '?'

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Percent-encoding of one path segment or query value: everything but RFC 3986's unreserved
// characters. The inverse gives nullopt for a malformed escape and leaves '+' as it is.
std::string PercentEncode(std::string_view text);
std::optional<std::string> PercentDecode(std::string_view text);

struct HttpResponse {
  // Server side only: with this status the server resets the connection and sends nothing.
  static constexpr int kReset = 0;

  int status = 200;
  Headers headers;
  std::string body;
  BodyReader body_reader;             // instead of `body`, for large answers (server side); when
                                      // it fails, the connection is reset in mid-answer
  std::optional<uint64_t> body_size;  // of body_reader, if known: sent as Content-Length
};

}  // namespace holdfast::net
