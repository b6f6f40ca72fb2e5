// One thread that writes, so that many callers share a commit.
//
// Operations run in the order they were submitted; those that wait while a commit is on its way to
// the disk go together into the next one. An operation that fails is taken back alone; a commit
// that fails fails all its operations. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "localcloud/pubsub/store.h"

namespace holdfast::pubsub {

struct CommitOperation {
  std::function<Status(Store& store)> work;  // within the transaction
  std::function<void(Status)> done;          // after it is durable, or refused; must not block
  int64_t size_bytes = 0;                    // what the operation holds in memory
};

class CommitQueue {
 public:
  // `store` must outlive the queue. `pending_bytes_max`: what may wait before Submit refuses.
  CommitQueue(Store& store, int64_t pending_bytes_max);
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;
  ~CommitQueue();  // as Stop

  // Hands over an operation; `done` is called once, here when it is refused: kPubsubStopped, or
  // kPubsubStoreFailed when too much waits.
  void Submit(CommitOperation operation);

  // Submits and waits. Never from a `done`.
  Status Run(std::function<Status(Store& store)> work);

  // Commits what was submitted, then ends the thread. Idempotent.
  void Stop();

 private:
  void Loop();
  void CommitBatch(std::vector<CommitOperation>& batch);

  Store& store_;
  const int64_t pending_bytes_max_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<CommitOperation> pending_;  // guarded by mutex_, as the two below
  int64_t pending_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace holdfast::pubsub
