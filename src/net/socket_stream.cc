#include "net/socket_stream.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace holdfast::net {

namespace {

using SteadyClock = std::chrono::steady_clock;

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

iovec VectorOf(std::string_view bytes) {
  return {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
}

}  // namespace

Error SocketStream::LastError(std::string_view what) const {
  return MakeError(ErrorId::kHttpConnectionLost,
                   fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

Status SocketStream::Wait(short events) {
  Duration patience = patience_.idle_timeout;
  if (patience_.bytes_per_second_min > 0) {
    const Duration earned =
        std::chrono::seconds{moved_bytes_ / patience_.bytes_per_second_min} - waited_;
    patience = std::min(patience, patience_.idle_timeout + earned);
  }
  const auto started = SteadyClock::now();
  const auto deadline = started + patience;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
    pollfd entry = {.fd = socket_, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return LastError("waiting for the peer");
    waited_ += std::chrono::duration_cast<Duration>(SteadyClock::now() - started);
    if (ready > 0) return Ok();
    return MakeError(ErrorId::kHttpTimeout, "the peer was silent or too slow");
  }
}

Result<size_t> SocketStream::ReadSome(std::span<char> buffer) {
  while (true) {
    const ssize_t count = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count >= 0) {
      moved_bytes_ += static_cast<uint64_t>(count);
      return static_cast<size_t>(count);
    }
    if (errno == EINTR) continue;
    if (!WouldBlock(errno)) return LastError("reading from the peer");
    HF_RETURN_IF_ERROR(Wait(POLLIN));
  }
}

Status SocketStream::WriteAll(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    std::array<iovec, 2> parts = {VectorOf(first), VectorOf(second)};
    msghdr message = {};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t count = sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      const auto sent = static_cast<size_t>(count);
      moved_bytes_ += sent;
      const size_t of_first = std::min(sent, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(sent - of_first);
      continue;
    }
    if (errno == EINTR) continue;
    if (!WouldBlock(errno)) return LastError("writing to the peer");
    HF_RETURN_IF_ERROR(Wait(POLLOUT));
  }
  return Ok();
}

}  // namespace holdfast::net
