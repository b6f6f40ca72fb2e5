// What commands leave in the audit log.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "cli/environment.h"

namespace holdfast::cli {

// "cli:alice", by the user that this process runs as; their number where they have no name.
std::string Actor();

// Appends who does what to what. Called before what it tells of begins, so that nothing happens of
// which the log does not know. Errors: those of the catalog.
Status Audit(Environment& environment, const std::string& action, const std::string& subject,
             const Json& detail = Json::object(), const std::string& actor = Actor());

}  // namespace holdfast::cli
