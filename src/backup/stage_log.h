// The log entry of a stage that was completed: with run, object, and what came of it.
//
// One entry a message, and one more for each object that failed or is suspect, so that a scan of
// 100,000 tables is one line. Source: issue "Seeing it".
#pragma once

#include <string>

#include "backup/stage_result.h"

namespace holdfast::backup {

// What a message is about, for the log: the table, the project, or "organization".
std::string StageObject(const WorkMessage& message);

// At info when nothing failed, else at warning.
void LogStage(const WorkMessage& message, const StageResult& result);

}  // namespace holdfast::backup
