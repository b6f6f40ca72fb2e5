// The calls of the Broker that make, change, list and delete topics and subscriptions.
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <utility>

#include "localcloud/pubsub/broker.h"
#include "localcloud/pubsub/broker_state.h"
#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

namespace {

Error AlreadyExists(const std::string& name) {
  return MakeError(ErrorId::kPubsubAlreadyExists, name + " exists already");
}

Status CheckQuota(size_t count) {
  if (count < kResourcesPerProjectMax) return Ok();
  return MakeError(ErrorId::kPubsubQuotaExceeded, "10,000 are there already");
}

// Lets the fields of `mask` be those of `change`; a list or map is replaced whole.
template <typename Settings>
void Merge(const Settings& change, const google::protobuf::FieldMask& mask, Settings& settings) {
  google::protobuf::util::FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  google::protobuf::util::FieldMaskUtil::MergeMessageTo(change, mask, options, &settings);
}

std::string TopicPrefix(const std::string& project) { return "projects/" + project + "/topics/"; }

std::string SubscriptionPrefix(const std::string& project) {
  return "projects/" + project + "/subscriptions/";
}

// A subscription as it is answered: with what its topic adds.
wire::Subscription Present(const Registry& registry, const Subscription& subscription) {
  wire::Subscription settings = subscription.stored().settings;
  settings.set_state(wire::Subscription::ACTIVE);
  const auto topic = registry.FindTopic(settings.topic());
  if (topic != nullptr && topic->stored.settings.has_message_retention_duration()) {
    *settings.mutable_topic_message_retention_duration() =
        topic->stored.settings.message_retention_duration();
  }
  return settings;
}

wire::Topic Present(const TopicEntry& topic) {
  wire::Topic settings = topic.stored.settings;
  settings.set_state(wire::Topic::ACTIVE);
  return settings;
}

// The dead-letter topic, where there is one, must be there.
Status CheckDeadLetterTopic(const Registry& registry, const wire::Subscription& settings) {
  if (!settings.has_dead_letter_policy()) return Ok();
  const std::string& name = settings.dead_letter_policy().dead_letter_topic();
  return registry.GetTopic(name).ok()
             ? Ok()
             : MakeError(ErrorId::kPubsubNotFound, "no dead-letter topic " + name);
}

}  // namespace

Result<wire::Topic> Broker::CreateTopic(const wire::Topic& topic) {
  HF_RETURN_IF_ERROR(ValidateTopic(topic));
  HF_ASSIGN_OR_RETURN(const std::string project, ProjectOfTopic(topic.name()));
  HF_RETURN_IF_ERROR(state_->EnsureProject(project));
  const std::lock_guard lock(state_->admin_mutex);
  if (state_->registry.FindTopic(topic.name()) != nullptr) return AlreadyExists(topic.name());
  HF_RETURN_IF_ERROR(CheckQuota(state_->registry.CountTopics(TopicPrefix(project))));
  StoredTopic stored{.id = 0, .settings = topic};
  stored.settings.clear_tags();  // input only
  stored.settings.clear_state();
  HF_RETURN_IF_ERROR(state_->Save(stored));
  state_->registry.PutTopic(stored);
  return GetTopic(topic.name());
}

Result<wire::Topic> Broker::UpdateTopic(const wire::UpdateTopicRequest& request) {
  HF_RETURN_IF_ERROR(ValidateTopicMask(request.update_mask()));
  const std::lock_guard lock(state_->admin_mutex);
  HF_ASSIGN_OR_RETURN(const auto topic, state_->registry.GetTopic(request.topic().name()));
  StoredTopic stored = topic->stored;
  Merge(request.topic(), request.update_mask(), stored.settings);
  HF_RETURN_IF_ERROR(ValidateTopic(stored.settings));
  HF_RETURN_IF_ERROR(state_->Save(stored));
  state_->registry.PutTopic(stored);
  return GetTopic(request.topic().name());
}

Result<wire::Topic> Broker::GetTopic(const std::string& name) {
  HF_ASSIGN_OR_RETURN(const auto topic, state_->registry.GetTopic(name));
  return Present(*topic);
}

Result<wire::ListTopicsResponse> Broker::ListTopics(const wire::ListTopicsRequest& request) {
  HF_ASSIGN_OR_RETURN(const std::string project, ProjectOfName(request.project()));
  HF_RETURN_IF_ERROR(state_->EnsureProject(project));
  HF_ASSIGN_OR_RETURN(
      const NamePage page,
      state_->registry.ListTopics(TopicPrefix(project), request.page_size(), request.page_token()));
  wire::ListTopicsResponse response;
  for (const std::string& name : page.names) {
    const auto topic = state_->registry.FindTopic(name);
    if (topic != nullptr) *response.add_topics() = Present(*topic);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

Result<wire::ListTopicSubscriptionsResponse> Broker::ListTopicSubscriptions(
    const wire::ListTopicSubscriptionsRequest& request) {
  HF_ASSIGN_OR_RETURN(const auto topic, state_->registry.GetTopic(request.topic()));
  std::vector<std::string> names;
  for (const auto& subscription : topic->subscriptions) {
    names.push_back(subscription->stored().settings.name());
  }
  std::ranges::sort(names);
  HF_ASSIGN_OR_RETURN(const NamePage page, Registry::Page(names, "projects/", request.page_size(),
                                                          request.page_token()));
  wire::ListTopicSubscriptionsResponse response;
  for (const std::string& name : page.names) response.add_subscriptions(name);
  response.set_next_page_token(page.next_page_token);
  return response;
}

Status Broker::DeleteTopic(const std::string& name) {
  const std::lock_guard lock(state_->admin_mutex);
  HF_ASSIGN_OR_RETURN(const auto topic, state_->registry.GetTopic(name));
  // Detached subscriptions name the topic too, though it does not list them.
  std::vector<std::pair<std::shared_ptr<Subscription>, StoredSubscription>> orphans;
  for (const auto& subscription : state_->registry.AllSubscriptions()) {
    StoredSubscription stored = subscription->stored();
    if (stored.settings.topic() != name) continue;
    stored.topic_id = 0;
    stored.settings.set_topic(std::string(kDeletedTopic));
    orphans.emplace_back(subscription, std::move(stored));
  }
  const Status deleted = state_->queue.Run([&](Store& store) -> Status {
    for (const auto& [subscription, stored] : orphans) {
      HF_RETURN_IF_ERROR(store.PutSubscription(stored));
    }
    return store.DeleteTopic(topic->stored.id);
  });
  HF_RETURN_IF_ERROR(deleted);
  state_->registry.RemoveTopic(name);
  for (auto& [subscription, stored] : orphans) subscription->SetStored(std::move(stored));
  return Ok();
}

Status Broker::DetachSubscription(const std::string& name) {
  const std::lock_guard lock(state_->admin_mutex);
  HF_ASSIGN_OR_RETURN(auto subscription, state_->registry.GetSubscription(name));
  StoredSubscription stored = subscription->stored();
  stored.settings.set_detached(true);
  HF_RETURN_IF_ERROR(state_->Save(stored));
  state_->registry.Unlink(*subscription);
  subscription->SetStored(std::move(stored));
  state_->dispatcher.Notify(std::move(subscription));
  return Ok();
}

Result<wire::Subscription> Broker::CreateSubscription(const wire::Subscription& subscription) {
  StoredSubscription stored{.id = 0, .topic_id = 0, .settings = subscription};
  wire::Subscription& settings = stored.settings;
  HF_RETURN_IF_ERROR(CompleteSubscription(settings));
  HF_ASSIGN_OR_RETURN(const std::string project, ProjectOfSubscription(settings.name()));
  HF_RETURN_IF_ERROR(state_->EnsureProject(project));
  settings.clear_tags();  // input only; the others below are the server's to say
  settings.clear_detached();
  settings.clear_state();
  settings.clear_topic_message_retention_duration();
  settings.clear_analytics_hub_subscription_info();
  const std::lock_guard lock(state_->admin_mutex);
  if (state_->registry.FindSubscription(settings.name()) != nullptr) {
    return AlreadyExists(settings.name());
  }
  HF_RETURN_IF_ERROR(CheckQuota(state_->registry.CountSubscriptions(SubscriptionPrefix(project))));
  HF_ASSIGN_OR_RETURN(const auto topic, state_->registry.GetTopic(settings.topic()));
  HF_RETURN_IF_ERROR(CheckDeadLetterTopic(state_->registry, settings));
  stored.topic_id = topic->stored.id;
  HF_RETURN_IF_ERROR(state_->Save(stored));
  HF_ASSIGN_OR_RETURN(auto made, state_->MakeSubscription(stored));
  state_->registry.AddSubscription(made);
  return Present(state_->registry, *made);
}

Result<wire::Subscription> Broker::UpdateSubscription(
    const wire::UpdateSubscriptionRequest& request) {
  HF_RETURN_IF_ERROR(ValidateSubscriptionMask(request.update_mask()));
  const std::lock_guard lock(state_->admin_mutex);
  HF_ASSIGN_OR_RETURN(const auto subscription,
                      state_->registry.GetSubscription(request.subscription().name()));
  StoredSubscription stored = subscription->stored();
  Merge(request.subscription(), request.update_mask(), stored.settings);
  HF_RETURN_IF_ERROR(CompleteSubscription(stored.settings));
  HF_RETURN_IF_ERROR(CheckDeadLetterTopic(state_->registry, stored.settings));
  HF_RETURN_IF_ERROR(state_->Save(stored));
  subscription->SetStored(std::move(stored));
  return Present(state_->registry, *subscription);
}

Result<wire::Subscription> Broker::GetSubscription(const std::string& name) {
  HF_ASSIGN_OR_RETURN(const auto subscription, state_->registry.GetSubscription(name));
  return Present(state_->registry, *subscription);
}

Result<wire::ListSubscriptionsResponse> Broker::ListSubscriptions(
    const wire::ListSubscriptionsRequest& request) {
  HF_ASSIGN_OR_RETURN(const std::string project, ProjectOfName(request.project()));
  HF_RETURN_IF_ERROR(state_->EnsureProject(project));
  HF_ASSIGN_OR_RETURN(const NamePage page,
                      state_->registry.ListSubscriptions(
                          SubscriptionPrefix(project), request.page_size(), request.page_token()));
  wire::ListSubscriptionsResponse response;
  for (const std::string& name : page.names) {
    const auto subscription = state_->registry.FindSubscription(name);
    if (subscription == nullptr) continue;
    *response.add_subscriptions() = Present(state_->registry, *subscription);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

Status Broker::DeleteSubscription(const std::string& name) {
  const std::lock_guard lock(state_->admin_mutex);
  HF_ASSIGN_OR_RETURN(auto subscription, state_->registry.GetSubscription(name));
  HF_RETURN_IF_ERROR(state_->queue.Run(
      [&](Store& store) { return store.DeleteSubscription(subscription->id()); }));
  state_->registry.RemoveSubscription(name);
  subscription->Close(MakeError(ErrorId::kPubsubNotFound, "no subscription " + name));
  state_->dispatcher.Notify(std::move(subscription));
  return Ok();
}

Status Broker::Seek(const wire::SeekRequest& request) {
  if (request.has_snapshot()) {
    return MakeError(ErrorId::kPubsubUnimplemented,
                     "a snapshot is not part of localcloud's Pub/Sub; seek to a time instead");
  }
  if (!request.has_time()) {
    return MakeError(ErrorId::kPubsubInvalidRequest, "seek: without a target");
  }
  const std::lock_guard lock(state_->admin_mutex);
  HF_ASSIGN_OR_RETURN(auto subscription, state_->registry.GetSubscription(request.subscription()));
  const StoredSubscription stored = subscription->stored();
  if (stored.settings.detached()) {
    return MakeError(ErrorId::kPubsubPrecondition,
                     stored.settings.name() + " is detached from its topic");
  }
  const auto oldest = [now = state_->clock.Now()](Duration retention) {
    return (now - retention).time_since_epoch().count();
  };
  Store::SeekTarget target{
      .subscription_id = stored.id,
      .topic_id = stored.topic_id,
      .first_id = ToTimestamp(request.time()).time_since_epoch().count(),
      .oldest_retained = oldest(ToDuration(stored.settings.message_retention_duration())),
      .oldest_in_topic = 0,
      .retain = stored.settings.retain_acked_messages(),
      .ordered = subscription->ordered()};
  const auto topic = state_->registry.FindTopic(stored.settings.topic());
  if (topic != nullptr && topic->Retention() > Duration{0}) {
    target.oldest_in_topic = oldest(topic->Retention());
  }
  HF_RETURN_IF_ERROR(
      state_->queue.Run([&](Store& store) { return store.Seek(target, subscription->filter()); }));
  HF_ASSIGN_OR_RETURN(const int64_t newest_id, state_->store->NewestBacklogId(stored.id));
  subscription->Restart(newest_id);
  state_->dispatcher.Notify(std::move(subscription));
  return Ok();
}

}  // namespace holdfast::pubsub
