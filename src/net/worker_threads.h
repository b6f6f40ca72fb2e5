// A fixed number of threads that run tasks in the order in which they came.
//
// The queue has no bound of its own: whoever fills it has one (the server's connections). Tasks
// must not throw. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::net {

class WorkerThreads {
 public:
  // Starts `count` threads, at least 1.
  explicit WorkerThreads(int count);
  ~WorkerThreads() { Stop(); }
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // Queues `task`. After Stop it is dropped.
  void Run(std::function<void()> task);

  // Runs what is queued to its end and joins the threads. Idempotent; not to be called by a task.
  void Stop();

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::net
