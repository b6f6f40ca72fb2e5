# Translates the files of `target` eight at a time where HOLDFAST_UNITY is on: most of a file's time
# goes into the headers of libraries, which one of eight then reads for the others.
function(holdfast_unity target)
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD ${HOLDFAST_UNITY} UNITY_BUILD_MODE BATCH UNITY_BUILD_BATCH_SIZE 8)
  if(HOLDFAST_UNITY)
    # An included .cc looks like a header to it.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
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
    holdfast_unity(${name})
    target_link_libraries(${name} PRIVATE holdfast_options)
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  endif()

  if(HOLDFAST_TESTS AND tests)
    add_executable(${name}_test ${tests})
    holdfast_unity(${name}_test)
    target_link_libraries(${name}_test PRIVATE holdfast_test_options ${name} ${ARG_TEST_DEPS}
      GTest::gtest_main GTest::gmock rapidcheck)
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
  holdfast_unity(${name}_cli)
  target_link_libraries(${name}_cli PRIVATE holdfast_options PUBLIC ${ARG_DEPS})
  target_link_libraries(${name} PRIVATE holdfast_options ${name}_cli)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin
    BUILD_RPATH "$ORIGIN/../lib")
  add_dependencies(${name} duckdb_beside)
  if(HOLDFAST_TESTS AND tests)
    add_executable(${name}_cli_test ${tests})
    holdfast_unity(${name}_cli_test)
    target_link_libraries(${name}_cli_test PRIVATE holdfast_test_options ${name}_cli
      GTest::gtest_main GTest::gmock)
    add_test(NAME cli COMMAND ${name}_cli_test --gtest_brief=1)
  endif()
  holdfast_fuzzers("${fuzzers}" ${name}_cli)
endfunction()
