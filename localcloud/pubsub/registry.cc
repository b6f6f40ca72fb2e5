#include "localcloud/pubsub/registry.h"

#include <algorithm>
#include <mutex>

#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kPageSizeMax = 1000;

template <typename Entry>
std::vector<std::string> NamesWithPrefix(const std::map<std::string, Entry>& entries,
                                         const std::string& prefix) {
  std::vector<std::string> names;
  for (auto entry = entries.lower_bound(prefix); entry != entries.end(); ++entry) {
    if (!entry->first.starts_with(prefix)) break;
    names.push_back(entry->first);
  }
  return names;
}

}  // namespace

Duration TopicEntry::Retention() const {
  return ToDuration(stored.settings.message_retention_duration());
}

std::shared_ptr<const TopicEntry> Registry::FindTopic(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

std::shared_ptr<Subscription> Registry::FindSubscription(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = subscriptions_.find(name);
  return found == subscriptions_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<const TopicEntry>> Registry::GetTopic(const std::string& name) const {
  HF_RETURN_IF_ERROR(ProjectOfTopic(name));
  auto topic = FindTopic(name);
  if (topic == nullptr) return MakeError(ErrorId::kPubsubNotFound, "no topic " + name);
  return topic;
}

Result<std::shared_ptr<Subscription>> Registry::GetSubscription(const std::string& name) const {
  HF_RETURN_IF_ERROR(ProjectOfSubscription(name));
  auto subscription = FindSubscription(name);
  if (subscription == nullptr) {
    return MakeError(ErrorId::kPubsubNotFound, "no subscription " + name);
  }
  return subscription;
}

void Registry::PutTopic(StoredTopic topic) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const TopicEntry>& slot = topics_[topic.settings.name()];
  auto entry = std::make_shared<TopicEntry>();
  if (slot != nullptr) entry->subscriptions = slot->subscriptions;
  entry->stored = std::move(topic);
  slot = std::move(entry);
}

void Registry::RemoveTopic(const std::string& name) {
  const std::lock_guard lock(mutex_);
  topics_.erase(name);
}

void Registry::AddSubscription(std::shared_ptr<Subscription> subscription) {
  const StoredSubscription stored = subscription->stored();
  const std::lock_guard lock(mutex_);
  subscriptions_[stored.settings.name()] = subscription;
  const auto topic = topics_.find(stored.settings.topic());
  if (topic == topics_.end() || stored.settings.detached()) return;
  auto entry = std::make_shared<TopicEntry>(*topic->second);
  entry->subscriptions.push_back(std::move(subscription));
  topic->second = std::move(entry);
}

void Registry::RemoveSubscription(const std::string& name) {
  const auto subscription = FindSubscription(name);
  if (subscription == nullptr) return;
  Unlink(*subscription);
  const std::lock_guard lock(mutex_);
  subscriptions_.erase(name);
}

void Registry::Unlink(const Subscription& subscription) {
  const StoredSubscription stored = subscription.stored();
  const std::lock_guard lock(mutex_);
  const auto topic = topics_.find(stored.settings.topic());
  if (topic == topics_.end()) return;
  auto entry = std::make_shared<TopicEntry>(*topic->second);
  std::erase_if(entry->subscriptions,
                [&](const auto& other) { return other.get() == &subscription; });
  topic->second = std::move(entry);
}

Result<NamePage> Registry::ListTopics(const std::string& prefix, int page_size,
                                      const std::string& page_token) const {
  std::vector<std::string> names;
  {
    const std::shared_lock lock(mutex_);
    names = NamesWithPrefix(topics_, prefix);
  }
  return Page(names, prefix, page_size, page_token);
}

Result<NamePage> Registry::ListSubscriptions(const std::string& prefix, int page_size,
                                             const std::string& page_token) const {
  std::vector<std::string> names;
  {
    const std::shared_lock lock(mutex_);
    names = NamesWithPrefix(subscriptions_, prefix);
  }
  return Page(names, prefix, page_size, page_token);
}

Result<NamePage> Registry::Page(const std::vector<std::string>& sorted_names,
                                const std::string& prefix, int page_size,
                                const std::string& page_token) {
  if (page_size < 0) return MakeError(ErrorId::kPubsubInvalidRequest, "page_size: negative");
  if (!page_token.empty() && !page_token.starts_with(prefix)) {
    return MakeError(ErrorId::kPubsubInvalidRequest, "page_token: not of this list");
  }
  const int size = std::min(page_size == 0 ? kDefaultPageSize : page_size, kPageSizeMax);
  NamePage page;
  auto name = std::ranges::upper_bound(sorted_names, page_token);
  for (; name != sorted_names.end() && std::ssize(page.names) < size; ++name) {
    page.names.push_back(*name);
  }
  if (name != sorted_names.end()) page.next_page_token = page.names.back();
  return page;
}

size_t Registry::CountTopics(const std::string& prefix) const {
  const std::shared_lock lock(mutex_);
  return NamesWithPrefix(topics_, prefix).size();
}

size_t Registry::CountSubscriptions(const std::string& prefix) const {
  const std::shared_lock lock(mutex_);
  return NamesWithPrefix(subscriptions_, prefix).size();
}

std::vector<std::shared_ptr<const TopicEntry>> Registry::AllTopics() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<const TopicEntry>> all;
  all.reserve(topics_.size());
  for (const auto& [name, topic] : topics_) all.push_back(topic);
  return all;
}

std::vector<std::shared_ptr<Subscription>> Registry::AllSubscriptions() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Subscription>> all;
  all.reserve(subscriptions_.size());
  for (const auto& [name, subscription] : subscriptions_) all.push_back(subscription);
  return all;
}

}  // namespace holdfast::pubsub
