// A shop's dataset for a few days of virtual time: people edit tables, services fail, disks are
// full, the process dies at a random call; and whenever the faults stop for one run, everything
// that is there is protected and can be restored.
//
// One seed decides all of it: the same seed has the same trace. Most seeds have two tables and a
// day or two, every sixteenth a dozen and six days. Adds test failures where an invariant does not
// hold. One thread. Source: issue "Proof".
#pragma once

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "repository/repository.h"
#include "restore/report.h"
#include "retain/services.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify_recorded.h"

namespace holdfast::simulation {

class ShopSimulation {
 public:
  explicit ShopSimulation(uint64_t seed);

  // Lives through all of its days; stops early when a test failure was added.
  void Run();

  // What happened, in order; and how often, by kind: faults as "fault KIND".
  const std::vector<std::string>& trace() const { return trace_; }
  const std::map<std::string, int64_t>& happened() const { return happened_; }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(int percent) { return Below(100) < static_cast<uint64_t>(percent); }
  void Note(const std::string& what) { ++happened_[what]; }
  void Say(const std::string& line);

  void LiveDay(int day);
  std::string Day();
  sim::Rows EventRows();
  std::string Edit();
  std::string EditRows();
  std::string EditView();
  std::string EditRoutine();

  void SetFaults();
  void ClearFaults();
  void BackUpUnderFaults();
  Result<RunReport> BackUpWithSeveralWorkers();
  // Somebody else's turn while a worker waits or is about to make something.
  void LetOthersWork(const backup::BusSetup& setup, const backup::Services& with);
  void MakeOrdersAnew();

  void PruneUnderFaults();
  void PinOne();
  std::map<TableRef, int64_t> CountGood();
  retain::Services retain_services();
  verify::Services verify_services();
  repository::Location place() const;

  std::vector<TableRef> Present();
  // Whether the run says that the object failed. It may have a backup all the same: of two workers
  // at one message, one gave up while the other went on.
  bool IsToldFailed(const std::string& run, const TableRef& object);
  void ExpectEverythingProtected();
  void ExpectEveryManifestWhole();
  void ExpectNothingTwice();
  Result<restore::RestoreReport> Restore(const std::string& to);
  void ExpectRestoreEqual(const std::string& to);

  const bool is_large_;
  testing_support::SimFixture fixture_;
  std::mt19937_64 random_;
  BackupPolicy policy_;
  std::vector<TableRef> plain_;  // tables without partitions
  std::string routine_;          // its body now; empty: there is none
  std::string pinned_;           // a backup; empty: none
  int at_work_ = 0;              // other workers, within one another
  bool was_set_back_ = false;    // the clock, once
  std::vector<std::string> trace_;
  std::map<std::string, int64_t> happened_;
};

}  // namespace holdfast::simulation
