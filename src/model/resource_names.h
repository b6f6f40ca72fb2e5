// Names of BigQuery resources: projects, datasets, tables and one partition of a table.
//
// Parsing accepts the three forms people type (`project.dataset.table`, `project:dataset.table` and
// either with `$partition`); printing gives the dot form. A project id may itself hold a colon
// ("example.com:project"). Plain values, ordered, hashable by their text. Source: DESIGN §2,
// interfaces.md "Resource names".
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

struct DatasetRef {
  std::string project;
  std::string dataset;

  std::string ToString() const;  // "project.dataset"
  auto operator<=>(const DatasetRef&) const = default;
};

struct TableRef {
  std::string project;
  std::string dataset;
  std::string table;
  std::string partition;  // partition id without '$'; empty: the whole table

  std::string ToString() const;  // "project.dataset.table" or "project.dataset.table$partition"
  DatasetRef dataset_ref() const { return {project, dataset}; }

  // The same table without and with a partition.
  TableRef WholeTable() const { return {project, dataset, table, {}}; }
  TableRef WithPartition(std::string_view id) const {
    return {project, dataset, table, std::string(id)};
  }
  auto operator<=>(const TableRef&) const = default;
};

// What is backed up beside tables and has no table's name gets a reserved one, so that a TableRef
// names every object: "routine:net_price", and "dataset:definition" for the dataset itself. A colon
// is in no table's name.
struct ReservedName {
  std::string routine;  // the routine's id; empty: the dataset itself

  bool operator==(const ReservedName&) const = default;
};

// The `table` member of such an object, and what it stands for; nullopt: it is a table's name, or
// none at all.
std::string MakeReservedName(const ReservedName& name);
std::optional<ReservedName> ParseReservedName(std::string_view table);

// The objects themselves.
TableRef DatasetObject(const DatasetRef& dataset);
TableRef RoutineObject(const DatasetRef& dataset, std::string_view routine);

// A table, a partition, or an object of a reserved name, which has no partition. Errors:
// kInvalidName with the form that was expected.
Result<DatasetRef> ParseDatasetRef(std::string_view text);
Result<TableRef> ParseTableRef(std::string_view text);

// Checks of one part, by Google's rules: project 6..30 of [a-z0-9-] with an optional domain prefix
// (shorter ids are accepted: old projects have them); dataset [A-Za-z0-9_]{1,1024}; table up to
// 1024 bytes of Unicode letters, marks, numbers, connectors, dashes and spaces.
Status ValidateProjectId(std::string_view project);
Status ValidateDatasetId(std::string_view dataset);
Status ValidateTableId(std::string_view table);
// Routine [A-Za-z0-9_]{1,256}.
Status ValidateRoutineId(std::string_view routine);

// `pattern` with '*' (any run) and '?' (one character) against the whole of `text`; case-sensitive.
bool MatchesGlob(std::string_view pattern, std::string_view text);

}  // namespace holdfast
