// Lifecycle rules of a bucket: which generations a Delete rule takes.
//
// Pure. All conditions of a rule must hold; a rule without conditions takes nothing. Days are whole
// days of 24 hours. Source: Cloud Storage, "Object Lifecycle Management", lifecycle conditions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "localcloud/storage/object_record.h"

namespace holdfast::storage {

struct LifecycleRule {
  bool deletes = false;  // the action is Delete; rules with others are kept and not applied
  std::optional<int64_t> age_days;
  std::optional<int64_t> days_since_custom_time;
  std::optional<int64_t> days_since_noncurrent;
  std::optional<int64_t> newer_versions;    // at least so many newer generations
  std::optional<Timestamp> created_before;  // midnight UTC
  std::optional<Timestamp> custom_time_before;
  std::optional<Timestamp> noncurrent_before;
  std::optional<bool> live;
  std::vector<std::string> storage_classes;
  std::vector<std::string> prefixes;
  std::vector<std::string> suffixes;

  bool conditional() const;  // has any condition
};

// The rules of settings["lifecycle"]; none when absent. Errors: kStorageInvalid, naming the field.
Result<std::vector<LifecycleRule>> ParseLifecycle(const Json& settings);

// Whether `rule` deletes `object` at `now`; `newer_versions` counts newer generations of the name.
bool TakesObject(const LifecycleRule& rule, const ObjectRecord& object, int64_t newer_versions,
                 Timestamp now);

}  // namespace holdfast::storage
