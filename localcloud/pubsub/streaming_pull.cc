#include "localcloud/pubsub/streaming_pull.h"

#include <map>
#include <utility>

#include "localcloud/pubsub/grpc_status.h"
#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

namespace {

// Of one answer; Google's clients take any size, but small answers spread over many workers.
constexpr int kMessagesMax = 1000;
constexpr int64_t kBytesMax = int64_t{4} << 20U;

}  // namespace

StreamingPull::Reactor* StreamingPull::Start(Broker& broker, OpenCalls& open_calls) {
  const auto call = std::shared_ptr<StreamingPull>(new StreamingPull(broker));
  call->self_ = call;
  call->StartRead(&call->request_);
  open_calls.Add(call);
  return call.get();
}

void StreamingPull::OnReadDone(bool ok) {
  if (!ok) return End(grpc::Status::OK);  // the client has closed its side
  const Status status = subscription_.empty() ? Open(request_) : Continue(request_);
  if (!status.ok()) return End(ToGrpcStatus(status));
  Pump();
  // The one who ends the stream ends the reading, too: by then no read may begin.
  const std::lock_guard lock(mutex_);
  if (!finished_) StartRead(&request_);
}

Status StreamingPull::Open(const wire::StreamingPullRequest& first) {
  HF_RETURN_IF_ERROR(ValidateAckDeadline(first.stream_ack_deadline_seconds(), false));
  PullerOptions options{.messages_outstanding_max = first.max_outstanding_messages(),
                        .bytes_outstanding_max = first.max_outstanding_bytes(),
                        .ack_deadline_seconds = first.stream_ack_deadline_seconds(),
                        .wake = [weak = weak_from_this()] {
                          if (const auto call = weak.lock()) call->Pump();
                        }};
  HF_ASSIGN_OR_RETURN(auto puller, broker_.OpenPuller(first.subscription(), std::move(options)));
  subscription_ = first.subscription();
  {
    const std::lock_guard lock(mutex_);
    puller_ = std::move(puller);
  }
  return Process(first);
}

Status StreamingPull::Continue(const wire::StreamingPullRequest& next) {
  if (!next.subscription().empty()) {
    return Invalid("subscription: may only be set in the first request");
  }
  if (next.max_outstanding_messages() != 0 || next.max_outstanding_bytes() != 0) {
    return Invalid("max_outstanding_*: may only be set in the first request");
  }
  if (next.stream_ack_deadline_seconds() != 0) {
    HF_RETURN_IF_ERROR(ValidateAckDeadline(next.stream_ack_deadline_seconds(), false));
    const std::lock_guard lock(mutex_);
    puller_->SetAckDeadline(next.stream_ack_deadline_seconds());
  }
  return Process(next);
}

// Acknowledgements and deadlines of one request. No lock is held: the broker may answer at once.
Status StreamingPull::Process(const wire::StreamingPullRequest& request) {
  if (request.modify_deadline_ack_ids_size() != request.modify_deadline_seconds_size()) {
    return Invalid("modify_deadline_seconds: not as many as modify_deadline_ack_ids");
  }
  std::map<int, wire::ModifyAckDeadlineRequest> by_seconds;
  for (int i = 0; i < request.modify_deadline_ack_ids_size(); ++i) {
    by_seconds[request.modify_deadline_seconds(i)].add_ack_ids(request.modify_deadline_ack_ids(i));
  }
  for (auto& [seconds, modify] : by_seconds) {
    modify.set_subscription(subscription_);
    modify.set_ack_deadline_seconds(seconds);
    HF_RETURN_IF_ERROR(broker_.ModifyAckDeadline(modify));
  }
  if (request.ack_ids().empty()) return Ok();
  wire::AcknowledgeRequest acknowledge;
  acknowledge.set_subscription(subscription_);
  *acknowledge.mutable_ack_ids() = request.ack_ids();
  broker_.Acknowledge(acknowledge, [weak = weak_from_this()](const Status& status) {
    const auto call = weak.lock();
    if (call != nullptr && !status.ok()) call->End(ToGrpcStatus(status));
  });
  return Ok();
}

void StreamingPull::Pump() {
  const std::lock_guard lock(mutex_);
  if (writing_ || finished_ || puller_ == nullptr) return;
  Result<wire::PullResponse> taken = puller_->Take(kMessagesMax, kBytesMax);
  if (!taken.ok()) {
    finished_ = true;
    Finish(ToGrpcStatus(taken.error()));
    return;
  }
  if (taken->received_messages().empty()) return;
  response_.Clear();
  *response_.mutable_received_messages() = std::move(*taken->mutable_received_messages());
  *response_.mutable_subscription_properties() = puller_->Properties();
  writing_ = true;
  StartWrite(&response_);
}

void StreamingPull::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok && !ending_) ending_ = grpc::Status::CANCELLED;
    if (ending_ && !finished_) {
      finished_ = true;
      Finish(*ending_);
      return;
    }
  }
  Pump();
}

void StreamingPull::End(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (finished_ || ending_) return;
  ending_ = status;
  if (writing_) return;
  finished_ = true;
  Finish(status);
}

}  // namespace holdfast::pubsub
