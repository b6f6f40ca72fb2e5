# The libraries of ours, from Debian packages and from HOLDFAST_DEPS_DIR (scripts/fetch-deps).
set(HOLDFAST_DEPS_DIR ${CMAKE_SOURCE_DIR}/build/deps CACHE PATH "Where scripts/fetch-deps put the downloads")

find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(date CONFIG REQUIRED)

function(pkg_library name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE PkgConfig::${name})
endfunction()

pkg_library(sqlite sqlite3)
pkg_library(postgres libpq)
pkg_library(zstd libzstd)
pkg_library(simdjson_fenced simdjson)
pkg_library(spdlog_fenced spdlog)
pkg_library(yaml yaml-cpp)

add_library(time_zones INTERFACE)
target_link_libraries(time_zones INTERFACE date::date-tz)
add_library(snappy INTERFACE)
target_link_libraries(snappy INTERFACE -lsnappy)
add_library(deflate INTERFACE)
target_link_libraries(deflate INTERFACE -ldeflate -lz)
add_library(xxhash INTERFACE)
target_link_libraries(xxhash INTERFACE -lxxhash)
add_library(json_headers INTERFACE)
add_library(boost_fenced INTERFACE)
target_link_libraries(boost_fenced INTERFACE Boost::headers Threads::Threads)
add_library(cli11_fenced INTERFACE)

# DuckDB: a shared library beside the program, found by rpath.
set(duckdb_library ${HOLDFAST_DEPS_DIR}/duckdb/libduckdb.so)
if(NOT EXISTS ${duckdb_library})
  message(FATAL_ERROR "DuckDB is not at ${duckdb_library}: run scripts/bootstrap first")
endif()
add_library(duckdb SHARED IMPORTED GLOBAL)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${duckdb_library}
  IMPORTED_NO_SONAME TRUE
  INTERFACE_INCLUDE_DIRECTORIES ${HOLDFAST_DEPS_DIR}/duckdb)
add_custom_target(duckdb_beside ALL
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib
  COMMAND ${CMAKE_COMMAND} -E copy_if_different ${duckdb_library} ${CMAKE_BINARY_DIR}/lib/libduckdb.so)

if(HOLDFAST_TESTS)
  find_package(GTest REQUIRED)
  add_library(rapidcheck INTERFACE)
  target_link_libraries(rapidcheck INTERFACE -lrapidcheck)
endif()
