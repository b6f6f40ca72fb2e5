// One piece of a dataset, looked at: some of its tables, and at their end the dataset itself; or
// some of its routines.
//
// Part of the scan stage (scan_stage.h). Idempotent, one thread.
#pragma once

#include <string>

#include "backup/scan_stage.h"
#include "backup/services.h"
#include "backup/stage_result.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Looks at the piece that the message names. The result asks for the piece that follows it, if one
// does. Errors: such as another attempt may mend; a dataset that cannot be read is an outcome.
Result<StageResult> ScanDatasetPiece(const CheckProjectTables& message, const StageContext& context,
                                     const Services& services, const ScanLimits& limits);

// Whether a listing that was to go on at `token` failed in a way that beginning it anew may mend:
// services keep what a token stands for no longer than a day or so, and say so in several ways.
bool IsRefusedToken(const Error& error, const std::string& token);

// Asks for the message's listing anew, behind `after`. An error, `refused`, once that was tried
// several times.
Status AddRestart(const CheckProjectTables& message, const std::string& after, const Error& refused,
                  StageResult& result);

// kPageTokenRepeated when a listing gives the token that it was asked for.
Status CheckNextToken(const std::string& token, const std::string& next);

}  // namespace holdfast::backup
