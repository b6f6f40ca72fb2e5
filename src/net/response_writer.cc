#include "net/response_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace holdfast::net {

namespace {

constexpr size_t kWriteBytes = size_t{64} << 10U;

constexpr std::pair<int, std::string_view> kReasonPhrases[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Resume Incomplete"},  // as Cloud Storage says it
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

bool StatusHasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

bool IsFraming(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kNames = {"Content-Length", "Transfer-Encoding",
                                                             "Connection", "Keep-Alive"};
  return std::ranges::any_of(kNames,
                             [name](auto framing) { return SameHeaderName(name, framing); });
}

void AppendField(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) {
    head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  }
  head += "\r\n";
}

// "Sat, 21 Nov 2026 11:00:25 GMT"
std::string FormatHttpDate(Timestamp time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays.at(std::chrono::weekday{day}.c_encoding()),
      static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

// Sends `head` and what body_reader gives: as chunks, or plain where the length is known or ends
// with the connection.
Status WriteStreamedBody(SocketStream& stream, std::string head, const HttpResponse& response,
                         bool chunked) {
  static constexpr std::string_view kLineEnd = "\r\n";
  std::vector<char> buffer(kWriteBytes + kLineEnd.size());
  uint64_t left = response.body_size.value_or(UINT64_MAX);
  while (left > 0) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(kWriteBytes, left));
    HF_ASSIGN_OR_RETURN(const size_t count, response.body_reader(std::span(buffer).first(wanted)));
    if (count == 0) break;
    left -= count;
    size_t piece = count;
    if (chunked) {
      head += fmt::format("{:x}\r\n", count);
      piece += kLineEnd.copy(buffer.data() + count, kLineEnd.size());
    }
    HF_RETURN_IF_ERROR(stream.WriteAll(head, {buffer.data(), piece}));
    head.clear();
  }
  if (response.body_size && left > 0) {
    return MakeError(ErrorId::kInternal, fmt::format("a body of {} bytes ended {} bytes too early",
                                                     *response.body_size, left));
  }
  if (chunked) head += "0\r\n\r\n";
  return stream.WriteAll(head);
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  const auto* found =
      std::ranges::find(kReasonPhrases, status, [](const auto& e) { return e.first; });
  return found == std::end(kReasonPhrases) ? "Unknown" : found->second;
}

std::string FormatResponseHead(const HttpResponse& response, std::optional<uint64_t> body_size,
                               const ResponseContext& context) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonPhrase(response.status));
  if (context.clock != nullptr) AppendField(head, "Date", FormatHttpDate(context.clock->Now()));
  for (const auto& [name, value] : response.headers.all()) {
    if (!IsFraming(name)) AppendField(head, name, value);
  }
  bool keep_alive = context.keep_alive;
  if (!StatusHasNoBody(response.status)) {
    if (body_size) {
      AppendField(head, "Content-Length", std::to_string(*body_size));
    } else if (!context.http_1_0) {
      AppendField(head, "Transfer-Encoding", "chunked");
    } else {
      keep_alive = false;
    }
  }
  if (!keep_alive) AppendField(head, "Connection", "close");
  if (keep_alive && context.http_1_0) AppendField(head, "Connection", "keep-alive");
  return head + "\r\n";
}

Result<bool> WriteResponse(SocketStream& stream, const HttpResponse& response,
                           const ResponseContext& context) {
  const bool streamed = response.body_reader != nullptr;
  // The answer to a HEAD may give the size of a body that it does not have.
  const std::optional<uint64_t> body_size = streamed || (context.head_request && response.body_size)
                                                ? response.body_size
                                                : std::optional<uint64_t>(response.body.size());
  std::string head = FormatResponseHead(response, body_size, context);
  const bool keep_alive = context.keep_alive && (body_size || !context.http_1_0);
  if (context.head_request || StatusHasNoBody(response.status)) {
    HF_RETURN_IF_ERROR(stream.WriteAll(head));
  } else if (streamed) {
    const bool chunked = !body_size && !context.http_1_0;
    HF_RETURN_IF_ERROR(WriteStreamedBody(stream, std::move(head), response, chunked));
  } else {
    HF_RETURN_IF_ERROR(stream.WriteAll(head, response.body));
  }
  return keep_alive;
}

}  // namespace holdfast::net
