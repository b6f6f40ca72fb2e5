// An Error as the status of a gRPC call. The codes are the same numbers on both sides.
//
// A full disk is told apart from a quota, which has the same code, by a google.rpc.ErrorInfo among
// the status's details: reason "DISK_FULL", domain "localcloud". Source: google.aip.dev/193.
#pragma once

#include <grpcpp/support/status.h>

#include "base/result.h"

namespace holdfast::pubsub {

// The code, and the message; never the hint. A Status that is ok is OK.
grpc::Status ToGrpcStatus(const Error& error);

inline grpc::Status ToGrpcStatus(const Status& status) {
  return status.ok() ? grpc::Status::OK : ToGrpcStatus(status.error());
}

}  // namespace holdfast::pubsub
