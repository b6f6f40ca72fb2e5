// The topics and subscriptions that exist, by name: the broker's view of what the Store keeps.
//
// Snapshots are immutable and handed out by shared pointer, so that the committing thread can fan a
// message out while a topic changes. Changes are made after their commit, by one caller at a time.
// Thread-safe.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "localcloud/pubsub/subscription.h"

namespace holdfast::pubsub {

// A topic with those attached to it.
struct TopicEntry {
  StoredTopic stored;
  std::vector<std::shared_ptr<Subscription>> subscriptions;

  // How long the topic itself keeps messages; zero: it does not.
  Duration Retention() const;
};

// One page of names in order, and what the next one begins after ("" at the end).
struct NamePage {
  std::vector<std::string> names;
  std::string next_page_token;
};

class Registry {
 public:
  // nullptr when there is none of that name.
  std::shared_ptr<const TopicEntry> FindTopic(const std::string& name) const;
  std::shared_ptr<Subscription> FindSubscription(const std::string& name) const;

  // As above, or kPubsubNotFound.
  Result<std::shared_ptr<const TopicEntry>> GetTopic(const std::string& name) const;
  Result<std::shared_ptr<Subscription>> GetSubscription(const std::string& name) const;

  void PutTopic(StoredTopic topic);  // keeps its subscriptions when it is there already

  // Removes what is there; nothing when it is not. Subscriptions of a removed topic stay.
  void RemoveTopic(const std::string& name);
  // Adds the subscription, attached to the topic of its settings, if that exists.
  void AddSubscription(std::shared_ptr<Subscription> subscription);

  // Takes it off its topic and forgets it; nothing when there is none.
  void RemoveSubscription(const std::string& name);
  void Unlink(const Subscription& subscription);  // off its topic, without removing it

  // Pages of names that begin with `prefix`. `page_size` 0: the default of 100; at most 1000.
  // Errors: kPubsubInvalidRequest for a negative size or a token not given out with this prefix.
  Result<NamePage> ListTopics(const std::string& prefix, int page_size,
                              const std::string& page_token) const;
  Result<NamePage> ListSubscriptions(const std::string& prefix, int page_size,
                                     const std::string& page_token) const;
  static Result<NamePage> Page(const std::vector<std::string>& sorted_names,
                               const std::string& prefix, int page_size,
                               const std::string& page_token);

  // How many names begin with `prefix`. Takes time in proportion to them.
  size_t CountTopics(const std::string& prefix) const;
  size_t CountSubscriptions(const std::string& prefix) const;

  // All there are now, by name.
  std::vector<std::shared_ptr<const TopicEntry>> AllTopics() const;
  std::vector<std::shared_ptr<Subscription>> AllSubscriptions() const;

 private:
  mutable std::shared_mutex mutex_;  // guards both maps
  std::map<std::string, std::shared_ptr<const TopicEntry>> topics_;
  std::map<std::string, std::shared_ptr<Subscription>> subscriptions_;
};

}  // namespace holdfast::pubsub
