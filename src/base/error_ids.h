// The error registry: every id Holdfast can report, as data (base/errors.def).
//
// Help, docs and `holdfast explain ID` are rendered from it. An id is never reused, never
// renumbered. The letter names the module: X base, N net, A avro, G gcp and the cloud, C catalog, R
// repository, P policy, B backup, K retain, V verify, T restore, O observe (alerts, reports), L
// localcloud, U command line and configuration.
#pragma once

#include <span>
#include <string_view>

namespace holdfast {

// The google.rpc codes, with their wire numbers. Source: google/rpc/code.proto.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

enum class ErrorId {
#define HF_ERROR(name, id, code, title, cause, data, action) name,
#include "base/errors.def"
#undef HF_ERROR
};

// One registry entry; all texts are static.
struct ErrorEntry {
  ErrorId error_id;
  std::string_view id;  // "B0003"
  Code code;
  std::string_view title;   // what it is, in a few words
  std::string_view cause;   // why it usually happens
  std::string_view data;    // is the user's data safe
  std::string_view action;  // what to do next
};

// The entry of `id`. Total: every id has one.
const ErrorEntry& FindError(ErrorId id);

// The entry whose text id is `id` ("B0003", any case); nullptr if there is none.
const ErrorEntry* FindError(std::string_view id);

// All entries, in registry order.
std::span<const ErrorEntry> AllErrors();

// "NOT_FOUND" and so on: the proto name of a code.
std::string_view CodeName(Code code);

}  // namespace holdfast
