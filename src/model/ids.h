// The ids of runs and backups: they sort by time as text and fit in object names and job ids.
//
// A run's id is fresh; a backup's follows from its run and object, so that a message that is
// delivered twice writes the same manifest, once. Only [0-9A-Za-z_-]. Pure but for the ports.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "model/method.h"
#include "model/resource_names.h"

namespace holdfast {

// "20261121T101844Z-3fa9c1d2": the time at which the run starts and 8 random digits.
std::string NewRunId(Timestamp started, Random& random);

// "20261121T101844Z-5b0c9d21e6a04c177f3e": the run's time and 20 digits of a hash of run, object
// and method: of a run of a billion objects two are the same with a chance of one in two million.
std::string BackupId(std::string_view run, const TableRef& object, Method method);

// "holdfast-<operation>-<32 digits>": a job's id, a function of all of its arguments. Another
// attempt is another id, because a failed id never runs again (google-semantics A5 #36, #37).
std::string JobId(std::string_view operation, std::string_view run, const TableRef& object,
                  int attempt);

// Whether `id` could be an id of ours: 1..128 of [0-9A-Za-z_-]. Ids become parts of object names.
bool IsValidId(std::string_view id);

}  // namespace holdfast
