#include "localcloud/pubsub/delivery.h"

#include <algorithm>
#include <limits>

namespace holdfast::pubsub {

namespace {

constexpr int64_t kLastId = std::numeric_limits<int64_t>::max();
constexpr int kDoublingsMax = 20;  // 600 s, the longest backoff, is less than 1 s doubled as often

}  // namespace

const Delivery::Key* Delivery::FindKey(const std::string& name) const {
  const auto found = keys_.find(name);
  return found == keys_.end() ? nullptr : &found->second;
}

std::optional<int64_t> Delivery::NextReady(Timestamp now) const {
  const Key* current = FindKey(batch_key_);
  if (current != nullptr && InThisBatch(*current) && !current->waiting.empty()) {
    return *current->waiting.begin();
  }
  if (!ready_.empty() && ready_.begin()->first <= now) return ready_.begin()->second;
  if (ready_keys_.empty() || ready_keys_.begin()->first > now) return std::nullopt;
  const Key* key = FindKey(ready_keys_.begin()->second);
  if (key->waiting.empty()) return std::nullopt;
  return *key->waiting.begin();
}

std::optional<Delivery::PassedOver> Delivery::NextPassedOver(Timestamp now) const {
  const Key* current = FindKey(batch_key_);
  if (current != nullptr && InThisBatch(*current) && current->waiting.empty() &&
      current->passed_over) {
    return PassedOver{.key = batch_key_, .first_id = *current->passed_over};
  }
  if (ready_keys_.empty() || ready_keys_.begin()->first > now) return std::nullopt;
  const std::string& name = ready_keys_.begin()->second;
  const Key* key = FindKey(name);
  if (!key->waiting.empty() || !key->passed_over) return std::nullopt;
  return PassedOver{.key = name, .first_id = *key->passed_over};
}

void Delivery::SetPassedOver(const std::string& key, std::optional<int64_t> first_id) {
  keys_[key].passed_over = first_id;
  KeyChanged(key);
}

bool Delivery::AdmitNew(int64_t id, const std::string& key) {
  if (!rules_.ordered || key.empty()) return true;
  const auto found = keys_.find(key);
  if (found == keys_.end()) return true;
  Key& state = found->second;
  const bool follows = InThisBatch(state) && state.waiting.empty() && !state.passed_over;
  if (follows) return true;
  state.passed_over = std::min(id, state.passed_over.value_or(id));
  KeyChanged(key);
  return false;
}

Handout Delivery::HandOut(int64_t id, const std::string& key, int recorded_attempts, int64_t bytes,
                          Timestamp deadline, const std::shared_ptr<Consumer>& consumer) {
  const auto [entry, is_new] = tracked_.try_emplace(id);
  Tracked& message = entry->second;
  if (is_new) {
    message.attempts = recorded_attempts;
    if (rules_.ordered) message.key = key;
  } else {
    LeaveState(id, message);
  }
  message.state = State::kOut;
  message.when = deadline;
  message.lease = ++last_lease_;
  message.attempts += 1;
  message.bytes = bytes;
  message.consumer = consumer;
  deadlines_.emplace(deadline, id);
  consumer->messages += 1;
  consumer->bytes += bytes;
  if (!message.key.empty()) {
    Key& state = keys_[message.key];
    state.out.insert(id);
    state.batch = batch_;
    batch_key_ = message.key;
    KeyChanged(message.key);
  }
  return {.lease = message.lease, .attempt = message.attempts};
}

void Delivery::LeaveState(int64_t id, Tracked& message) {
  switch (message.state) {
    case State::kOut:
      deadlines_.erase({message.when, id});
      message.consumer->messages -= 1;
      message.consumer->bytes -= message.bytes;
      message.consumer = nullptr;
      break;
    case State::kReady:
      ready_.erase({message.when, id});
      break;
    case State::kDead:
      std::erase(dead_, id);
      break;
  }
  if (const auto found = keys_.find(message.key); found != keys_.end()) {
    found->second.out.erase(id);
    found->second.waiting.erase(id);
  }
}

void Delivery::Remove(int64_t id) {
  const auto found = tracked_.find(id);
  if (found == tracked_.end()) return;
  LeaveState(id, found->second);
  const std::string key = found->second.key;
  tracked_.erase(found);
  if (!key.empty()) KeyChanged(key);
}

bool Delivery::IsLatest(int64_t id, uint64_t lease) const {
  const auto found = tracked_.find(id);
  return found != tracked_.end() && found->second.lease == lease &&
         found->second.state != State::kDead;
}

bool Delivery::Extend(int64_t id, uint64_t lease, Timestamp deadline) {
  const auto found = tracked_.find(id);
  if (found == tracked_.end()) return false;
  Tracked& message = found->second;
  if (message.state != State::kOut || message.lease != lease) return false;
  deadlines_.erase({message.when, id});
  message.when = deadline;
  deadlines_.emplace(deadline, id);
  return true;
}

bool Delivery::GiveBack(int64_t id, uint64_t lease, Timestamp now) {
  const auto found = tracked_.find(id);
  if (found == tracked_.end()) return false;
  if (found->second.state != State::kOut || found->second.lease != lease) return false;
  EndLease(id, now);
  return true;
}

void Delivery::EndDueLeases(Timestamp now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    EndLease(deadlines_.begin()->second, now);
  }
}

void Delivery::EndLease(int64_t id, Timestamp now) {
  Tracked& message = tracked_.at(id);
  const Timestamp when = ReadyTime(message, now);
  LeaveState(id, message);
  if (rules_.attempts_max > 0 && message.attempts >= rules_.attempts_max) {
    message.state = State::kDead;
    dead_.push_back(id);
    if (!message.key.empty()) keys_[message.key].out.insert(id);
  } else {
    MakeReady(id, message, when);
  }
  if (message.key.empty()) return;
  GiveBackLater(message.key, id, when);
  KeyChanged(message.key);
}

// What was handed out after a message of its key that failed must not be done before it. Its
// attempt does not count: it did not fail.
void Delivery::GiveBackLater(const std::string& key, int64_t id, Timestamp when) {
  const Key& state = keys_.at(key);
  const std::vector<int64_t> later(state.out.upper_bound(id), state.out.end());
  for (const int64_t later_id : later) {
    Tracked& message = tracked_.at(later_id);
    if (message.state != State::kOut) continue;
    LeaveState(later_id, message);
    message.attempts -= 1;
    MakeReady(later_id, message, when);
  }
}

void Delivery::MakeReady(int64_t id, Tracked& message, Timestamp when) {
  message.state = State::kReady;
  message.when = when;
  if (message.key.empty()) {
    ready_.emplace(when, id);
    return;
  }
  Key& key = keys_[message.key];
  key.waiting.insert(id);
  key.ready_at = std::max(key.ready_at, when);
}

Timestamp Delivery::ReadyTime(const Tracked& message, Timestamp now) const {
  const int doublings = std::clamp(message.attempts - 1, 0, kDoublingsMax);
  return now + std::min(rules_.backoff_max, rules_.backoff_min * (int64_t{1} << doublings));
}

std::vector<int64_t> Delivery::TakeDead() { return std::exchange(dead_, {}); }

void Delivery::Retry(int64_t id, Timestamp when) {
  const auto found = tracked_.find(id);
  if (found == tracked_.end() || found->second.state != State::kDead) return;
  LeaveState(id, found->second);
  MakeReady(id, found->second, when);
  if (!found->second.key.empty()) KeyChanged(found->second.key);
}

std::optional<Timestamp> Delivery::NextDue(Timestamp now) const {
  std::optional<Timestamp> due;
  const auto consider = [&due](Timestamp when) { due = due ? std::min(*due, when) : when; };
  if (!deadlines_.empty()) consider(deadlines_.begin()->first);
  const auto ready = ready_.upper_bound({now, kLastId});
  if (ready != ready_.end()) consider(ready->first);
  const auto ready_key = ready_keys_.lower_bound({now + Duration{1}, std::string()});
  if (ready_key != ready_keys_.end()) consider(ready_key->first);
  return due;
}

void Delivery::Clear() {
  for (auto& [id, message] : tracked_) {
    if (message.state != State::kOut) continue;
    message.consumer->messages -= 1;
    message.consumer->bytes -= message.bytes;
  }
  tracked_.clear();
  deadlines_.clear();
  ready_.clear();
  keys_.clear();
  ready_keys_.clear();
  dead_.clear();
  batch_key_.clear();
}

// Keeps ready_keys_ and keys_ true after a change of the key `name`.
void Delivery::KeyChanged(const std::string& name) {
  const auto found = keys_.find(name);
  if (found == keys_.end()) return;
  Key& key = found->second;
  if (key.listed_at) ready_keys_.erase({*key.listed_at, name});
  key.listed_at.reset();
  const bool has_more = !key.waiting.empty() || key.passed_over.has_value();
  if (key.out.empty() && has_more) {
    key.listed_at = key.ready_at;
    ready_keys_.emplace(key.ready_at, name);
  } else if (key.out.empty()) {
    keys_.erase(found);
  }
}

}  // namespace holdfast::pubsub
