#include "localcloud/pubsub/commit_queue.h"

#include <future>
#include <utility>

namespace holdfast::pubsub {

CommitQueue::CommitQueue(Store& store, int64_t pending_bytes_max)
    : store_(store), pending_bytes_max_(pending_bytes_max), thread_([this] { Loop(); }) {}

CommitQueue::~CommitQueue() { Stop(); }

void CommitQueue::Submit(CommitOperation operation) {
  std::unique_lock lock(mutex_);
  Status refused;
  if (stopping_) {
    refused = MakeError(ErrorId::kPubsubStopped, "Pub/Sub is stopping");
  } else if (pending_bytes_ > 0 && pending_bytes_ + operation.size_bytes > pending_bytes_max_) {
    refused = MakeError(ErrorId::kPubsubStoreFailed, "too many publishes wait for the disk");
  }
  if (!refused.ok()) {
    lock.unlock();
    operation.done(std::move(refused));
    return;
  }
  pending_bytes_ += operation.size_bytes;
  pending_.push_back(std::move(operation));
  lock.unlock();
  arrived_.notify_one();
}

Status CommitQueue::Run(std::function<Status(Store& store)> work) {
  std::promise<Status> promise;
  auto future = promise.get_future();
  Submit({.work = std::move(work),
          .done = [&promise](Status status) { promise.set_value(std::move(status)); }});
  return future.get();
}

void CommitQueue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CommitQueue::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) return;
    std::vector<CommitOperation> batch = std::exchange(pending_, {});
    pending_bytes_ = 0;
    lock.unlock();
    CommitBatch(batch);
    batch.clear();
    lock.lock();
  }
}

void CommitQueue::CommitBatch(std::vector<CommitOperation>& batch) {
  std::vector<Status> results(batch.size());
  Status transaction = store_.Begin();
  for (size_t i = 0; i < batch.size() && transaction.ok(); ++i) {
    transaction = store_.BeginOperation();
    if (!transaction.ok()) break;
    results[i] = batch[i].work(store_);
    const Status ended = store_.EndOperation(results[i].ok());
    // On a full disk SQLite may have taken back the whole transaction, savepoints included.
    if (!ended.ok()) transaction = results[i].ok() ? ended : results[i];
  }
  if (transaction.ok()) transaction = store_.Commit();
  if (!transaction.ok()) store_.Rollback();
  for (size_t i = 0; i < batch.size(); ++i) {
    const bool lost = results[i].ok() && !transaction.ok();
    batch[i].done(lost ? transaction : std::move(results[i]));
  }
}

}  // namespace holdfast::pubsub
