// A company's weeks in virtual time: schedules, several methods, a second repository, edits,
// failures, prunes, losses, and a restore of everything every day.
//
// One seed decides all of it: the same seed has the same trace, line by line. Adds test failures
// where a restore is not as the oracle says (expectation.h). One thread.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "repository/layout.h"
#include "restore/report.h"
#include "retain/services.h"
#include "tests/simulation/expectation.h"
#include "tests/simulation/organization.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify_recorded.h"

namespace holdfast::simulation {

class VirtualDays {
 public:
  explicit VirtualDays(uint64_t seed);

  // Lives through these days; stops early when a test failure was added.
  void Live(int days);

  // Looks at all that is left: every manifest read to the last bit, the catalog, the audit chain.
  void ExpectAllIsWell();

  // What happened, in order; and how often, by kind.
  const std::vector<std::string>& trace() const { return trace_; }
  const std::map<std::string, int>& happened() const { return happened_; }

  // When the runs of a schedule began, in order.
  std::vector<Timestamp> StartsOf(const std::string& schedule);

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(int percent) { return Below(100) < static_cast<uint64_t>(percent); }
  void Say(const std::string& line);
  void Note(const std::string& what) { ++happened_[what]; }

  void LiveHour(int hour);
  void Tick(bool faults);
  void RunDue(const std::vector<std::string>& due, bool faults);
  void SetFaults();
  void ClearFaults();
  void FollowRuns();
  void FollowRun(const Run& run, const std::vector<ItemOutcome>& items);
  void CorrectOutcome(const Run& run, ItemOutcome& item);
  // What a restore of the object has to give back, where the table is backed up by two methods: by
  // that of the newest run, of the same run by the export.
  const Expectation& OracleOf(const TableRef& object) const;
  std::vector<TableRef> ExpectedIn(const DatasetRef& dataset) const;
  bool IsUncertain(const TableRef& object) const;
  void FinishRuns();
  retain::Services retain_services();
  verify::Services verify_services();
  // Where the backups of an object may be: the first repository, and the further one.
  std::vector<repository::Location> PlacesOf(const TableRef& object,
                                             const std::string& location) const;
  void Prune();
  void LoseCatalog();
  // Of backups that a restore would take, what lies in the first repository is lost: all of it, or
  // the data.
  void LoseBackups(const DatasetRef& dataset);
  void LoseBackup(const catalog::BackupRecord& record);
  void ExpectCopiesOfTheLost();
  void RestoreEverything();
  void RestoreDataset(const DatasetRef& dataset);
  Result<restore::RestoreReport> Restore(const DatasetRef& dataset, const std::string& to);
  void ExpectRestored(const DatasetRef& dataset, const std::string& to,
                      const restore::RestoreReport& report);
  bool HasOtherColumns(const TableRef& object) const;
  void ExpectObject(const TableRef& object, const TableRef& back, const Good& good);
  void ExpectDefinitions(const std::map<TableRef, const Good*>& newest, const std::string& to);
  void ExpectNothingElse(const DatasetRef& dataset, const std::string& to);

  testing_support::SimFixture fixture_;
  std::mt19937_64 random_;
  Organization organization_;
  PolicyDocument document_;
  Expectation expectation_;
  Expectation snapshots_{Expectation::Of::kSnapshots};  // of tables that are exported as well
  std::set<std::string> lost_;       // backups of which nothing is left in the first repository
  std::set<std::string> lost_data_;  // of which the manifest is
  std::set<std::string> followed_;   // runs
  std::map<std::string, std::vector<Truth>> at_work_;  // what was there while a run was worked at
  std::vector<std::string> trace_;
  std::map<std::string, int> happened_;
  std::optional<std::string> denied_;  // a project
  int restores_ = 0;
};

}  // namespace holdfast::simulation
