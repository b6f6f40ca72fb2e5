// Access tokens for Google Cloud, found as Google's own clients find them.
//
// In order: the file that GOOGLE_APPLICATION_CREDENTIALS names (a service account's key or an
// authorized user's refresh token), then the metadata server of the machine. A token is kept until
// a minute before it ends, or until a service refuses it. Keys and tokens never reach a log or an
// error. Thread-safe. Source: RFC 7523 (JWT bearer), OAuth 2.0 for service accounts, Compute
// metadata server.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "gcp/rest_client.h"
#include "net/http_client.h"

namespace holdfast::gcp {

struct CredentialsOptions {
  std::string key_file;  // content is JSON; empty: the metadata server
  std::string metadata_server = "http://metadata.google.internal";
};

// A source of tokens. Borrows `http` and `clock`. Nothing is read or asked before the first call,
// whose errors are kCredentialsMissing (no or malformed credentials, or refused),
// kServiceUnavailable (the token service may answer later) or those of the network.
TokenSource MakeTokenSource(net::HttpClient& http, Clock& clock, CredentialsOptions options);

// The token source of an emulator: no token at all.
TokenSource NoToken();

// The signed assertion that a service account exchanges for a token. `key` is the account's JSON.
Result<std::string> MakeJwtAssertion(const Json& key, Timestamp now);

}  // namespace holdfast::gcp
