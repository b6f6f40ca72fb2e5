#include "sim/fault_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::sim {

namespace {

Error Unavailable(std::string message, std::string reason) {
  return WithReason(std::move(reason), MakeError(ErrorId::kServiceUnavailable, std::move(message)));
}

Error Throttled() {
  return WithReason("rateLimitExceeded",
                    MakeError(ErrorId::kServiceUnavailable, Code::kResourceExhausted,
                              "simulated: too many requests"));
}

Error Dead() { return MakeError(ErrorId::kCancelled, "simulated: the process died"); }

bool IsAtOrBelow(const std::string& name, const std::string& top) {
  return name == top || name.starts_with(top + ".");
}

}  // namespace

FaultPlan::FaultPlan(uint64_t seed, FaultRates rates)
    : random_(MakeSeededRandom(seed)), rates_(rates) {}

void FaultPlan::SetRates(FaultRates rates) {
  const std::lock_guard lock(mutex_);
  rates_ = rates;
}

void FaultPlan::DenyAccess(const std::string& name) {
  const std::lock_guard lock(mutex_);
  denied_.insert(name);
}

void FaultPlan::AllowAccess(const std::string& name) {
  const std::lock_guard lock(mutex_);
  denied_.erase(name);
}

void FaultPlan::TurnApiOff(const std::string& project) {
  const std::lock_guard lock(mutex_);
  api_off_.insert(project);
}

void FaultPlan::CrashAtCall(int64_t call, bool after_effect) {
  const std::lock_guard lock(mutex_);
  crash_at_ = calls_ + call;
  crash_after_effect_ = after_effect;
}

void FaultPlan::Revive() {
  const std::lock_guard lock(mutex_);
  crashed_ = false;
  crash_at_ = 0;
  fail_at_ = 0;
  full_until_ = 0;
}

void FaultPlan::FillDiskAtWrite(int64_t write, int64_t writes) {
  const std::lock_guard lock(mutex_);
  full_from_ = writes_ + write;
  full_until_ = full_from_ + writes;
}

void FaultPlan::FailAtCall(int64_t call, bool after_effect) {
  const std::lock_guard lock(mutex_);
  fail_at_ = calls_ + call;
  fail_after_effect_ = after_effect;
}

std::map<std::string, int64_t> FaultPlan::Struck() const {
  const std::lock_guard lock(mutex_);
  return struck_;
}

bool FaultPlan::crashed() const {
  const std::lock_guard lock(mutex_);
  return crashed_;
}

int64_t FaultPlan::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

int64_t FaultPlan::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

void FaultPlan::FailJobs(const std::string& kind, const std::string& reason, int times) {
  const std::lock_guard lock(mutex_);
  job_failures_[kind] = {reason, times};
}

Status FaultPlan::Count() {
  ++calls_;
  if (crashed_) return Dead();
  if (crash_at_ != 0 && calls_ >= crash_at_) {
    crashed_ = true;
    ++struck_["crash"];
    if (!crash_after_effect_) return Dead();
  }
  if (calls_ == fail_at_ && !fail_after_effect_) {
    return Unavailable("simulated: the connection broke", "");
  }
  return Ok();
}

Status FaultPlan::Before(const std::string& name) {
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(Count());
  const auto covers = [&](const std::string& top) { return IsAtOrBelow(name, top); };
  if (std::ranges::any_of(denied_, covers)) {
    ++struck_["denied"];
    return MakeError(ErrorId::kAccessDenied, fmt::format("simulated: no access to {}", name));
  }
  if (api_off_.contains(name)) {
    ++struck_["api_off"];
    return WithReason("accessNotConfigured",
                      MakeError(ErrorId::kAccessDenied, "simulated: the API is off in " + name));
  }
  if (Strikes("unavailable", rates_.unavailable)) {
    return Unavailable("simulated: service unavailable", "backendError");
  }
  if (Strikes("throttled", rates_.throttled)) return Throttled();
  if (Strikes("timeout", rates_.timeout)) {
    return MakeError(ErrorId::kServiceUnavailable, Code::kDeadlineExceeded,
                     "simulated: the request timed out");
  }
  if (Strikes("reset_before", rates_.reset_before))
    return Unavailable("simulated: connection reset", "");
  return Ok();
}

Status FaultPlan::After(const std::string& made) {
  const std::lock_guard lock(mutex_);
  const bool lost = (calls_ == fail_at_ && fail_after_effect_) ||
                    (!crashed_ && Strikes("reset_after", rates_.reset_after));
  if (!made.empty() && (lost || crashed_)) untold_.insert(made);
  if (crashed_) return Dead();
  return lost ? Unavailable("simulated: the answer was lost", "") : Status();
}

void FaultPlan::SetRival(std::function<void()> rival) {
  const std::lock_guard lock(mutex_);
  rival_ = std::move(rival);
}

Status FaultPlan::LetRivalWork() {
  std::function<void()> rival;
  {
    const std::lock_guard lock(mutex_);
    if (rival_ && Strikes("rival", rates_.rival)) rival = rival_;
  }
  if (!rival) return Ok();
  rival();
  return CheckAlive();
}

void FaultPlan::NoteConflict(const std::string& code, const std::string& made) {
  const std::lock_guard lock(mutex_);
  ++struck_[(untold_.erase(made) > 0 ? "found_" : "rival_") + code];
}

Status FaultPlan::BeforeCommit() {
  const std::lock_guard lock(mutex_);
  return Count();
}

Status FaultPlan::AfterCommit() {
  const std::lock_guard lock(mutex_);
  if (crashed_) return Dead();
  if ((calls_ == fail_at_ && fail_after_effect_) || Strikes("lost_commit", rates_.lost_commit)) {
    return MakeError(ErrorId::kCatalogUnavailable, "simulated: the answer to a commit was lost");
  }
  return Ok();
}

Status FaultPlan::CheckAlive() const {
  const std::lock_guard lock(mutex_);
  return crashed_ ? Status(Dead()) : Ok();
}

bool FaultPlan::FillsDisk() {
  const std::lock_guard lock(mutex_);
  ++writes_;
  if (writes_ < full_from_ || writes_ >= full_until_) {
    return Strikes("disk_full", rates_.disk_full);
  }
  ++struck_["disk_full"];
  return true;
}

std::string FaultPlan::NextJobFailure(const std::string& kind) {
  const std::lock_guard lock(mutex_);
  const auto found = job_failures_.find(kind);
  if (found != job_failures_.end() && found->second.second > 0) {
    --found->second.second;
    ++struck_["job_refused"];
    return found->second.first;
  }
  return Strikes("job_failure", rates_.job_failure) ? "backendError" : "";
}

bool FaultPlan::DropsTable() {
  const std::lock_guard lock(mutex_);
  return Strikes("drop_table", rates_.drop_table);
}

bool FaultPlan::TellsConflict() {
  const std::lock_guard lock(mutex_);
  return Strikes("told_409", rates_.told_conflict);
}

bool FaultPlan::CorruptsWrite() {
  const std::lock_guard lock(mutex_);
  return Strikes("corrupt_write", rates_.corrupt_write);
}

bool FaultPlan::LosesAcknowledgement() {
  const std::lock_guard lock(mutex_);
  return Strikes("lost_ack", rates_.lost_ack);
}

bool FaultPlan::CutsRead() {
  const std::lock_guard lock(mutex_);
  return Strikes("cut_read", rates_.cut_read);
}

bool FaultPlan::LosesMessage() {
  const std::lock_guard lock(mutex_);
  return Strikes("lost_message", rates_.lost_message);
}

bool FaultPlan::DuplicatesMessage() {
  const std::lock_guard lock(mutex_);
  return Strikes("duplicate_message", rates_.duplicate_message);
}

bool FaultPlan::DelaysMessage() {
  const std::lock_guard lock(mutex_);
  return Strikes("delayed_message", rates_.delayed_message);
}

bool FaultPlan::ReordersMessage() {
  const std::lock_guard lock(mutex_);
  return Strikes("reordered_message", rates_.reordered_message);
}

uint64_t FaultPlan::Pick(uint64_t bound) {
  const std::lock_guard lock(mutex_);
  return random_->Next() % bound;
}

// A rate of zero draws no number, so that adding a kind of fault does not change the others' runs.
bool FaultPlan::Strikes(const char* kind, double rate) {
  if (rate <= 0) return false;
  constexpr double kBits53 = 9007199254740992.0;
  const bool strikes = static_cast<double>(random_->Next() >> 11U) / kBits53 < rate;
  if (strikes) ++struck_[kind];
  return strikes;
}

}  // namespace holdfast::sim
