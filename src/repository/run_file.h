// What a repository keeps of a run: its summary, runs/<run>.json, and the outcomes in parts beside
// it.
//
// A part is write-once NDJSON, an outcome a line in order of object, and is named by the SHA-256 of
// its bytes: written twice it is the same object. The summary comes last and names the parts, with
// counts and sums; it is what makes them a run. A crash before it leaves parts that nobody names
// and that the next try finds as its own. One part is in memory at a time. Runs of earlier versions
// are one document with its items, and are read as well. Source: DESIGN §5.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/run.h"
#include "repository/repository.h"

namespace holdfast::repository {

// Outcomes of one part at most, and about how many bytes.
inline constexpr int64_t kRunPartItemsMax = 5'000;
inline constexpr size_t kRunPartBytesMax = size_t{8} << 20;

// One part as the summary names it.
struct RunPart {
  std::string sha256;  // of its bytes, in lower-case hex; also its name
  int64_t items = 0;
  int64_t bytes = 0;

  bool operator==(const RunPart&) const = default;
};

// runs/<run>.json.
struct RunFile {
  RunSummary summary;
  std::vector<RunPart> parts;
  std::vector<ItemOutcome> items;  // of a run that has no parts, being of an earlier version
};

// Writes a run to several repositories at once. One that fails is given up, with a warning: the
// file is an index of manifests. Used by one thread.
class RunFileWriter {
 public:
  RunFileWriter(std::vector<Repository> repositories, std::string run)
      : repositories_(std::move(repositories)), run_(std::move(run)) {}

  // Adds the outcome that is next in order.
  void Add(const ItemOutcome& item);

  // Writes the summary: the run is there. A summary that is there stays, being that of a process
  // that died, or of another one that worked at the same run.
  void Finish(const RunSummary& summary);

 private:
  void FlushPart();
  void WriteToAll(const std::function<std::string(const Location& location)>& name,
                  const std::string& content);

  std::vector<Repository> repositories_;
  std::string run_;
  std::string lines_;  // of the part that is being gathered
  int64_t items_ = 0;
  std::vector<RunPart> parts_;
};

// Reads the summary. Errors: kObjectNotFound, kInvalidJson, kLimitExceeded.
Result<RunFile> ReadRunFile(Repository& repository, const std::string& run);

// Reads one part of the run and holds it against what the summary says. Errors: as ForEachRunPage.
Status CheckRunPart(Repository& repository, const std::string& run, const RunPart& part);

// Visits the outcomes of a run a page at a time, in order of object. Errors: of the visitor; a part
// that is gone (kObjectNotFound), or is not what the summary says (kObjectCorrupt).
Status ForEachRunPage(Repository& repository, const RunFile& file,
                      const std::function<Status(std::vector<ItemOutcome>&& items)>& visit);

}  // namespace holdfast::repository
