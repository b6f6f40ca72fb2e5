# The headers that nearly every file includes, parsed once: parsing them is a third of a build.
if(HOLDFAST_PCH)
  # A target whose flags do not fit parses the headers itself.
  set(CMAKE_PCH_WARN_INVALID OFF)
  file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cc "")
  set(common_headers <algorithm> <array> <chrono> <cstdint> <functional> <map> <memory> <mutex>
    <optional> <set> <span> <string> <string_view> <utility> <variant> <vector>
    <fmt/format.h> <nlohmann/json.hpp>)
  foreach(name holdfast_pch holdfast_test_pch)
    add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
    target_link_libraries(${name} PRIVATE holdfast_options fmt)
    target_compile_options(${name} PRIVATE -fpch-preprocess)
  endforeach()
  target_precompile_headers(holdfast_pch PRIVATE ${common_headers})
  if(HOLDFAST_TESTS)
    target_link_libraries(holdfast_test_pch PRIVATE GTest::gtest)
    target_precompile_headers(holdfast_test_pch PRIVATE ${common_headers}
      <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()

# Lets `target` begin with the common headers; `pch` is holdfast_pch or holdfast_test_pch.
function(holdfast_use_pch target pch)
  if(HOLDFAST_PCH)
    # The headers are parsed as for a library (-fPIC); a program's own -fPIE would not fit them.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC -fpch-preprocess)
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

# One program for each *_fuzz.cc of `sources`, linked with the libraries that follow.
function(holdfast_fuzzers sources)
  if(NOT HOLDFAST_FUZZ)
    return()
  endif()
  foreach(source ${sources})
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${target} PRIVATE holdfast_options ${ARGN})
  endforeach()
endfunction()

# holdfast_module(NAME DIR dir DEPS ... [TEST_DEPS ...])
#   The library of one folder: every *.cc of it, but for *_test.cc (its test program NAME_test),
#   *_bench.cc and *_fuzz.cc (one program each). A file cannot be dead: the folder is the list.
function(holdfast_module name)
  cmake_parse_arguments(ARG "" "DIR" "DEPS;TEST_DEPS" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/${ARG_DIR})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc ${dir}/*.S)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")

  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PRIVATE holdfast_options)
    holdfast_use_pch(${name} holdfast_pch)
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  endif()

  if(HOLDFAST_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE holdfast_options ${name} ${ARG_TEST_DEPS}
      GTest::gtest_main GTest::gmock rapidcheck)
    holdfast_use_pch(${name}_test holdfast_test_pch)
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()

  holdfast_fuzzers("${fuzzers}" ${name} ${ARG_TEST_DEPS})
endfunction()

# holdfast_program(NAME DIR dir DEPS ...): the program of one folder, at bin/NAME, and a library
# NAME_cli of all but main.cc, which its tests link.
function(holdfast_program name)
  cmake_parse_arguments(ARG "" "DIR" "DEPS" ${ARGN})
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${ARG_DIR}/main.cc)
    return()
  endif()
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${ARG_DIR}/main.cc)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${ARG_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cc$")
  add_library(${name}_cli STATIC ${sources})
  target_link_libraries(${name}_cli PRIVATE holdfast_options PUBLIC ${ARG_DEPS})
  holdfast_use_pch(${name}_cli holdfast_pch)
  target_link_libraries(${name} PRIVATE holdfast_options ${name}_cli)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin
    BUILD_RPATH "$ORIGIN/../lib")
  add_dependencies(${name} duckdb_beside)
  if(HOLDFAST_TESTS AND tests)
    add_executable(${name}_cli_test ${tests})
    target_link_libraries(${name}_cli_test PRIVATE holdfast_options ${name}_cli
      GTest::gtest_main GTest::gmock)
    add_test(NAME cli COMMAND ${name}_cli_test --gtest_brief=1)
  endif()
  holdfast_fuzzers("${fuzzers}" ${name}_cli)
endfunction()
