// A TCP connection for tests that must say exactly what goes over the wire, byte by byte.
//
// Every wait ends after kPatience, so a server that does not answer fails a test instead of hanging
// it. Used by one thread. Only for tests.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::net {

class RawConnection {
 public:
  static constexpr int kPatienceSeconds = 20;

  // Connects to 127.0.0.1.
  explicit RawConnection(uint16_t port) : RawConnection(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = LoopbackAddress(port);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawConnection(RawConnection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  RawConnection& operator=(RawConnection&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(connected_, other.connected_);
    return *this;
  }
  ~RawConnection() { Close(); }

  // The server side of a listening socket's next connection.
  static RawConnection AcceptFrom(int listener) {
    RawConnection connection(accept(listener, nullptr, nullptr));
    connection.connected_ = connection.socket_ >= 0;
    return connection;
  }

  static sockaddr_in LoopbackAddress(uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  bool connected() const { return connected_; }

  // False when the peer is gone.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // Sends zeros until the peer has taken none for a while, or `limit` of them; how many.
  uint64_t SendUntilBlocked(uint64_t limit) {
    const std::string zeros(65536, '\0');
    uint64_t sent = 0;
    pollfd entry = {.fd = socket_, .events = POLLOUT, .revents = 0};
    while (sent < limit && poll(&entry, 1, 200) > 0) {
      const ssize_t count = send(socket_, zeros.data(), zeros.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count <= 0) break;
      sent += static_cast<uint64_t>(count);
    }
    return sent;
  }

  // Whether something to read, or the end, comes within that time.
  bool AnswersWithin(int milliseconds) {
    pollfd entry = {.fd = socket_, .events = POLLIN, .revents = 0};
    return poll(&entry, 1, milliseconds) > 0;
  }

  // Everything up to and including `mark`, or up to the end.
  std::string ReadUntil(std::string_view mark) {
    while (received_.find(mark) == std::string::npos && Receive()) {
    }
    const size_t end = received_.find(mark);
    std::string text = received_.substr(0, end == std::string::npos ? end : end + mark.size());
    received_.erase(0, text.size());
    return text;
  }

  // Everything up to the end. `ended_by_reset()` tells how it came.
  std::string ReadToEnd() {
    while (Receive()) {
    }
    return std::exchange(received_, {});
  }

  bool ended() const { return ended_; }
  bool ended_by_reset() const { return reset_; }

  // Resets the connection instead of closing it in order.
  void Reset() {
    const linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

  void Close() {
    if (socket_ >= 0) close(std::exchange(socket_, -1));
  }

 private:
  explicit RawConnection(int connected_socket) : socket_(connected_socket) {
    const timeval patience = {.tv_sec = kPatienceSeconds, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }

  bool Receive() {
    std::array<char, 65536> buffer;
    const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
    ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
    reset_ = count < 0 && errno == ECONNRESET;
    if (count <= 0) return false;
    received_.append(buffer.data(), static_cast<size_t>(count));
    return true;
  }

  int socket_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  bool reset_ = false;
  std::string received_;
};

// A listening socket on a free port of 127.0.0.1, for tests that play the server.
class RawListener {
 public:
  RawListener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = RawConnection::LoopbackAddress(0);
    bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(socket_, 16);
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;
  ~RawListener() { close(socket_); }

  uint16_t port() const { return port_; }
  RawConnection Accept() const { return RawConnection::AcceptFrom(socket_); }

 private:
  int socket_;
  uint16_t port_ = 0;
};

}  // namespace holdfast::net
