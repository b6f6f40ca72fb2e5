// An Error as the status of a gRPC call. The codes are the same numbers on both sides.
#pragma once

#include <grpcpp/support/status.h>

#include "base/result.h"

namespace holdfast::pubsub {

inline grpc::Status ToGrpcStatus(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.message};
}

inline grpc::Status ToGrpcStatus(const Status& status) {
  return status.ok() ? grpc::Status::OK : ToGrpcStatus(status.error());
}

}  // namespace holdfast::pubsub
