#include "localcloud/pubsub/pubsub_rest.h"

#include <google/protobuf/empty.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "localcloud/pubsub/validation.h"
#include "localcloud/rest/api_error.h"

namespace holdfast::pubsub {

namespace {

using net::HttpResponse;
using net::ServerRequest;
using rest::PathParameters;

// JSON holds data as base64, which is a third larger than the bytes; and names and escapes.
constexpr size_t kBodyBytesMax = 2 * kRequestBytesMax;
// A reader of a message never nests deeper than Google's own settings do.
constexpr int kJsonDepthMax = 32;

template <typename Message>
Result<Message> ParseBody(const std::string& body) {
  Message message;
  if (body.empty()) return message;
  HF_RETURN_IF_ERROR(
      ParseJson(body, {.size_bytes_max = kBodyBytesMax, .depth_max = kJsonDepthMax}));
  const auto status = google::protobuf::util::JsonStringToMessage(body, &message);
  if (!status.ok()) return Invalid("body: " + std::string(status.message()));
  return message;
}

template <typename Message>
Result<Message> ReadBody(ServerRequest& request) {
  HF_ASSIGN_OR_RETURN(const std::string body, request.ReadBody(kBodyBytesMax));
  return ParseBody<Message>(body);
}

HttpResponse ToResponse(const Error& error) { return rest::ApiError::From(error).ToResponse(); }

HttpResponse ToResponse(const google::protobuf::Message& message) {
  HttpResponse response;
  const auto status = google::protobuf::util::MessageToJsonString(message, &response.body);
  if (!status.ok()) {
    return ToResponse(MakeError(ErrorId::kInternal, std::string(status.message())));
  }
  response.headers.Set("Content-Type", "application/json; charset=UTF-8");
  return response;
}

template <typename T>
HttpResponse ToResponse(const Result<T>& result) {
  return result.ok() ? ToResponse(*result) : ToResponse(result.error());
}

HttpResponse ToResponse(const Status& status) {
  return status.ok() ? ToResponse(google::protobuf::Empty()) : ToResponse(status.error());
}

std::string ProjectOf(const PathParameters& path) { return "projects/" + path.Get("project"); }
std::string TopicOf(const PathParameters& path) {
  return ProjectOf(path) + "/topics/" + path.Get("topic");
}
std::string SubscriptionOf(const PathParameters& path) {
  return ProjectOf(path) + "/subscriptions/" + path.Get("subscription");
}

// "pageSize" and "pageToken" into a list request.
template <typename ListRequest>
Status ReadPage(const ServerRequest& request, ListRequest& list) {
  list.set_page_token(request.query.Get("pageToken"));
  const std::string size = request.query.Get("pageSize");
  int32_t value = 0;
  const auto [end, failure] = std::from_chars(size.data(), size.data() + size.size(), value);
  if (!size.empty() && (failure != std::errc() || end != size.data() + size.size())) {
    return Invalid("pageSize: not a number");
  }
  list.set_page_size(value);
  return Ok();
}

// Turns a method that gives a Result or Status into a handler.
template <typename Method>
rest::Handler Handle(Method method) {
  return [method = std::move(method)](ServerRequest& request, const PathParameters& path) {
    return ToResponse(method(request, path));
  };
}

// A pull that may wait on the worker's thread until a message or `wait` has come.
class BlockingPull {
 public:
  static Result<wire::PullResponse> Run(Broker& broker, const std::string& subscription,
                                        int messages_max, Duration wait) {
    // Shared with the wake, which may still come when the pull is over.
    const auto signal = std::make_shared<Signal>();
    HF_ASSIGN_OR_RETURN(const auto puller,
                        broker.OpenPuller(subscription, {.wake = [signal] { signal->Raise(); }}));
    const auto latest = std::chrono::steady_clock::now() + wait;
    while (true) {
      HF_ASSIGN_OR_RETURN(wire::PullResponse taken, puller->Take(messages_max, kRequestBytesMax));
      if (!taken.received_messages().empty() || !signal->WaitUntil(latest)) return taken;
    }
  }

 private:
  class Signal {
   public:
    void Raise() {
      {
        const std::lock_guard lock(mutex_);
        raised_ = true;
      }
      changed_.notify_one();
    }

    // False: it was not raised in time.
    bool WaitUntil(std::chrono::steady_clock::time_point latest) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, latest, [this] { return raised_; })) return false;
      raised_ = false;
      return true;
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool raised_ = false;
  };
};

void AddTopicRoutes(Broker& broker, rest::Router& router) {
  constexpr std::string_view kTopics = "/v1/projects/{project}/topics";
  constexpr std::string_view kTopic = "/v1/projects/{project}/topics/{topic}";
  router.Add("GET", kTopics, Handle([&broker](auto& request, auto& path) {
               wire::ListTopicsRequest list;
               list.set_project(ProjectOf(path));
               const Status read = ReadPage(request, list);
               return read.ok() ? broker.ListTopics(list) : read.error();
             }));
  router.Add("PUT", kTopic, Handle([&broker](auto& request, auto& path) -> Result<wire::Topic> {
               HF_ASSIGN_OR_RETURN(auto topic, ReadBody<wire::Topic>(request));
               topic.set_name(TopicOf(path));
               return broker.CreateTopic(topic);
             }));
  router.Add("PATCH", kTopic, Handle([&broker](auto& request, auto& path) -> Result<wire::Topic> {
               HF_ASSIGN_OR_RETURN(auto update, ReadBody<wire::UpdateTopicRequest>(request));
               update.mutable_topic()->set_name(TopicOf(path));
               return broker.UpdateTopic(update);
             }));
  router.Add("GET", kTopic,
             Handle([&broker](auto&, auto& path) { return broker.GetTopic(TopicOf(path)); }));
  router.Add("DELETE", kTopic,
             Handle([&broker](auto&, auto& path) { return broker.DeleteTopic(TopicOf(path)); }));
  router.Add("GET", std::string(kTopic) + "/subscriptions",
             Handle([&broker](auto& request, auto& path) {
               wire::ListTopicSubscriptionsRequest list;
               list.set_topic(TopicOf(path));
               const Status read = ReadPage(request, list);
               return read.ok() ? broker.ListTopicSubscriptions(list) : read.error();
             }));
  router.Add("POST", std::string(kTopic) + ":publish",
             Handle([&broker](auto& request, auto& path) -> Result<wire::PublishResponse> {
               HF_ASSIGN_OR_RETURN(auto publish, ReadBody<wire::PublishRequest>(request));
               publish.set_topic(TopicOf(path));
               return broker.Publish(std::move(publish));
             }));
}

void AddSubscriptionRoutes(Broker& broker, rest::Router& router) {
  constexpr std::string_view kSubscriptions = "/v1/projects/{project}/subscriptions";
  constexpr std::string_view kSubscription = "/v1/projects/{project}/subscriptions/{subscription}";
  router.Add("GET", kSubscriptions, Handle([&broker](auto& request, auto& path) {
               wire::ListSubscriptionsRequest list;
               list.set_project(ProjectOf(path));
               const Status read = ReadPage(request, list);
               return read.ok() ? broker.ListSubscriptions(list) : read.error();
             }));
  router.Add("PUT", kSubscription,
             Handle([&broker](auto& request, auto& path) -> Result<wire::Subscription> {
               HF_ASSIGN_OR_RETURN(auto settings, ReadBody<wire::Subscription>(request));
               settings.set_name(SubscriptionOf(path));
               return broker.CreateSubscription(settings);
             }));
  router.Add("PATCH", kSubscription,
             Handle([&broker](auto& request, auto& path) -> Result<wire::Subscription> {
               HF_ASSIGN_OR_RETURN(auto update, ReadBody<wire::UpdateSubscriptionRequest>(request));
               update.mutable_subscription()->set_name(SubscriptionOf(path));
               return broker.UpdateSubscription(update);
             }));
  router.Add("GET", kSubscription, Handle([&broker](auto&, auto& path) {
               return broker.GetSubscription(SubscriptionOf(path));
             }));
  router.Add("DELETE", kSubscription, Handle([&broker](auto&, auto& path) {
               return broker.DeleteSubscription(SubscriptionOf(path));
             }));
  router.Add("POST", std::string(kSubscription) + ":detach", Handle([&broker](auto&, auto& path) {
               return broker.DetachSubscription(SubscriptionOf(path));
             }));
  router.Add("POST", std::string(kSubscription) + ":modifyPushConfig",
             Handle([&broker](auto& request, auto& path) -> Status {
               HF_ASSIGN_OR_RETURN(const auto modify,
                                   ReadBody<wire::ModifyPushConfigRequest>(request));
               wire::UpdateSubscriptionRequest update;
               update.mutable_subscription()->set_name(SubscriptionOf(path));
               *update.mutable_subscription()->mutable_push_config() = modify.push_config();
               update.mutable_update_mask()->add_paths("push_config");
               HF_RETURN_IF_ERROR(broker.UpdateSubscription(update));
               return Ok();
             }));
}

void AddDeliveryRoutes(const RestOptions& options, Broker& broker, rest::Router& router) {
  const std::string subscription = "/v1/projects/{project}/subscriptions/{subscription}";
  // Shared by the copies of the handler.
  const auto waiting = std::make_shared<std::atomic<int>>(0);
  router.Add(
      "POST", subscription + ":pull",
      Handle([options, waiting, &broker](auto& request, auto& path) -> Result<wire::PullResponse> {
        HF_ASSIGN_OR_RETURN(const auto pull, ReadBody<wire::PullRequest>(request));
        if (pull.max_messages() <= 0) return Invalid("maxMessages: must be positive");
        const int messages_max = std::min(pull.max_messages(), kMessagesPerRequestMax);
        const bool may_wait =
            waiting->fetch_add(1) < options.waiting_pulls_max && !ReturnImmediately(pull);
        auto taken = BlockingPull::Run(broker, SubscriptionOf(path), messages_max,
                                       may_wait ? options.pull_wait_max : Duration{0});
        waiting->fetch_sub(1);
        return taken;
      }));
  router.Add("POST", subscription + ":acknowledge",
             Handle([&broker](auto& request, auto& path) -> Status {
               HF_ASSIGN_OR_RETURN(auto acknowledge, ReadBody<wire::AcknowledgeRequest>(request));
               acknowledge.set_subscription(SubscriptionOf(path));
               return broker.Acknowledge(acknowledge);
             }));
  router.Add("POST", subscription + ":modifyAckDeadline",
             Handle([&broker](auto& request, auto& path) -> Status {
               HF_ASSIGN_OR_RETURN(auto modify, ReadBody<wire::ModifyAckDeadlineRequest>(request));
               modify.set_subscription(SubscriptionOf(path));
               return broker.ModifyAckDeadline(modify);
             }));
  router.Add("POST", subscription + ":seek", Handle([&broker](auto& request, auto& path) -> Status {
               HF_ASSIGN_OR_RETURN(auto seek, ReadBody<wire::SeekRequest>(request));
               seek.set_subscription(SubscriptionOf(path));
               return broker.Seek(seek);
             }));
}

void AddUnimplementedRoutes(rest::Router& router) {
  const auto refuse = [](std::string what) {
    return Handle([what = std::move(what)](auto&, auto&) -> Status {
      return MakeError(ErrorId::kPubsubUnimplemented,
                       what + " are not part of localcloud's Pub/Sub");
    });
  };
  for (const char* method : {"GET", "PUT", "PATCH", "POST", "DELETE"}) {
    router.Add(method, "/v1/projects/{project}/snapshots", refuse("snapshots"));
    router.Add(method, "/v1/projects/{project}/snapshots/{rest...}", refuse("snapshots"));
    router.Add(method, "/v1/projects/{project}/schemas", refuse("schemas"));
    router.Add(method, "/v1/projects/{project}/schemas/{rest...}", refuse("schemas"));
  }
}

}  // namespace

void RegisterRoutes(const RestOptions& options, Broker& broker, rest::Router& router) {
  AddTopicRoutes(broker, router);
  AddSubscriptionRoutes(broker, router);
  AddDeliveryRoutes(options, broker, router);
  AddUnimplementedRoutes(router);
}

}  // namespace holdfast::pubsub
