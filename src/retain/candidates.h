// What the rules of retention work on: the backups of an object in order, and what each rule said.
//
// Internal to retain/. Plain values.
#pragma once

#include <string>
#include <vector>

#include "retain/history.h"

namespace holdfast::retain {

// One backup while the rules speak.
struct Candidate {
  const HistoryEntry* entry = nullptr;
  bool counts = false;  // it is good and not of the future: it takes a place under a rule
  bool future = false;  // of a time after now
  std::vector<std::string> wanted;        // by these keep rules
  std::vector<std::string> unwanted;      // why these keep rules do not ask for it
  std::vector<std::string> limited;       // which limits take it away
  std::vector<std::string> protected_by;  // invariants

  bool IsWanted() const { return !wanted.empty() && limited.empty(); }
};

// The newest first.
using Candidates = std::vector<Candidate>;

// The candidates of a history.
Candidates SortedCandidates(const ObjectHistory& history, Timestamp now);

}  // namespace holdfast::retain
