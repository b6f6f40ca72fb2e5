// FaultPlan: which calls to the simulated cloud fail, how, and when the process "dies".
//
// Everything follows from a seed and the order of calls, so a failing run replays. A fault strikes
// either before the effect of a call or after it, when only the answer is lost. Thread-safe; with
// several threads the order of calls, and so the run, is no longer fixed. Source: DESIGN §8.
#pragma once

#include <cstdint>
#include <functional>
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
  double told_conflict = 0;  // a job began, the answer was lost, and the repeated call is told 409
  double rival = 0;          // whoever else is at work takes a turn just before something is made
  double disk_full = 0;      // a write of the catalog finds no space
  double lost_commit = 0;    // a write of the catalog happened, its answer was lost
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

  // The catalog's write number `write` from now (1: the next) and those behind it, `writes` in all,
  // find no space.
  void FillDiskAtWrite(int64_t write, int64_t writes);

  // Lets calls through again; a crash or failure that was still to come is off.
  void Revive();
  bool crashed() const;

  // How often each kind of fault struck: "unavailable", ..., "crash", "denied", "api_off",
  // "job_refused"; and what the service would have answered to a call that makes what is there:
  // "found_409", "found_412" where an earlier call made it whose answer was lost, "rival_409",
  // "rival_412" where another did.
  std::map<std::string, int64_t> Struck() const;

  // Calls so far, and those of them that were writes of a catalog.
  int64_t calls() const;
  int64_t writes() const;

  // The next jobs of this kind ("extract", "load", "copy") fail with this reason, `times` times.
  void FailJobs(const std::string& kind, const std::string& reason, int times);

  // What a turn of whoever else is at work is (FaultRates::rival). It may call the services itself.
  void SetRival(std::function<void()> rival);

  // For the simulated services. Before: what goes wrong before the call's effect; `name` is that of
  // what it is about. After: what goes wrong once it has happened; `made` names what the call made.
  Status Before(const std::string& name);
  Status After(const std::string& made = {});
  // Before the making of something: another may get in first. The process may be dead afterwards.
  Status LetRivalWork();
  // The call was to make `made`, which is there; `code` is what the service answers: "409", "412".
  void NoteConflict(const std::string& code, const std::string& made);
  // The same for a catalog: around each write, and before each read. A write that FillsDisk is
  // taken back.
  Status BeforeCommit();
  Status AfterCommit();
  Status CheckAlive() const;
  bool FillsDisk();
  // The reason with which a new job of that kind will fail; empty: it will not.
  std::string NextJobFailure(const std::string& kind);

  // Whether the chance strikes now: each call is a throw of the dice.
  bool DropsTable();
  bool TellsConflict();
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
  // The lock is held.
  bool Strikes(const char* kind, double rate);
  Status Count();  // one more call: whether the process lives and the call is not the one to fail

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
  int64_t writes_ = 0;
  int64_t full_from_ = 0;  // write number
  int64_t full_until_ = 0;
  std::set<std::string> untold_;  // what was made by calls whose answers were lost
  std::function<void()> rival_;
};

}  // namespace holdfast::sim
