// The URL of a PostgreSQL catalog, as libpq reads it:
// postgresql://user@host:5432/database?option=x.
//
// It is shown by `config show` and in messages, so one with a password in it is refused, without
// being repeated. Pure functions. Source: interfaces.md "Config"; PostgreSQL manual 34.1.1.2.
#pragma once

#include <string>

#include "base/result.h"

namespace holdfast::catalog {

// Whether the URL can be connected to, as far as can be told without trying. kConfigInvalid says
// what is wrong.
Status ValidatePostgresUrl(const std::string& url);

}  // namespace holdfast::catalog
