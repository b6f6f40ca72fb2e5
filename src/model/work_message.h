// Work messages: what one stage of a run asks of the next, by the seed's three topics.
//
// Each message has a task id that is a function of what is asked, not of how often or by whom: a
// message that comes twice is the same task. JSON members are the seed's (project_to_check,
// table_to_backup); unknown members are ignored. Plain values. Source: DESIGN §1.3, §4.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/fingerprint.h"
#include "model/method.h"
#include "model/resource_names.h"

namespace holdfast {

inline constexpr std::string_view kStartTopic = "start-backup-process";
inline constexpr std::string_view kCheckTopic = "check-project-tables";
inline constexpr std::string_view kBackupTopic = "run-bq-backup-to-cs";

// Units of one message at most.
inline constexpr size_t kMessagePartitionsMax = 10'000;

// Begin: list the organization's projects.
struct StartBackupProcess {
  std::string run;
};

// A piece of a dataset that is to be looked at.
struct DatasetPiece {
  std::string dataset;                        // its id; empty: there is no piece
  std::string location;                       // as it was listed
  std::map<std::string, std::string> labels;  // as it was listed
  bool routines = false;                      // of its routines; false: of its tables

  bool operator==(const DatasetPiece&) const = default;
};

// Look at one project: its datasets, each of which is then looked at piece by piece, and which of
// a piece's tables changed.
struct CheckProjectTables {
  std::string run;
  std::string project_to_check;
  std::vector<std::string> folders;           // its ancestors as "folders/123", the nearest first
  std::map<std::string, std::string> labels;  // of the project
  DatasetPiece piece;                         // without dataset: the datasets are to be listed
  std::string page_token;  // where in the listing it begins; empty: at the beginning
  std::string after;       // tables up to this name were looked at; empty: none was
  int restarts = 0;        // how often the listing was begun anew, since a token was refused
};

// One thing to back up: a partition of the message's table, or the table itself.
struct BackupUnit {
  std::string partition;    // empty: the whole table
  Fingerprint fingerprint;  // as scanned
  Change change = Change::kDataChanged;
  // kUnchanged: the backup that holds it already, and that a further repository lacks.
  std::string made_before;

  bool operator==(const BackupUnit&) const = default;
};

// Back up one table, or some partitions of it.
struct RunBackup {
  std::string run;
  TableRef table_to_backup;  // without partition
  Method method = Method::kExport;
  std::vector<BackupUnit> units;  // one at least, no partition twice
  Json policy = Json::object();   // members of BackupPolicy that are the table's own
  std::string note;               // goes into the table's outcomes (ItemOutcome::note)
  // The moment as of which all units are taken, the same for every message and attempt of the
  // table; nullopt: each as it is when its turn comes.
  std::optional<int64_t> as_of_ms;
  bool shares_moment = false;  // with other messages of the table
  std::string data_class;      // "critical"...: what goes first (quota_plan.h); empty: none said
  int64_t rpo_seconds = 0;     // within which a change is to be backed up; 0: none said
};

using WorkMessage = std::variant<StartBackupProcess, CheckProjectTables, RunBackup>;

// The topic that a message of its kind goes to, and the run that it is of.
std::string_view TopicOf(const WorkMessage& message);
const std::string& RunOf(const WorkMessage& message);

// 32 hexadecimal digits of a hash of topic, run and what is asked for: project, or table and
// partitions. Fingerprints do not count: what is scanned twice in one run is still one task.
std::string TaskId(const WorkMessage& message);

// The message's document, which ParseWorkMessage reads with its topic.
Json ToJson(const WorkMessage& message);

// The message of that topic. Errors: kInvalidJson, kInvalidName, kLimitExceeded naming the member.
Result<WorkMessage> ParseWorkMessage(std::string_view topic, std::string_view text);

}  // namespace holdfast
