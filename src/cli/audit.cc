#include "cli/audit.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace holdfast::cli {

std::string Actor() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const uid_t user = geteuid();
  const bool known =
      getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return "cli:" + (known ? std::string(found->pw_name) : std::to_string(user));
}

Status Audit(Environment& environment, const std::string& action, const std::string& subject,
             const Json& detail, const std::string& actor) {
  HF_RETURN_IF_ERROR(
      environment.catalog().AppendAudit({.at_ms = ToUnixMillis(environment.clock().Now()),
                                         .actor = actor,
                                         .action = action,
                                         .subject = subject,
                                         .detail = detail}));
  return Ok();
}

}  // namespace holdfast::cli
