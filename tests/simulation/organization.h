// A demo organization on the simulated cloud, and the people who work in it.
//
// Projects in and below folders, in three locations, with every kind of object that is backed up:
// tables that are plain or divided in every way, views, materialized views, external tables,
// routines, row access policies, IAM policies, labels. What `Edit` does follows from the seed of
// the generator alone. `Look` tells the truth of a moment, which backups are held against. Borrows
// cloud and generator; one thread. Source: issue "Done when".
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sim/sim_cloud.h"

namespace holdfast::simulation {

// The rows of a table or partition, sorted; of an object without data, its definition as one row.
using Content = std::shared_ptr<const sim::Rows>;

struct Truth {
  std::map<TableRef, Content> objects;   // every object that is to be backed up
  std::map<TableRef, Content> wholes;    // of each table all rows, divided or not
  std::map<TableRef, Json> definitions;  // of each table: schema, partitioning, description, labels
};

// The definition of a table by what a restore has to give back of it.
Json DefinitionOf(const TableInfo& table);

// The content of an object that is not a table. It is there.
Content DefinitionContent(sim::SimCloud& cloud, const TableRef& object);

class Organization {
 public:
  // Builds it.
  Organization(sim::SimCloud& cloud, std::mt19937_64& random);

  // One change as a person, or a stream of events, makes it; in words.
  std::string Edit();

  // Everything that is there now. No fault may be set.
  Truth Look() const;

  const std::vector<DatasetRef>& datasets() const { return datasets_; }

 private:
  enum class Shape { kPlain, kHour, kDay, kMonth, kYear, kIngestion, kRange };
  struct Table {
    TableRef ref;
    Shape shape = Shape::kPlain;  // with which it is made anew, if it was dropped
    bool is_kept = false;         // never dropped: a dataset is never without a table
    bool is_wide = false;         // got a column more since it was made
  };

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(int percent) { return Below(100) < static_cast<uint64_t>(percent); }
  std::string PickName() { return "name " + std::to_string(Below(10'000)); }

  static Schema SchemaOf(Shape shape, bool wide);
  static Json PartitioningOf(Shape shape);
  Json PartitionValue(Shape shape);
  sim::Rows NewRows(const Table& table, uint64_t count);
  void Make(Table& table);
  std::string EditTable(Table& table);
  std::string EditRows(Table& table);
  std::string EditResource(Table& table);
  std::string RemakeOtherwise(Table& table);
  std::string EditDefinition();
  void LookAtTable(const TableRef& ref, Truth& truth) const;

  sim::SimCloud& cloud_;
  std::mt19937_64& random_;
  std::vector<DatasetRef> datasets_;
  std::vector<Table> tables_;
};

}  // namespace holdfast::simulation
