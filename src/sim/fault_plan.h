// FaultPlan: which calls to the simulated cloud fail, how, and when the process "dies".
//
// Everything follows from a seed and the order of calls, so a failing run replays. A fault strikes
// either before the effect of a call or after it, when only the answer is lost. Thread-safe; with
// several threads the order of calls, and so the run, is no longer fixed. Source: DESIGN §8.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/random.h"
#include "base/result.h"

namespace holdfast::sim {

// Chances in 0..1 per call (or job). All zero: nothing ever fails.
struct FaultRates {
  double unavailable = 0;   // 503, before the effect
  double throttled = 0;     // 429 rateLimitExceeded, before the effect
  double reset_before = 0;  // the connection broke before the effect
  double reset_after = 0;   // the effect happened, the answer was lost
  double timeout = 0;       // 408, before the effect
  double cut_read = 0;      // the body of an object ends early, and so does the connection
  double job_failure = 0;   // a job ends with backendError
  double drop_table = 0;    // a call to GetTable or StartJob finds that its table was just dropped
  double lost_ack = 0;      // an acknowledged message comes again nevertheless
  double lost_message = 0;  // a published message never comes
  double duplicate_message = 0;  // a published message comes twice
  double delayed_message = 0;    // a published message comes up to 10 minutes later
  double reordered_message = 0;  // a published message comes before others that are waiting
  double corrupt_write =
      0;  // an extract writes an object with one bit flipped (its checksums match)
};

class FaultPlan {
 public:
  // The same seed, rates and calls give the same faults.
  explicit FaultPlan(uint64_t seed = 0, FaultRates rates = {});

  // The chances from the next call on; the sequence of random numbers goes on.
  void SetRates(FaultRates rates);

  // From now on every call on this project, dataset or bucket name is kAccessDenied (or allowed
  // again).
  void DenyAccess(const std::string& name);
  void AllowAccess(const std::string& name);

  // From now on calls on this project fail as where BigQuery's API is not enabled.
  void TurnApiOff(const std::string& project);

  // The process dies at call number `call` from now (1: the next): that call and all after it fail
  // with kCancelled, nothing takes effect, until Revive. If `after_effect`, that call takes effect
  // first.
  void CrashAtCall(int64_t call, bool after_effect = false);

  // Only call number `call` from now fails, as where the connection broke: before its effect, or
  // after it.
  void FailAtCall(int64_t call, bool after_effect = false);

  // Lets calls through again; a crash or failure that was still to come is off.
  void Revive();
  bool crashed() const;

  // How often each kind of fault struck: "unavailable", ..., "crash", "denied", "api_off",
  // "job_refused".
  std::map<std::string, int64_t> Struck() const;

  // Calls so far.
  int64_t calls() const;

  // The next jobs of this kind ("extract", "load", "copy") fail with this reason, `times` times.
  void FailJobs(const std::string& kind, const std::string& reason, int times);

  // For the simulated services. Before: what goes wrong before the call's effect; `name` is that of
  // what it is about. After: what goes wrong once it has happened.
  Status Before(const std::string& name);
  Status After();
  // The reason with which a new job of that kind will fail; empty: it will not.
  std::string NextJobFailure(const std::string& kind);

  // Whether the chance strikes now: each call is a throw of the dice.
  bool DropsTable();
  bool CorruptsWrite();
  bool LosesAcknowledgement();
  bool CutsRead();
  bool LosesMessage();
  bool DuplicatesMessage();
  bool DelaysMessage();
  bool ReordersMessage();
  // A number below `bound` from the plan's seed.
  uint64_t Pick(uint64_t bound);

 private:
  bool Strikes(const char* kind, double rate);  // the lock is held

  mutable std::mutex mutex_;
  std::unique_ptr<Random> random_;
  FaultRates rates_;
  std::set<std::string> denied_;
  std::set<std::string> api_off_;
  std::map<std::string, std::pair<std::string, int>> job_failures_;  // kind → reason, times
  int64_t calls_ = 0;
  int64_t crash_at_ = 0;  // call number; 0: never
  bool crash_after_effect_ = false;
  int64_t fail_at_ = 0;  // call number; 0: never
  bool fail_after_effect_ = false;
  std::map<std::string, int64_t> struck_;
  bool crashed_ = false;
};

}  // namespace holdfast::sim
