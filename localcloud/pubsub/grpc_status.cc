#include "localcloud/pubsub/grpc_status.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

namespace holdfast::pubsub {

grpc::Status ToGrpcStatus(const Error& error) {
  const auto code = static_cast<grpc::StatusCode>(error.code);
  if (error.id != ErrorId::kDiskFull) return {code, error.message};
  google::rpc::ErrorInfo info;
  info.set_reason("DISK_FULL");
  info.set_domain("localcloud");
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(error.message);
  details.add_details()->PackFrom(info);
  return {code, error.message, details.SerializeAsString()};
}

}  // namespace holdfast::pubsub
