#include "localcloud/pubsub/unary_pull.h"

#include <algorithm>
#include <utility>

#include "localcloud/pubsub/grpc_status.h"
#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

grpc::ServerUnaryReactor* UnaryPull::Start(Broker& broker, OpenCalls& open_calls,
                                           std::chrono::system_clock::time_point latest,
                                           const wire::PullRequest& request,
                                           wire::PullResponse* response) {
  const int messages_max = std::min(request.max_messages(), kMessagesPerRequestMax);
  const auto call = std::shared_ptr<UnaryPull>(new UnaryPull(messages_max, response));
  call->self_ = call;
  call->Begin(broker, latest, request);
  open_calls.Add(call);
  return call.get();
}

void UnaryPull::Begin(Broker& broker, std::chrono::system_clock::time_point latest,
                      const wire::PullRequest& request) {
  if (messages_max_ <= 0) {
    return End({grpc::StatusCode::INVALID_ARGUMENT, "max_messages: must be positive"});
  }
  auto puller = broker.OpenPuller(request.subscription(), {.wake = [weak = weak_from_this()] {
                                    if (const auto call = weak.lock()) call->Try(/*wait=*/true);
                                  }});
  if (!puller.ok()) return End(ToGrpcStatus(puller.error()));
  const bool wait = !ReturnImmediately(request);
  {
    const std::lock_guard lock(mutex_);
    puller_ = std::move(puller).value();
    if (wait) {
      alarm_.Set(latest, [weak = weak_from_this()](bool) {
        if (const auto call = weak.lock()) call->End(grpc::Status::OK);
      });
    }
  }
  Try(wait);
}

void UnaryPull::Try(bool wait) {
  const std::lock_guard lock(mutex_);
  if (ended_ || puller_ == nullptr) return;
  Result<wire::PullResponse> taken = puller_->Take(messages_max_, kRequestBytesMax);
  if (taken.ok() && taken->received_messages().empty() && wait) return;
  ended_ = true;
  alarm_.Cancel();
  if (!taken.ok()) return Finish(ToGrpcStatus(taken.error()));
  *response_ = std::move(taken).value();
  Finish(grpc::Status::OK);
}

void UnaryPull::End(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  ended_ = true;
  alarm_.Cancel();
  Finish(status);
}

}  // namespace holdfast::pubsub
