// Blocking reads and writes on a connected socket, each with the patience that its peer deserves.
//
// A peer may pause for `idle_timeout` at most, and a whole transfer may wait for it idle_timeout
// plus the bytes moved over `bytes_per_second_min`: so neither silence nor a drip of single bytes
// holds a thread for long, while a large body on a slow line passes. Only time spent waiting
// counts. Does not own the socket, which may be shut down from another thread to end a wait. One
// thread at a time.
#pragma once

#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::net {

class SocketStream {
 public:
  struct Patience {
    Duration idle_timeout;
    size_t bytes_per_second_min = 0;  // 0: no minimum
  };

  // `socket` is connected, blocking or not.
  SocketStream(int socket, Patience patience) : socket_(socket), patience_(patience) {}

  // Reads at least one byte; 0 is the end of the stream. Errors: kHttpTimeout, kHttpConnectionLost.
  Result<size_t> ReadSome(std::span<char> buffer);

  // Writes both parts, one after the other, in as few packets as they fit in. Errors as above.
  Status WriteAll(std::string_view first, std::string_view second = {});

 private:
  // Waits until the socket is readable or writable (`events` of poll).
  Status Wait(short events);
  Error LastError(std::string_view what) const;

  int socket_;
  Patience patience_;
  Duration waited_{0};
  uint64_t moved_bytes_ = 0;
};

}  // namespace holdfast::net
