// The calls that wait for messages, so that a server that stops can end them.
//
// A waiting call belongs to gRPC, which lets go of it when it is done; this list only points at it.
// Thread-safe.
#pragma once

#include <grpcpp/support/status.h>

#include <memory>
#include <mutex>
#include <vector>

namespace holdfast::pubsub {

class WaitingCall {
 public:
  virtual ~WaitingCall() = default;
  // Ends the call with `status`, unless it has ended.
  virtual void End(const grpc::Status& status) = 0;
};

class OpenCalls {
 public:
  // Remembers the call; one that comes after EndAll is ended at once.
  void Add(const std::shared_ptr<WaitingCall>& call) {
    {
      const std::lock_guard lock(mutex_);
      if (!ended_) {
        std::erase_if(calls_, [](const auto& known) { return known.expired(); });
        calls_.push_back(call);
        return;
      }
    }
    call->End(Stopping());
  }

  // Ends every call that is remembered, and those to come. Idempotent.
  void EndAll() {
    std::vector<std::weak_ptr<WaitingCall>> calls;
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      calls.swap(calls_);
    }
    for (const auto& weak : calls) {
      if (const auto call = weak.lock()) call->End(Stopping());
    }
  }

 private:
  static grpc::Status Stopping() {
    return {grpc::StatusCode::UNAVAILABLE, "the Pub/Sub server is stopping"};
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<WaitingCall>> calls_;
  bool ended_ = false;
};

}  // namespace holdfast::pubsub
