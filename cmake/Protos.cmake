# Google's .proto files, only those of the services in use, generated into one library.
set(proto_root ${HOLDFAST_DEPS_DIR}/google-proto-files)
set(proto_out ${CMAKE_BINARY_DIR}/protos)
set(pubsub_proto_files
  google/api/annotations.proto google/api/client.proto google/api/field_behavior.proto
  google/api/http.proto google/api/launch_stage.proto google/api/resource.proto
  google/pubsub/v1/pubsub.proto google/pubsub/v1/schema.proto
  google/rpc/error_details.proto google/rpc/status.proto)
set(grpc_proto_files google/pubsub/v1/pubsub.proto google/pubsub/v1/schema.proto)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

set(generated)
foreach(file ${pubsub_proto_files})
  string(REGEX REPLACE "\\.proto$" "" stem ${file})
  set(outputs ${proto_out}/${stem}.pb.cc ${proto_out}/${stem}.pb.h)
  set(grpc_args)
  if(file IN_LIST grpc_proto_files)
    list(APPEND outputs ${proto_out}/${stem}.grpc.pb.cc ${proto_out}/${stem}.grpc.pb.h)
    set(grpc_args --grpc_out=${proto_out} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endif()
  add_custom_command(OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${proto_out}
    COMMAND protobuf::protoc -I /usr/include -I ${proto_root} --cpp_out=${proto_out} ${grpc_args} ${file}
    DEPENDS ${proto_root}/${file}
    COMMENT "protoc ${file}")
  list(APPEND generated ${outputs})
endforeach()

add_library(pubsub_protos STATIC ${generated})
target_compile_options(pubsub_protos PRIVATE -O1 -g0 -w)
target_include_directories(pubsub_protos SYSTEM PUBLIC ${proto_out})
target_link_libraries(pubsub_protos PUBLIC gRPC::grpc++ protobuf::libprotobuf)
# Under ThreadSanitizer protobuf's headers give maps two more fields, which the packaged
# libprotobuf does not have: the layout must be the library's, here and in all that include it.
if(HOLDFAST_SANITIZE MATCHES "thread")
  target_compile_options(pubsub_protos PUBLIC -U__SANITIZE_THREAD__)
endif()
